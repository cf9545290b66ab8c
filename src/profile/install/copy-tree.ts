import path from 'node:path';
import { type FileSystem, improve, PRIVATE_FILE_MODE, PRIVATE_FOLDER_MODE } from '../../file-system.js';
import { walkFiles } from '../walk.js';

/** Copies all regular files of a folder into a new one. */
export async function copyTree(fs: FileSystem, from: string, to: string): Promise<void> {
  await fs.promises.mkdir(to, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  for await (const { path: file } of walkFiles(fs, from, '')) {
    const target = path.join(to, file);
    await fs.promises.mkdir(path.dirname(target), { recursive: true, mode: PRIVATE_FOLDER_MODE });
    await fs.promises.copyFile(path.join(from, file), target);
    await improve(() => fs.promises.chmod(target, PRIVATE_FILE_MODE));
  }
}
