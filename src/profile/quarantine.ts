import path from 'node:path';
import { ConfigurationError } from '../errors.js';
import { type FileSystem, makeFolders } from '../file-system.js';
import { readOwnJson, writeOwnFile } from '../own-file.js';
import { isRealFolder, removeLink } from '../real-folder.js';
import { QUARANTINED_PROFILE } from './install/replace.js';
import { resolveLinks } from './links.js';
import { bothSideFolders, type NameSource, type SideFolder } from './side-folder.js';
import { exists, readFolder, unlessDenied, walkFiles } from './walk.js';

/** A profile in quarantine. */
export interface QuarantinedProfile {
  /** The folder that holds `profile` and `reason.json`. */
  readonly path: string;
  /** Why it is in quarantine, for example `corrupt`; `unknown` if the reason was lost. */
  readonly reason: string;
  /** When it was moved to quarantine, ISO 8601. */
  readonly at: string;
  /** The snapshot it was restored from, if WhatsApp then rejected it: the profile holds nothing that the snapshot does not. */
  readonly copyOf?: string;
  readonly bytes: number;
  readonly files: number;
}

/** Why a profile goes into quarantine. */
export interface QuarantineReason {
  readonly reason: string;
  /** As in {@link QuarantinedProfile}. */
  readonly copyOf?: string | undefined;
}

/** The newest two profiles always stay (docs/invariants.md I2), and also the newest two that are no copies of a snapshot. */
const ALWAYS_KEPT = 2;

/** Lists the profiles in quarantine, oldest first. */
export async function listQuarantine(
  profileDir: string,
  options: { readonly fs: FileSystem },
): Promise<QuarantinedProfile[]> {
  const { fs } = options;
  const found: QuarantinedProfile[] = [];
  for (const folder of await entries(fs, profileDir)) {
    const profile = path.join(folder, QUARANTINED_PROFILE);
    if ((await unlessDenied(exists(fs, profile))) !== true) continue;
    let bytes = 0;
    let files = 0;
    for await (const file of walkFiles(fs, profile, '', () => undefined)) {
      bytes += file.size;
      files++;
    }
    found.push({ path: folder, ...(await readReason(fs, folder)), bytes, files });
  }
  return found.sort((a, b) => (path.basename(a.path) < path.basename(b.path) ? -1 : 1));
}

export interface PruneQuarantineOptions {
  readonly fs: FileSystem;
  /** Wall clock, ms since 1970. */
  readonly now: number;
  /** How many of the newest profiles always stay, and how many of the newest that are no copies of a snapshot; at least 2. */
  readonly keepLast: number;
  /** Other profiles stay while they are younger than this, ms, and `maxBytes` allows it. Default 0: none stays. */
  readonly maxAgeMs?: number | undefined;
  /** Limit for the total bytes of all profiles that stay; copies are counted last. Default: no limit. */
  readonly maxBytes?: number | undefined;
  /** Called for a folder that may not be read or removed: it belongs to another user and stays. */
  readonly passOver?: ((path: string) => void) | undefined;
}

/**
 * Deletes the profiles that need not stay in quarantine any longer, copies of snapshots first, then the oldest. Also deletes
 * the remains of interrupted moves.
 */
export async function pruneQuarantine(
  profileDir: string,
  options: PruneQuarantineOptions,
): Promise<{ readonly removed: readonly string[]; readonly freedBytes: number; readonly files: number }> {
  const { fs, now, keepLast, maxAgeMs = 0, maxBytes = Number.POSITIVE_INFINITY } = options;
  const { passOver = () => undefined } = options;
  if (keepLast < ALWAYS_KEPT) {
    throw new ConfigurationError(`keepLast is ${keepLast}; the quarantine keeps at least ${ALWAYS_KEPT}`);
  }
  await removeRests(fs, profileDir, passOver);
  const removed: string[] = [];
  let freedBytes = 0;
  let files = 0;
  const newestFirst = (await listQuarantine(profileDir, { fs })).reverse().sort(byAge);
  const originals = newestFirst.filter(({ copyOf }) => copyOf === undefined);
  const copies = newestFirst.filter(({ copyOf }) => copyOf !== undefined);
  const untouchable = new Set([...newestFirst.slice(0, keepLast), ...originals.slice(0, keepLast)]);
  let keptBytes = [...untouchable].reduce((sum, { bytes }) => sum + bytes, 0);
  for (const entry of [...originals, ...copies]) {
    if (untouchable.has(entry)) continue;
    keptBytes += entry.bytes;
    const isYoung = now - Date.parse(entry.at) < maxAgeMs;
    if (isYoung && keptBytes <= maxBytes) continue;
    const removing = fs.promises.rm(entry.path, { recursive: true, force: true }).then(() => true);
    if ((await unlessDenied(removing, () => passOver(entry.path))) !== true) continue;
    keptBytes -= entry.bytes;
    freedBytes += entry.bytes;
    files += entry.files;
    removed.push(entry.path);
  }
  return { removed, freedBytes, files };
}

