import type { ClientEvent } from '../../client/client-event.js';
import { isNavigationRace } from '../../client/navigation-race.js';
import { type FailedStart, type StartOutcome, startClient } from '../../client/start-client.js';
import { WebCache } from '../../client/web-cache.js';
import { type SessionError, toError } from '../../errors.js';
import type { DisconnectCause } from '../../events.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { BrowserStopper } from '../browser/browser-stopper.js';
import { START_PATIENCE_MS, StorePatience } from '../context/ask-stores.js';
import type { OperationQueue } from '../context/operation-queue.js';
import type { SessionContext } from '../context/session-context.js';
import { contentOf, type SessionSnapshots } from '../context/session-snapshots.js';
import { LaterLogin } from '../login/later-login.js';
import type { Revoker } from '../login/revoker.js';
import { rejectedCopyInPlace } from '../record/session-record.js';
import type { OlderCopyTrial, TrialResult } from '../restore/older-copy-trial.js';
import { isMisfit, isStoreFault } from '../restore/restore-search.js';
import type { Restorer } from '../restore/restorer.js';
import { assertLaunchable } from './assert-launchable.js';
import type { ProfilePreparer } from './profile-preparer.js';
import { withWebCache } from './settle-web-cache.js';

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
 * Rolling back is harmful (the ratchets of the protocol), so only the newest snapshot and at most one older one are
 * tried.
 */
const MAX_ROLLBACKS = 2;
/**
 * The first start, both roll-backs, the one that shows the QR, one after a logout by the server, one after a
 * navigation at a bad moment, and one after the browser proved too old.
 */
const MAX_ROUNDS = MAX_ROLLBACKS + 5;

export interface StarterParts {
  readonly operations: OperationQueue;
  readonly snapshots: SessionSnapshots;
  readonly restorer: Restorer;
  readonly preparer: ProfilePreparer;
  readonly revoker: Revoker;
  readonly stopper: BrowserStopper;
  readonly olderCopy: OlderCopyTrial;
  readonly subscribe: (listener: (event: ClientEvent) => void) => () => void;
}

/** Makes one start: prepares the profile, starts the client, and treats a QR in a logged-in session as a loss. */
export class SessionStarter {
  readonly #context: SessionContext;
  readonly #parts: StarterParts;
  readonly #webCache: WebCache;
  readonly #laterLogin: LaterLogin;
  #holdsPairing = false;

