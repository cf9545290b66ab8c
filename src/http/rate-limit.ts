import type { Clock } from '../clock.js';

/** How many callers are remembered; a further one replaces the caller whose last event is the oldest. */
const MAX_KEYS = 1000;

/** Allows at most `limit` events in `windowMs` for each key. Its memory is limited. */
export class RateLimit {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #clock: Clock;
  /** Times of the events that still count, by key; the most recently used key is last. */
  readonly #times = new Map<string, number[]>();

  constructor(limit: number, windowMs: number, clock: Clock) {
    this.#limit = limit;
    this.#windowMs = windowMs;
    this.#clock = clock;
  }

  /** How long the key must wait, ms; 0 if it need not wait. */
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
