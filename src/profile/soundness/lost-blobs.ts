import { type EssentialFile, isBlobPath } from '../essential-files.js';
import { DamageError } from '../leveldb/damage.js';
import type { Database } from '../leveldb/database.js';
import { isMissing } from '../walk.js';
import { type NamedBlobsPlace, namedBlobs } from './named-blobs.js';
import { type Problem, suspect } from './problem.js';

/**
 * The blobs (files of large values) that the profile had, that are gone, and that records of IndexedDB still name.
 * Chromium writes a blob before the record that names it and deletes it after that record is gone: whatever it does, and
 * whenever it is killed, one that it wrote and that is still named is there. Only those that the profile had are asked
 * for: one that was never seen may be lost for years (after a power cut), and no restore would bring it back.
 */
export async function lostBlobs({
  had,
  present,
  database,
  ...place
}: NamedBlobsPlace & {
  /** Files that the profile had, relative to it; those that are no blobs do not matter. */
  readonly had: readonly string[];
  readonly present: readonly EssentialFile[];
  /** IndexedDB, if it is one of LevelDB that could be read. */
  readonly database: Database | undefined;
}): Promise<Problem[]> {
  const there = new Set(present.map(({ path }) => path));
  const gone = [...new Set(had)].filter((path) => isBlobPath(path) && !there.has(path));
  if (gone.length === 0 || database === undefined) return [];
  try {
    const named = await namedBlobs(database, place);
    return gone
      .filter((path) => named.has(path))
      .map((path) => suspect(path, 'this large value (blob) is gone, and the database still names it'));
  } catch (error) {
    // The structure tells of damage; names of a form that a later Chromium may bring are none.
    if (error instanceof DamageError || isMissing(error)) return [];
    throw error;
  }
}
