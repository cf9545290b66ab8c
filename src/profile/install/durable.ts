import path from 'node:path';
import { type FileSystem, improve, PRIVATE_FILE_MODE, syncFolder } from '../../file-system.js';
import { isMissing, walkFiles } from '../walk.js';

/** Writes a small file so that after a power cut it is the old one or the new one. */
export async function writeDurably(fs: FileSystem, file: string, contents: string): Promise<void> {
  const temporary = temporaryOf(file);
  const handle = await fs.promises.open(temporary, 'w', PRIVATE_FILE_MODE);
  try {
    await handle.writeFile(contents);
    await improve(() => handle.sync());
  } finally {
    await handle.close();
  }
  await fs.promises.rename(temporary, file);
  await syncFolder(fs, path.dirname(file));
}

/** Where a file is written before it gets its name. */
export function temporaryOf(file: string): string {
  return `${file}.tmp`;
}

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

/** Reads a small JSON file; `undefined` when it is missing or no JSON. */
export async function readJson(fs: FileSystem, file: string): Promise<unknown> {
  let text: string;
  try {
    text = String(await fs.promises.readFile(file, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
