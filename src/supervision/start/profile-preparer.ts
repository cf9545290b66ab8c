import { describeError, SessionError } from '../../errors.js';
import type { RestoreReason } from '../../events.js';
import { findingsOf } from '../../profile/findings-of.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SoundnessReport } from '../../types.js';
import type { StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import { passSessionErrors } from '../context/session-error.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import type { FirstImport } from '../import/first-import.js';
import { AccountGuard } from '../login/account-guard.js';
import { LaterLogin } from '../login/later-login.js';
import type { ProfileProof } from '../login/profile-proof.js';
import { renamedLogins } from '../login/renamed-profile.js';
import type { Revoker } from '../login/revoker.js';
import type { Pruner } from '../prune/pruner.js';
import type { SessionClearing } from '../prune/session-clearing.js';
import type { BlobRescue } from '../restore/blob-rescue.js';
import type { OlderCopyTrial } from '../restore/older-copy-trial.js';
import { isMisfit } from '../restore/restore-search.js';
import type { Restorer } from '../restore/restorer.js';
import { assertNoneSilent, assertNoneWithheld } from '../restore/withheld-login.js';
import { HELD_MESSAGE, type RemovedProfile } from '../watch/removed-profile.js';
import { finishEarlierWork } from './finish-earlier-work.js';
import { OtherLogin } from './other-login.js';
import { ProfileCheck } from './profile-check.js';
import type { TableCheck } from './table-check.js';
import { whyPassedOver } from './why-passed-over.js';

export interface PreparerParts {
  readonly blobRescue: BlobRescue;
  readonly clearing: SessionClearing;
  readonly firstImport: FirstImport;
  readonly olderCopy: OlderCopyTrial;
  readonly proof: ProfileProof;
  readonly pruner: Pruner;
  readonly removed: RemovedProfile;
  readonly restorer: Restorer;
  readonly revoker: Revoker;
  readonly snapshots: SessionSnapshots;
  readonly tableCheck: TableCheck;
}

/** The check of the tables, which went on in the background, has found the profile damaged. */
const UNSOUND = Symbol('unsound');

/** Prepares the profile before a start, which would destroy the evidence of damage (docs/chromium-facts.md F1.8). */
export class ProfilePreparer {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  readonly #restorer: Restorer;
  readonly #parts: PreparerParts;
  readonly #firstImport: FirstImport;
  readonly #blobRescue: BlobRescue;
  readonly #accountGuard: AccountGuard;
  readonly #removed: RemovedProfile;
  readonly #olderCopy: OlderCopyTrial;
  readonly #otherLogin: OtherLogin;
  readonly #laterLogin: LaterLogin;
  readonly #tableCheck: TableCheck;
  readonly #check: ProfileCheck;
  #leftNothing = false;

  constructor(context: SessionContext, parts: PreparerParts) {
    this.#context = context;
    this.#snapshots = parts.snapshots;
    this.#restorer = parts.restorer;
    this.#parts = parts;
    this.#firstImport = parts.firstImport;
    this.#blobRescue = parts.blobRescue;
    this.#accountGuard = new AccountGuard(context, parts);
    this.#removed = parts.removed;
    this.#olderCopy = parts.olderCopy;
    this.#laterLogin = new LaterLogin(context, parts);
    this.#otherLogin = new OtherLogin(context, parts);
    this.#tableCheck = parts.tableCheck;
    this.#check = new ProfileCheck(context, parts);
  }

  /** Whether the last call of {@link prepare} left no profile, so that the browser begins with an empty one. */
  get leftNothing(): boolean {
    return this.#leftNothing;
  }

  /**
   * Leaves a sound profile in place, restored if necessary, or none at all (then a QR is due). Resolves to the
   * restored snapshot, if there is one.
   *
   * @param how.isFirst whether it is the first start of a run, not a further attempt
   * @param how.besideLaunch whether the check of the tables may go on while the browser is launched; see
   * {@link TableCheck}
   * @param patience how long to wait for stores while there is a sound profile to start with
   * @throws BrowserTooOldError when this browser would delete the login
   * @throws LeaseLostError when another process took over the session
   * @throws ProfileLockedError when another live browser has the profile
   * @throws StoreError when the profile is lost and no store answers, or no snapshot is sound and one can't be read:
   * a store that is down must not look like a missing session
   */
  async prepare(
    signal: AbortSignal,
    { isFirst, besideLaunch }: { readonly isFirst: boolean; readonly besideLaunch: boolean },
    patience: StorePatience,
  ): Promise<LocatedSnapshot | undefined> {
    const { folders, browserOwner, browserGuard, warn, assertOwned } = this.#context;
    this.#leftNothing = false;
    await browserGuard.learn(isFirst);
    await assertOwned(); // the attempt may follow a suspension
    await this.#accountGuard.refuseAnotherScript();
    await browserOwner.reclaimProfile();
    await folders.recoverInstall();
    await this.#olderCopy.putBack();
    await this.#parts.pruner.removeLeftovers(patience).catch((error: unknown) => {
      warn('cleanup-failed', `leftovers could not be removed: ${describeError(error).message}`);
    });
    // Before a restore, which may need the space and puts the profile into quarantine. Caches are no evidence.
    await this.#parts.pruner.pruneBeforeStart(isFirst);
    await finishEarlierWork(this.#context, this.#parts, { isFirst, patience });
    if (isFirst) folders.presence.begin();
    const restored = await this.#restoreIfNeeded(signal, patience, besideLaunch);
    if (restored) this.#tableCheck.end(); // it was of another profile
    await this.#parts.proof.begin(patience);
    if (this.#context.record.current.loggedIn) await folders.presence.note();
    return restored;
  }

  async #restoreIfNeeded(
    signal: AbortSignal,
    patience: StorePatience,
    besideLaunch: boolean,
  ): Promise<LocatedSnapshot | undefined> {
    const { record, warn, announce } = this.#context;
    const report = await (besideLaunch
      ? this.#check.beforeLaunch(signal, patience)
      : this.#check.everything(signal, patience));
    const isSound = report.verdict === 'sound';
    // What another machine has in use is not looked at, let alone restored.
    if (!isSound) await this.#hasWaited();
    if (record.current.lineage === undefined) await this.#accountGuard.refuseAnothersLogin(patience, isSound);
    if (isSound || (report.verdict === 'suspect' && (await this.#otherLogin.keep(signal)))) {
      const used = await this.#useInPlace(signal, patience);
      return used === UNSOUND ? this.#restoreIfNeeded(signal, patience, false) : used;
    }
    if (await this.#removed.notice()) return undefined;
    const renamed = report.verdict === 'absent' ? await renamedLogins(this.#context) : [];
    if (renamed.length > 0) await this.#removed.holdMoved(renamed);
    const reason: RestoreReason = report.verdict === 'absent' ? 'profile-absent' : 'profile-damaged';
    // A profile in which nobody ever logged in is no loss, for example after a bot's first start without network.
    const isLoss = report.findings.length > 0 || record.current.loggedIn;
    if (reason === 'profile-damaged' && isLoss)
      announce('corruption:detected', { where: 'profile', findings: findingsOf(report) });
    const lineage = reason === 'profile-absent' ? undefined : record.current.lineage;
    const candidates = await this.#snapshots.candidates(lineage);
    const restored = await this.#restorer.restoreFirstSound(candidates, reason, signal);
    if (restored) {
      this.#accountGuard.tellOfMove(restored.info);
      return restored;
    }
    const imported = reason === 'profile-absent' ? await this.#firstImport.run(signal) : undefined;
    if (imported) return imported;
    const isLost = report.verdict === 'absent' || report.verdict === 'corrupt';
    if (isLost) {
      await assertNoneWithheld(this.#context, this.#snapshots, candidates);
      assertNoneSilent(this.#context, this.#snapshots);
    }
    this.#leftNothing = isLost;
    const why =
      candidates.length > 0
        ? `none of its ${candidates.length} snapshots is sound`
        : await whyPassedOver(this.#context, this.#snapshots);
    if (reason === 'profile-damaged') await this.#putAside(report, why ?? 'there is no snapshot to restore');
    else if (renamed.length > 0)
      return undefined; // it was told
    else if (await this.#removed.isNewestHeld()) warn('profile-removed', HELD_MESSAGE);
    else if (why !== undefined) warn('nothing-to-restore', why);
    return undefined;
  }

  /**
   * Uses the profile in place, unless a better one exists. While its tables are still being checked, nothing of the
   * profile or the stores is changed: where that is due, the verdict is waited for first.
   */
  async #useInPlace(
    signal: AbortSignal,
    patience: StorePatience,
  ): Promise<LocatedSnapshot | undefined | typeof UNSOUND> {
    const { browserGuard } = this.#context;
    const isSound = () => this.#tableCheck.isSound();
    const later = await this.#laterLogin.whereThisOneHasEnded(patience).catch(passSessionErrors);
    const held = later?.length ? undefined : await this.#heldLineage(patience);
    if (held !== undefined) {
      if (!(await isSound())) return UNSOUND;
      await this.#removed.releaseInPlace(held);
    }
    const newer = later?.length ? later : await this.#newerSnapshots(patience);
    if (newer.length > 0) {
      if (!(await isSound())) return UNSOUND;
      if (await this.#hasWaited()) return this.#useInPlace(signal, patience); // the other owner may have put a newer one
      const restored = await this.#takeNewer(newer, signal);
      if (restored) return restored;
    }
    const refusal = await browserGuard.refusalOfProfile(signal);
    if (refusal !== undefined) {
      return (await isSound()) ? this.#takeReadable(refusal, signal) : UNSOUND;
    }
    await this.#blobRescue.mend(signal, patience, isSound);
    return undefined;
  }

  /** Waits until it is known who has the session. Returns whether another machine had it until now. */
  async #hasWaited(): Promise<boolean> {
    const hasWaited = (await this.#context.storeOwnership?.settle({ forAnswer: true })) ?? false;
    if (hasWaited) this.#snapshots.lookAgain();
    return hasWaited;
  }

  // The hold on the login in place is over: the profile is back, or a clear() took it for another bot's, or has failed.
  async #heldLineage(patience: StorePatience): Promise<string | undefined> {
    const { lineage } = this.#context.record.current;
    if (lineage === undefined) return undefined;
    const located = await this.#snapshots.list(patience).catch(() => []);
    const isHeld = located.some(
      ({ info }) => info.lineage === lineage && (info.heldElsewhere || this.#removed.isHeld(info)),
    );
    return isHeld || (await this.#snapshots.isCleared(lineage, patience)) ? lineage : undefined;
  }

  /** If this browser can't read the newer login, it uses the local one, which it can read. */
  async #takeNewer(
    newer: readonly LocatedSnapshot[],
    signal: AbortSignal,
  ): Promise<LocatedSnapshot | undefined> {
    try {
      return await this.#restorer.restoreFirstSound(newer, 'newer-snapshot', signal);
    } catch (error) {
      if (!isMisfit(error)) throw error;
      this.#context.warn(
        'browser-too-old',
        `${error.message}. Until then the older login that lies here is used`,
      );
      return undefined;
    }
  }

  /**
   * This browser must not open the profile, so a copy that it can read is restored, or the start fails; the profile
   * goes into quarantine. Without a record, nothing is restored, because the copies may be of another login.
   */
  async #takeReadable(refusal: SessionError, signal: AbortSignal): Promise<LocatedSnapshot | undefined> {
    const { lineage } = this.#context.record.current;
    if (refusal.code !== 'BROWSER_TOO_OLD' || lineage === undefined) throw refusal;
    await this.#hasWaited();
    const older = await this.#snapshots.candidates(lineage);
    return this.#restorer.restoreFirstSound(older, 'browser-too-old', signal, refusal);
  }

  // A profile that only holds less than its last snapshot may still be logged in, so it stays if there is no copy.
  async #putAside({ verdict }: SoundnessReport, why: string): Promise<void> {
    const { warn, folders, assertOwned } = this.#context;
    if (verdict === 'suspect' || verdict === 'foreign') {
      if (this.#context.record.current.loggedIn)
        warn('nothing-to-restore', `the profile is ${verdict}: ${why}`);
      return;
    }
    warn('nothing-to-restore', `the profile is damaged: ${why}`);
    await assertOwned();
    await folders.quarantine('profile-damaged');
  }

  // Another machine may have run this session in the meantime (docs/invariants.md I5). The run number tells that; the
  // time does not, because this profile also continued after its own last save.
  async #newerSnapshots(patience: StorePatience): Promise<readonly LocatedSnapshot[]> {
    const { lineage, run } = this.#context.record.current;
    if (lineage === undefined) return [];
    try {
      // The disk may have been set back to before a pairing: the old login has ended, and a later one exists.
      if (await this.#snapshots.isRevoked(lineage, patience)) {
        return await this.#snapshots.candidates(undefined, { patience });
      }
      return (await this.#snapshots.candidates(lineage, { patience })).filter(({ info }) => info.run > run);
    } catch (error) {
      if (error instanceof SessionError) return []; // already announced; the local profile is sound
      throw error;
    }
  }
}
