import { describeError } from '../../errors.js';
import type { RestoreReason } from '../../events.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { RestoredTail } from '../../snapshot/tail.js';
import type { SnapshotFile } from '../../types.js';
import type { SessionContext } from '../context/session-context.js';
import { mayOthersDoBetter } from './restore-search.js';

/**
 * The reasons for which a tail comes back: the profile was lost. Where it led to a QR or never got ready, the last seconds
 * of it may be why, so that the snapshot alone is restored.
 */
const FOR_A_LOSS: ReadonlySet<RestoreReason> = new Set([
  'profile-absent',
  'profile-damaged',
  'newer-snapshot',
  'requested',
]);

/** Brings back, after a save, what the session has put into its store since. */
export class TailRestorer {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Puts the save whose tail is newer than a backup before that backup, if they are of the same run. */
  async bestFirst(candidates: readonly LocatedSnapshot[]): Promise<readonly LocatedSnapshot[]> {
    const { saves } = this.#context;
    const [first] = candidates;
    const save = candidates.find(({ repository }) => repository === saves);
    if (first === undefined || save === undefined || first === save) return candidates;
    const isEqual = save.info.lineage === first.info.lineage && save.info.run === first.info.run;
    if (!isEqual || save.info.settled !== first.info.settled) return candidates;
    const tail = await saves.tail().catch(() => undefined);
    if (tail?.snapshot !== save.info.id || tail.at <= first.info.createdAt) return candidates;
    return [save, ...candidates.filter((one) => one !== save)];
  }

  /**
   * Puts the tail of a restored snapshot in place, if it has one. One that is of no use is left out with a warning.
   *
   * @throws system errors of the profile's disk
   */
  async apply(
    { info, repository }: LocatedSnapshot,
    staged: string,
    reason: RestoreReason,
    signal: AbortSignal,
  ): Promise<RestoredTail | undefined> {
    if (info.kind !== 'save' || !FOR_A_LOSS.has(reason)) return undefined;
    try {
      // What a person asks for by its id is that snapshot, unless it is the newest one.
      const isWanted = reason !== 'requested' || (await repository.tail({ signal }))?.snapshot === info.id;
      return isWanted ? await repository.restoreTail(info.id, staged, { signal }) : undefined;
    } catch (error) {
      if (signal.aborted || !mayOthersDoBetter(error)) throw error;
      this.tellUnusable(info.id, error);
      return undefined;
    }
  }

  tellUnusable(id: string, error: unknown): void {
    this.#context.warn(
      'tail-unusable',
      `${id} is restored without what was written after it: ${describeError(error).message}`,
    );
  }
}

/** The files of a snapshot and its tail. */
export function filesWith(
  files: readonly SnapshotFile[],
  tail: RestoredTail | undefined,
): readonly SnapshotFile[] {
  const all = new Map(files.map((file) => [file.path, file]));
  for (const file of tail?.files ?? []) all.set(file.path, file);
  return [...all.values()];
}
