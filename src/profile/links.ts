import path from 'node:path';
import { type FileSystem, PRIVATE_FOLDER_MODE } from '../file-system.js';
import { isMissing, lstatIfPresent } from './walk.js';

/** As many as Linux follows. */
const MAX_LINKS = 40;

/**
 * The path with every symbolic link on its way resolved, also where what it leads to is not there (any more): the profile
 * is one folder, whoever renamed it away last.
 *
 * @throws ELOOP where links lead in a circle
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
 * Makes an empty folder where the profile is a symbolic link, or lies behind one, and the link leads to nothing. Whoever
 * makes folders on the way to a profile (LocalAuth, Chromium) fails at such a link, for ever. A profile without links is
 * left absent.
 */
export async function fillDanglingLink(fs: FileSystem, profileDir: string): Promise<void> {
  const absolute = path.resolve(profileDir);
  const real = await resolveLinks(fs, absolute);
  if (real === absolute || (await lstatIfPresent(fs, real)) !== undefined) return;
  // Only where a link dangles: below a folder that is there, everybody can make their own.
  if (await isReachable(fs, absolute)) return;
  await fs.promises.mkdir(real, { recursive: true, mode: PRIVATE_FOLDER_MODE });
}

/** Whether `mkdir` could make the folder: no link on the way to it dangles. */
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

/** The path resolved as far as it is there; `target`: where a link leads that is met on the way and dangles. */
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
