import { type FileSystem, improve } from '../../file-system.js';
import { walkFiles } from '../walk.js';

/** Brings every file of a tree to the disk, so that a rename never shows names without contents. */
export async function syncTree(fs: FileSystem, folder: string): Promise<void> {
  for await (const { path: file } of walkFiles(fs, folder, '')) {
    const handle = await fs.promises.open(`${folder}/${file}`, 'r+');
    try {
      await improve(() => handle.sync());
    } finally {
      await handle.close();
    }
  }
}
