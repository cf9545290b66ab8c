import type { Clock } from '../clock.js';
import { describeError } from '../errors.js';
import type { Logger } from '../logger.js';
import { within } from './within.js';

/** How long a reader of the status waits; then it gets what was known before. */
const READ_DEADLINE_MS = 5000;
/** So often at most is asked, however often the status is read. */
const MAX_AGE_MS = 5000;

/** A value that costs something to learn: asked for by one at a time, not too often, and never waited for long. */
export class Cached<T> {
  readonly #what: string;
  readonly #load: () => Promise<T>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #known: T | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(
    what: string,
    load: () => Promise<T>,
    parts: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#what = what;
    this.#load = load;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
  }

  /** The newest there is; `undefined` when it could never be learned, or not the last time. */
  async read(): Promise<T | undefined> {
    if (this.#clock.monotonic() - this.#askedAt >= MAX_AGE_MS) this.#ask();
    if (this.#asking) await within(this.#clock, READ_DEADLINE_MS, this.#asking);
    return this.#known;
  }

  /** Somebody else learned it. */
  set(value: T): void {
    this.#known = value;
    this.#askedAt = this.#clock.monotonic();
  }

  /** What is known is not true any more. */
  expire(): void {
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  #ask(): void {
    if (this.#asking) return;
    this.#askedAt = this.#clock.monotonic();
    this.#asking = this.#learn().finally(() => {
      this.#asking = undefined;
    });
  }

  /** Never rejects. */
  async #learn(): Promise<void> {
    try {
      this.#known = await this.#load();
    } catch (error) {
      this.#known = undefined;
      this.#logger.warn(`${this.#what} could not be read`, { error: describeError(error).message });
    }
  }
}
