import type { Clock, TimerHandle } from '../../clock.js';
import { ClosedError, StoreError, TimeoutError } from '../../errors.js';

/** A call reports its progress by this function, and how long it may now take until the next, ms; default: as before. */
export type Moving = (nextMs?: number) => void;

export interface Waiting {
  readonly clock: Clock;
  /** The name of the store, for the error. */
  readonly name: string;
  /** The purpose of the call, for the error: `list shop/`. */
  readonly action: string;
  /** The maximum time without progress, ms. */
  readonly ms: number;
  /** The caller's signal, which ends the wait even if the store ignores it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits for a call of a store as long as it makes progress; otherwise gives it up and aborts it. If the store ignores
 * the abort and still returns a value later, `late` is called with it.
 *
 * @throws StoreError, whose cause is a TimeoutError; the reason of the caller's signal
 */
export function whileItMoves<T>(
  { clock, name, action, ms, signal }: Waiting,
  call: (signal: AbortSignal, moving: Moving) => Promise<T>,
  late: (value: T) => void = () => undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const ending = new AbortController();
    let timer: TimerHandle;
    let isOver = false;
    const end = (): void => {
      isOver = true;
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (reason: Error): void => {
      end();
      reject(reason);
      ending.abort(reason);
    };
    const onAbort = (): void => giveUp(reasonOf(signal));
    const moving = (nextMs = ms): void => {
      if (isOver) return;
      clock.clearTimeout(timer);
      timer = clock.setTimeout(() => giveUp(standstill(name, action, nextMs)), nextMs);
    };
    if (signal?.aborted) return reject(reasonOf(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    moving();
    attempt(() => call(ending.signal, moving)).then(
      (value) => {
        if (isOver) return late(value);
        end();
        resolve(value);
      },
      (error: unknown) => {
        if (isOver) return;
        end();
        reject(error);
      },
    );
  });
}

/** The error of a store that made no progress. */
export function standstill(name: string, action: string, ms: number): StoreError {
  const cause = new TimeoutError(`no progress for ${ms / 1000} s`);
  return new StoreError(`${name} does not answer: it could not ${action} within ${ms / 1000} s`, { cause });
}

/** How node, the SDKs and `AbortSignal.timeout()` name it when nothing was answered in time. */
const TIMEOUTS: ReadonlySet<unknown> = new Set(['TIMEOUT', 'ETIMEDOUT', 'TimeoutError']);

/**
 * Whether an error says that a store did not answer in time, and nothing about a refusal or its content. Also if it was the
 * client of the store that has waited no longer.
 */
export function isStandstill(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < 10 && current instanceof Error; depth++) {
    const { code, name } = current as { readonly code?: unknown; readonly name?: unknown };
    if (TIMEOUTS.has(code) || TIMEOUTS.has(name)) return true;
    current = current.cause;
  }
  return false;
}

/** A store of the user's own may throw before it makes a promise. */
async function attempt<T>(call: () => Promise<T>): Promise<T> {
  return call();
}

function reasonOf(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new ClosedError('the operation was aborted');
}
