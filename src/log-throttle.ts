import type { Clock } from './clock.js';

/** How often something that goes on is logged again, ms. */
export const REPEAT_EVERY_MS = 600_000;

/** Limit for the different texts that are remembered; far more than one session has at a time. */
const MAX_KEYS = 200;

interface Told {
  readonly sinceMs: number;
  toldAtMs: number;
  /** How often it happened since it was logged last. */
  leftOut: number;
}

/**
 * Keeps a log short while something repeats: it is logged when it begins, then every 10 min at most, and once when it
 * is over.
 *
 * @example
 * const throttle = new LogThrottle(clock);
 * if (throttle.next('disk')) logger.warn('the disk does not answer'); // every 5 s
 * if (throttle.end('disk')) logger.info('the disk answers again');
 */
export class LogThrottle {
  readonly #clock: Clock;
  readonly #told = new Map<string, Told>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Call each time it happens. Returns `undefined` when it needs no line now, else how many lines were left out. */
  next(key: string): { readonly leftOut: number } | undefined {
    const nowMs = this.#clock.monotonic();
    const told = this.#told.get(key);
    if (told === undefined) {
      this.#makeRoom();
      this.#told.set(key, { sinceMs: nowMs, toldAtMs: nowMs, leftOut: 0 });
      return { leftOut: 0 };
    }
    if (nowMs - told.toldAtMs < REPEAT_EVERY_MS) {
      told.leftOut++;
      return undefined;
    }
    const { leftOut } = told;
    told.toldAtMs = nowMs;
    told.leftOut = 0;
    return { leftOut };
  }

  /** Call when it is over. Returns how long it went on, or `undefined` when it was not logged. */
  end(key: string): { readonly lastedMs: number } | undefined {
    const told = this.#told.get(key);
    this.#told.delete(key);
    return told && { lastedMs: Math.round(this.#clock.monotonic() - told.sinceMs) };
  }

  /** Forgets everything whose key passes: the next time is a beginning again. */
  forget(isOver: (key: string) => boolean): void {
    for (const key of [...this.#told.keys()]) if (isOver(key)) this.#told.delete(key);
  }

  #makeRoom(): void {
    if (this.#told.size < MAX_KEYS) return;
    const [oldest] = this.#told.keys();
    if (oldest !== undefined) this.#told.delete(oldest);
  }
}
