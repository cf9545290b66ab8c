import { type Clock, withDeadline } from './clock.js';

export interface CachedReadingParameters<Value> {
  readonly clock: Clock;
  readonly read: () => Promise<Value>;
  /** A value is given out for so long before it is read again, ms. */
  readonly maxAgeMs: number;
  /** A reading that takes longer counts as failed, ms. Its value is still taken when it comes. */
  readonly deadlineMs: number;
  /** Whether a failure is given out for `maxAgeMs`, too. Default: who asks after a failure makes it read again. */
  readonly keepsFailures?: boolean;
}

type Answer<Value> = { readonly value: Value } | { readonly error: unknown };

/** A value that is expensive to read: read once at a time, not too often, and never waited for long. */
export class CachedReading<Value> {
  readonly #parameters: CachedReadingParameters<Value>;
  #answer: Answer<Value> | undefined;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<Value> | undefined;
  #latestValue: Value | undefined;
  /** Which reading it is: what a reading that was overtaken gives is dropped. */
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

  /** Takes a value that somebody else has read. */
  set(value: Value): void {
    this.expire();
    this.#keep({ value });
  }

  /** What is known, or is being read already, is not true any more. */
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
    const work = Promise.resolve().then(read); // what is known at once comes after the question, too
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
