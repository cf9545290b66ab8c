import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { SnapshotInfo } from '../../types.js';
import { answered, askStores, failed, type StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';

/** What one store says of the logins. */
interface Told {
  readonly infos: readonly SnapshotInfo[];
  /** Those that no start restores, also those of which no snapshot is left. */
  readonly held: ReadonlySet<string>;
}

/**
 * Call at a start. A store that was away when a login was put on hold or replaced has copies that it takes for
 * usable, and the record that knows better may be gone: what one store says of a login is noted in the others that have a
 * copy of it, before that store is lost, too. The login in place is left out, since a hold on it is over.
 *
 * @returns the stores that could not be marked
 */
export async function spreadHolds(
  context: SessionContext,
  patience: StorePatience,
): Promise<readonly { readonly repository: SnapshotRepository; readonly error: unknown }[]> {
  const ask = async (repository: SnapshotRepository): Promise<Told> => {
    return { held: await repository.heldLineages(), infos: await repository.list() };
  };
  const told = answered(await askStores(allRepositories(context), ask, patience));
  if (told.length < 2) return [];
  const { lineage: inPlace } = context.record.current;
  const held = new Set(told.flatMap(({ value }) => [...value.held]));
  const elsewhere = told
    .flatMap(({ value }) => value.infos)
    .filter((info) => info.heldElsewhere === true)
    .map(({ lineage }) => lineage);
  const known = new Map(told.map(({ repository, value }) => [repository, value.infos]));
  const at = new Date(context.clock.now()).toISOString();
  const mark = async (repository: SnapshotRepository) => {
    const open = (known.get(repository) ?? [])
      .filter((info) => !info.revoked && info.held !== true && info.lineage !== inPlace)
      .map(({ lineage, heldElsewhere }) => ({ lineage, heldElsewhere }));
    for (const lineage of new Set(open.map((info) => info.lineage))) {
      const isMarked = open.some((info) => info.lineage === lineage && info.heldElsewhere === true);
      if (held.has(lineage)) await repository.hold(lineage, { cause: 'removed', at });
      else if (elsewhere.includes(lineage) && !isMarked) {
        await repository.hold(lineage, { cause: 'replaced', at });
      }
    }
  };
  return failed(await askStores(known.keys(), mark, patience));
}
