import path from 'node:path';
import { errnoOf } from '../errors.js';
import { type FileSystem, makeFolders } from '../file-system.js';
import { removeLink } from '../real-folder.js';
import { ESSENTIAL_PARTS } from './essential-files.js';
import { fillDanglingLink, resolveLinks } from './links.js';
import { bothSideFolders, type SideFolder, sideFolder } from './side-folder.js';
import { isMissing, readFolder } from './walk.js';

/** A folder that the file system itself makes at a mount point. */
const LOST_AND_FOUND = 'lost+found';
/** The folder in which the profile waits for its deletion. It is inside staging, which every start cleans. */
const CLEARED = 'cleared';

/**
 * Deletes a profile for ever, with its quarantine and staging. No browser may use it, and it need not exist.
 *
 * If the profile is a symbolic link, the link stays and leads to an empty folder.
 *
 * The profile is first renamed away, because an interrupted deletion could leave half of a login that a browser still opens.
 *
 * @param options.keep names in the side folder that are not deleted, because other parts of the library use them
 */
export async function clearProfile(
  profileDir: string,
  options: { readonly fs: FileSystem; readonly keep?: readonly string[] },
): Promise<void> {
  const { fs, keep = [] } = options;
  const real = await resolveLinks(fs, profileDir);
  for (const { root, staging, follow, quarantine } of bothSideFolders(real)) {
    // Only the links are removed: the folders behind them are not ours.
    await removeLink(fs, root);
    await removeLink(fs, staging);
    await removeLink(fs, follow);
    await removeLink(fs, quarantine);
  }
  if (!(await takeAway(fs, sideFolder(real, 'beside'), ''))) {
    for (const part of ESSENTIAL_PARTS) await takeAway(fs, sideFolder(real, 'inside'), part);
  }
  for (const { root } of bothSideFolders(real)) await empty(fs, root, keep);
  try {
    await fs.promises.rm(real, { recursive: true, force: true });
  } catch (error) {
    // A mount point can't be removed, so only its contents are deleted.
    if (errnoOf(error) !== 'EBUSY') throw error;
    await empty(fs, real, []);
  }
  await fillDanglingLink(fs, profileDir);
}

/** Deletes everything in a folder except `keep`, and the folder itself if nothing was kept. */
async function empty(fs: FileSystem, folder: string, keep: readonly string[]): Promise<void> {
  for (const { name } of await readFolder(fs, folder)) {
    if (keep.includes(name) || name === LOST_AND_FOUND) continue;
    await fs.promises.rm(path.join(folder, name), { recursive: true, force: true });
  }
  // Fails if something was kept, if there is no such folder, and at a mount point. That is fine.
  await fs.promises.rmdir(folder).catch(() => undefined);
}

/** Renames a part of the profile (`''`: all of it) into staging; `false` at a mount point, which can't be renamed. */
async function takeAway(fs: FileSystem, side: SideFolder, part: string): Promise<boolean> {
  const target = path.join(side.staging, CLEARED, part === '' ? 'profile' : part);
  await fs.promises.rm(target, { recursive: true, force: true });
  try {
    await fs.promises.lstat(path.join(side.profileDir, part));
    await makeFolders(fs, path.dirname(target));
    await fs.promises.rename(path.join(side.profileDir, part), target);
    return true;
  } catch (error) {
    if (isMissing(error)) return true;
    if (errnoOf(error) === 'EBUSY' || errnoOf(error) === 'EXDEV') return false;
    throw error;
  }
}
