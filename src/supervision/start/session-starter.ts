import type { ClientEvent } from '../../client/client-event.js';
import { isNavigationRace } from '../../client/navigation-race.js';
import type { FailedStart, StartOutcome } from '../../client/start-outcome.js';
import { type SessionError, toError } from '../../errors.js';
import type { DisconnectCause } from '../../events.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { BrowserStopper } from '../browser/browser-stopper.js';
import { START_PATIENCE_MS, StorePatience } from '../context/ask-stores.js';
import type { OperationQueue } from '../context/operation-queue.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import { LaterLogin } from '../login/later-login.js';
import { askForDecision } from '../login/rejected-restore.js';
import type { Revoker } from '../login/revoker.js';
import type { OlderCopyTrial, TrialResult } from '../restore/older-copy-trial.js';
import { isMisfit, isStoreFault } from '../restore/restore-search.js';
import type { Restorer } from '../restore/restorer.js';
import { whyNoQr } from '../restore/withheld-login.js';
import { assertLaunchable } from './assert-launchable.js';
import { ClientStart } from './client-start.js';
import { LoginFallbacks, MAX_ROLLBACKS } from './login-fallbacks.js';
import type { ProfilePreparer } from './profile-preparer.js';
import { type TableCheck, UnsoundProfileError } from './table-check.js';

/** How one complete start ended. Like the client's own outcome, but a held QR has already been handled. */
export type StartResult =
  | { readonly kind: 'ready' | 'pairing' }
  | { readonly kind: 'logged-out' }
  | (Omit<FailedStart, 'cause' | 'reachedPage'> & {
      readonly cause: DisconnectCause;
      readonly reachedPage?: boolean;
      /** Whether this machine must first give something: a disk that answers, room on it, memory. */
      readonly awaitsMachine?: boolean;
    })
  | Extract<StartOutcome, { readonly kind: 'gave-up' }>;

/**
 * The first start, both roll-backs, the one that shows the QR, one after a logout by the server, one after a
 * navigation at a bad moment, one after the browser proved too old, and one after the tables proved damaged.
 */
const MAX_ROUNDS = MAX_ROLLBACKS + 6;

export interface StarterParts {
  readonly operations: OperationQueue;
  readonly snapshots: SessionSnapshots;
  readonly restorer: Restorer;
  readonly preparer: ProfilePreparer;
  readonly revoker: Revoker;
  readonly stopper: BrowserStopper;
  readonly olderCopy: OlderCopyTrial;
  readonly tableCheck: TableCheck;
  readonly subscribe: (listener: (event: ClientEvent) => void) => () => void;
}

/** Makes one start: prepares the profile, starts the client, and treats a QR in a logged-in session as a loss. */
export class SessionStarter {
  readonly #context: SessionContext;
  readonly #parts: StarterParts;
  readonly #clientStart: ClientStart;
  readonly #fallbacks: LoginFallbacks;
  readonly #laterLogin: LaterLogin;
  #holdsPairing = false;
  #hasToldNoQr = false;

  constructor(context: SessionContext, parts: StarterParts) {
    this.#context = context;
    this.#parts = parts;
    this.#laterLogin = new LaterLogin(context, parts);
    this.#fallbacks = new LoginFallbacks(context, { ...parts, laterLogin: this.#laterLogin });
    const enterStarting = (signal: AbortSignal) => this.#enter('starting', signal);
    this.#clientStart = new ClientStart(context, { ...parts, enterStarting });
  }

  /** Whether a restore would make a QR or code obsolete. It is then neither requested nor delivered. */
  get holdsPairing(): boolean {
    return this.#holdsPairing;
  }

