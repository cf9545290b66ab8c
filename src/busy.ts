import { type Clock, sleep } from './clock.js';
import { errnoOf } from './errors.js';

/** What decides whether an error of the system passes by itself. */
export interface Machine {
  readonly clock: Clock;
  readonly platform: NodeJS.Platform;
}

/** Waits between tries, ms: 1.3 s in all, far below the staleness of a key's lock. */
const RETRY_DELAYS_MS = [10, 20, 40, 80, 160, 320, 640] as const;

/** This process or this machine has too many files open just now. */
const EXHAUSTED = new Set(['EMFILE', 'ENFILE']);
/** On Windows a virus scanner or an indexer that looks into a file refuses its rename for a moment (#3546). */
const BUSY_ON_WINDOWS = new Set(['EBUSY', 'EPERM', 'EACCES']);
/** Tries `work` again, a bounded number of times, when the system says that it is busy just now. */
export async function whileBusy<T>(
  machine: Machine,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (const delayMs of RETRY_DELAYS_MS) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(machine, errnoOf(error))) throw error;
    }
    await pause(machine.clock, delayMs, signal);
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

/** Whether the same call may well succeed in a moment. */
export function isBusy({ platform }: Pick<Machine, 'platform'>, errno: string | undefined): boolean {
  if (errno === undefined) return false;
  return EXHAUSTED.has(errno) || (platform === 'win32' && BUSY_ON_WINDOWS.has(errno));
}

/** Only somebody's hand changes these. */
const PERMANENT = new Set('EACCES EPERM EROFS ENOTDIR EISDIR ELOOP ENAMETOOLONG EINVAL ENOTSUP'.split(' '));

/** Whether trying again is no use before somebody has changed something. */
export function isPermanent(errno: string): boolean {
  return PERMANENT.has(errno);
}
