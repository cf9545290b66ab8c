import { defineTask } from '../task.js';
import { listEssentialFiles, recogniseLayout } from './essential-files.js';
import { type BlobNames, readBlobNames } from './soundness/named-blobs.js';

/** A missing blob: the file of a large value, which a record of IndexedDB names. */
export interface MissingBlob {
  /** Relative to the profile, `/` between names. */
  readonly path: string;
  /** The size that it should have, bytes. */
  readonly size: number;
}

/** The blobs that the database now names and that are not among `files`. */
export function missingAmong(
  names: BlobNames | undefined,
  files: Iterable<{ readonly path: string }>,
): readonly MissingBlob[] {
  const there = new Set([...files].map(({ path }) => path));
  return [...(names?.now ?? [])].filter(([path]) => !there.has(path)).map(([path, size]) => ({ path, size }));
}

/**
 * Finds the missing blobs of a profile that no browser has open. Chromium writes a blob before the record that names it, and
 * deletes it after that record, so that even a kill leaves no record without its blob. A missing blob was therefore removed
 * by somebody else, or lost in a power cut. There is one exception: a kill just after `deleteDatabase()` can leave the names
 * of blobs that were deleted with their database.
 */
export const missingBlobsTask = defineTask<{ readonly profileDir: string }, readonly MissingBlob[]>(
  'profile:missing-blobs',
  async ({ profileDir }, { fs, signal }) => {
    const { indexedDb } = await recogniseLayout(profileDir, { fs });
    if (indexedDb !== 'leveldb') return []; // SQLite keeps large values inside the database
    const names = await readBlobNames({ fs, profileDir, signal });
    return missingAmong(names, await listEssentialFiles(profileDir, { fs }));
  },
);