  /**
   * Rejects when `signal` aborts or the profile can't be prepared. The browser is then closed, unless it is in use.
   *
   * @param options `isFirst`: whether it is the first start of a run, not a further attempt
   */
  async start(signal: AbortSignal, { isFirst = false } = {}): Promise<StartResult> {
    try {
      const result = await this.#start(signal, isFirst);
      this.#hasToldNoQr = false;
      return result;
    } catch (error) {
      this.#holdsPairing = false;
      if (isStoreFault(error) && (await this.#parts.snapshots.mayHaveMore())) {
        signal.throwIfAborted();
        return {
          kind: 'failed',
          cause: 'start-failed',
          error: this.#tellNoQr(toError(error)),
          awaitsServer: true,
        };
      }
      if (isTooOld(error)) this.#context.warn('browser-too-old', error.message);
      throw error;
    } finally {
      this.#parts.tableCheck.end();
    }
  }

  /**
   * Makes one start from an older copy, after starts from this profile have failed although WhatsApp was reachable.
   * Called once per series of failures. Rejects like {@link start}.
   */
  async tryOlderCopy(cause: DisconnectCause, signal: AbortSignal): Promise<TrialResult> {
    this.#enter('restoring', signal);
    return this.#parts.olderCopy.run(cause, signal, async () => {
      this.#holdsPairing = true; // a QR means that the copy does not work, not that a scan is due
      try {
        return await this.#clientStart.run(signal);
      } finally {
        this.#holdsPairing = false;
      }
    });
  }

  async #start(signal: AbortSignal, isFirst: boolean): Promise<StartResult> {
    const { preparer, stopper, revoker, operations } = this.#parts;
    this.#enter('restoring', signal);
    await this.#context.storeOwnership?.settle(); // before anything is chosen that another owner may replace
    this.#parts.snapshots.lookAgain();
    await assertLaunchable(this.#context);
    const patience = new StorePatience(this.#context.clock, START_PATIENCE_MS);
    let besideLaunch = this.#context.driver.canHoldNavigation;
    const prepare = (first: boolean) =>
      operations.exclusive(() => preparer.prepare(signal, { isFirst: first, besideLaunch }, patience));
    let rollbacks = (await prepare(isFirst)) ? 1 : 0;
    let isGivenUp = false;
    let isLoggedOut = false;
    let isUnknown = false;
    let mayRepeat = true;
    let mayLearn = true;
    let later: readonly LocatedSnapshot[] = [];
    for (let round = 0; round < MAX_ROUNDS; round++) {
      this.#holdsPairing = !isGivenUp && (rollbacks > 0 || (await this.#fallbacks.mayExist(patience)));
      const outcome = await this.#clientStart.run(signal).catch(passUnsoundProfile);
      this.#holdsPairing = false;
      if (outcome === undefined) {
        besideLaunch = false;
        if (await prepare(false)) rollbacks = 1;
        continue;
      }
      switch (outcome.kind) {
        case 'pairing-held':
          await stopper.stop();
          this.#enter('restoring', signal);
          if (
            await operations.exclusive(() =>
              this.#fallbacks.rollBack(rollbacks, signal, preparer.leftNothing),
            )
          )
            rollbacks++;
          else isGivenUp = true;
          continue;
        case 'logged-out':
          later = isLoggedOut ? [] : await this.#laterLogin.afterLogout(patience).catch(() => []);
          await revoker.note();
          await stopper.stop();
          isUnknown = !(await revoker.revoke('server')); // if so, the newest login may be sound
          await this.#tellOfDecision();
          if (this.#context.options.onLogout === 'stop') return outcome;
          if (isLoggedOut) return failedByLogouts();
          this.#enter('restoring', signal, 'logged-out');
          if (await operations.exclusive(() => this.#fallbacks.takeLater(later, signal))) {
            rollbacks = MAX_ROLLBACKS;
            isLoggedOut = true;
          } else if (isUnknown && (await prepare(false))) rollbacks = 1;
          else isLoggedOut = isGivenUp = true;
          continue;
        case 'failed':
        case 'gave-up':
          await stopper.stop();
          if (outcome.kind === 'failed' && isMisfit(outcome.error)) {
            if (!mayLearn || outcome.error.code !== 'BROWSER_TOO_OLD') throw outcome.error;
            mayLearn = false;
            this.#enter('restoring', signal);
            if (await prepare(false)) rollbacks = 1;
            continue;
          }
          if (outcome.kind === 'gave-up' || !mayRepeat || !isNavigationRace(outcome.error)) return outcome;
          mayRepeat = false;
          this.#enter('restoring', signal);
          continue;
        default:
          if (outcome.kind === 'pairing' && !isGivenUp) this.#tellOfLoss();
          return outcome;
      }
    }
    return failedByLogouts();
  }

  async #tellOfDecision(): Promise<void> {
    const toDecide = await askForDecision(this.#context);
    if (toDecide !== undefined) this.#context.warn('login-rejected', toDecide);
  }

  /** Tells once in a series of such starts why neither a login nor a QR comes. */
  #tellNoQr(error: Error): Error {
    const told = whyNoQr(error);
    if (!this.#hasToldNoQr) this.#context.warn('start-waits', told.message);
    this.#hasToldNoQr = true;
    return told;
  }

  #tellOfLoss(): void {
    const { record, warn } = this.#context;
    if (!record.current.loggedIn) return;
    warn(
      'login-rejected',
      'the session was logged in, and WhatsApp asks for a new login; no snapshot is there to fall back on',
    );
  }

  #enter(state: 'restoring' | 'starting', signal: AbortSignal, cause?: DisconnectCause): void {
    signal.throwIfAborted(); // the session may already be stopping
    // A reconnect keeps its state until it succeeds.
    if (this.#context.state() !== 'reconnecting') this.#context.moveTo(state, cause);
  }
}

function passUnsoundProfile(error: unknown): undefined {
  if (!(error instanceof UnsoundProfileError)) throw error;
}

function isTooOld(error: unknown): error is SessionError {
  return isMisfit(error) && error.code === 'BROWSER_TOO_OLD';
}

// An emptied profile has no login that could be ended. If the server still answers with a logout, the start has
// failed and is repeated with delays.
function failedByLogouts(): StartResult {
  const error = new Error('WhatsApp logs the session out at every start');
  return { kind: 'failed', cause: 'logged-out', error };
}