  constructor(context: SessionContext, parts: StarterParts) {
    this.#context = context;
    this.#webCache = new WebCache(context.driver.client, context);
    this.#parts = parts;
    this.#laterLogin = new LaterLogin(context, parts);
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
      return await this.#start(signal, isFirst);
    } catch (error) {
      this.#holdsPairing = false;
      if (isStoreFault(error) && this.#parts.snapshots.hasSilentStore) {
        signal.throwIfAborted();
        return { kind: 'failed', cause: 'start-failed', error: toError(error), awaitsServer: true };
      }
      if (isTooOld(error)) this.#context.warn('browser-too-old', error.message);
      throw error;
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
        return await this.#startClient(signal);
      } finally {
        this.#holdsPairing = false;
      }
    });
  }

  async #start(signal: AbortSignal, isFirst: boolean): Promise<StartResult> {
    const { preparer, stopper, revoker, operations } = this.#parts;
    this.#enter('restoring', signal);
    await assertLaunchable(this.#context);
    const patience = new StorePatience(this.#context.clock, START_PATIENCE_MS);
    const prepare = (first: boolean) => operations.exclusive(() => preparer.prepare(signal, first, patience));
    let rollbacks = (await prepare(isFirst)) ? 1 : 0;
    let isGivenUp = false;
    let isLoggedOut = false;
    let isUnknown = false;
    let mayRepeat = true;
    let mayLearn = true;
    let later: readonly LocatedSnapshot[] = [];
    for (let round = 0; round < MAX_ROUNDS; round++) {
      this.#holdsPairing = !isGivenUp && (rollbacks > 0 || (await this.#mayHaveFallbacks(patience)));
      const outcome = await this.#startClient(signal);
      this.#holdsPairing = false;
      switch (outcome.kind) {
        case 'pairing-held':
          await stopper.stop();
          this.#enter('restoring', signal);
          if (await operations.exclusive(() => this.#rollBack(rollbacks, signal))) rollbacks++;
          else isGivenUp = true;
          continue;
        case 'logged-out':
          later = isLoggedOut ? [] : await this.#laterLogin.afterLogout(patience).catch(() => []);
          await revoker.note();
          await stopper.stop();
          isUnknown = !(await revoker.revoke('server')); // if so, the newest login may be sound
          if (this.#context.options.onLogout === 'stop') return outcome;
          if (isLoggedOut) return failedByLogouts();
          this.#enter('restoring', signal, 'logged-out');
          if (await operations.exclusive(() => this.#takeLater(later, signal))) {
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

  // Restores a login that came after the one that the server has ended, or that was in place before it.
  async #takeLater(later: readonly LocatedSnapshot[], signal: AbortSignal): Promise<boolean> {
    const isFormer = later[0]?.info.lineage === this.#context.record.current.formerLineage;
    const reason = isFormer ? 'silent-logout' : 'newer-snapshot';
    return (await this.#parts.restorer.restoreFirstSound(later, reason, signal)) !== undefined;
  }

  async #startClient(signal: AbortSignal): Promise<StartOutcome> {
    const { driver, browserOwner, browserGuard, clock, options, assertOwned } = this.#context;
    const refusal = await browserGuard.refusalOfProfile(signal);
    if (refusal !== undefined) throw refusal;
    await assertOwned();
    this.#enter('starting', signal);
    const { sessionTimeoutMs, puppeteerTimeoutMs } = options;
    const { subscribe } = this.#parts;
    try {
      return await withWebCache(this.#webCache, this.#context, signal, async () => {
        await browserOwner.announceLaunch(driver.client);
        return startClient({ driver, clock, sessionTimeoutMs, puppeteerTimeoutMs, signal, subscribe });
      });
    } catch (error) {
      await this.#parts.stopper.stop();
      throw error;
    }
  }

  /**
   * Whether a restore would make a QR obsolete. If a store does not answer, a login that was in use may have a
   * snapshot there.
   */
  async #mayHaveFallbacks(patience: StorePatience): Promise<boolean> {
    try {
      return (await this.#fallbacks(0, patience)).length > 0;
    } catch {
      return this.#context.record.current.loggedIn;
    }
  }

  /** The snapshots that may replace a profile that led to a QR, best first. */
  async #fallbacks(rollbacks: number, patience?: StorePatience): Promise<readonly LocatedSnapshot[]> {
    const { record, options, clock } = this.#context;
    const { lineage, formerLineage } = record.current;
    const candidates = await this.#parts.snapshots.candidates(formerLineage ?? lineage, { patience });
    if (rollbacks === 0) return [...(await this.#laterLogin.candidates(patience)), ...candidates];
    if (rollbacks >= MAX_ROLLBACKS) return [];
    const rejected = await this.#contentInPlace();
    const oldest = clock.now() - options.maxRollbackMs;
    const older: LocatedSnapshot[] = [];
    for (const candidate of candidates) {
      if (Date.parse(candidate.info.createdAt) < oldest) continue;
      // A save and a zip of the same moment hold the same login.
      if ((await contentOf(candidate)) !== rejected) older.push(candidate);
    }
    return older;
  }

  async #contentInPlace(): Promise<string | undefined> {
    const { basedOn } = this.#context.record.current;
    if (basedOn === undefined) return undefined;
    const located = (await this.#parts.snapshots.list()).find(({ info }) => info.id === basedOn);
    return located && contentOf(located);
  }

  /**
   * Restores the next snapshot over the rejected profile. Returns `false` when there is none; the profile is then in
   * quarantine, and a QR is due.
   *
   * @throws StoreError when no snapshot works and a store fails. That says nothing about the login, so the next start
   * tries again.
   */
  async #rollBack(rollbacks: number, signal: AbortSignal): Promise<boolean> {
    const { record, warn, folders, assertOwned } = this.#context;
    const fallbacks = await this.#fallbacks(rollbacks);
    const { rejectedSnapshots, basedOn, lineage, formerLineage } = record.current;
    // The profile may be newer than the snapshot on which it is based, so only an unchanged restored snapshot is
    // rejected for good.
    if (rollbacks > 0 && basedOn !== undefined && !(await this.#isOfNewerBrowser(basedOn))) {
      await record.update({ rejectedSnapshots: [...rejectedSnapshots, basedOn] });
    }
    if (await this.#parts.restorer.restoreFirstSound(fallbacks, 'silent-logout', signal)) return true;
    const untried = await this.#parts.snapshots.candidates(formerLineage ?? lineage);
    await this.#assertNoneForNewerBrowser(untried);
    const isFinal = !(await this.#anyOfNewerBrowser(untried));
    warn('login-rejected', 'WhatsApp no longer accepts the saved login: a new QR scan is needed');
    await assertOwned();
    await folders.quarantine('login-rejected', rejectedCopyInPlace(record.current));
    const { rejectedLineages } = record.current;
    const oldest = untried.map(({ info }) => info.createdAt).sort()[0];
    await record.update({
      loggedIn: false,
      basedOn: undefined,
      // The next login is another one, even if the process ends before its scan leads to `ready`.
      lineage: undefined,
      formerLineage: undefined,
      account: undefined,
      run: 0,
      // A newer browser may still use it, so it must not count as older than itself.
      ...(!isFinal && oldest !== undefined && { inPlaceSince: oldest }),
      ...(isFinal && lineage !== undefined && { rejectedLineages: [...rejectedLineages, lineage] }),
    });
    return false;
  }

  /** Refuses a QR while a newer browser could still use the login, because the scan would be unnecessary. */
  async #assertNoneForNewerBrowser(untried: readonly LocatedSnapshot[]): Promise<void> {
    for (const candidate of untried) {
      const refusal = await this.#context.browserGuard.refusalOfSnapshot(candidate);
      if (refusal !== undefined) throw refusal;
    }
  }

  /**
   * Whether a newer browser wrote one of them. This browser's failure says nothing about such a snapshot, so it is
   * never rejected.
   */
  async #anyOfNewerBrowser(located: readonly LocatedSnapshot[]): Promise<boolean> {
    for (const candidate of located) {
      if (await this.#context.browserGuard.isOfNewerBrowser(candidate)) return true;
    }
    return false;
  }

  async #isOfNewerBrowser(id: string): Promise<boolean> {
    const located = (await this.#parts.snapshots.list()).filter(({ info }) => info.id === id);
    return this.#anyOfNewerBrowser(located);
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

function isTooOld(error: unknown): error is SessionError {
  return isMisfit(error) && error.code === 'BROWSER_TOO_OLD';
}

// An emptied profile has no login that could be ended. If the server still answers with a logout, the start has
// failed and is repeated with delays.
function failedByLogouts(): StartResult {
  const error = new Error('WhatsApp logs the session out at every start');
  return { kind: 'failed', cause: 'logged-out', error };
}
