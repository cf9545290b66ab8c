import path from 'node:path';
import { type FileSystem, improve, makeFolders, PRIVATE_FILE_MODE } from '../../file-system.js';
import { walkFiles } from '../walk.js';

/** Copies all regular files of a folder into a new one. */
export async function copyTree(fs: FileSystem, from: string, to: string): Promise<void> {
  await makeFolders(fs, to);
  for await (const { path: file } of walkFiles(fs, from, '')) {
    const target = path.join(to, file);
    await makeFolders(fs, path.dirname(target));
    await fs.promises.copyFile(path.join(from, file), target);
    await improve(() => fs.promises.chmod(target, PRIVATE_FILE_MODE));
  }
}
