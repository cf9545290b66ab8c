import { join } from 'node:path';
import { describeError } from '../../errors.js';
import { exists } from '../../profile/walk.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import { answered, askStores, failed, StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import type { FormerOwner } from '../record/record-owner.js';

/** How long a silent store may delay the start of a login that had another client id, ms. */
const MARK_PATIENCE_MS = 5_000;

/**
 * Call as owner, with the record loaded. The profile may have had another client id before: its folder was renamed, the
 * bot chose an id, or the login was imported. The copies under the former id are held there; otherwise a new account
 * with that id would start with this login, which is in use here. `restore()` under that id still brings it back.
 *
 * Never rejects: a mark that could not be written is a warning, and is tried again later: see {@link holdTheRest}.
 */
export async function holdForFormerOwners(
  context: SessionContext,
  patienceMs = MARK_PATIENCE_MS,
): Promise<void> {
  const { record, clientId } = context;
  const { formerOwners = [] } = record.current;
  if (formerOwners.length === 0) return;
  const left: FormerOwner[] = [];
  for (const former of formerOwners) {
    const isCopy = former.clientId !== clientId && (await isStillThere(context, former));
    if (isCopy && isAnotherLogin(context, former)) continue;
    if (isCopy) tellOfCopy(context, former);
    if (isCopy || !(await isHeldThere(context, former, patienceMs)))
      left.push({ ...former, ...(isCopy && { isCopy }) });
  }
  try {
    await record.update({ formerOwners: left.length > 0 ? left : undefined });
  } catch (error) {
    tellIncomplete(context, clientId, error);
  }
}

/**
 * Call after a save and at the end of a session: does what {@link holdForFormerOwners} could not do at the start, because a
 * store was away. Never rejects.
 */
export async function holdTheRest(context: SessionContext, patienceMs = MARK_PATIENCE_MS): Promise<void> {
  const { formerOwners = [] } = context.record.current;
  if (formerOwners.length > 0) await holdForFormerOwners({ ...context, warn: () => undefined }, patienceMs);
}

/**
 * Whether every store has the marks. One that holds nothing of these logins may be a disk that is not mounted, so it is
 * asked again at the next start.
 */
async function isHeldThere(
  context: SessionContext,
  former: FormerOwner,
  patienceMs: number,
): Promise<boolean> {
  const { clock, clientId, repositoriesOf } = context;
  const { clientId: id, lineages } = former;
  if (id === clientId) return true;
  const at = new Date(clock.now()).toISOString();
  const mark = async (repository: SnapshotRepository): Promise<boolean> => {
    const copies = (await repository.list()).filter(({ lineage }) => lineages.includes(lineage));
    const open = copies.filter(({ revoked, held }) => !revoked && held !== true);
    for (const lineage of new Set(open.map((info) => info.lineage))) {
      await repository.hold(lineage, { cause: 'moved', at });
    }
    return copies.length > 0;
  };
  const answers = await askStores(repositoriesOf(id), mark, new StorePatience(clock, patienceMs));
  const failures = failed(answers);
  for (const { repository, error } of failures) tellIncomplete(context, repository.store.name, error);
  return failures.length === 0 && answered(answers).every(({ value }) => value);
}

function tellOfCopy({ clientId, warn }: SessionContext, former: FormerOwner): void {
  warn(
    'other-profile',
    `the profile of '${clientId}' is a copy of the profile of '${former.clientId}', which still exists at ${former.path}. Two ` +
      `clients can't use one login: call clear() of one of the two`,
  );
}

/** Whether another login than the copied one is in use by now, for example because the copy was a template. */
function isAnotherLogin({ record }: SessionContext, { lineages }: FormerOwner): boolean {
  const { lineage } = record.current;
  return lineage !== undefined && !lineages.includes(lineage);
}

/** Whether the profile was copied, and not moved. After an import, the old profile always stays. */
async function isStillThere({ fs, profile }: SessionContext, { path }: FormerOwner): Promise<boolean> {
  if (path === undefined || path === profile.path) return false;
  return exists(fs, join(path, 'Default')).catch(() => false);
}

function tellIncomplete({ warn }: SessionContext, where: string, error: unknown): void {
  warn(
    'revocation-incomplete',
    `${where}: the copies of this login under its former client id could not be marked yet: ${describeError(error).message}`,
  );
}
