import { type Clock, withDeadline } from './clock.js';

export interface CachedReadingParameters<Value> {
  readonly clock: Clock;
  readonly read: () => Promise<Value>;
  /** How long a value is returned before it is read again, ms. */
  readonly maxAgeMs: number;
  /** A reading that takes longer counts as failed, ms. If its value comes later, it is still kept. */
  readonly deadlineMs: number;
  /** Whether a failure is also kept for `maxAgeMs`. Default false: the next call after a failure reads again. */
  readonly keepsFailures?: boolean;
}

type Answer<Value> = { readonly value: Value } | { readonly error: unknown };

/** Caches a value that is expensive to read: one reading at a time, not too often, and each wait has a deadline. */
export class CachedReading<Value> {
  readonly #parameters: CachedReadingParameters<Value>;
  #answer: Answer<Value> | undefined;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<Value> | undefined;
  #latestValue: Value | undefined;
  /** Number of the newest reading; the result of an older one is ignored. */
  #turn = 0;

  constructor(parameters: CachedReadingParameters<Value>) {
    this.#parameters = parameters;
  }

  /** The last value that was read, however old; `undefined` before the first one. */
  get latestValue(): Value | undefined {
    return this.#latestValue;
  }

  /** @throws what the reading threw; TimeoutError when it takes longer than `deadlineMs` */
  async get(): Promise<Value> {
    const { clock, maxAgeMs } = this.#parameters;
    const answer = this.#answer;
    if (answer !== undefined && clock.monotonic() - this.#answeredAt < maxAgeMs) {
      if ('error' in answer) throw answer.error;
      return answer.value;
    }
    this.#reading ??= this.#read();
    return this.#reading;
  }

  /** Stores a value that the caller has read itself. */
  set(value: Value): void {
    this.expire();
    this.#keep({ value });
  }

  /** Discards the cached value and the result of a reading that is under way. */
  expire(): void {
    this.#turn++;
    this.#answer = undefined;
    this.#reading = undefined;
  }

  #read(): Promise<Value> {
    const { clock, deadlineMs, read, keepsFailures = false } = this.#parameters;
    const turn = ++this.#turn;
    const keep = (answer: Answer<Value>) => {
      if (turn === this.#turn) this.#keep(answer);
    };
    const work = Promise.resolve().then(read); // asynchronous even when `read` returns or throws at once
    work.then(
      (value) => keep({ value }),
      () => undefined,
    );
    const reading = withDeadline(clock, deadlineMs, 'the reading', work);
    const end = () => {
      if (turn === this.#turn) this.#reading = undefined;
    };
    reading.then(end, (error: unknown) => {
      end();
      if (keepsFailures) keep({ error });
    });
    return reading;
  }

  #keep(answer: Answer<Value>): void {
    this.#answer = answer;
    this.#answeredAt = this.#parameters.clock.monotonic();
    if ('value' in answer) this.#latestValue = answer.value;
  }
}
