import { type FileSystem, improve } from '../../file-system.js';
import { walkFiles } from '../walk.js';

/** Flushes every file of a tree to the disk, so that after a rename no file can lack its contents. */
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
