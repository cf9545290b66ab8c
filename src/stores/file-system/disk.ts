import type { BigIntStats } from 'node:fs';
import { type Clock, sleep } from '../../clock.js';
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

/** Waits between tries, ms: 1.3 s in all, far below the staleness of a key's lock. */
const RETRY_DELAYS_MS = [10, 20, 40, 80, 160, 320, 640] as const;

/** This process or this machine has too many files open just now. */
const EXHAUSTED = new Set(['EMFILE', 'ENFILE']);
/** On Windows a virus scanner or an indexer that looks into a file refuses its rename for a moment (#3546). */
const BUSY_ON_WINDOWS = new Set(['EBUSY', 'EPERM', 'EACCES']);
/** Only somebody's hand changes these. */
const PERMANENT = new Set('EACCES EPERM EROFS ENOTDIR EISDIR ELOOP ENAMETOOLONG EINVAL ENOTSUP'.split(' '));

/** Tries `work` again, a bounded number of times, when the system says that it is busy just now. */
export async function whileBusy<T>(
  disk: Pick<Disk, 'clock' | 'platform'>,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (const delayMs of RETRY_DELAYS_MS) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(disk, errnoOf(error))) throw error;
    }
    await pause(disk.clock, delayMs, signal);
  }
  return work();
}

/**
 * Waits between two tries. The clock's own timers let the process end, but a call of the store is I/O under way: a
 * process with nothing else left to do must not end in the middle of its last put. Every caller bounds its tries.
 */
export async function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  const hold = setInterval(() => undefined, 60_000);
  try {
    await sleep(clock, delayMs, signal);
  } finally {
    clearInterval(hold);
  }
}

function isBusy({ platform }: Pick<Disk, 'platform'>, errno: string | undefined): boolean {
  if (errno === undefined) return false;
  return EXHAUSTED.has(errno) || (platform === 'win32' && BUSY_ON_WINDOWS.has(errno));
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
  const retryable = isBusy(disk, errno) || !PERMANENT.has(errno);
  return new StoreError(`could not ${what}: ${errno}`, { cause: error, retryable });
}

/** The version of an object: changes with each put, see `publish`. */
export function versionOf(stats: Pick<BigIntStats, 'mtimeNs' | 'size' | 'ino'>): string {
  return `${stats.mtimeNs}-${stats.size}-${stats.ino}`;
}
