import type { FileSystem } from '../../file-system.js';
import { defineTask } from '../../task.js';
import type { SnapshotFile } from '../../types.js';
import { ESSENTIAL_PATHS, listEssentialFiles } from '../essential-files.js';
import { isTablePath } from '../sound-tables.js';
import { throwIfAborted } from '../walk.js';
import { hashOfStart } from './hash-of-start.js';

/** Limit for what is read of tables; the smallest come first, and one that is the same is enough. */
const MAX_TABLE_BYTES = 16 * 1024 * 1024;

export interface ContinuityInput {
  readonly profileDir: string;
  /** The files of a snapshot. */
  readonly reference: readonly SnapshotFile[];
}

/**
 * Whether a profile goes on from a snapshot: `continues` where it still has a table or a log of it, `another` where one that never
 * changes is another one now, `unclear` where it has none of its files any more, as after a compaction. A profile that has lost
 * nothing is not enough: of another login with higher file numbers all may seem to be compacted away.
 */
export type Continuity = 'continues' | 'another' | 'unclear';

/** Finds out the {@link Continuity}; also of a profile that a browser has open. */
export async function continuityOf(
  { profileDir, reference }: ContinuityInput,
  { fs, signal }: { readonly fs: FileSystem; readonly signal?: AbortSignal | undefined },
): Promise<Continuity> {
  const sizes = new Map((await listEssentialFiles(profileDir, { fs })).map(({ path, size }) => [path, size]));
  let continuity: Continuity = 'unclear';
  let left = MAX_TABLE_BYTES;
  for (const file of telling(reference)) {
    throwIfAborted(signal);
    const size = sizes.get(file.path);
    if (size === undefined) continue;
    if (isTablePath(file.path)) {
      if (size !== file.size) return 'another';
      left -= file.size;
      if (left < 0) continue;
    } else if (size < file.size) continue; // its end may be lost
    const hash = await hashOfStart(fs, `${profileDir}/${file.path}`, file.size);
    if (hash === undefined || hash === 'unreadable') continue;
    if (hash !== file.sha256) return 'another';
    continuity = 'continues';
  }
  return continuity;
}

/** {@link continuityOf} for the worker thread. */
export const continuityTask = defineTask<ContinuityInput, Continuity>('profile:continuity', continuityOf);

/** The tables and logs, the smallest first. The MANIFESTs of two new databases are alike. */
function telling(reference: readonly SnapshotFile[]): readonly SnapshotFile[] {
  const folders = [ESSENTIAL_PATHS.indexedDbLevelDb, ESSENTIAL_PATHS.localStorageLevelDb];
  const isTelling = ({ path, size }: SnapshotFile) =>
    size > 0 &&
    (isTablePath(path) || path.endsWith('.log')) &&
    folders.some((folder) => path.startsWith(`${folder}/`));
  return reference.filter(isTelling).sort((one, other) => one.size - other.size);
}