/** Newest first. A copy was restored over its original, so it is the newer one also within one millisecond. */
function byAge(a: QuarantinedProfile, b: QuarantinedProfile): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  return Number(b.copyOf !== undefined) - Number(a.copyOf !== undefined);
}

/** Makes the folder for a profile in quarantine, and writes the reason into it. The caller then moves the profile there. */
export async function beginQuarantine(
  work: NameSource & { readonly fs: FileSystem } & QuarantineReason,
  side: SideFolder,
  name: string,
): Promise<void> {
  const folder = path.join(side.quarantine, name);
  await removeLink(work.fs, side.quarantine);
  await makeFolders(work.fs, folder);
  const at = new Date(work.clock.now()).toISOString();
  const { reason, copyOf } = work;
  const note = { reason, at, from: side.profileDir, ...(copyOf !== undefined && { copyOf }) };
  await writeOwnFile(work.fs, path.join(folder, 'reason.json'), `${JSON.stringify(note, undefined, 2)}\n`);
}

async function entries(fs: FileSystem, profileDir: string): Promise<string[]> {
  const real = await resolveLinks(fs, profileDir);
  const found: string[] = [];
  for (const { quarantine } of bothSideFolders(real)) {
    if (!(await isRealFolder(fs, quarantine, 2))) continue; // a folder behind a link is not ours to delete
    for (const { name } of await readFolder(fs, quarantine)) found.push(path.join(quarantine, name));
  }
  return found;
}

/** Removes entries without a profile, left by a crash before the move. While there is a journal, nothing is removed. */
async function removeRests(
  fs: FileSystem,
  profileDir: string,
  passOver: (path: string) => void,
): Promise<void> {
  const real = await resolveLinks(fs, profileDir);
  for (const { journal } of bothSideFolders(real)) if (await exists(fs, journal)) return;
  for (const folder of await entries(fs, profileDir)) {
    const isProfile = await unlessDenied(exists(fs, path.join(folder, QUARANTINED_PROFILE)));
    if (isProfile !== false) {
      if (isProfile === undefined) passOver(folder);
      continue;
    }
    await unlessDenied(fs.promises.rm(folder, { recursive: true, force: true }), () => passOver(folder));
  }
}

async function readReason(
  fs: FileSystem,
  folder: string,
): Promise<Pick<QuarantinedProfile, 'reason' | 'at' | 'copyOf'>> {
  const value = await readOwnJson(fs, path.join(folder, 'reason.json'));
  const note =
    typeof value === 'object' && value !== null
      ? (value as { reason?: unknown; at?: unknown; copyOf?: unknown })
      : {};
  const at = typeof note.at === 'string' && !Number.isNaN(Date.parse(note.at)) ? note.at : timeInName(folder);
  return {
    reason: typeof note.reason === 'string' ? note.reason : 'unknown',
    at,
    ...(typeof note.copyOf === 'string' && { copyOf: note.copyOf }),
  };
}

/** The time in a name such as `20261123T051409123Z-1a2b3c4d`, as ISO 8601; 1970 for any other name. */
function timeInName(folder: string): string {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z/.exec(path.basename(folder));
  if (match === null) return new Date(0).toISOString();
  const [, year, month, day, hour, minute, second, ms] = match;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`;
}
