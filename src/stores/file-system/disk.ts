import type { BigIntStats } from 'node:fs';
import { isBusy, isPermanent } from '../../busy.js';
import type { Clock } from '../../clock.js';
import { errnoOf, isSessionError, StoreError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import type { Stamps } from './stamps.js';

/** The shared context of all parts of a file system store. */
export interface Disk {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly platform: NodeJS.Platform;
  readonly stamps: Stamps;
  /** Absolute path. */
  readonly root: string;
  /** Called for a problem that is ignored because it does not matter. */
  readonly onNotice: (notice: string) => void;
}

/** Reports that the file system refuses a step that is only an improvement. */
export function refused(disk: Disk, what: string): (code: string) => void {
  return (code) => disk.onNotice(`its file system refuses ${what} (${code}); it works without`);
}

/** Resolves to `undefined` if `work` fails with one of the given codes. */
export async function unless<T>(errnos: readonly string[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== undefined && errnos.includes(errno)) return undefined;
    throw error;
  }
}

/**
 * The error that a caller gets for a system error: it has the key and the code, but no path of the machine, which is
 * only in `cause`. The reason of the caller's own signal is not changed.
 */
export function toStoreFault(disk: Disk, what: string, error: unknown, signal?: AbortSignal): unknown {
  const errno = errnoOf(error);
  if (isSessionError(error) || errno === undefined) return error;
  if (signal?.aborted && error === signal.reason) return error;
  const retryable = isBusy(disk, errno) || !isPermanent(errno);
  return new StoreError(`could not ${what}: ${errno}`, { cause: error, retryable });
}

/** The version of an object; it changes with each put, see `publish`. */
export function versionOf(stats: Pick<BigIntStats, 'mtimeNs' | 'size' | 'ino'>): string {
  return `${stats.mtimeNs}-${stats.size}-${stats.ino}`;
}
