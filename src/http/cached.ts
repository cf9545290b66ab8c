import { type Clock, resultWithin } from '../clock.js';
import { describeError } from '../errors.js';
import type { Logger } from '../logger.js';

/** How long a reader of the status waits; then it gets what was known before. */
const READ_DEADLINE_MS = 5000;

export interface CachedParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** So often at most is asked, however often it is read. */
  readonly maxAgeMs: number;
}

/** A value that costs something to learn: asked for by one at a time, not too often, and never waited for long. */
export class Cached<T> {
  readonly #what: string;
  readonly #load: () => Promise<T>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #maxAgeMs: number;
  #known: T | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(what: string, load: () => Promise<T>, parts: CachedParts) {
    this.#what = what;
    this.#load = load;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#maxAgeMs = parts.maxAgeMs;
  }

  /** The newest there is; `undefined` when it could never be learned, or not the last time. */
  async read(): Promise<T | undefined> {
    if (this.#clock.monotonic() - this.#askedAt >= this.#maxAgeMs) this.#ask();
    if (this.#asking) await resultWithin(this.#clock, READ_DEADLINE_MS, this.#asking);
    return this.#known;
  }

  /** Somebody else learned it. */
  set(value: T): void {
    this.#known = value;
    this.#askedAt = this.#clock.monotonic();
  }

  /** What is known, or was asked for already, is not true any more. */
  expire(): void {
    this.#askedAt = Number.NEGATIVE_INFINITY;
    this.#asking = undefined;
  }

  #ask(): void {
    if (this.#asking) return;
    this.#askedAt = this.#clock.monotonic();
    const isLatest = () => this.#asking === asking;
    const asking = this.#learn(isLatest).finally(() => {
      if (isLatest()) this.#asking = undefined;
    });
    this.#asking = asking;
  }

  /** Never rejects. What comes after it was overtaken is dropped. */
  async #learn(isLatest: () => boolean): Promise<void> {
    await Promise.resolve(); // what is learned at once comes after the question, too
    try {
      const learned = await this.#load();
      if (isLatest()) this.#known = learned;
    } catch (error) {
      if (isLatest()) this.#known = undefined;
      this.#logger.warn(`${this.#what} could not be read`, { error: describeError(error).message });
    }
  }
}
