import { RESERVED_PREFIXES } from '../keys.js';
import { type Disk, unless } from './disk.js';
import { findFolder, pruneFolders } from './folders.js';
import { breakLock, EMPTY_STALE_MS, LockWatch, removeLock } from './lock-file.js';
import { isInUse, writerOfTemporary } from './temporary.js';
import { type WalkedFile, walk } from './walk.js';
import { isProvenDead } from './writer.js';

/** The number of removed files, and their bytes. */
export interface SweepResult {
  readonly count: number;
  readonly bytes: number;
}

/**
 * Removes temporary files and locks whose writers are proven dead, and those of any writer that are older than
 * `olderThanMs`. Files that this process is writing are never touched.
 */
export async function sweep(disk: Disk, olderThanMs: number): Promise<SweepResult> {
  let count = 0;
  let bytes = 0;
  const root = await findFolder(disk, []);
  if (root === undefined) return { count, bytes };
  const found: WalkedFile[] = [];
  for await (const file of walk(disk, root, [])) if (isLeftover(file)) found.push(file);
  // Files of breakers come first, because an abandoned lock can't be broken while an abandoned breaker's file exists.
  found.sort((a, b) => Number(isBreaker(b)) - Number(isBreaker(a)));
  for (const file of found) {
    const stats = await unless(['ENOENT'], disk.fs.promises.lstat(file.path));
    if (stats === undefined) continue;
    const ageMs = Math.max(0, disk.clock.now() - stats.mtimeMs);
    if (!(await removed(disk, file, ageMs, olderThanMs))) continue;
    count += 1;
    bytes += stats.nlink > 1 ? 0 : stats.size; // an object that is a hard link to the file keeps the bytes
    await pruneFolders(disk, file.key);
  }
  return { count, bytes };
}

/** Removes the file unless somebody may still need it. Returns whether this call removed it. */
async function removed(disk: Disk, file: WalkedFile, ageMs: number, olderThanMs: number): Promise<boolean> {
  const { name, path } = file;
  const old = ageMs >= olderThanMs;
  if (name.startsWith(RESERVED_PREFIXES.temporary)) {
    if (isInUse(path) || !(old || (await isProvenDead(writerOfTemporary(name))))) return false;
    return (
      (await unless(
        ['ENOENT'],
        disk.fs.promises.unlink(path).then(() => true),
      )) ?? false
    );
  }
  const lock = await new LockWatch(disk).look(path);
  // An unwritten lock names no process, so none can be proven dead; but a live creator would have written it at once.
  const unwritten = lock?.holder === undefined && ageMs >= EMPTY_STALE_MS;
  if (lock === undefined || !(old || unwritten || lock.abandoned)) return false;
  if (!isBreaker(file)) return (await breakLock(disk, path, lock)) === undefined;
  await removeLock(disk, path);
  return true;
}

function isLeftover({ name }: WalkedFile): boolean {
  return Object.values(RESERVED_PREFIXES).some((prefix) => name.startsWith(prefix));
}

function isBreaker({ name }: WalkedFile): boolean {
  return name.startsWith(RESERVED_PREFIXES.unlock);
}
