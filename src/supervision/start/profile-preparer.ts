import { join } from 'node:path';
import { describeError, isSessionError, SessionError } from '../../errors.js';
import type { RestoreReason } from '../../events.js';
import { listEssentialFiles } from '../../profile/essential-files.js';
import { findingsOf } from '../../profile/findings-of.js';
import { examineProfileTask } from '../../profile/soundness.js';
import { hashFilesTask } from '../../snapshot/hashing/hashing.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { SnapshotFile, SoundnessReport } from '../../types.js';
import { answered, askStores, failed, type StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import { passSessionErrors } from '../context/session-error.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import type { FirstImport } from '../import/first-import.js';
import { AccountGuard } from '../login/account-guard.js';
import { LaterLogin } from '../login/later-login.js';
import type { Revoker } from '../login/revoker.js';
import type { Pruner } from '../prune/pruner.js';
import type { BlobRescue } from '../restore/blob-rescue.js';
import type { OlderCopyTrial } from '../restore/older-copy-trial.js';
import { isMisfit } from '../restore/restore-search.js';
import type { Restorer } from '../restore/restorer.js';
import { HELD_MESSAGE, type RemovedProfile } from '../watch/removed-profile.js';
import { OtherLogin } from './other-login.js';

export interface PreparerParts {
  readonly blobRescue: BlobRescue;
  readonly firstImport: FirstImport;
  readonly olderCopy: OlderCopyTrial;
  readonly pruner: Pruner;
  readonly removed: RemovedProfile;
  readonly restorer: Restorer;
  readonly revoker: Revoker;
  readonly snapshots: SessionSnapshots;
}

/** Prepares the profile before a start, which would destroy the evidence of damage (docs/chromium-facts.md F1.8). */
export class ProfilePreparer {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  readonly #restorer: Restorer;
  readonly #revoker: Revoker;
  readonly #pruner: Pruner;
  readonly #firstImport: FirstImport;
  readonly #blobRescue: BlobRescue;
  readonly #accountGuard: AccountGuard;
  readonly #removed: RemovedProfile;
  readonly #olderCopy: OlderCopyTrial;
  readonly #otherLogin: OtherLogin;
  readonly #laterLogin: LaterLogin;

  constructor(context: SessionContext, parts: PreparerParts) {
    this.#context = context;
    this.#snapshots = parts.snapshots;
    this.#restorer = parts.restorer;
    this.#revoker = parts.revoker;
    this.#pruner = parts.pruner;
    this.#firstImport = parts.firstImport;
    this.#blobRescue = parts.blobRescue;
    this.#accountGuard = new AccountGuard(context, parts);
    this.#removed = parts.removed;
    this.#olderCopy = parts.olderCopy;
    this.#laterLogin = new LaterLogin(context, parts);
    this.#otherLogin = new OtherLogin(context, parts);
  }

  /**
   * Leaves a sound profile in place, restored if necessary, or none at all (then a QR is due). Resolves to the
   * restored snapshot, if there is one.
   *
   * @param isFirst whether it is the first start of a run, not a further attempt
   * @param patience how long to wait for stores while there is a sound profile to start with
   * @throws BrowserTooOldError when this browser would delete the login
   * @throws LeaseLostError when another process took over the session
   * @throws ProfileLockedError when another live browser has the profile
   * @throws StoreError when the profile is lost and no store answers, or no snapshot is sound and one can't be read:
   * a store that is down must not look like a missing session
   */
  async prepare(
    signal: AbortSignal,
    isFirst: boolean,
    patience: StorePatience,
  ): Promise<LocatedSnapshot | undefined> {
    const { folders, browserOwner, browserGuard, warn, assertOwned } = this.#context;
    await browserGuard.learn(isFirst);
    await assertOwned(); // the attempt may follow a suspension
    await this.#accountGuard.refuseAnotherScript();
    await browserOwner.reclaimProfile();
    await folders.recoverInstall();
    await this.#olderCopy.putBack();
    await this.#pruner.removeLeftovers(patience).catch((error: unknown) => {
      warn('cleanup-failed', `leftovers could not be removed: ${describeError(error).message}`);
    });
    // Before a restore, which may need the space and puts the profile into quarantine. Caches are no evidence.
    await this.#pruner.pruneBeforeStart(isFirst);
    await this.#revoker.repeat(patience);
    await this.#removed.repeat(patience);
    if (isFirst) folders.presence.begin();
    const restored = await this.#restoreIfNeeded(signal, patience);
    if (this.#context.record.current.loggedIn) await folders.presence.note();
    return restored;
  }

  async #restoreIfNeeded(signal: AbortSignal, patience: StorePatience): Promise<LocatedSnapshot | undefined> {
    const { record, warn, announce, browserGuard } = this.#context;
    const report = await this.#check(signal, patience);
    if (record.current.lineage === undefined) await this.#accountGuard.refuseAnothersLogin(patience);
    if (
      report.verdict === 'sound' ||
      (report.verdict === 'suspect' && (await this.#otherLogin.keep(signal)))
    ) {
      const later = await this.#laterLogin.whereThisOneHasEnded(patience).catch(passSessionErrors);
      if (!later?.length) await this.#releaseIfHeld(patience);
      const newer = later?.length ? later : await this.#newerSnapshots(patience);
      const restored = newer.length > 0 && (await this.#takeNewer(newer, signal));
      if (restored) return restored;
      const refusal = await browserGuard.refusalOfProfile(signal);
      if (refusal !== undefined) return this.#takeReadable(refusal, signal);
      await this.#blobRescue.mend(signal, patience);
      return undefined;
    }
    if (await this.#removed.notice()) return undefined;
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
    const why =
      candidates.length > 0
        ? `none of its ${candidates.length} snapshots is sound`
        : await this.#whyPassedOver();
    if (reason === 'profile-damaged') await this.#putAside(report, why ?? 'there is no snapshot to restore');
    else if (await this.#removed.isNewestHeld()) warn('profile-removed', HELD_MESSAGE);
    else if (why !== undefined) warn('nothing-to-restore', why);
    return undefined;
  }

  // Ends the hold on the login in place: the profile is back, or a clear() wrongly took it for another bot's.
  async #releaseIfHeld(patience: StorePatience): Promise<void> {
    const { lineage } = this.#context.record.current;
    if (lineage === undefined) return;
    const located = await this.#snapshots.list(patience).catch(() => []);
    const isHeld = located.some(
      ({ info }) => info.lineage === lineage && (info.heldElsewhere || this.#removed.isHeld(info)),
    );
    if (isHeld) await this.#removed.release(lineage);
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
    const older = await this.#snapshots.candidates(lineage);
    return this.#restorer.restoreFirstSound(older, 'browser-too-old', signal, refusal);
  }

  /** Why none of the listed snapshots was restored; `undefined` when none is listed. */
  async #whyPassedOver(): Promise<string | undefined> {
    const { ours, others } = await this.#snapshots.sorted();
    if (ours.length + others.length === 0) return undefined;
    const { revokedLineages } = this.#context.record.current;
    const isRevoked = ({ info }: LocatedSnapshot) => info.revoked || revokedLineages.includes(info.lineage);
    const revoked = ours.filter(isRevoked).length;
    const reasons = [
      revoked > 0 && `${revoked} of a login that was logged out`,
      revoked < ours.length &&
        `${ours.length - revoked} of one that WhatsApp rejected, a later one replaced, or clear() was to delete`,
      others.length > 0 && `${others.length} of another profile`,
    ].filter((part) => part !== false);
    return `snapshots were passed over: ${reasons.join(', ')}; restore(id) brings one back all the same`;
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

  async #check(signal: AbortSignal, patience: StorePatience): Promise<SoundnessReport> {
    const { record } = this.#context;
    const { restoring } = record.current;
    if (restoring !== undefined) await this.#settleInterrupted(restoring, signal);
    return this.#compare(record.current.basedOn, signal, patience);
  }

  // After an interrupted restore, no browser has opened the profile. If every byte equals the snapshot's, the
  // snapshot is in place, and the record is updated. Otherwise it would be taken for the old profile, damaged.
  async #settleInterrupted(id: string, signal: AbortSignal): Promise<void> {
    const located = await this.#snapshots.find(id).catch(passSessionErrors);
    const manifest = await located?.repository.manifest(id).catch(passSessionErrors);
    if (located && manifest && (await this.#isInPlace(manifest.files, signal))) {
      await this.#restorer.noteInPlace(located, manifest);
    } else {
      await this.#context.record.update({ restoring: undefined });
    }
  }

  async #isInPlace(files: readonly SnapshotFile[], signal: AbortSignal): Promise<boolean> {
    const { runner, profileDir, fs } = this.#context;
    const present = await listEssentialFiles(profileDir, { fs });
    if (present.length !== files.length) return false;
    const paths = files.map(({ path }) => join(profileDir, path));
    const hashes = await runner.run(hashFilesTask, { paths }, { signal });
    return files.every(({ sha256 }, index) => hashes[index]?.sha256 === sha256);
  }

  async #compare(
    id: string | undefined,
    signal: AbortSignal,
    patience: StorePatience,
  ): Promise<SoundnessReport> {
    const { soundTables: memory } = this.#context;
    memory.forget(); // a file that the disk has damaged keeps its signature
    const reference = await this.#manifestOf(id, patience);
    let found = await this.#examine(reference, signal);
    // The disk may have failed only for a moment, and a restore would replace a sound login with an older one.
    if (isDamaged(found.report)) found = await this.#examine(reference, signal);
    memory.known = found.soundTables;
    return found.report;
  }

  #examine(reference: readonly SnapshotFile[] | undefined, signal: AbortSignal) {
    const { runner, profileDir } = this.#context;
    const input = { profileDir, depth: 'deep', ...(reference && { reference }) } as const;
    return runner.run(examineProfileTask, input, { signal });
  }

  // The content at the last save or restore; only this reveals an emptied log (docs/chromium-facts.md F1.8).
  async #manifestOf(
    id: string | undefined,
    patience: StorePatience,
  ): Promise<readonly SnapshotFile[] | undefined> {
    if (id === undefined) return undefined;
    const ask = (repository: SnapshotRepository) => repository.manifest(id);
    const answers = await askStores(allRepositories(this.#context), ask, patience);
    for (const { error } of failed(answers)) if (!isSessionError(error)) throw error;
    return answered(answers)[0]?.value.files;
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

function isDamaged({ verdict }: SoundnessReport): boolean {
  return verdict === 'corrupt' || verdict === 'suspect';
}
