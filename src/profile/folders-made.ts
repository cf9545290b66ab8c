import { dirname } from 'node:path';
import type { FileSystem } from '../file-system.js';
import { exists } from './walk.js';

/** Temporary folders by file system, with the number of callers that need each folder now. */
const passing = new WeakMap<object, Map<string, number>>();

/**
 * Lists `folder` and its parents as far as they are missing, or are temporary folders of other callers; the deepest comes
 * first. The caller creates them and later passes the list to {@link removeFolders}.
 */
export async function foldersToMake(fs: FileSystem, folder: string): Promise<readonly string[]> {
  const missing: string[] = [];
  const counts = countsOf(fs);
  const isMissing = async (at: string) => counts.has(at) || !(await exists(fs, at));
  for (let at = folder; (await isMissing(at)) && at !== dirname(at); at = dirname(at)) missing.push(at);
  for (const at of missing) counts.set(at, (counts.get(at) ?? 0) + 1);
  return missing;
}

/** Removes the empty ones of these folders, in the order of the list. Never rejects. */
export async function removeFolders(fs: FileSystem, folders: readonly string[]): Promise<void> {
  const counts = countsOf(fs);
  for (const folder of folders) {
    const others = (counts.get(folder) ?? 1) - 1;
    if (others > 0) counts.set(folder, others);
    else counts.delete(folder);
    await fs.promises.rmdir(folder).catch(() => undefined); // it is missing or in use
  }
}

function countsOf({ promises }: FileSystem): Map<string, number> {
  const counts = passing.get(promises) ?? new Map<string, number>();
  passing.set(promises, counts);
  return counts;
}
