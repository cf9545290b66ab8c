import { type Clock, withDeadline } from '../../clock.js';

/**
 * A value that is dear to read: kept for `maxAgeMs`, read once at a time. A failure is not kept, and a read that takes
 * longer than `deadlineMs` counts as one.
 */
export class Kept<Value> {
  readonly #clock: Clock;
  readonly #read: () => Promise<Value>;
  readonly #maxAgeMs: number;
  readonly #deadlineMs: number;
  #value: { readonly value: Value; readonly readAt: number } | undefined;
  #reading: Promise<Value> | undefined;

  constructor(parameters: {
    readonly clock: Clock;
    readonly read: () => Promise<Value>;
    readonly maxAgeMs: number;
    readonly deadlineMs: number;
  }) {
    this.#clock = parameters.clock;
    this.#read = parameters.read;
    this.#maxAgeMs = parameters.maxAgeMs;
    this.#deadlineMs = parameters.deadlineMs;
  }

  async get(): Promise<Value> {
    const kept = this.#value;
    if (kept && this.#clock.monotonic() - kept.readAt < this.#maxAgeMs) return kept.value;
    this.#reading ??= this.#readAnew().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAnew(): Promise<Value> {
    const value = await withDeadline(this.#clock, this.#deadlineMs, 'reading a fact', this.#read());
    this.#value = { value, readAt: this.#clock.monotonic() };
    return value;
  }
}
