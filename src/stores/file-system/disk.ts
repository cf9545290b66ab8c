import type { BigIntStats } from 'node:fs';
import { isBusy, isPermanent } from '../../busy.js';
import type { Clock } from '../../clock.js';
import { errnoOf, isSessionError, StoreError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import type { Stamps } from './stamps.js';

/** What all parts of a file system store work on. */
export interface Disk {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly platform: NodeJS.Platform;
  readonly stamps: Stamps;
  /** Absolute. */
  readonly root: string;
  /** Called for something that is passed over because it does not matter. */
  readonly onNotice: (notice: string) => void;
}

/** Tells that the file system refuses what only makes things better. */
export function refused(disk: Disk, what: string): (code: string) => void {
  return (code) => disk.onNotice(`its file system refuses ${what} (${code}); it works without`);
}

/** Resolves to `undefined` where `work` fails with one of the given codes. */
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
 * The error a caller sees for one of the system: the key and the code, no path of the machine; that is in `cause`.
 * The reason of the caller's own signal stays what it is.
 */
export function toStoreFault(disk: Disk, what: string, error: unknown, signal?: AbortSignal): unknown {
  const errno = errnoOf(error);
  if (isSessionError(error) || errno === undefined) return error;
  if (signal?.aborted && error === signal.reason) return error;
  const retryable = isBusy(disk, errno) || !isPermanent(errno);
  return new StoreError(`could not ${what}: ${errno}`, { cause: error, retryable });
}

/** The version of an object: changes with each put, see `publish`. */
export function versionOf(stats: Pick<BigIntStats, 'mtimeNs' | 'size' | 'ino'>): string {
  return `${stats.mtimeNs}-${stats.size}-${stats.ino}`;
}
