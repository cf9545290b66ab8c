import path from 'node:path';
import type { Clock } from '../clock.js';
import { type FileSystem, makeFolders } from '../file-system.js';
import { assertRealFolder, isRealFolder, removeLink } from '../real-folder.js';
import { resolveLinks } from './links.js';
import { exists, lstatIfPresent, readFolder, unlessDenied, walkFiles } from './walk.js';

/**
 * The library's own folder for a profile: it holds quarantine, staging, the followed database, journals and small state files (such as
 * `session.json`). It is on the profile's file system, so that moving between the two is a rename.
 */
export interface SideFolder {
  /**
   * - `beside`: `<parent>/.<name>.persistent`; the profile is replaced as a whole
   * - `inside`: `<profile>/.persistent`, if the profile is a mount point; only its essential parts are replaced
   */
  readonly placement: 'beside' | 'inside';
  /** The profile, with symbolic links resolved. */
  readonly profileDir: string;
  readonly root: string;
  readonly staging: string;
  /** The database that the copies of a running session follow. */
  readonly follow: string;
  readonly quarantine: string;
  readonly journal: string;
}

/** The sources for new names: the clock, so that they sort by time, and random numbers, so that they are unique. */
export interface NameSource {
  readonly clock: Clock;
  /** Returns a number from 0 up to 1, like `Math.random`. */
  readonly random: () => number;
}

/**
 * Finds the side folder of a profile, without creating it. A profile's side folder only changes when the profile becomes a
 * mount point or stops being one.
 *
 * @throws ConfigurationError when a symbolic link is in the place of the side folder
 * @example
 * const side = await resolveSideFolder('/data/session', { fs }); // side.root: '/data/.session.persistent'
 */
export async function resolveSideFolder(
  profileDir: string,
  options: { readonly fs: FileSystem },
): Promise<SideFolder> {
  const real = await resolveLinks(options.fs, profileDir);
  const side = sideFolder(real, (await isMountPoint(options.fs, real)) ? 'inside' : 'beside');
  await assertRealFolder(options.fs, side.root);
  return side;
}

/** The paths of a side folder with the given placement; does no I/O. */
export function sideFolder(profileDir: string, placement: SideFolder['placement']): SideFolder {
  const name = `.${path.basename(profileDir)}.persistent`;
  const root =
    placement === 'inside' ? path.join(profileDir, '.persistent') : path.join(path.dirname(profileDir), name);
  return {
    placement,
    profileDir,
    root,
    staging: path.join(root, 'staging'),
    follow: path.join(root, 'follow'),
    quarantine: path.join(root, 'quarantine'),
    journal: path.join(root, 'install-journal.json'),
  };
}

/** Makes a new empty folder for a profile that is being restored. Pass it to `installProfile`, or remove it. */
export function createStagingFolder(
  profileDir: string,
  options: NameSource & { readonly fs: FileSystem },
): Promise<string> {
  return createIn(profileDir, 'staging', options);
}

/** Makes a new empty folder for a database that is followed. */
export function createFollowFolder(
  profileDir: string,
  options: NameSource & { readonly fs: FileSystem },
): Promise<string> {
  return createIn(profileDir, 'follow', options);
}

async function createIn(
  profileDir: string,
  room: 'staging' | 'follow',
  options: NameSource & { readonly fs: FileSystem },
): Promise<string> {
  const { [room]: parent } = await resolveSideFolder(profileDir, options);
  await removeLink(options.fs, parent);
  const folder = path.join(parent, uniqueName(options));
  await makeFolders(options.fs, folder);
  return folder;
}

/**
 * Removes the remains of interrupted restores from staging, and those of killed sessions from the followed databases. Only
 * the owner of the session may call this, after `recoverInstall` and while nothing is being restored.
 *
 * @param options.inUse the folders that stay
 * @param options.passOver called for a folder that may not be removed, because it belongs to another user
 */
export async function removeStagingLeftovers(
  profileDir: string,
  {
    fs,
    inUse,
    passOver = () => undefined,
  }: {
    readonly fs: FileSystem;
    readonly inUse?: ReadonlySet<string>;
    readonly passOver?: (path: string) => void;
  },
): Promise<{ readonly freedBytes: number; readonly files: number }> {
  const real = await resolveLinks(fs, profileDir);
  let freedBytes = 0;
  let files = 0;
  for (const { staging, follow, journal } of bothSideFolders(real)) {
    // If there still is a journal, its staged profile is needed.
    const rooms = (await exists(fs, journal)) ? [follow] : [staging, follow];
    for (const room of rooms) {
      if (!(await isRealFolder(fs, room, 2))) continue; // a folder behind a link is not ours to delete
      for (const { name } of await readFolder(fs, room)) {
        if (inUse?.has(path.join(room, name))) continue;
        let size = 0;
        let count = 0;
        for await (const file of walkFiles(fs, room, name, () => undefined)) {
          size += file.size;
          count++;
        }
        const folder = path.join(room, name);
        const removing = fs.promises.rm(folder, { recursive: true, force: true }).then(() => true);
        if ((await unlessDenied(removing, () => passOver(folder))) !== true) continue;
        freedBytes += size;
        files += count;
      }
    }
  }
  return { freedBytes, files };
}

/** Both places where a side folder can be, so that old files are found even after the profile became a mount point. */
export function bothSideFolders(realProfile: string): readonly SideFolder[] {
  return [sideFolder(realProfile, 'beside'), sideFolder(realProfile, 'inside')];
}

/** A unique name that sorts by time, for example `20261123T051409123Z-1a2b3c4d`. */
export function uniqueName({ clock, random }: NameSource): string {
  const time = new Date(clock.now()).toISOString().replace(/[-:.]/g, '');
  const chance = Math.floor(random() * 2 ** 32);
  return `${time}-${chance.toString(16).padStart(8, '0')}`;
}

async function isMountPoint(fs: FileSystem, folder: string): Promise<boolean> {
  const own = await lstatIfPresent(fs, folder);
  if (own === undefined) return false;
  const parent = await lstatIfPresent(fs, path.dirname(folder));
  if (parent !== undefined && parent.dev !== own.dev) return true;
  return (await mountPoints(fs)).has(folder);
}

/** Reads the kernel's list of mount points: a bind mount (a Docker volume) may have the same device as its parent. */
async function mountPoints(fs: FileSystem): Promise<ReadonlySet<string>> {
  let list: string;
  try {
    list = String(await fs.promises.readFile('/proc/self/mountinfo', 'utf8'));
  } catch {
    // Not Linux, or not readable: only the devices are compared.
    return new Set();
  }
  const unescaped = (field: string) =>
    field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return new Set(list.split('\n').map((line) => unescaped(line.split(' ')[4] ?? '')));
}
