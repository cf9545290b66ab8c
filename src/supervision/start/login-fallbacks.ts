import type { RestoreReason } from '../../events.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import { contentOf, type SessionSnapshots } from '../context/session-snapshots.js';
import type { LaterLogin } from '../login/later-login.js';
import { askForDecision, tellPutBack } from '../login/rejected-restore.js';
import { rejectedCopyInPlace } from '../record/session-record.js';
import type { Restorer } from '../restore/restorer.js';
import {
  assertNoneSilent,
  assertNoneWithheld,
  isKnownToHaveEnded,
  withheldLogin,
} from '../restore/withheld-login.js';

/**
 * Rolling back is harmful (the ratchets of the protocol), so only the newest snapshot and at most one older one are
 * tried.
 */
export const MAX_ROLLBACKS = 2;

export interface LoginFallbacksParts {
  readonly snapshots: SessionSnapshots;
  readonly restorer: Restorer;
  readonly laterLogin: LaterLogin;
}

/** The snapshots that may take the place of a login that WhatsApp does not accept. */
export class LoginFallbacks {
  readonly #context: SessionContext;
  readonly #parts: LoginFallbacksParts;

  constructor(context: SessionContext, parts: LoginFallbacksParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Restores a login that came after the one that the server has ended, or that was in place before it. */
  async takeLater(later: readonly LocatedSnapshot[], signal: AbortSignal): Promise<boolean> {
    const isFormer = later[0]?.info.lineage === this.#context.record.current.formerLineage;
    return this.#restore(later, isFormer ? 'silent-logout' : 'newer-snapshot', signal);
  }

  /**
   * Whether a restore would make a QR obsolete. If a store does not answer, a login that was in use may have a
   * snapshot there; so may a later login than that of a profile without a record, of which nobody knows anything.
   */
  async mayExist(patience: StorePatience): Promise<boolean> {
    try {
      const fallbacks = await this.#fallbacks(0, patience);
      if (fallbacks.length > 0) return true;
      if (isKnownToHaveEnded(this.#context.record.current)) return false;
      if (this.#parts.snapshots.hasSilentStore) return true;
      return (await withheldLogin(this.#context, this.#parts.snapshots, fallbacks, patience)) !== undefined;
    } catch {
      return !isKnownToHaveEnded(this.#context.record.current);
    }
  }

  /** The snapshots that may replace a profile that led to a QR, best first. */
  async #fallbacks(rollbacks: number, patience?: StorePatience): Promise<readonly LocatedSnapshot[]> {
    const { record, options, clock } = this.#context;
    const { lineage, formerLineage } = record.current;
    const candidates = await this.#parts.snapshots.candidates(formerLineage ?? lineage, { patience });
    if (rollbacks >= MAX_ROLLBACKS) return [];
    const { laterLogin } = this.#parts;
    const savedSince = await laterLogin.savedSince(patience);
    if (rollbacks === 0) return [...(await laterLogin.candidates(patience)), ...savedSince, ...candidates];
    const rejected = await this.#contentInPlace();
    const oldest = clock.now() - options.maxRollbackMs;
    const older = [...savedSince];
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
   * @param hadNothing whether the browser began with an empty profile: then WhatsApp has rejected no login
   * @throws StoreError when no snapshot works and a store fails. That says nothing about the login, so the next start
   * tries again.
   */
  async rollBack(rollbacks: number, signal: AbortSignal, hadNothing = false): Promise<boolean> {
    const { record, warn, folders, assertOwned } = this.#context;
    const fallbacks = await this.#fallbacks(rollbacks);
    const { rejectedSnapshots, basedOn, lineage, formerLineage } = record.current;
    // The profile may be newer than the snapshot on which it is based, so only an unchanged restored snapshot is
    // rejected for good.
    if (rollbacks > 0 && basedOn !== undefined && !(await this.#isOfNewerBrowser(basedOn))) {
      await record.update({ rejectedSnapshots: [...rejectedSnapshots, basedOn] });
    }
    if (await this.#restore(fallbacks, 'silent-logout', signal)) return true;
    // A login whose newest copies WhatsApp has rejected has ended, whatever else a store may have.
    if (rollbacks === 0) {
      await assertNoneWithheld(this.#context, this.#parts.snapshots, fallbacks);
      assertNoneSilent(this.#context, this.#parts.snapshots);
    }
    if (rollbacks === 0 && hadNothing) return false; // why none was restored was told before the start
    const untried = await this.#parts.snapshots.candidates(formerLineage ?? lineage);
    await this.#assertNoneForNewerBrowser(untried);
    // Nor has a login ended whose profile may not have been in place.
    const isFinal = this.#context.inPlace.isProven && !(await this.#anyOfNewerBrowser(untried));
    const toDecide = await askForDecision(this.#context);
    warn('login-rejected', toDecide ?? 'WhatsApp no longer accepts the saved login: a new QR scan is needed');
    await assertOwned();
    await folders.quarantine('login-rejected', rejectedCopyInPlace(record.current));
    const { rejectedLineages, placeLogin } = record.current;
    const oldest = untried.map(({ info }) => info.createdAt).sort()[0];
    await record.update({
      loggedIn: false,
      basedOn: undefined,
      // The next login is another one, even if the process ends before its scan leads to `ready`.
      lineage: undefined,
      formerLineage: undefined,
      account: undefined,
      run: 0,
      // A newer browser may still use it, so it stays the login of this place, and must not count as older than itself.
      ...(!isFinal && { placeLogin }),
      ...(!isFinal && oldest !== undefined && { inPlaceSince: oldest }),
      ...(isFinal && lineage !== undefined && { rejectedLineages: [...rejectedLineages, lineage] }),
    });
    await this.#parts.snapshots.places.share();
    return false;
  }

  async #restore(
    fallbacks: readonly LocatedSnapshot[],
    reason: RestoreReason,
    signal: AbortSignal,
  ): Promise<boolean> {
    const before = this.#context.record.current;
    const restored = await this.#parts.restorer.restoreFirstSound(fallbacks, reason, signal);
    if (restored) tellPutBack(this.#context, before, restored);
    return restored !== undefined;
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
}
