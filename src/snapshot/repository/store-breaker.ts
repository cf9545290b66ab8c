import type { Clock } from '../../clock.js';
import { StoreError } from '../../errors.js';

/** How long a store that stood still is not called, ms; it doubles up to `LONGEST_REST_MS`. */
const FIRST_REST_MS = 5_000;
const LONGEST_REST_MS = 60_000;

/**
 * Decides whether a store may be called. After a call that stood still, the store is not called for a while, so
 * that nobody waits for it again and again. Then one call at a time tries it, and any answer, even an error, shows
 * that it works again.
 */
export class StoreBreaker {
  readonly #clock: Clock;
  readonly #name: string;
  #standstills = 0;
  #restsUntil = 0;
  #isTried = false;

  constructor(clock: Clock, name: string) {
    this.#clock = clock;
    this.#name = name;
  }

  /** Whether the last call that ended stood still. */
  get isOpen(): boolean {
    return this.#standstills > 0;
  }

  /**
   * Call this before each call of the store, and `left` when that call has ended.
   *
   * @returns whether this call is the one that tries the store
   * @throws StoreError at once, while the store must not be called
   */
  enter(): boolean {
    if (!this.isOpen) return false;
    const restMs = this.#restsUntil - this.#clock.monotonic();
    if (restMs > 0 || this.#isTried) {
      const when =
        restMs > 0 ? `it is asked again in ${Math.ceil(restMs / 1000)} s` : 'it is just being asked again';
      throw new StoreError(`${this.#name} did not answer the last time; ${when}`);
    }
    this.#isTried = true;
    return true;
  }

  /** @param outcome `aborted`: the caller aborted the call, which says nothing about the store */
  left(tried: boolean, outcome: 'answered' | 'stood-still' | 'aborted'): void {
    if (tried) this.#isTried = false;
    if (outcome === 'answered') this.#standstills = 0;
    if (outcome !== 'stood-still') return;
    const restMs = Math.min(FIRST_REST_MS * 2 ** this.#standstills, LONGEST_REST_MS);
    this.#standstills++;
    this.#restsUntil = this.#clock.monotonic() + restMs;
  }
}
