import { describeError } from '../../errors.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { SnapshotInfo } from '../../types.js';
import { askStores, failed, StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';

/** How long a silent store may delay the first save or the end of an import, ms. */
const MARK_PATIENCE_MS = 5_000;

/**
 * Marks logins that another one has replaced at this place, so that no other place takes them for its own. They may
 * have been saved elsewhere before, and the record that knows of their end is lost with this place.
 * Where they were last, they are still restored. Never rejects: a mark that could not be written is a warning.
 */
export async function holdReplaced(context: SessionContext, lineages: readonly string[]): Promise<void> {
  if (lineages.length === 0) return;
  const { clock, warn } = context;
  const at = new Date(clock.now()).toISOString();
  const mark = async (repository: SnapshotRepository) => {
    const infos = (await repository.list()).filter(({ lineage }) => lineages.includes(lineage));
    for (const lineage of new Set(infos.filter(isFree).map((info) => info.lineage))) {
      await repository.hold(lineage, { cause: 'replaced', at });
    }
  };
  const patience = new StorePatience(clock, MARK_PATIENCE_MS);
  for (const { repository, error } of failed(await askStores(allRepositories(context), mark, patience))) {
    warn(
      'revocation-incomplete',
      `${repository.store.name}: the snapshots of a login that another one has replaced could not be marked yet: ` +
        describeError(error).message,
    );
  }
}

function isFree({ revoked, held, heldElsewhere }: SnapshotInfo): boolean {
  return !revoked && held !== true && heldElsewhere !== true;
}
