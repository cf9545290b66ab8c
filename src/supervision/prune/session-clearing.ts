import { describeError } from '../../errors.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
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
   * @returns the number of deleted snapshots
   * @throws ConfigurationError, StoreError
   */
  async run(): Promise<number> {
    const { clearNote, assertOwned } = this.#context;
    const plan = await planClear(this.#context, this.#snapshots);
    const before = await clearNote.read();
    const lineages = [...new Set([...plan.lineages, ...(before?.lineages ?? [])])];
    const clearedAt = await this.#snapshots.timeAfterAll();
    await clearNote.write({ clearedAt, left: 'all', lineages });
    let count: number;
    try {
      await markCleared(this.#context, lineages, clearedAt);
      count = await clearSnapshots(this.#context, plan);
      await assertOwned();
    } catch (error) {
      await unmarkCleared(this.#context, lineages);
      await clearNote.putBack(before).catch(() => undefined);
      throw error;
    }
    await this.#deleteProfile();
    await clearNote.write({ clearedAt, lineages: [] });
    return count;
  }

  /** Call at a start, as owner: goes on with a `clear()` that was interrupted. A store that fails is a warning. */
  async resume(): Promise<void> {
    const { clearNote, record, warn } = this.#context;
    const intent = await clearNote.read();
    if (intent?.left === undefined) return;
    const { clearedAt, lineages } = intent;
    if (intent.left === 'all') {
      await this.#deleteProfile();
      await clearNote.write({ clearedAt, left: 'stores', lineages });
      await record.load();
    }
    try {
      await clearTheRest(this.#context, lineages, clearedAt);
      await clearNote.write({ clearedAt, lineages: [] });
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
    if (intent?.left !== undefined) await clearNote.write({ clearedAt: intent.clearedAt, lineages: [] });
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
