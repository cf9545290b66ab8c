import { basename, dirname, join } from 'node:path';
import { isRenamed, type ProfileMark, profileMark } from '../../profile/profile-mark.js';
import { readFolder } from '../../profile/walk.js';
import type { SessionContext } from '../context/session-context.js';
import { recordBeside } from '../record/record-beside.js';
import { lineagesIn, type SessionRecord } from '../record/session-record.js';

/** More neighbours are not looked at. A folder of profiles has one for each account. */
const MAX_NEIGHBOURS = 2_000;
/** How long a start looks at them, ms. On a slow disk with many accounts it goes on without an answer. */
const LOOK_MS = 3_000;

/**
 * The logins of this place whose profile lies next to it under another name by now, so that it was not lost. Its folder was
 * renamed, or the one around it (`sessions/anna/session`), with what this library keeps beside it or without, and the session
 * with the new name may not have been started yet. A copy is another folder, and does not count; neither does what was only
 * put aside.
 *
 * Call it with the record loaded, where no profile is in place. Never rejects: what can't be read tells nothing.
 */
export async function renamedLogins({
  clock,
  fs,
  record,
  profile,
  clientId,
}: Pick<SessionContext, 'clock' | 'fs' | 'record' | 'profile' | 'clientId'>): Promise<readonly string[]> {
  const found: string[] = [];
  const until = clock.monotonic() + LOOK_MS;
  for (const path of await neighboursOf(fs, profile.path)) {
    if (clock.monotonic() > until) break;
    if (isPutAside({ clientId, path: profile.path }, path)) continue;
    const mark = await markOnDisk(fs, path, profile.path);
    if (mark === undefined) continue;
    const neighbour = await recordBeside(fs, path);
    if (isOf(record.current, mark)) found.push(...lineagesIn(record.current));
    if (isOf(neighbour, mark)) found.push(...lineagesFrom(neighbour, { clientId, path: profile.path }));
  }
  return [...new Set(found)];
}

/** The paths at which a profile may lie that lay here before. */
async function neighboursOf(fs: SessionContext['fs'], profileDir: string): Promise<readonly string[]> {
  const folder = dirname(profileDir);
  const foldersIn = async (parent: string, but: string) => {
    const entries = await readFolder(fs, parent).catch(() => []);
    const others = entries.filter((entry) => entry.isDirectory() && entry.name !== but);
    return others.slice(0, MAX_NEIGHBOURS).map(({ name }) => join(parent, name));
  };
  const beside = await foldersIn(folder, basename(profileDir));
  const around = await foldersIn(dirname(folder), basename(folder));
  return [...beside, ...around.map((path) => join(path, basename(profileDir)))];
}

/**
 * Whether a neighbour is what a person has put aside: a name that adds to this profile's own what no client id can have, such
 * as `session-anna.old`. No bot can have its login there, so it lives on under no other id. A profile in a folder of the
 * user's choice may have any name.
 */
function isPutAside(
  { clientId, path }: { readonly clientId: string; readonly path: string },
  beside: string,
): boolean {
  const name = basename(path);
  const isNamedById =
    name === 'session' || name === `session-${clientId}` || path.endsWith(`/profile/${clientId}`);
  const isOfClient = /^[-\w]+$/.test(basename(beside));
  return (
    isNamedById &&
    join(dirname(beside)) === join(dirname(path)) &&
    basename(beside).startsWith(name) &&
    !isOfClient
  );
}

/** A snapshot of a file system has the inodes of the original, on another device. */
async function markOnDisk(
  fs: SessionContext['fs'],
  path: string,
  profileDir: string,
): Promise<ProfileMark | undefined> {
  try {
    const mark = await profileMark(fs, path);
    if (mark === undefined) return undefined;
    const [{ dev }, here] = await Promise.all([
      fs.promises.stat(join(path, 'Default')),
      nearestFolder(fs, dirname(profileDir)),
    ]);
    return dev === here ? mark : undefined;
  } catch {
    return undefined;
  }
}

/** The device of a folder, or of the one around it where it is gone. */
async function nearestFolder(fs: SessionContext['fs'], folder: string): Promise<number> {
  const { dev } = await fs.promises.stat(folder).catch(() => fs.promises.stat(dirname(folder)));
  return dev;
}

function isOf({ profileMark: was }: SessionRecord, mark: ProfileMark): boolean {
  return was !== undefined && isRenamed(was, mark);
}

/** The logins in a record beside a neighbour that have come from this place, and are the ones in use there. */
function lineagesFrom(
  record: SessionRecord,
  place: { readonly clientId: string; readonly path: string },
): readonly string[] {
  const isHere = (owner: { readonly clientId: string; readonly path?: string } | undefined) =>
    owner?.clientId === place.clientId && owner.path === place.path;
  if (isHere(record.owner)) return lineagesIn(record);
  const { lineage, formerOwners = [] } = record;
  return formerOwners
    .filter((former) => isHere(former) && former.isCopy !== true && former.isHeld !== true) // else the stores tell it
    .flatMap(({ lineages }) => (lineage !== undefined && lineages.includes(lineage) ? lineages : []));
}
