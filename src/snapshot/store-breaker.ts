import type { Clock } from '../clock.js';
import { StoreError } from '../errors.js';

/** How long a store that stood still is left alone before it is asked again, ms: doubles up to the longest. */
const FIRST_REST_MS = 5_000;
const LONGEST_REST_MS = 60_000;

/**
 * Whether a store is worth asking. After a call that stood still it is left alone for a while, so that nobody waits for it
 * again and again; then one call at a time tries, and any answer, an error too, says that it is back.
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

  /** Whether the last call that came to an end stood still. */
  get isOpen(): boolean {
    return this.#standstills > 0;
  }

  /**
   * Call before each call of the store, and `left` when that has ended.
   *
   * @returns whether this call is the one that tries
   * @throws StoreError, at once, while the store is left alone
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

  /** @param outcome `aborted`: by its caller, which says nothing of the store */
  left(tried: boolean, outcome: 'answered' | 'stood-still' | 'aborted'): void {
    if (tried) this.#isTried = false;
    if (outcome === 'answered') this.#standstills = 0;
    if (outcome !== 'stood-still') return;
    const restMs = Math.min(FIRST_REST_MS * 2 ** this.#standstills, LONGEST_REST_MS);
    this.#standstills++;
    this.#restsUntil = this.#clock.monotonic() + restMs;
  }
}
