import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import { askStores, failed } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import { type SessionSnapshots, sharedClientId } from '../context/session-snapshots.js';

/**
 * The part of a `clear()` that empties the stores. It deletes what is proven to be this profile's. What may be another bot's
 * stays; where a start at this place would take it for its own, it is held first: nothing of before a `clear()` comes
 * back by itself.
 *
 * @returns how many were deleted
 * @throws ConfigurationError when nothing here is this profile's, and another one is still there; StoreError
 */
export async function clearSnapshots(context: SessionContext, snapshots: SessionSnapshots): Promise<number> {
  const { hasOurs, owned } = await snapshots.ofOtherProfiles();
  if (!hasOurs && owned !== undefined) throw sharedClientId(owned);
  const { ours, others, proven, adoptable } = await snapshots.sorted();
  const isAllOurs = others.length === 0 && proven.length === ours.length;
  await holdBack(context, adoptable);
  const empty = async (repository: SnapshotRepository): Promise<void> => {
    if (isAllOurs) return repository.clear();
    await repository.remove(proven.filter((one) => one.repository === repository).map(({ info }) => info.id));
    await repository.sweep();
  };
  const [failure] = failed(await askStores(allRepositories(context), empty));
  if (failure !== undefined) throw failure.error;
  tellOfTheRest(context, adoptable);
  return proven.length;
}

/** In every store: the record of this machine goes away with the `clear()`. */
async function holdBack(context: SessionContext, adoptable: readonly LocatedSnapshot[]): Promise<void> {
  const lineages = new Set(adoptable.filter(isFree).map(({ info }) => info.lineage));
  const at = new Date(context.clock.now()).toISOString();
  for (const lineage of lineages) {
    const having = new Set(
      adoptable.filter(({ info }) => info.lineage === lineage).map(({ repository }) => repository),
    );
    const hold = (repository: SnapshotRepository) => repository.hold(lineage, { cause: 'cleared', at });
    const [failure] = failed(await askStores(having, hold));
    if (failure !== undefined) throw failure.error;
  }
}

function isFree({ info }: LocatedSnapshot): boolean {
  return !info.revoked && info.held !== true && info.heldElsewhere !== true;
}

function tellOfTheRest({ warn, clientId }: SessionContext, [newest]: readonly LocatedSnapshot[]): void {
  if (newest === undefined) return;
  const { id, profile } = newest.info;
  warn(
    'other-profile',
    `clear() has left snapshots of '${clientId}' that were made at another place, where no profile is any more ` +
      `(${profile?.path}): they may be another bot's. They are held, so that none of them is restored here by itself. If ` +
      `that was this bot, restore('${id}') and another clear() delete them`,
  );
}
