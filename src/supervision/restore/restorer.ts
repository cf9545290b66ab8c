import { describeError, type SessionError, SnapshotCorruptError } from '../../errors.js';
import type { RestoreReason } from '../../events.js';
import { findingsOf } from '../../profile/findings-of.js';
import { profileMark } from '../../profile/profile-mark.js';
import type { SoundTables } from '../../profile/sound-tables.js';
import { examineProfileTask } from '../../profile/soundness.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { PlaceLogin } from '../../snapshot/repository.js';
import type { SnapshotFile, SnapshotInfo, SnapshotManifest } from '../../types.js';
import { START_PATIENCE_MS, StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import { importsIn } from '../record/import-marks.js';
import { newLineageAfter } from '../record/lineage.js';
import { rejectedCopyInPlace } from '../record/session-record.js';
import { patientAttempts } from './patient-attempts.js';
import { tellReplaced } from './replaced-profile.js';
import {
  chosenTooEarly,
  isMisfit,
  isStoreFault,
  mayOthersDoBetter,
  RestoreSearch,
} from './restore-search.js';
import { filesWith, TailRestorer } from './tail-restorer.js';

interface Fetched {
  readonly manifest: SnapshotManifest;
  readonly soundTables: SoundTables;
  /** The time of the state that came back, ISO 8601. */
  readonly stateAt: string;
}

/**
 * Puts snapshots in place of the profile. Each one is verified first and installed by rename; the old profile goes
 * into quarantine.
 */
export class Restorer {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  readonly #tails: TailRestorer;

  constructor(context: SessionContext, { snapshots }: { readonly snapshots: SessionSnapshots }) {
    this.#context = context;
    this.#snapshots = snapshots;
    this.#tails = new TailRestorer(context);
  }

  /** Takes into account what was put beside a save: its tail may be newer than the first candidate. */
  bestFirst(candidates: readonly LocatedSnapshot[]): Promise<readonly LocatedSnapshot[]> {
    return this.#tails.bestFirst(candidates);
  }

  /**
   * Restores the first sound one of `candidates`; resolves to `undefined` when none is sound. The browser must be
   * closed. Skips a candidate that is corrupt, or that its store fails to deliver again and again.
   *
   * @param passedOver why this browser must not open what is in place. Then an older copy is a roll-back, and none
   * older than `maxRollbackMs` is restored. The same applies after each candidate that is skipped because of the
   * browser
   * @throws BrowserTooOldError when none is sound and one was skipped because of the browser; StoreError when none is
   * sound and one could not be read, or another machine had the session until now; system errors of the profile's disk, at once
   */
  async restoreFirstSound(
    candidates: readonly LocatedSnapshot[],
    reason: RestoreReason,
    signal: AbortSignal,
    passedOver?: SessionError,
  ): Promise<LocatedSnapshot | undefined> {
    const { browserGuard, storeOwnership } = this.#context;
    const hasWaited = candidates.length > 0 && (await storeOwnership?.settle({ forAnswer: true }));
    if (hasWaited) throw chosenTooEarly();
    const search = new RestoreSearch();
    let refusal = passedOver;
    for (const candidate of await this.#tails.bestFirst(candidates)) {
      const unfit = await browserGuard.refusalOfSnapshot(candidate);
      refusal ??= unfit;
      if (unfit !== undefined || (refusal !== undefined && this.#isTooOld(candidate))) continue;
      if (!(await search.isWorthAnAttempt(candidate))) continue;
      const attempt = () => this.#attempt(candidate, reason, signal);
      const failure = await patientAttempts(candidate, this.#context.clock, signal, attempt);
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
   * Restores exactly this snapshot.
   *
   * @throws SnapshotCorruptError, SnapshotUnsafeError, StoreError; the profile is then unchanged.
   */
  async restore(candidate: LocatedSnapshot, reason: RestoreReason, signal: AbortSignal): Promise<void> {
    const failure = await this.#attempt(candidate, reason, signal);
    if (failure !== undefined) throw failure.error;
  }

  /**
   * Restores one candidate. Resolves to the error when another candidate may work; rejects when none would, for
   * example on a full disk. After the snapshot was fetched and checked, errors no longer concern it, so they always
   * reject.
   */
  async #attempt(
    candidate: LocatedSnapshot,
    reason: RestoreReason,
    signal: AbortSignal,
  ): Promise<{ readonly error: unknown } | undefined> {
    const { clock, announce, record, assertOwned, folders, browserGuard, storeOwnership } = this.#context;
    const { info } = candidate;
    await storeOwnership?.settle({ forAnswer: true });
    const startedAt = clock.monotonic();
    const before = record.current.lineage;
    let quarantined: string | undefined;
    announce('restore:started', { snapshot: info, reason });
    const staged = await folders.createStaging();
    let isFetched = false;
    let stateAt = info.createdAt;
    try {
      const fetched = await this.#fetch(candidate, staged, reason, signal);
      const { manifest, soundTables } = fetched;
      stateAt = fetched.stateAt;
      const refusal = await browserGuard.refusalOfStaged(staged, manifest, signal);
      if (refusal !== undefined) throw refusal;
      isFetched = true;
      await assertOwned();
      // Only a restore for the reason `never-ready` is a trial.
      await record.update({
        restoring: info.id,
        ...(reason !== 'never-ready' && { trial: undefined }),
        ...(await this.#placeTime(info, reason)),
      });
      quarantined = await folders.install(staged, reason, rejectedCopyInPlace(record.current));
      this.#context.soundTables.known = soundTables;
      if (quarantined) announce('session:quarantined', { path: quarantined, reason });
      await this.noteInPlace(
        candidate,
        manifest,
        reason === 'requested' ? undefined : await this.#notedHere(),
      );
      const { places } = this.#snapshots;
      await (reason === 'requested' ? places.claim(record.current.lineage ?? info.lineage) : places.share());
    } catch (error) {
      await folders.removeStaging(staged);
      announce('restore:failed', { error: describeError(error), snapshot: info });
      if (isFetched || signal.aborted || !mayOthersDoBetter(error)) throw error;
      return { error };
    }
    announce('restore:completed', {
      snapshot: info,
      reason,
      stateAt,
      ageMs: Math.max(0, clock.now() - Date.parse(stateAt)),
      durationMs: clock.monotonic() - startedAt,
    });
    const isAnother = before !== undefined && before !== info.lineage;
    if (reason === 'newer-snapshot' && quarantined !== undefined && isAnother)
      await tellReplaced(this.#context, this.#snapshots, { before, info, quarantined });
    return undefined;
  }

  /** Writes a snapshot with its tail, and checks the result; one that is not sound with it is written without it. */
  async #fetch(
    candidate: LocatedSnapshot,
    staged: string,
    reason: RestoreReason,
    signal: AbortSignal,
  ): Promise<Fetched> {
    const { info, repository } = candidate;
    const manifest = await repository.restore(info.id, staged, { signal });
    const tail = await this.#tails.apply(candidate, staged, reason, signal);
    const check = (files: readonly SnapshotFile[]) => this.#assertSound(candidate, staged, files, signal);
    try {
      const soundTables = await check(filesWith(manifest.files, tail));
      return { manifest, soundTables, stateAt: tail?.at ?? info.createdAt };
    } catch (error) {
      if (tail === undefined || signal.aborted || !mayOthersDoBetter(error)) throw error;
      this.#tails.tellUnusable(info.id, error);
      await this.#context.fs.promises.rm(staged, { recursive: true, force: true });
      await repository.restore(info.id, staged, { signal });
      return { manifest, soundTables: await check(manifest.files), stateAt: info.createdAt };
    }
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
      `${info.id} was skipped: ${repository.store.name} can't deliver it: ${describeError(error).message}`,
    );
  }

  /** Which login the stores note for this place. What they tell is not made newer by a restore that follows it. */
  #notedHere(): Promise<PlaceLogin | undefined> {
    const { profile, clock } = this.#context;
    return this.#snapshots.places.find([profile.path], new StorePatience(clock, START_PATIENCE_MS));
  }

  /**
   * Updates the record: this snapshot is now in place.
   *
   * @param noted the note that the restore has followed
   */
  async noteInPlace(
    { info }: LocatedSnapshot,
    manifest: SnapshotManifest,
    noted?: Pick<PlaceLogin, 'lineage' | 'since'>,
  ): Promise<void> {
    const { record, inPlace, fs, profileDir } = this.#context;
    const before = record.current;
    const mark = await profileMark(fs, profileDir).catch(() => undefined);
    inPlace.begin(mark, { isProven: true });
    const imported = importsIn(before, [manifest]);
    const { lineage, run } = await this.#lineageOf(info);
    await record.update({
      lineage,
      run,
      // The account of another login does not apply to this one.
      account: lineage === before.lineage ? (before.account ?? manifest.account) : manifest.account,
      loggedIn: true,
      browserVersion: manifest.browserVersion,
      basedOn: info.id,
      // After a trial, the profile of before may be put back.
      ...(before.trial === undefined && { profileMark: mark }),
      restoring: undefined,
      formerLineage: undefined,
      ...(before.formerLineage !== undefined && { askedFor: undefined }),
      // Where a person had to decide, this is the answer.
      ...(before.requestedOver?.rejectedAt !== undefined && { requestedOver: undefined }),
      replacedLineages: before.replacedLineages?.filter((one) => one !== lineage),
      ...(imported.length > 0 && { imported }),
      ...(noted?.lineage === lineage && { placeLogin: { lineage, since: noted.since } }),
    });
  }

  /**
   * Since when the login counts as the one in place. What a person has asked for replaces all that is here; any other
   * restore is of the newest login, and a later one may still turn up in a store.
   */
  async #placeTime(
    { lineage, createdAt }: SnapshotInfo,
    reason: RestoreReason,
  ): Promise<{ inPlaceSince?: string }> {
    const { lineage: inPlace, inPlaceSince = '' } = this.#context.record.current;
    if (reason === 'requested') return { inPlaceSince: await this.#snapshots.timeAfterAll() };
    return lineage !== inPlace && createdAt > inPlaceSince ? { inPlaceSince: createdAt } : {};
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

  // The run number becomes the lineage's highest one. Otherwise the next start would find "a newer snapshot" and undo
  // the restore of an older one. A revoked lineage that a human restores continues under a new name.
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
