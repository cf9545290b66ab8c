import { dirname, join } from 'node:path';
import { readOwnFile } from '../../own-file.js';
import { isSameMark, type ProfileMark, profileMark } from '../../profile/profile-mark.js';
import { sideFolder } from '../../profile/side-folder.js';
import { readFolder } from '../../profile/walk.js';
import type { SessionContext } from '../context/session-context.js';
import { EMPTY_RECORD, lineagesIn, parseRecord, type SessionRecord } from '../record/session-record.js';

/** More neighbours are not looked at. A folder of profiles has one for each account. */
const MAX_NEIGHBOURS = 2_000;

/**
 * The logins of this place whose profile lies next to it under another name by now, so that it was not lost. Their folder was
 * renamed, with the one that this library keeps beside it or without, and the session with the new name may not have been
 * started yet. A copy is another folder, and does not count.
 *
 * Call it with the record loaded, where no profile is in place. Never rejects: what can't be read tells nothing.
 */
export async function renamedLogins({
  fs,
  record,
  profile,
  clientId,
}: Pick<SessionContext, 'fs' | 'record' | 'profile' | 'clientId'>): Promise<readonly string[]> {
  const folder = dirname(profile.path);
  const found: string[] = [];
  const entries = await readFolder(fs, folder).catch(() => []);
  for (const entry of entries.slice(0, MAX_NEIGHBOURS)) {
    const path = join(folder, entry.name);
    if (path === profile.path || !entry.isDirectory()) continue;
    const mark = await profileMark(fs, path).catch(() => undefined);
    if (mark === undefined) continue;
    const neighbour = await recordBeside(fs, path);
    found.push(...lineagesOf(record.current, mark, () => true));
    found.push(
      ...lineagesOf(neighbour, mark, (owner) => owner.clientId === clientId && owner.path === profile.path),
    );
  }
  return [...new Set(found)];
}

/** The logins in a record, if it is of this very folder and of the session that is asked for. */
function lineagesOf(
  record: SessionRecord,
  mark: ProfileMark,
  isAskedFor: (owner: { readonly clientId: string; readonly path?: string }) => boolean,
): readonly string[] {
  if (record.profileMark === undefined || !isSameMark(record.profileMark, mark)) return [];
  const former = (record.formerOwners ?? []).filter(isAskedFor).flatMap(({ lineages }) => lineages);
  const isOwners = record.owner !== undefined && isAskedFor(record.owner);
  return isOwners ? [...lineagesIn(record), ...former] : former;
}

async function recordBeside(fs: SessionContext['fs'], profileDir: string): Promise<SessionRecord> {
  try {
    const text = await readOwnFile(fs, join(sideFolder(profileDir, 'beside').root, 'session.json'));
    return text === undefined ? EMPTY_RECORD : parseRecord(text);
  } catch {
    return EMPTY_RECORD;
  }
}
