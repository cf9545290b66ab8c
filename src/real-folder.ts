import { basename, dirname } from 'node:path';
import { ConfigurationError, errnoOf } from './errors.js';
import type { FileSystem } from './file-system.js';

/**
 * Whether the last `depth` names of a path are no symbolic links, as far as they are there. Whoever can plant a link where
 * a folder of ours is expected must not make us write, or delete, elsewhere; the folders above those are the user's.
 */
export async function isRealFolder(fs: FileSystem, folder: string, depth = 1): Promise<boolean> {
  return (await linkAmong(fs, folder, depth)) === undefined;
}

/**
 * The same, for a folder that can't be done without.
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

/** Makes room for a folder of passing things: a link in its place goes, what it leads to stays untouched. */
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
