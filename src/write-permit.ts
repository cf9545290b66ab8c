import type { Clock, Moment } from './clock.js';
import { describeError, LeaseLostError, StoreError } from './errors.js';

/** Later than every moment. */
const NEVER = 2n ** 62n;

/**
 * Until when this process may write the data of a session. It is stored in memory that the threads share: a worker thread
 * must see the end of the permit even if the main thread is blocked and can't send a message.
 *
 * Both clocks have to agree. The monotonic one ({@link Clock.monotonic} of `systemClock` is the same in all threads) stands
 * still while a machine is suspended, and the wall clock may be set back.
 *
 * @example
 * const permit = new WritePermit();
 * permit.extend(momentOf(clock), 30_000);
 * // in another thread, which was sent `permit.memory`:
 * if (!new WritePermit(memory).isValid(clock)) throw notTheOwner(clientId);
 */
export class WritePermit {
  /** The ends by the monotonic and by the wall clock, ms. */
  readonly #until: BigInt64Array;

  /** @param memory that of the same permit in another thread; without it the permit is new and not valid yet */
  constructor(
    readonly memory: SharedArrayBuffer = new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT),
  ) {
    this.#until = new BigInt64Array(memory);
  }

  /**
   * @param begunAt when the proof that gives the permit was *begun*
   * @param forMs how long it lasts from then on
   */
  extend({ monotonicMs, wallMs }: Moment, forMs: number): void {
    this.extendTo(monotonicMs + forMs, wallMs + forMs);
  }

  /** @param wallMs by the wall clock. Default: whatever that shows */
  extendTo(monotonicMs: number, wallMs?: number): void {
    Atomics.store(this.#until, 1, wallMs === undefined ? NEVER : BigInt(Math.floor(wallMs)));
    Atomics.store(this.#until, 0, BigInt(Math.floor(monotonicMs)));
  }

  end(): void {
    Atomics.store(this.#until, 0, 0n);
  }

  isValid(clock: Clock): boolean {
    return this.#isWithin(0, clock.monotonic()) && this.#isWithin(1, clock.now());
  }

  /** Whether only the wall clock says that it is over: the machine was suspended, or the clock was set. */
  isDoubtful(clock: Clock): boolean {
    return this.#isWithin(0, clock.monotonic()) && !this.#isWithin(1, clock.now());
  }

  #isWithin(which: 0 | 1, ms: number): boolean {
    return ms < Number(Atomics.load(this.#until, which));
  }
}

const unproven = new WeakSet<StoreError>();

export function notTheOwner(clientId: string): LeaseLostError {
  return new LeaseLostError(`this process does not own the session '${clientId}' (any more)`);
}

/**
 * No other owner of the session is known, but the lease file can't prove that this process owns it.
 *
 * @param why the folder of the lease, or the `place` in words, and the failure of the last attempt to prove it, if known
 */
export function notProvenOwner(
  clientId: string,
  why: { readonly directory?: string; readonly place?: string; readonly cause?: unknown } = {},
): StoreError {
  const { directory, cause } = why;
  const inFolder = directory === undefined ? '' : ` file in ${directory}`;
  const lease = why.place === undefined ? `lease${inFolder || ' file'}` : `lease ${why.place}`;
  const reason = cause === undefined ? '' : ` (${describeError(cause).message})`;
  const error = new StoreError(
    `it can't be confirmed just now that this process owns the session '${clientId}': its ${lease} can't be read ` +
      `and written${reason}. Nothing is changed until it can`,
    { cause },
  );
  unproven.add(error);
  return error;
}

/** Whether an error of this thread is one of {@link notProvenOwner}. */
export function isNotProvenOwner(error: unknown): boolean {
  return error instanceof StoreError && unproven.has(error);
}
