import { defineTask } from '../task.js';
import { listEssentialFiles, recogniseLayout } from './essential-files.js';
import { type BlobNames, readBlobNames } from './soundness/named-blobs.js';

/** The file of a large value (a blob) that a record of IndexedDB names, and that is not there. */
export interface MissingBlob {
  /** Relative to the profile, `/` between names. */
  readonly path: string;
  /** Bytes it should have. */
  readonly size: number;
}

/** Those that are named now and are not among `files`. */
export function missingAmong(
  names: BlobNames | undefined,
  files: Iterable<{ readonly path: string }>,
): readonly MissingBlob[] {
  const there = new Set([...files].map(({ path }) => path));
  return [...(names?.now ?? [])].filter(([path]) => !there.has(path)).map(([path, size]) => ({ path, size }));
}

/**
 * The blobs that a profile which no browser has open lacks. Chromium writes a blob before the record that names it and deletes it
 * after that record is gone, also when it is killed: what is missing was taken by somebody else, or lost with the power. The
 * one exception: a kill within a moment of `deleteDatabase()` leaves names of blobs that were deleted with their database.
 */
export const missingBlobsTask = defineTask<{ readonly profileDir: string }, readonly MissingBlob[]>(
  'profile:missing-blobs',
  async ({ profileDir }, { fs, signal }) => {
    const { indexedDb } = await recogniseLayout(profileDir, { fs });
    if (indexedDb !== 'leveldb') return []; // SQLite keeps them inside
    const names = await readBlobNames({ fs, profileDir, signal });
    return missingAmong(names, await listEssentialFiles(profileDir, { fs }));
  },
);
