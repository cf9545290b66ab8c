import type { ClientEvent } from '../client/client-driver.js';
import { type StartOutcome, startClient } from '../client/start-client.js';
import { describeError } from '../errors.js';
import type { ProfilePreparer } from './profile-preparer.js';
import type { Restorer } from './restorer.js';
import type { Revoker } from './revoker.js';
import type { SessionContext } from './session-context.js';
import type { LocatedSnapshot, SessionSnapshots } from './session-snapshots.js';
import type { Stopper } from './stopper.js';

/** How one complete start ended: as the client's own, a held QR already dealt with. */
export type StartResult =
  | { readonly kind: 'ready' | 'pairing' }
  | { readonly kind: 'logged-out' }
  | Extract<StartOutcome, { readonly kind: 'gave-up' | 'failed' }>;

/** Rolling back is harmful (the ratchets of the protocol): the newest snapshot, then at most one older one. */
const MAX_ROLLBACKS = 2;
/** First start, both rollbacks, the one that shows the QR, and one after a logout answered by the server. */
const MAX_ROUNDS = MAX_ROLLBACKS + 3;

export interface StarterParts {
  readonly snapshots: SessionSnapshots;
  readonly restorer: Restorer;
  readonly preparer: ProfilePreparer;
  readonly revoker: Revoker;
  readonly stopper: Stopper;
  readonly subscribe: (listener: (event: ClientEvent) => void) => () => void;
}

/** One start: profile fit, client started, and a QR of a session that was logged in treated as the loss it is. */
export class Starter {
  readonly #context: SessionContext;
  readonly #parts: StarterParts;
  #holdsPairing = false;

  constructor(context: SessionContext, parts: StarterParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Whether a QR or code would be superseded by a restore: it is then neither requested nor delivered. */
  get holdsPairing(): boolean {
    return this.#holdsPairing;
  }

  /** Rejects when `signal` aborts or the profile can't be prepared; the browser is closed unless it is in use. */
  async start(signal: AbortSignal): Promise<StartResult> {
    try {
      return await this.#start(signal);
    } catch (error) {
      this.#holdsPairing = false;
      throw error;
    }
  }

  async #start(signal: AbortSignal): Promise<StartResult> {
    const { preparer, stopper, revoker } = this.#parts;
    this.#enter('restoring');
    let rollbacks = (await preparer.prepare(signal)) ? 1 : 0;
    let isGivenUp = false;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const fallbacks = rollbacks < MAX_ROLLBACKS && !isGivenUp ? await this.#fallbacks(rollbacks) : [];
      this.#holdsPairing = !isGivenUp && (fallbacks.length > 0 || rollbacks > 0);
      const outcome = await this.#startClient(signal);
      this.#holdsPairing = false;
      switch (outcome.kind) {
        case 'pairing-held':
          await stopper.stop();
          this.#enter('restoring');
          if (await this.#rollBack(fallbacks, rollbacks, signal)) rollbacks++;
          else isGivenUp = true;
          continue;
        case 'logged-out':
          await stopper.stop();
          await revoker.revoke('server');
          if (this.#context.options.onLogout === 'stop') return outcome;
          this.#enter('restoring');
          isGivenUp = true;
          continue;
        case 'failed':
        case 'gave-up':
          await stopper.stop();
          return outcome;
        default:
          return outcome;
      }
    }
    await stopper.stop();
    return {
      kind: 'failed',
      cause: 'start-failed',
      error: new Error('WhatsApp logs the session out at every start'),
    };
  }

  async #startClient(signal: AbortSignal): Promise<StartOutcome> {
    const { driver, browserOwner, clock, options } = this.#context;
    this.#enter('starting');
    await browserOwner.announceLaunch(driver.client);
    try {
      return await startClient({
        driver,
        clock,
        sessionTimeoutMs: options.sessionTimeoutMs,
        puppeteerTimeoutMs: options.puppeteerTimeoutMs,
        signal,
        subscribe: this.#parts.subscribe,
      });
    } catch (error) {
      await this.#parts.stopper.stop();
      throw error;
    }
  }

  // What could be restored if the profile in place met a QR. A store that is down hides nothing here: then there is
  // nothing better than the QR.
  async #fallbacks(rollbacks: number): Promise<readonly LocatedSnapshot[]> {
    const { record, options, clock } = this.#context;
    const { lineage, basedOn } = record.current;
    const candidates = await this.#parts.snapshots.candidates(lineage).catch(() => []);
    const inPlace = rollbacks > 0 ? basedOn : undefined;
    const oldest = clock.now() - options.maxRollbackMs;
    return candidates.filter(
      ({ info }) => info.id !== inPlace && (rollbacks === 0 || Date.parse(info.createdAt) >= oldest),
    );
  }

  /** Restores the next snapshot over the rejected profile. `false`: there is none, the profile is put aside for a QR. */
  async #rollBack(
    fallbacks: readonly LocatedSnapshot[],
    rollbacks: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { record, warn, folders } = this.#context;
    const { rejectedSnapshots, basedOn, lineage } = record.current;
    // The profile itself may be newer than what it was based on; only what was restored as such is rejected for good.
    if (rollbacks > 0 && basedOn !== undefined) {
      await record.update({ rejectedSnapshots: [...rejectedSnapshots, basedOn] });
    }
    const restored = await this.#parts.restorer
      .restoreFirstSound(fallbacks, 'silent-logout', signal)
      .catch((error: unknown) => {
        if (signal.aborted) throw error;
        warn('nothing-to-restore', `the restore failed: ${describeError(error).message}`);
        return undefined;
      });
    if (restored) return true;
    warn('login-rejected', 'WhatsApp no longer accepts the saved login: a new QR scan is needed');
    await folders.quarantine('login-rejected');
    const { rejectedLineages } = record.current;
    await record.update({
      loggedIn: false,
      basedOn: undefined,
      ...(lineage !== undefined && { rejectedLineages: [...rejectedLineages, lineage] }),
    });
    return false;
  }

  #enter(state: 'restoring' | 'starting'): void {
    // A reconnect stays one to the outside until it succeeds.
    if (this.#context.state() !== 'reconnecting') this.#context.moveTo(state);
  }
}
