import type { SnapshotRepository, UnreadableSnapshot } from '../../snapshot/repository.js';
import { isOutlived, type RetentionPolicy } from '../../snapshot/retention.js';
import { askStores, failed } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';

/** What {@link UnreadableRemover.remove} did. */
export interface UnreadableRemoved {
  /** Where something went: what only that may have needed can be swept. */
  readonly from: readonly SnapshotRepository[];
  readonly freedBytes: number;
}

/**
 * Removes snapshots that can't be read, when retention would have removed them anyway. Nobody lists or restores them, but
 * they take room, and one save of that kind keeps the objects that it may need.
 */
export class UnreadableRemover {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;

  constructor(context: SessionContext, snapshots: SessionSnapshots) {
    this.#context = context;
    this.#snapshots = snapshots;
  }

  /** A store that does not answer says nothing of its snapshots: it is passed over. Each removal is a warning. */
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

  /** Whether removing snapshots of this repository frees next to nothing, because one that can't be read holds the rest. */
  async isHeldUp(repository: SnapshotRepository): Promise<boolean> {
    return repository.kind === 'save' && (await unreadableIn(repository)).length > 0;
  }

  async #outlivedIn(
    repository: SnapshotRepository,
    policy: RetentionPolicy,
  ): Promise<readonly UnreadableSnapshot[]> {
    const unreadable = await unreadableIn(repository);
    if (unreadable.length === 0) return [];
    const whole = (await this.#snapshots.list()).map(({ info }) => info);
    const shelf = { kind: repository.kind, store: repository.store.name };
    return unreadable.filter(
      (snapshot) =>
        !this.#mayBeWanted(snapshot) && isOutlived(snapshot, whole, policy, shelf, this.#context.clock.now()),
    );
  }

  // What a newer version of this library wrote is most likely whole, and this version runs because somebody went back to
  // the older one, perhaps for minutes: the usual ten saves are written in twenty. Whoever returns to the newer version
  // finds all that it could still restore by itself; what is older than that no version brings back unasked.
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
