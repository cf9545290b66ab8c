import { basename, dirname } from 'node:path';
import { ConfigurationError, errnoOf } from './errors.js';
import type { FileSystem } from './file-system.js';

/**
 * Whether none of the last `depth` names of a path is a symbolic link; missing names are fine. A link that somebody puts
 * in the place of one of our folders must not make us write or delete elsewhere. The folders above belong to the user.
 */
export async function isRealFolder(fs: FileSystem, folder: string, depth = 1): Promise<boolean> {
  return (await linkAmong(fs, folder, depth)) === undefined;
}

/**
 * Like {@link isRealFolder}, for a folder that is required.
 *
 * @throws ConfigurationError that names the link
 */
export async function assertRealFolder(fs: FileSystem, folder: string, depth = 1): Promise<void> {
  const link = await linkAmong(fs, folder, depth);
  if (link === undefined) return;
  throw new ConfigurationError(
    `'${link}' is a symbolic link, and would lead what this session writes to another place; a plain folder is ` +
      'expected. Remove the link',
  );
}

/** Removes a symbolic link in the place of a temporary folder, and leaves the link's target untouched. */
export async function removeLink(fs: FileSystem, folder: string): Promise<void> {
  if ((await linkAmong(fs, folder, 1)) !== undefined) await fs.promises.unlink(folder);
}

async function linkAmong(fs: FileSystem, folder: string, depth: number): Promise<string | undefined> {
  let path = folder;
  for (let level = 0; level < depth && basename(path) !== ''; level++) {
    try {
      if ((await fs.promises.lstat(path)).isSymbolicLink()) return path;
    } catch (error) {
      const code = errnoOf(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    }
    path = dirname(path);
  }
  return undefined;
}
