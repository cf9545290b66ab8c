import { join } from 'node:path';
import { describeError } from '../../errors.js';
import { isRenamed, profileMark } from '../../profile/profile-mark.js';
import { exists } from '../../profile/walk.js';
import { captureTimeAfter } from '../../snapshot/capture-time.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { SnapshotInfo } from '../../types.js';
import { answered, askStores, failed, StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import { recordBeside } from '../record/record-beside.js';
import type { FormerOwner } from '../record/record-owner.js';
import { tellOfFormerOwner } from './two-places.js';

/** How long a silent store may delay the start of a login that had another client id, ms. */
const MARK_PATIENCE_MS = 5_000;
/** So long the stores of the former id are asked, at a start and where one has not answered yet, ms. */
const WATCHED_MS = 30 * 24 * 60 * 60 * 1000;
/** So long after the login came here they are asked with each save, ms. */
const WATCHED_CLOSELY_MS = 60 * 60 * 1000;

/** What one store has of the logins under the former id. */
interface Copies {
  readonly repository: SnapshotRepository;
  readonly value: readonly SnapshotInfo[];
}

/**
 * Call as owner, with the record loaded. The profile may have had another client id before: its folder was renamed, the
 * bot chose an id, or the login was imported. The copies under the former id are held there; otherwise a new account
 * with that id would start with this login, which is in use here. `restore()` under that id still brings it back. Where
 * the former id goes on using the login nothing is held, and that is told.
 *
 * Never rejects: a mark that could not be written is a warning, and is tried again later: see {@link holdTheRest}.
 */
export async function holdForFormerOwners(
  context: SessionContext,
  patienceMs = MARK_PATIENCE_MS,
  isQuiet = false,
): Promise<void> {
  const { record, clientId } = context;
  const { formerOwners = [] } = record.current;
  if (formerOwners.length === 0) return;
  const left: FormerOwner[] = [];
  for (const former of formerOwners) {
    if (former.clientId === clientId) continue; // it is its own again
    const { isCopy: _, ...moved } = former;
    const isCopy = await isCopied(context, former);
    if (isCopy && isAnotherLogin(context, former)) continue;
    if (isCopy && !isQuiet) tellOfCopy(context, former);
    left.push(isCopy ? { ...former, isCopy } : await hold(context, moved, { patienceMs, isQuiet }));
  }
  if (JSON.stringify(left) === JSON.stringify(formerOwners)) return;
  try {
    await record.update({ formerOwners: left.length > 0 ? left : undefined });
  } catch (error) {
    if (!isQuiet) tellIncomplete(context, clientId, error);
  }
}

/**
 * Call after a save and at the end of a session: does what {@link holdForFormerOwners} could not do at the start, because a
 * store was away. Never rejects.
 */
export async function holdTheRest(context: SessionContext, patienceMs = MARK_PATIENCE_MS): Promise<void> {
  const { formerOwners = [] } = context.record.current;
  const isDue = (former: FormerOwner) =>
    former.isHeld !== true || ageOf(context, former) < WATCHED_CLOSELY_MS;
  if (formerOwners.some(isDue)) await holdForFormerOwners(context, patienceMs, true);
}

/**
 * Call when `clear()` ends the login, before the record is deleted. An import is undone by it: whoever it was imported from goes
 * on, so its copies are not held any more. Where the device was unlinked they are dead, and stay held; so do those of a
 * profile that was renamed, whose login has ended here. Never rejects.
 */
export async function releaseForFormerOwners(context: SessionContext): Promise<void> {
  const { record, clientId, clock, repositoriesOf } = context;
  const { formerOwners = [], imported = [], revokedLineages, rejectedLineages } = record.current;
  if (imported.some((lineage) => [...revokedLineages, ...rejectedLineages].includes(lineage))) return;
  for (const { clientId: id, path, lineages } of formerOwners) {
    if (path !== undefined) continue;
    const release = async (repository: SnapshotRepository) => {
      const ours = (await repository.holds()).filter(({ cause, by }) => cause === 'moved' && by === clientId);
      for (const { lineage } of ours) if (lineages.includes(lineage)) await repository.release(lineage);
    };
    const patience = new StorePatience(clock, MARK_PATIENCE_MS);
    for (const { repository, error } of failed(await askStores(repositoriesOf(id), release, patience))) {
      context.warn(
        'revocation-incomplete',
        `${repository.store.name}: the copies of '${id}', from which this login was imported, are still held there: ` +
          `${describeError(error).message}. If '${id}' asks for a QR, call restore() there`,
      );
    }
  }
}

async function hold(
  context: SessionContext,
  former: FormerOwner,
  { patienceMs, isQuiet }: { readonly patienceMs: number; readonly isQuiet: boolean },
): Promise<FormerOwner> {
  const { clock, repositoriesOf } = context;
  const { clientId: id, lineages, heldIn = [] } = former;
  if (ageOf(context, former) > WATCHED_MS) return former;
  const patience = new StorePatience(clock, patienceMs);
  const repositories = repositoriesOf(id);
  const listing = await askStores(
    repositories,
    async (repository) => (await repository.list()).filter((info) => lineages.includes(info.lineage)),
    patience,
  );
  const copies = answered(listing);
  const times = copies.flatMap(({ value }) => value.map(({ createdAt }) => Date.parse(createdAt)));
  const since = former.since ?? new Date(captureTimeAfter(clock.now(), times)).toISOString();
  if (copies.some(({ value }) => value.some(({ createdAt }) => createdAt > since))) {
    return { ...former, since, toldAt: tellOfFormerOwner(context, { ...former, since }) };
  }
  const todo = copies.filter(({ repository }) => !heldIn.includes(repository.store.name));
  const marking = await askStores(
    todo.map(({ repository }) => repository),
    (repository) => markIn(repository, todo, { since, by: context.clientId }),
    patience,
  );
  for (const { repository, error } of isQuiet ? [] : [...failed(listing), ...failed(marking)])
    tellIncomplete(context, repository.store.name, error);
  const marked = answered(marking).filter(({ value }) => value);
  const names = [...heldIn, ...marked.map(({ repository }) => repository.store.name)];
  const isHeld = repositories.every(({ store }) => names.includes(store.name));
  return { ...former, since, heldIn: names, ...(isHeld && { isHeld }) };
}

/** @returns whether the store has copies. One that has none may be a disk that is not mounted, so it is asked again. */
async function markIn(
  repository: SnapshotRepository,
  copies: readonly Copies[],
  { since: at, by }: { readonly since: string; readonly by: string },
): Promise<boolean> {
  const infos = copies.find((one) => one.repository === repository)?.value ?? [];
  const open = infos.filter(({ revoked, held }) => !revoked && held !== true);
  for (const lineage of new Set(open.map((info) => info.lineage))) {
    await repository.hold(lineage, { cause: 'moved', at, by });
  }
  return infos.length > 0;
}

/** How long ago the login came here, ms. */
function ageOf({ clock }: SessionContext, { since }: FormerOwner): number {
  return since === undefined ? 0 : clock.now() - Date.parse(since);
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

/**
 * Whether the profile was copied, and not moved, so that the former place has the login, too. What is there by now may be another
 * login under the same id. After an import, the old profile always stays.
 */
async function isCopied({ fs, profile, record }: SessionContext, former: FormerOwner): Promise<boolean> {
  const { path, lineages, isCopy, since } = former;
  if (path === undefined || path === profile.path) return false;
  if (since !== undefined && isCopy !== true) return false; // it was moved
  if (!(await exists(fs, join(path, 'Default')).catch(() => false))) return false;
  const { lineage, owner } = await recordBeside(fs, path);
  if (owner?.path === path && lineage !== undefined) return lineages.includes(lineage);
  // Before its first `ready` here, the record still tells which folder it belongs to.
  const { profileMark: was } = record.current;
  const is = await profileMark(fs, profile.path).catch(() => undefined);
  return isCopy === true || was === undefined || is === undefined || !isRenamed(was, is);
}

function tellIncomplete({ warn }: SessionContext, where: string, error: unknown): void {
  warn(
    'revocation-incomplete',
    `${where}: the copies of this login under its former client id could not be marked yet: ${describeError(error).message}`,
  );
}
