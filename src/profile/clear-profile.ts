import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import type { FileSystem } from '../file-system.js';
import { bothSideFolders, realProfileDir } from './side-folder.js';
import { readFolder } from './walk.js';

/** Deletes a profile for good, with its quarantine and staging. No browser may use it. Need not exist. */
export async function clearProfile(profileDir: string, options: { readonly fs: FileSystem }): Promise<void> {
  const { fs } = options;
  const real = await realProfileDir(fs, profileDir);
  for (const { root } of bothSideFolders(real)) await fs.promises.rm(root, { recursive: true, force: true });
  try {
    await fs.promises.rm(real, { recursive: true, force: true });
  } catch (error) {
    // A mount point stays; what is in it goes.
    if (errnoOf(error) !== 'EBUSY') throw error;
    for (const { name } of await readFolder(fs, real)) {
      await fs.promises.rm(join(real, name), { recursive: true, force: true });
    }
  }
}
