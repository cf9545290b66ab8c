import type { BigIntStats } from 'node:fs';
import { dirname } from 'node:path';
import { whileBusy } from '../../busy.js';
import { errnoOf } from '../../errors.js';
import { improve } from '../../file-system.js';
import { assertExpected, conflict } from '../conditions.js';
import type { PutOptions } from '../session-store.js';
import { type Disk, unless, versionOf } from './disk.js';
import { findObject, inTheWay, pathOf, syncFolder } from './folders.js';
import { withKeyLock } from './key-lock.js';
import type { Temporary } from './temporary.js';

/** How a file system says that it has no hard links (exFAT, some network mounts). */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EMLINK', 'EISDIR']);
/** Further apart than the ticks in which any file system with inodes stamps its files, seconds. */
const NEXT_STAMP_S = 0.005;

/** Makes a temporary file the value of `key`, at once and for good, under the conditions of the put. */
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

/** `link` refuses an existing name in one step of the kernel: of all processes exactly one wins. */
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
 * Renames under the lock of the key, which *every* writer but `link` takes: between the look at the old version and
 * the rename nobody else replaces or deletes it, conditionally or not.
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

/** Versions of one key never repeat: each value's time stamp is later than that of the value it replaces. */
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

/** Without this look, memfs and some systems would answer a rename over a folder each in its own way. */
async function assertNoFolder({ fs }: Disk, key: string, target: string): Promise<void> {
  const stats = await unless(['ENOENT'], fs.promises.lstat(target));
  if (stats?.isDirectory()) throw inTheWay(key, 'a folder', 'object');
}
