import { type Clock, sleep } from './clock.js';
import { errnoOf } from './errors.js';
import { isThreadFault } from './thread-fault.js';

/** The clock for the waits between attempts, and the platform, which decides which errors pass by themselves. */
export interface Machine {
  readonly clock: Clock;
  readonly platform: NodeJS.Platform;
}

/** Waits between attempts, ms: 1.3 s in total, far less than the time after which the lock of a key counts as stale. */
const RETRY_DELAYS_MS = [10, 20, 40, 80, 160, 320, 640] as const;

/** This process or this machine has too many open files at the moment. */
const EXHAUSTED = new Set(['EMFILE', 'ENFILE']);
/** On Windows a file can't be renamed for a moment while a virus scanner or an indexer reads it (#3546). */
const BUSY_ON_WINDOWS = new Set(['EBUSY', 'EPERM', 'EACCES']);
/** Repeats `work`, a limited number of times, while the system reports that it is busy. */
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
 * Waits between two attempts and keeps the process alive meanwhile. The clock's own timers let the process end, but a call
 * of the store is not finished yet: a process that has nothing else to do must not end in the middle of its last put. Every
 * caller limits the number of its attempts.
 */
export async function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  const hold = setInterval(() => undefined, 60_000);
  try {
    await sleep(clock, delayMs, signal);
  } finally {
    clearInterval(hold);
  }
}

/** Whether the same call is likely to succeed in a moment. */
export function isBusy({ platform }: Pick<Machine, 'platform'>, errno: string | undefined): boolean {
  if (errno === undefined) return false;
  return EXHAUSTED.has(errno) || (platform === 'win32' && BUSY_ON_WINDOWS.has(errno));
}

/** There is no room, or there are too many open files: the machine is short of something, and nothing is wrong. */
const SHORTAGES = new Set(['ENOSPC', 'EDQUOT', ...EXHAUSTED]);

/** Whether it passes as soon as somebody, or something, makes room. */
export function isShortage(errno: string | undefined): boolean {
  return errno !== undefined && SHORTAGES.has(errno);
}

/**
 * What a disk, or the machine, answers for a while and then no more: a network share whose server restarts, a disk that is
 * mounted read-only after a fault, too little memory or too many processes.
 */
const PASSING = new Set([
  ...SHORTAGES,
  ...'EAGAIN EBUSY EHOSTDOWN EIO ENODEV ENOMEM ENOTCONN ENXIO EREMOTEIO EROFS ESTALE'.split(' '),
]);
/** Limit for the causes of a cause that are looked at. */
const MAX_CAUSES = 8;

/**
 * Whether an error, or a cause of it, is a local fault that heals by itself. Someone who was up before waits it out,
 * however long it takes.
 */
export function isPassingFault(error: unknown): boolean {
  if (isThreadFault(error)) return true; // the machine had no memory for it
  let one: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && one !== undefined && one !== null; depth++) {
    if (PASSING.has(errnoOf(one) ?? '')) return true;
    one = (one as { readonly cause?: unknown }).cause;
  }
  return false;
}

/** Errors that last until somebody changes something. */
const PERMANENT = new Set('EACCES EPERM EROFS ENOTDIR EISDIR ELOOP ENAMETOOLONG EINVAL ENOTSUP'.split(' '));

/** Whether another attempt is useless until somebody changes something. */
export function isPermanent(errno: string): boolean {
  return PERMANENT.has(errno);
}
