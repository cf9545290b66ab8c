import type { Clock } from '../clock.js';

/** More callers than this are not told apart: the one that was heard of longest ago is forgotten. */
const MAX_KEYS = 1000;

/** At most `limit` events in `windowMs`, for each key. Its memory is bounded. */
export class RateLimit {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #clock: Clock;
  /** Times of the events that still count, by key; the key that was used last is last. */
  readonly #times = new Map<string, number[]>();

  constructor(limit: number, windowMs: number, clock: Clock) {
    this.#limit = limit;
    this.#windowMs = windowMs;
    this.#clock = clock;
  }

  /** How long the key has to wait, ms; 0 when it need not. */
  waitMs(key = ''): number {
    const times = this.#counting(key);
    const [oldest] = times;
    if (oldest === undefined || times.length < this.#limit) return 0;
    return oldest + this.#windowMs - this.#clock.monotonic();
  }

  /** Counts an event. */
  note(key = ''): void {
    const times = this.#counting(key);
    times.push(this.#clock.monotonic());
    if (times.length > this.#limit) times.shift();
    this.#times.delete(key);
    this.#times.set(key, times);
    for (const [oldest] of this.#times) {
      if (this.#times.size <= MAX_KEYS) break;
      this.#times.delete(oldest);
    }
  }

  #counting(key: string): number[] {
    const since = this.#clock.monotonic() - this.#windowMs;
    return (this.#times.get(key) ?? []).filter((at) => at > since);
  }
}
