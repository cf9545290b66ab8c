import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import { askStores, failed } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import { type SessionSnapshots, sharedClientId } from '../context/session-snapshots.js';
import { importsIn } from '../record/import-marks.js';
import { lineagesIn } from '../record/session-record.js';

/** What a `clear()` deletes. */
export interface ClearPlan {
  /** The snapshots that are proven to be this profile's. */
  readonly proven: readonly LocatedSnapshot[];
  /** Other snapshots that a start here would take as its own. */
  readonly adoptable: readonly LocatedSnapshot[];
  /** Whether the stores hold nothing else. */
  readonly isAll: boolean;
  /** The logins that end. */
  readonly lineages: readonly string[];
  /** The lineages here that began with an import. */
  readonly imported: readonly string[];
}

/**
 * Finds what `clear()` deletes, and changes nothing.
 *
 * @throws ConfigurationError when no snapshot is this profile's and another profile still exists; StoreError
 */
export async function planClear(context: SessionContext, snapshots: SessionSnapshots): Promise<ClearPlan> {
  const { hasOurs, owned } = await snapshots.ofOtherProfiles();
  if (!hasOurs && owned !== undefined) throw sharedClientId(owned);
  const { ours, others, proven, adoptable } = await snapshots.sorted();
  const mine = new Set(proven.map(({ info }) => info.lineage));
  const foreign = new Set([...ours, ...others].map(({ info }) => info.lineage));
  // A login that was never saved, or whose first copy is just being put, is in no store yet.
  const known = lineagesIn(context.record.current).filter((lineage) => !foreign.has(lineage));
  return {
    proven,
    adoptable,
    isAll: others.length === 0 && proven.length === ours.length,
    lineages: [...new Set([...mine, ...known])],
    imported: importsIn(
      context.record.current,
      proven.map(({ info }) => info),
    ),
  };
}

/**
 * Marks the logins that end in every store. A put that a server finishes later must not bring one back.
 *
 * @throws StoreError
 */
export async function markCleared(
  context: SessionContext,
  lineages: readonly string[],
  at: string,
): Promise<void> {
  await inAll(context, async (repository) => {
    for (const lineage of lineages) await repository.markCleared(lineage, at);
  });
}

/** Takes the marks away, for a `clear()` that has failed. Never rejects: a start takes away what is left. */
export async function unmarkCleared(context: SessionContext, lineages: readonly string[]): Promise<void> {
  await askStores(allRepositories(context), async (repository) => {
    for (const lineage of lineages) await repository.unmarkCleared(lineage);
  });
}

/**
 * Deletes the snapshots proven to be this profile's and leaves those that may be another bot's. If a start here would
 * take one of the latter as its own, it is held first, so that nothing from before a `clear()` returns automatically.
 *
 * @returns the number of deleted snapshots
 * @throws StoreError
 */
export async function clearSnapshots(context: SessionContext, plan: ClearPlan): Promise<number> {
  const { proven, adoptable, isAll } = plan;
  await holdBack(context, adoptable);
  await inAll(context, async (repository) => {
    if (isAll) return repository.clear();
    await repository.remove(proven.filter((one) => one.repository === repository).map(({ info }) => info.id));
    await repository.sweep({ atOnce: true });
  });
  tellOfTheRest(context, adoptable);
  return proven.length;
}

/**
 * Deletes what an interrupted `clear()` has left in the stores.
 *
 * @throws StoreError
 */
export async function clearTheRest(
  context: SessionContext,
  lineages: readonly string[],
  at: string,
): Promise<void> {
  await markCleared(context, lineages, at);
  await inAll(context, async (repository) => {
    await repository.sweep({ atOnce: true });
    if ((await repository.list()).length === 0) await repository.clear();
  });
}

async function inAll(
  context: SessionContext,
  work: (repository: SnapshotRepository) => Promise<void>,
): Promise<void> {
  const [failure] = failed(await askStores(allRepositories(context), work));
  if (failure !== undefined) throw failure.error;
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
    `clear() did not delete the snapshots of '${clientId}' from ${profile?.path}, where there is no profile now, ` +
      'because they may belong to another bot; they are not restored here automatically. If they are ' +
      `this bot's, call restore('${id}') and then clear() again`,
  );
}
