import { describeError } from '../../errors.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { SnapshotInfo } from '../../types.js';
import { askStores, failed, StorePatience } from '../context/ask-stores.js';
import { replacedIn } from '../context/restore-candidates.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';

/** How long a silent store may delay the first save or the end of a login, ms. */
const MARK_PATIENCE_MS = 5_000;

/**
 * Marks logins that another one has replaced at this place, so that no other place takes them for its own. They may
 * have been saved elsewhere before, and the record that knows of their end is lost with this place.
 * Where they were last, they are still restored. Never rejects: a mark that could not be written is a warning.
 */
export async function holdReplaced(context: SessionContext, lineages: readonly string[]): Promise<void> {
  await hold(context, lineages, { cause: 'replaced', isUnmarked });
}

/**
 * Marks every login that the one in place, or else the last one here, has replaced, so that no start restores it. That
 * login may have no snapshot yet, and once it has ended and the record is lost, only these marks tell of it.
 *
 * @returns whether every store has answered; then all marks are written
 */
export async function holdSuperseded(
  context: SessionContext,
  snapshots: SessionSnapshots,
  patienceMs = MARK_PATIENCE_MS,
): Promise<boolean> {
  const { record, clock } = context;
  const patience = new StorePatience(clock, patienceMs);
  const bound = await snapshots.sorted(patience).catch(() => undefined);
  if (bound === undefined) return false;
  const isComplete = !snapshots.hasSilentStore;
  const { lineage: inPlace, ...known } = record.current;
  const infos = bound.ours.map(({ info }) => info);
  const replaced = [...replacedIn(infos, { ...known, inPlace })];
  const here = new Set(bound.lastHere.map(({ info }) => info.lineage));
  const everywhere = replaced.filter((lineage) => here.has(lineage));
  const elsewhere = replaced.filter((lineage) => !here.has(lineage));
  const isNotHeldEverywhere = ({ revoked, held }: SnapshotInfo) => !revoked && held !== true;
  const areHeld = await hold(context, everywhere, { cause: 'superseded', isUnmarked: isNotHeldEverywhere });
  return (await hold(context, elsewhere, { cause: 'replaced', isUnmarked })) && areHeld && isComplete;
}

async function hold(
  context: SessionContext,
  lineages: readonly string[],
  {
    cause,
    isUnmarked,
  }: {
    readonly cause: 'replaced' | 'superseded';
    readonly isUnmarked: (info: SnapshotInfo) => boolean;
  },
): Promise<boolean> {
  if (lineages.length === 0) return true;
  const { clock, warn } = context;
  const at = new Date(clock.now()).toISOString();
  const mark = async (repository: SnapshotRepository) => {
    const infos = (await repository.list()).filter(({ lineage }) => lineages.includes(lineage));
    for (const lineage of new Set(infos.filter(isUnmarked).map((info) => info.lineage))) {
      await repository.hold(lineage, { cause, at });
    }
  };
  const patience = new StorePatience(clock, MARK_PATIENCE_MS);
  const failures = failed(await askStores(allRepositories(context), mark, patience));
  for (const { repository, error } of failures) {
    warn(
      'revocation-incomplete',
      `${repository.store.name}: the snapshots of a login that another one has replaced could not be marked yet: ` +
        describeError(error).message,
    );
  }
  return failures.length === 0;
}

function isUnmarked({ revoked, held, heldElsewhere }: SnapshotInfo): boolean {
  return !revoked && held !== true && heldElsewhere !== true;
}
