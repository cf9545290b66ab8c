import { isLoggedOutState, lookAtPage } from '../../client/page-probe.js';
import { LogoutFailedError, TimeoutError } from '../../errors.js';
import type { BrowserStopper } from '../browser/browser-stopper.js';
import type { SessionContext } from '../context/session-context.js';
import type { LineageKeeper } from '../login/lineage-keeper.js';
import type { RevocationCause, Revoker } from '../login/revoker.js';
import type { Pruner } from '../prune/pruner.js';
import type { Saver } from '../save/saver.js';
import type { RemovedProfile } from '../watch/removed-profile.js';

/** Options for closing a session. */
export interface CloseRequest {
  /** Whether to take a final snapshot if the session was up. */
  readonly save: boolean;
  /** Whether to unlink the device from the phone first. */
  readonly logout?: boolean;
  /** Marks the login as ended, with this cause. */
  readonly revoke?: RevocationCause;
  /** Whether its attempts were used up before. Then nothing is running and no lease is held. */
  readonly hasFailed?: boolean;
  /** Whether the bot itself called `client.destroy()` or `client.logout()`. */
  readonly byBot?: boolean;
  /** Whether the session stops without a call, so that its bot may still close the client. */
  readonly byItself?: boolean;
}

/**
 * Time limits for the final save, ms. A process that is told to end has about ten seconds. So a save into a store
 * that may be remote gets what is left of eight seconds since the stop began, but at least two; otherwise, the last
 * earlier save must do. A save into a folder on this machine gets a minute, since it moves as fast as it can.
 */
const FINAL_SAVE_MS = 8_000;
const LEAST_FINAL_SAVE_MS = 2_000;
const LOCAL_FINAL_SAVE_MS = 60_000;
/**
 * Pruning caches is not urgent. After a signal only seconds are left, and everything important has been saved by
 * then.
 */
const PRUNE_DEADLINE_MS = 2_000;
/** After a signal, there is no time to wait for a page that hangs. */
const LOOK_DEADLINE_MS = 3_000;

/** Closes the browser and takes the final, cold snapshot. Never rejects because of a save; the failure is announced. */
export class SessionCloser {
  readonly #context: SessionContext;
  readonly #parts: {
    readonly lineageKeeper: LineageKeeper;
    readonly pruner: Pruner;
    readonly removed: RemovedProfile;
    readonly revoker: Revoker;
    readonly saver: Saver;
    readonly stopper: BrowserStopper;
  };

  constructor(
    context: SessionContext,
    parts: {
      readonly lineageKeeper: LineageKeeper;
      readonly pruner: Pruner;
      readonly removed: RemovedProfile;
      readonly revoker: Revoker;
      readonly saver: Saver;
      readonly stopper: BrowserStopper;
    },
  ) {
    this.#context = context;
    this.#parts = parts;
  }

  /**
   * @param stoppingSince when the session began to stop, monotonic ms
   * @param wasUp whether the session was logged in until now; otherwise nothing is saved (docs/invariants.md I4)
   */
  async close(request: CloseRequest, wasUp: boolean, stoppingSince: number): Promise<void> {
    try {
      await this.#close(request, wasUp, stoppingSince);
    } finally {
      await this.#context.follower.stop(); // its folder must be gone before the session is
      await this.#parts.removed.settle(request);
    }
  }

  async #close(
    { save, logout = false, revoke }: CloseRequest,
    wasUp: boolean,
    stoppingSince: number,
  ): Promise<void> {
    const { stopper, revoker, lineageKeeper } = this.#parts;
    const isWorthSaving = save && wasUp && !(await this.#isLoggedOut());
    const { orderly, logoutFailure } = await stopper.stop({ logout });
    await lineageKeeper.settled();
    if (logoutFailure) throw new LogoutFailedError(logoutFailure.error);
    if (revoke) await revoker.revoke(revoke);
    if (isWorthSaving) await this.#takeFinalSave(orderly, stoppingSince);
    if (save && orderly && this.#ownsProfile()) await this.#parts.pruner.pruneAfterStop(PRUNE_DEADLINE_MS);
  }

  // A session that stops because it lost a lease must not touch what another session may use now.
  #ownsProfile(): boolean {
    const { lease, profileLease } = this.#context;
    return lease.isHeld() && profileLease.isHeld();
  }

  // A page that does not answer can't be trusted to be logged in. A browser that is gone has already reported its
  // state.
  async #isLoggedOut(): Promise<boolean> {
    const { driver, clock, options } = this.#context;
    if (!driver.connected) return false;
    const look = await lookAtPage(driver, clock, Math.min(LOOK_DEADLINE_MS, options.puppeteerTimeoutMs));
    return look === undefined || isLoggedOutState(look.state);
  }

  // A store that hangs must not keep a process from ending.
  async #takeFinalSave(orderly: boolean, stoppingSince: number): Promise<void> {
    const { clock, saves } = this.#context;
    const left = FINAL_SAVE_MS - (clock.monotonic() - stoppingSince);
    const isLocal = saves.store.localPath !== undefined;
    const ms = isLocal ? LOCAL_FINAL_SAVE_MS : Math.max(left, LEAST_FINAL_SAVE_MS);
    const deadline = new AbortController();
    const timer = clock.setTimeout(
      () => deadline.abort(new TimeoutError(`the final save took longer than ${ms} ms`)),
      ms,
    );
    const { signal } = deadline;
    await this.#parts.saver.take({ kind: 'save', capture: 'cold', orderly, signal }).catch(() => undefined);
    clock.clearTimeout(timer);
  }
}
