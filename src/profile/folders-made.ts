import { dirname } from 'node:path';
import type { FileSystem } from '../file-system.js';
import { exists } from './walk.js';

/** Folders that are there for a moment only, and how many need them now. By the file system they lie on. */
const passing = new WeakMap<object, Map<string, number>>();

/**
 * The folders on the way to `folder` that are not there, the deepest first, `folder` among them; also those that others
 * have made for a moment. Who makes them gives them to {@link removeFolders} afterwards.
 */
export async function foldersToMake(fs: FileSystem, folder: string): Promise<readonly string[]> {
  const missing: string[] = [];
  const counts = countsOf(fs);
  const isMissing = async (at: string) => counts.has(at) || !(await exists(fs, at));
  for (let at = folder; (await isMissing(at)) && at !== dirname(at); at = dirname(at)) missing.push(at);
  for (const at of missing) counts.set(at, (counts.get(at) ?? 0) + 1);
  return missing;
}

/** Removes those that hold nothing, in this order. Never rejects. */
export async function removeFolders(fs: FileSystem, folders: readonly string[]): Promise<void> {
  const counts = countsOf(fs);
  for (const folder of folders) {
    const others = (counts.get(folder) ?? 1) - 1;
    if (others > 0) counts.set(folder, others);
    else counts.delete(folder);
    await fs.promises.rmdir(folder).catch(() => undefined); // not there, or in use
  }
}

function countsOf({ promises }: FileSystem): Map<string, number> {
  const counts = passing.get(promises) ?? new Map<string, number>();
  passing.set(promises, counts);
  return counts;
}
