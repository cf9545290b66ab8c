import type { Clock } from './clock.js';
import { LeaseLostError, StoreError } from './errors.js';

/**
 * Until when this process may write what belongs to a session. It lies in memory that its threads share: one that
 * works for another is not told in time that the right was lost when that other stands still.
 *
 * Its times are monotonic ms of the process ({@link Clock.monotonic} of `systemClock` is the same in all threads).
 *
 * @example
 * const permit = new WritePermit();
 * permit.extendTo(clock.monotonic() + 30_000);
 * // in another thread, which was sent `permit.memory`:
 * if (!new WritePermit(memory).isValid(clock)) throw notTheOwner(clientId);
 */
export class WritePermit {
  readonly #until: BigInt64Array;

  /** @param memory of the same permit in another thread; without it the permit is a new one, and not valid yet */
  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)) {
    this.#until = new BigInt64Array(memory);
  }

  extendTo(monotonicMs: number): void {
    Atomics.store(this.#until, 0, BigInt(Math.floor(monotonicMs)));
  }

  end(): void {
    Atomics.store(this.#until, 0, 0n);
  }

  isValid(clock: Clock): boolean {
    return clock.monotonic() < Number(Atomics.load(this.#until, 0));
  }
}

export function notTheOwner(clientId: string): LeaseLostError {
  return new LeaseLostError(`this process does not own the session '${clientId}' (any more)`);
}

/** Nobody else is known to own the session, but the disk of the lease can't tell that we do. */
export function notProvenOwner(clientId: string): StoreError {
  return new StoreError(
    `it can't be told just now whether this process owns the session '${clientId}': its lease file can't be read and ` +
      'written. Nothing is changed until it can',
  );
}
