import { describeError } from '../../errors.js';
import { isSameMark, type ProfileMark, profileMark } from '../../profile/profile-mark.js';
import { MAX_IMPORTED } from '../../snapshot/manifest/manifest-fields.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import { releaseForFormerOwners } from '../login/former-owners.js';
import type { ClearIntent } from '../record/clear-note.js';
import { onlyImports } from '../record/import-marks.js';
import { clearSnapshots, clearTheRest, markCleared, planClear, unmarkCleared } from './clear-snapshots.js';

/**
 * Deletes the login for `clear()`: its snapshots and its profile. What is to end is noted first, in `sessionPath` and
 * in every store, so that the next start goes on with it if the process ends in the middle.
 */
export class SessionClearing {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;

  readonly #disableImport: () => Promise<void>;

  constructor(
    context: SessionContext,
    parts: {
      readonly snapshots: SessionSnapshots;
      /** Keeps old sessions, which the first start would import by itself, from coming back. */
      readonly disableImport: () => Promise<void>;
    },
  ) {
    this.#context = context;
    this.#snapshots = parts.snapshots;
    this.#disableImport = parts.disableImport;
  }

  /**
   * Call as owner, with the browser closed and the record loaded. When it fails, the login stays.
   *
   * @param isUnlinked whether the device was unlinked before, so that the login is dead wherever it lies
   * @returns the number of deleted snapshots
   * @throws ConfigurationError, StoreError
   */
  async run({ isUnlinked }: { readonly isUnlinked: boolean }): Promise<number> {
    const { clearNote, assertOwned } = this.#context;
    const plan = await planClear(this.#context, this.#snapshots);
    const before = await clearNote.read();
    const lineages = [...new Set([...plan.lineages, ...(before?.lineages ?? [])])];
    const imported = onlyImports([...plan.imported, ...(before?.imported ?? [])]).slice(-MAX_IMPORTED);
    const clearedAt = await this.#snapshots.timeAfterAll();
    const profile = await this.#profileMark();
    await clearNote.write({ clearedAt, left: 'all', lineages, imported, ...(profile && { profile }) });
    let count: number;
    try {
      await markCleared(this.#context, lineages, clearedAt);
      await this.#snapshots.places.end();
      count = await clearSnapshots(this.#context, plan);
      await assertOwned();
    } catch (error) {
      await unmarkCleared(this.#context, lineages);
      const { placeLogin } = this.#context.record.current;
      if (placeLogin?.lineage !== undefined) await this.#snapshots.places.claim(placeLogin.lineage);
      await clearNote.putBack(before).catch(() => undefined);
      throw error;
    }
    if (!isUnlinked) await releaseForFormerOwners(this.#context);
    await this.#deleteProfile();
    await clearNote.write({ clearedAt, lineages: [], imported });
    return count;
  }

  /** Call at a start, as owner: goes on with a `clear()` that was interrupted. A store that fails is a warning. */
  async resume(): Promise<void> {
    const { clearNote, record, warn } = this.#context;
    await clearNote.removeUnfinished().catch(() => undefined); // it does no harm either
    const intent = await clearNote.read();
    if (intent?.left === undefined) return;
    const { clearedAt, lineages, imported } = intent;
    if (intent.left === 'all') {
      if (await this.#isInPlace(intent)) {
        await releaseForFormerOwners(this.#context);
        await this.#deleteProfile();
      } else await this.#keepNewProfile();
      await clearNote.write({ clearedAt, left: 'stores', lineages, imported });
      await record.load();
    }
    try {
      await this.#snapshots.places.end();
      await clearTheRest(this.#context, lineages, clearedAt);
      await clearNote.write({ clearedAt, lineages: [], imported });
    } catch (error) {
      warn(
        'cleanup-failed',
        `an interrupted clear() could not be finished in every store yet: ${describeError(error).message}`,
      );
    }
  }

  /** Call when a person puts a login in place: an interrupted `clear()` must not delete that one. */
  async giveUp(): Promise<void> {
    const { clearNote } = this.#context;
    const intent = await clearNote.read();
    if (intent?.left === undefined) return;
    await clearNote.write({ clearedAt: intent.clearedAt, lineages: [], imported: intent.imported });
  }

  /** Whether the profile is still the one that was to be deleted; another one may have been put there since. */
  async #isInPlace({ profile: before }: ClearIntent): Promise<boolean> {
    const now = await this.#profileMark();
    return now === undefined || before === undefined ? now === before : isSameMark(now, before);
  }

  #profileMark(): Promise<ProfileMark | undefined> {
    return profileMark(this.#context.fs, this.#context.profileDir);
  }

  /** The record beside it is of the login that was cleared. */
  async #keepNewProfile(): Promise<void> {
    const { record, logoutNote, warn } = this.#context;
    this.#snapshots.forget();
    await record.remove();
    await logoutNote.remove();
    warn(
      'profile-replaced',
      'a clear() was interrupted, and another profile has been put in place since: that one is kept',
    );
  }

  async #deleteProfile(): Promise<void> {
    const { record, logoutNote, folders } = this.#context;
    this.#snapshots.forget();
    await record.remove();
    await logoutNote.remove();
    await folders.clear();
    await this.#disableImport();
  }
}
