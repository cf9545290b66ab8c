import { ClosedError, TimeoutError } from './errors.js';

/** Opaque handle of a {@link Clock}'s timer. */
export type TimerHandle = unknown;

/** The library's source of time. Inject your own to test without waiting. */
export interface Clock {
  /** Wall clock, ms since 1970. It may jump, so it is used for time stamps, and to notice that a machine was suspended. */
  now(): number;
  /** Monotonic time, ms; used for durations and deadlines. It may stand still while the machine is suspended. */
  monotonic(): number;
  /** Calls `callback` once after `delayMs`. Must not keep the process alive. */
  setTimeout(callback: () => void, delayMs: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

/** The real clock. Its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // Unlike `performance.now()`, this is the same in all threads of the process.
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/** A moment by both clocks. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function momentOf(clock: Clock): Moment {
  return { monotonicMs: clock.monotonic(), wallMs: clock.now() };
}

/** Waits `delayMs`. Rejects with the signal's reason (or {@link ClosedError}) as soon as `signal` aborts. */
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
 * Waits for `work` for at most `deadlineMs`, then rejects with a {@link TimeoutError} that names `what`.
 * The work itself goes on. If it rejects later, that is ignored, so that it never becomes an unhandled rejection.
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

/** The result of `work`, or `undefined` if it takes longer than `ms`; it then goes on. Rejects only if `work` rejects. */
export async function resultWithin<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([work, sleep(clock, ms, timer.signal).then(() => undefined)]);
  } finally {
    timer.abort();
    work.catch(() => undefined); // nobody handles a failure after the deadline
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

/** The reason of an aborted signal if it is an error, else a {@link ClosedError} with the message `otherwise`. */
export function abortReason(signal: AbortSignal | undefined, otherwise = 'the operation was aborted'): Error {
  return signal?.reason instanceof Error ? signal.reason : new ClosedError(otherwise);
}
