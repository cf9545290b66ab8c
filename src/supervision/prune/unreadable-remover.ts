import type { SnapshotRepository, UnreadableSnapshot } from '../../snapshot/repository.js';
import { isOutlived, type RetentionPolicy } from '../../snapshot/retention.js';
import { askStores, failed } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';

/** The result of {@link UnreadableRemover.remove}. */
export interface UnreadableRemoved {
  /** Repositories from which something was removed. Objects that only those snapshots needed can now be swept. */
  readonly from: readonly SnapshotRepository[];
  readonly freedBytes: number;
}

/**
 * Removes unreadable snapshots once retention would have removed them anyway. They are never listed or restored, but
 * they take space, and an unreadable save also keeps every object that it may need.
 */
export class UnreadableRemover {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;

  constructor(context: SessionContext, { snapshots }: { readonly snapshots: SessionSnapshots }) {
    this.#context = context;
    this.#snapshots = snapshots;
  }

  /** A store that does not answer is skipped. Each removal gives a warning. */
  async remove(
    policy: RetentionPolicy,
    repositories: Iterable<SnapshotRepository>,
  ): Promise<UnreadableRemoved> {
    const from: SnapshotRepository[] = [];
    let freedBytes = 0;
    const removeFrom = async (repository: SnapshotRepository) => {
      const outlived = await this.#outlivedIn(repository, policy);
      if (outlived.length === 0) return;
      await this.#context.assertOwned();
      const gone = await repository.removeUnreadable(outlived.map(({ key }) => key));
      if (gone.removed.length === 0) return;
      from.push(repository);
      freedBytes += gone.freedBytes;
      for (const snapshot of outlived)
        if (gone.removed.includes(snapshot.id)) this.#tell(repository, snapshot);
    };
    const [failure] = failed(await askStores(repositories, removeFrom));
    if (failure !== undefined) throw failure.error;
    return { from, freedBytes };
  }

  /**
   * Whether removing snapshots frees almost nothing in this repository, because an unreadable save keeps their
   * objects.
   */
  async isHeldUp(repository: SnapshotRepository): Promise<boolean> {
    return repository.kind === 'save' && (await unreadableIn(repository)).length > 0;
  }

  async #outlivedIn(
    repository: SnapshotRepository,
    policy: RetentionPolicy,
  ): Promise<readonly UnreadableSnapshot[]> {
    const unreadable = (await unreadableIn(repository)).filter(({ fault }) => fault === undefined);
    if (unreadable.length === 0) return [];
    const whole = (await this.#snapshots.listAmong(new Set([repository]))).map(({ info }) => info);
    const shelf = { kind: repository.kind, store: repository.store.name };
    return unreadable.filter(
      (snapshot) =>
        !this.#mayBeWanted(snapshot) && isOutlived(snapshot, whole, policy, shelf, this.#context.clock.now()),
    );
  }

  // A snapshot of a newer version of this library is most likely intact. This version runs because somebody went back
  // to it, perhaps only for minutes, but the usual ten saves are written in twenty minutes. After the return, the
  // newer version finds all snapshots that it could still restore automatically. No version restores older ones
  // automatically.
  #mayBeWanted({ id, createdAt, isNewer }: UnreadableSnapshot): boolean {
    const { record, options, clock } = this.#context;
    if (id === record.current.restoring) return true;
    return isNewer && clock.now() - Date.parse(createdAt) < options.maxRollbackMs;
  }

  #tell({ store }: SnapshotRepository, { id, problem }: UnreadableSnapshot): void {
    this.#context.warn(
      'corrupt-snapshot',
      `${id} was removed from ${store.name}: it could not be read (${problem}), and newer snapshots have outlived it`,
    );
  }
}

async function unreadableIn(repository: SnapshotRepository): Promise<readonly UnreadableSnapshot[]> {
  return repository.unreadable().catch(() => []);
}
