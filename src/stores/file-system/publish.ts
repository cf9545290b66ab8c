import type { BigIntStats } from 'node:fs';
import { dirname } from 'node:path';
import { whileBusy } from '../../busy.js';
import { errnoOf } from '../../errors.js';
import { improve } from '../../file-system.js';
import { assertExpected, conflict } from '../conditions.js';
import { assertVersion } from '../ranges.js';
import type { DeleteOptions, PutOptions } from '../session-store.js';
import { type Disk, unless, versionOf } from './disk.js';
import { findObject, inTheWay, pathOf, syncFolder } from './folders.js';
import { withKeyLock } from './key-lock.js';
import type { Temporary } from './temporary.js';

/** The error codes of file systems without hard links (exFAT, some network mounts). */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EMLINK', 'EISDIR']);
/** Longer than the timestamp resolution of any file system with inodes, seconds. */
const NEXT_STAMP_S = 0.005;

/** Makes a temporary file the value of `key`, atomically and durably, under the conditions of the put. */
export async function publish(
  disk: Disk,
  key: string,
  temporary: Temporary,
  options: PutOptions,
): Promise<BigIntStats> {
  const stats =
    options.ifAbsent === true && (await linked(disk, key, temporary))
      ? temporary.stats
      : await replace(disk, key, temporary, options);
  await syncFolder(disk, dirname(pathOf(disk, key)));
  return stats;
}

/** Removes the file of `key`, if it still has the version that is to be deleted. Returns whether there was one. */
export function remove(disk: Disk, key: string, { ifVersion, signal }: DeleteOptions): Promise<boolean> {
  return withKeyLock(disk, key, signal, async (assertHeld) => {
    if (ifVersion !== undefined) {
      const current = await findObject(disk, key);
      if (current === undefined) return false;
      assertVersion(key, ifVersion, versionOf(current));
    }
    await whileBusy(disk, async () => {
      if (ifVersion !== undefined) await assertHeld();
      await disk.fs.promises.unlink(pathOf(disk, key));
    });
    return true;
  });
}

/** Uses `link`, which refuses an existing name in one step of the kernel, so that exactly one process wins. */
async function linked(disk: Disk, key: string, temporary: Temporary): Promise<boolean> {
  const target = pathOf(disk, key);
  try {
    await whileBusy(disk, () => disk.fs.promises.link(temporary.path, target));
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST') {
      await assertNoFolder(disk, key, target);
      throw conflict(key, 'is there already');
    }
    if (errno !== undefined && NO_LINKS.has(errno)) return false;
    throw error;
  }
}

/**
 * Renames under the lock of the key, which *every* writer except `link` takes: between the check of the old version and
 * the rename no other writer replaces or deletes it, conditionally or not.
 */
function replace(disk: Disk, key: string, temporary: Temporary, options: PutOptions): Promise<BigIntStats> {
  const target = pathOf(disk, key);
  return withKeyLock(disk, key, options.signal, async (assertHeld) => {
    const current = await findObject(disk, key);
    assertExpected(key, options, current && versionOf(current));
    if (current === undefined) await assertNoFolder(disk, key, target);
    const stats = await stampedAfter(disk, temporary, current);
    await whileBusy(disk, async () => {
      await assertHeld();
      await disk.fs.promises.rename(temporary.path, target);
    });
    return stats;
  });
}

/** Versions of one key never repeat, because each value's timestamp is later than that of the value it replaces. */
async function stampedAfter(
  { fs }: Disk,
  { path, stats }: Temporary,
  current: BigIntStats | undefined,
): Promise<BigIntStats> {
  if (current === undefined || stats.mtimeNs > current.mtimeNs) return stats;
  const modified = Number(current.mtimeNs / 1000n) / 1e6 + NEXT_STAMP_S;
  await improve(() => fs.promises.utimes(path, modified, modified));
  return fs.promises.lstat(path, { bigint: true });
}

/** Checks for a folder, because memfs and some systems report a rename over a folder in different ways. */
async function assertNoFolder({ fs }: Disk, key: string, target: string): Promise<void> {
  const stats = await unless(['ENOENT'], fs.promises.lstat(target));
  if (stats?.isDirectory()) throw inTheWay(key, 'a folder', 'object');
}
