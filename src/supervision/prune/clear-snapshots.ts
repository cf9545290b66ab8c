import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import { askStores, failed } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import { type SessionSnapshots, sharedClientId } from '../context/session-snapshots.js';

/**
 * Empties the stores for `clear()`. Deletes the snapshots proven to be this profile's and leaves those that may be
 * another bot's. If a start here would take one of the latter as its own, it is held first, so that nothing from
 * before a `clear()` returns automatically.
 *
 * @returns the number of deleted snapshots
 * @throws ConfigurationError when no snapshot is this profile's and another profile still exists; StoreError
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

/** Holds the lineages in every store, because `clear()` also deletes the record of this machine. */
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
