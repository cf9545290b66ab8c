import { ClosedError, TimeoutError } from './errors.js';

/** Opaque handle of a timer of a {@link Clock}. */
export type TimerHandle = unknown;

/** The time as the library sees it. Inject your own to test without sleeping. */
export interface Clock {
  /** Wall clock, ms since 1970. May jump; used for time stamps only. */
  now(): number;
  /** Monotonic ms; used for durations and deadlines. */
  monotonic(): number;
  /** Calls `callback` once after `delayMs`. Must not keep the process alive. */
  setTimeout(callback: () => void, delayMs: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

/** The real clock. Its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // The same in all threads of the process, which `performance.now()` is not.
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/** Waits `delayMs`; rejects with the signal's reason (or {@link ClosedError}) as soon as `signal` aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortReason(signal));
    const onAbort = () => {
      clock.clearTimeout(timer);
      reject(abortReason(signal));
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Waits for `work` no longer than `deadlineMs`, then rejects with a {@link TimeoutError} that names `what`.
 * The work itself goes on; its late rejection is swallowed, so that it never becomes an unhandled one.
 */
export function withDeadline<T>(
  clock: Clock,
  deadlineMs: number,
  what: string,
  work: Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(
      () => reject(new TimeoutError(`${what} took longer than ${deadlineMs} ms`)),
      deadlineMs,
    );
    work.then(
      (value) => {
        clock.clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        clock.clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** What `work` gave within `ms`, else `undefined`; then it goes on. Rejects only as `work` does. */
export async function resultWithin<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([work, sleep(clock, ms, timer.signal).then(() => undefined)]);
  } finally {
    timer.abort();
    work.catch(() => undefined); // what fails after the deadline is nobody's
  }
}

/** Rejects with the signal's reason when it aborts before `work` settles. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      work.catch(() => undefined);
      return reject(abortReason(signal));
    }
    const onAbort = () => reject(abortReason(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** What a signal was aborted with, as an error; `otherwise` words the {@link ClosedError} where it is none. */
export function abortReason(signal: AbortSignal | undefined, otherwise = 'the operation was aborted'): Error {
  return signal?.reason instanceof Error ? signal.reason : new ClosedError(otherwise);
}
