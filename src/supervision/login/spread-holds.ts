import type { Hold, LineageHold, SnapshotRepository } from '../../snapshot/repository.js';
import type { SnapshotInfo } from '../../types.js';
import { answered, askStores, failed, type StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import { tellOfTakeover } from './two-places.js';

/** What one store says of the logins. */
interface Told {
  readonly infos: readonly SnapshotInfo[];
  /** Those that no start restores, also those of which no snapshot is left. */
  readonly holds: readonly LineageHold[];
  /** Those that a `clear()` has ended. */
  readonly cleared: ReadonlySet<string>;
}

/** A store that could not be changed. */
interface Unmarked {
  readonly repository: SnapshotRepository;
  readonly error: unknown;
}

const NOTHING: Told = { infos: [], holds: [], cleared: new Set() };

/**
 * Call at a start. A store that was away when a login was put on hold, replaced or cleared has copies that it takes for
 * usable, and the record that knows better may be gone: what one store says of a login is noted in the others that have a
 * copy of it, before that store is lost, too. The login in place is left out, since a hold on it is over. So is one that
 * has moved to another client id, and of which any store has a later copy: it is in use here.
 *
 * @returns the stores that could not be marked
 */
export async function spreadHolds(
  context: SessionContext,
  patience: StorePatience,
): Promise<readonly Unmarked[]> {
  const ask = async (repository: SnapshotRepository): Promise<Told> => {
    return {
      holds: await repository.holds(),
      cleared: await repository.clearedLineages(),
      infos: await repository.list(),
    };
  };
  const told = answered(await askStores(allRepositories(context), ask, patience));
  if (told.length < 2) return [];
  const { lineage: inPlace } = context.record.current;
  const infos = told.flatMap(({ value }) => value.infos);
  const over = told
    .flatMap(({ value }) => value.holds)
    .filter((hold) => hold.cause === 'moved' && (hold.isOver || isSavedAfter(hold, infos)))
    .filter(({ lineage }) => lineage !== inPlace);
  const isOver = (lineage: string) => over.some((hold) => hold.lineage === lineage);
  const [first] = over;
  if (first !== undefined) tellOfTakeover(context, first);
  const inForce = told.flatMap(({ value }) => value.holds).filter((hold) => !isOver(hold.lineage));
  const held = new Map(inForce.map((hold) => [hold.lineage, hold]));
  const cleared = new Set(told.flatMap(({ value }) => [...value.cleared]));
  const elsewhere = new Set(
    infos.filter((info) => info.heldElsewhere === true).map(({ lineage }) => lineage),
  );
  const known = new Map(told.map(({ repository, value }) => [repository, value]));
  const at = new Date(context.clock.now()).toISOString();
  const mark = async (repository: SnapshotRepository) => {
    const { infos: own, holds, cleared: knownAsCleared } = known.get(repository) ?? NOTHING;
    for (const { lineage } of holds) if (isOver(lineage)) await repository.release(lineage);
    const open = own.filter((info) => !info.revoked && info.held !== true && info.lineage !== inPlace);
    for (const lineage of new Set(open.map((info) => info.lineage))) {
      const isMarked = open.some((info) => info.lineage === lineage && info.heldElsewhere === true);
      const hold = held.get(lineage);
      if (cleared.has(lineage) && !knownAsCleared.has(lineage)) {
        await repository.hold(lineage, { cause: 'deleted', at });
      } else if (hold !== undefined) await repository.hold(lineage, asNoted(hold));
      else if (elsewhere.has(lineage) && !isMarked) await repository.hold(lineage, { cause: 'replaced', at });
    }
  };
  return failed(await askStores(known.keys(), mark, patience));
}

function isSavedAfter({ lineage, at }: LineageHold, infos: readonly SnapshotInfo[]): boolean {
  return infos.some((info) => info.lineage === lineage && info.createdAt > at);
}

/** As it was noted first, so that one of a login that has moved still ends when that is saved again. */
function asNoted({ cause, at, by }: LineageHold): Hold {
  if (cause === 'moved') return { cause, at, ...(by !== undefined && { by }) };
  return { cause: cause === 'superseded' || cause === 'deleted' ? cause : 'removed', at };
}
