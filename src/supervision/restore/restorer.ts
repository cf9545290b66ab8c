import { describeError, type SessionError, SnapshotCorruptError } from '../../errors.js';
import type { RestoreReason } from '../../events.js';
import { findingsOf } from '../../profile/findings-of.js';
import type { SoundTables } from '../../profile/sound-tables.js';
import { examineProfileTask } from '../../profile/soundness.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SnapshotFile, SnapshotInfo, SnapshotManifest } from '../../types.js';
import { START_PATIENCE_MS, StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import { importsIn } from '../record/import-marks.js';
import { newLineageAfter } from '../record/lineage.js';
import { rejectedCopyInPlace } from '../record/session-record.js';
import { isMisfit, isStoreFault, mayOthersDoBetter, RestoreSearch } from './restore-search.js';

/** Puts snapshots in place of the profile: verified first, installed by rename, the old one kept in quarantine. */
export class Restorer {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;

  constructor(context: SessionContext, snapshots: SessionSnapshots) {
    this.#context = context;
    this.#snapshots = snapshots;
  }

  /**
   * The first of `candidates` that proves sound, or `undefined` when none does. The browser must be closed. A corrupt
   * one, and one that its store can't deliver at the second time either, is passed over for the next.
   *
   * @param passedOver why this browser must not have what lies in place: then a copy that is older is a roll-back, and
   * none is taken that is older than `maxRollbackMs`. So it is behind each snapshot that is passed over for the browser
   * @throws BrowserTooOldError when none proves sound, and one was passed over for the browser; StoreError when none proves
   * sound and one could not be read; errors of the system when the disk of the profile
   * fails, at once
   */
  async restoreFirstSound(
    candidates: readonly LocatedSnapshot[],
    reason: RestoreReason,
    signal: AbortSignal,
    passedOver?: SessionError,
  ): Promise<LocatedSnapshot | undefined> {
    const { browserGuard } = this.#context;
    const search = new RestoreSearch();
    let refusal = passedOver;
    for (const candidate of candidates) {
      const unfit = await browserGuard.refusalOfSnapshot(candidate);
      refusal ??= unfit;
      if (unfit !== undefined || (refusal !== undefined && this.#isTooOld(candidate))) continue;
      if (!(await search.isWorthAnAttempt(candidate))) continue;
      let failure = await this.#attempt(candidate, reason, signal);
      // It may pass, and the next one is an older login.
      if (failure && isStoreFault(failure.error)) failure = await this.#attempt(candidate, reason, signal);
      if (failure === undefined) {
        if (refusal !== undefined) this.#tellRollback(candidate, refusal);
        return candidate;
      }
      if (isMisfit(failure.error)) refusal ??= failure.error;
      await search.passOver(candidate, failure.error);
      if (isStoreFault(failure.error)) this.#tellUnreadable(candidate, failure.error);
    }
    search.assertAllRead();
    if (refusal !== undefined) throw refusal;
    return undefined;
  }

  /**
   * Restores this very snapshot.
   *
   * @throws SnapshotCorruptError, SnapshotUnsafeError, StoreError; the profile is then as it was.
   */
  async restore(candidate: LocatedSnapshot, reason: RestoreReason, signal: AbortSignal): Promise<void> {
    const failure = await this.#attempt(candidate, reason, signal);
    if (failure !== undefined) throw failure.error;
  }

  /**
   * Resolves to why the snapshot can't be had, where another may do better; rejects when none would, as when the disk is
   * full. What comes after the fetching and checking never speaks of the snapshot.
   */
  async #attempt(
    candidate: LocatedSnapshot,
    reason: RestoreReason,
    signal: AbortSignal,
  ): Promise<{ readonly error: unknown } | undefined> {
    const { clock, announce, record, assertOwned, folders, browserGuard } = this.#context;
    const { info, repository } = candidate;
    const startedAt = clock.monotonic();
    announce('restore:started', { snapshot: info, reason });
    const staged = await folders.createStaging();
    let isFetched = false;
    try {
      const manifest = await repository.restore(info.id, staged, { signal });
      const soundTables = await this.#assertSound(candidate, staged, manifest.files, signal);
      const refusal = await browserGuard.refusalOfStaged(staged, manifest, signal);
      if (refusal !== undefined) throw refusal;
      isFetched = true;
      await assertOwned();
      // What a person or a start has put in place is no trial.
      await record.update({ restoring: info.id, ...(reason !== 'never-ready' && { trial: undefined }) });
      const quarantined = await folders.install(staged, reason, rejectedCopyInPlace(record.current));
      this.#context.soundTables.known = soundTables;
      if (quarantined) announce('session:quarantined', { path: quarantined, reason });
      await this.noteInPlace(candidate, manifest);
    } catch (error) {
      await folders.removeStaging(staged);
      announce('restore:failed', { error: describeError(error), snapshot: info });
      if (isFetched || signal.aborted || !mayOthersDoBetter(error)) throw error;
      return { error };
    }
    announce('restore:completed', {
      snapshot: info,
      reason,
      ageMs: Math.max(0, clock.now() - Date.parse(info.createdAt)),
      durationMs: clock.monotonic() - startedAt,
    });
    return undefined;
  }

  #isTooOld({ info }: LocatedSnapshot): boolean {
    const { clock, options } = this.#context;
    return Date.parse(info.createdAt) < clock.now() - options.maxRollbackMs;
  }

  #tellRollback({ info }: LocatedSnapshot, refusal: SessionError): void {
    this.#context.warn(
      'browser-too-old',
      `${refusal.message}. Until then snapshot ${info.id} of ${info.createdAt}, which this browser reads, is in place`,
    );
  }

  #tellUnreadable({ info, repository }: LocatedSnapshot, error: unknown): void {
    this.#context.warn(
      'snapshot-unreadable',
      `${info.id} was passed over: ${repository.store.name} can't deliver it: ${describeError(error).message}`,
    );
  }

  /** The record follows the profile: this snapshot is what lies there now. */
  async noteInPlace({ info }: LocatedSnapshot, manifest: SnapshotManifest): Promise<void> {
    const { record } = this.#context;
    const before = record.current;
    const { account, browserVersion } = manifest;
    const imported = importsIn(before, [manifest]);
    const { lineage, run } = await this.#lineageOf(info);
    await record.update({
      lineage,
      run,
      // Another login's account says nothing of this one.
      account: lineage === before.lineage ? (before.account ?? account) : account,
      loggedIn: true,
      browserVersion,
      basedOn: info.id,
      restoring: undefined,
      formerLineage: undefined,
      ...(imported.length > 0 && { imported }),
    });
  }

  async #assertSound(
    { info }: LocatedSnapshot,
    staged: string,
    reference: readonly SnapshotFile[],
    signal: AbortSignal,
  ): Promise<SoundTables> {
    const { runner, announce } = this.#context;
    const { report, soundTables } = await runner.run(
      examineProfileTask,
      { profileDir: staged, depth: 'deep', reference, isFreshCopy: true },
      { signal },
    );
    if (report.verdict === 'sound') return soundTables;
    const findings = findingsOf(report);
    announce('corruption:detected', { where: 'snapshot', snapshot: info, findings });
    throw new SnapshotCorruptError(
      `snapshot ${info.id} is whole, but the profile in it is ${report.verdict}: ` +
        findings.map(({ file, problem }) => `${file}: ${problem}`).join('; '),
    );
  }

  // The run number becomes the lineage's highest, or the next start would find "a newer snapshot" and undo a
  // restore of an older one. A revoked lineage that a human brings back goes on as a new one.
  async #lineageOf(info: SnapshotInfo): Promise<{ lineage: string; run: number }> {
    const { record } = this.#context;
    if (info.revoked || record.current.revokedLineages.includes(info.lineage)) {
      return { lineage: newLineageAfter(this.#context), run: 0 };
    }
    const patience = new StorePatience(this.#context.clock, START_PATIENCE_MS);
    return {
      lineage: info.lineage,
      run: Math.max(info.run, await this.#snapshots.lastRun(info.lineage, patience)),
    };
  }
}
