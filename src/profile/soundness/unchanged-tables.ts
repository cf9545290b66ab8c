import type { FileSystem } from '../../file-system.js';
import type { SnapshotFile } from '../../types.js';
import type { EssentialFile } from '../essential-files.js';
import { isTablePath } from '../sound-tables.js';
import { throwIfAborted } from '../walk.js';
import { hashOfStart } from './hash-of-start.js';
import { inParallel } from './in-parallel.js';

const FILES_AT_ONCE = 3;

/**
 * The tables that are byte for byte equal to those of a snapshot, with their SHA-256. A snapshot holds only sound tables, and
 * a table never changes (docs/chromium-facts.md F1.3), so the blocks of these tables need no check.
 */
export async function unchangedTables(
  fs: FileSystem,
  profileDir: string,
  {
    present,
    reference,
    signal,
  }: {
    readonly present: readonly EssentialFile[];
    readonly reference: readonly SnapshotFile[];
    readonly signal?: AbortSignal | undefined;
  },
): Promise<ReadonlyMap<string, string>> {
  const sizes = new Map(present.map(({ path, size }) => [path, size]));
  const tables = reference.filter(
    ({ path, size }) => isTablePath(path) && size > 0 && sizes.get(path) === size,
  );
  const unchanged = await inParallel(FILES_AT_ONCE, tables, async ({ path, size, sha256 }) => {
    throwIfAborted(signal);
    return (await hashOfStart(fs, `${profileDir}/${path}`, size)) === sha256 ? [[path, sha256] as const] : [];
  });
  return new Map(unchanged.flat());
}
