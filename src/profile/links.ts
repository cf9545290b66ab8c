import path from 'node:path';
import { type FileSystem, makeFolders } from '../file-system.js';
import { isMissing, lstatIfPresent } from './walk.js';

/** The number of links that Linux follows. */
const MAX_LINKS = 40;

/**
 * Resolves every symbolic link in a path, even if the target does not exist (any more): the profile stays the same folder
 * even while it is renamed away.
 *
 * @throws ELOOP when links form a loop
 */
export async function resolveLinks(fs: FileSystem, given: string): Promise<string> {
  let current = path.resolve(given);
  for (let links = 0; links < MAX_LINKS; links++) {
    const { real, target } = await firstDanglingLink(fs, current);
    if (target === undefined) return real;
    current = target;
  }
  return path.resolve(given);
}

/**
 * Makes an empty folder if the profile's path has a symbolic link that leads to nothing. LocalAuth and Chromium can't
 * create a folder behind such a link and would always fail. If there is no link, a missing profile stays missing.
 */
export async function fillDanglingLink(fs: FileSystem, profileDir: string): Promise<void> {
  const absolute = path.resolve(profileDir);
  const real = await resolveLinks(fs, absolute);
  if (real === absolute || (await lstatIfPresent(fs, real)) !== undefined) return;
  // Nothing to do without a dangling link: others can then create the folder themselves.
  if (await isReachable(fs, absolute)) return;
  await makeFolders(fs, real);
}

/** Whether `mkdir` could make the folder, because no link in its path leads to nothing. */
async function isReachable(fs: FileSystem, absolute: string): Promise<boolean> {
  for (let folder = absolute; ; folder = path.dirname(folder)) {
    const stats = await lstatIfPresent(fs, folder);
    if (stats?.isSymbolicLink() === true) return followable(fs, folder);
    if (stats !== undefined || folder === path.dirname(folder)) return true;
  }
}

async function followable(fs: FileSystem, link: string): Promise<boolean> {
  try {
    await fs.promises.stat(link);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Resolves the path as far as it exists; `target` is the missing target of a dangling link in it. */
async function firstDanglingLink(
  fs: FileSystem,
  absolute: string,
): Promise<{ readonly real: string; readonly target?: string }> {
  const missing: string[] = [];
  for (let folder = absolute; ; folder = path.dirname(folder)) {
    try {
      return { real: path.join(String(await fs.promises.realpath(folder)), ...missing) };
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    const stats = await lstatIfPresent(fs, folder);
    if (stats?.isSymbolicLink() === true) {
      const leadsTo = String(await fs.promises.readlink(folder));
      const from = String(await fs.promises.realpath(path.dirname(folder)));
      return { real: absolute, target: path.join(path.resolve(from, leadsTo), ...missing) };
    }
    if (folder === path.dirname(folder)) return { real: absolute };
    missing.unshift(path.basename(folder));
  }
}
