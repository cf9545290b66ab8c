import type { Clock, TimerHandle } from './clock.js';

/** The share by which an interval is randomly shortened, so that the sessions of a process don't all save at once. */
const JITTER = 0.1;

/**
 * Calls `work` periodically, each time `intervalMs` after the last call has ended, so that two calls never overlap. A
 * rejection is passed to `onError`, and the calls go on. With `intervalMs` 0 it never calls `work`.
 */
export class PeriodicTask {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #intervalMs: number;
  readonly #work: () => Promise<unknown>;
  readonly #onError: (error: unknown) => void;
  #timer: TimerHandle | undefined;
  #generation = 0;

  constructor(parameters: {
    readonly clock: Clock;
    readonly random: () => number;
    readonly intervalMs: number;
    readonly work: () => Promise<unknown>;
    readonly onError: (error: unknown) => void;
  }) {
    this.#clock = parameters.clock;
    this.#random = parameters.random;
    this.#intervalMs = parameters.intervalMs;
    this.#work = parameters.work;
    this.#onError = parameters.onError;
  }

  /** Starts or restarts the calls; the first one comes after `firstDelayMs`, by default one interval. */
  start(firstDelayMs?: number): void {
    this.stop();
    if (this.#intervalMs > 0) this.#schedule(firstDelayMs ?? this.#spread());
  }

  /** Prevents further calls; a running one is not interrupted. */
  stop(): void {
    this.#generation++;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(delayMs: number): void {
    const generation = this.#generation;
    this.#timer = this.#clock.setTimeout(() => {
      this.#run()
        .catch(this.#onError)
        .finally(() => {
          if (generation === this.#generation) this.#schedule(this.#spread());
        });
    }, delayMs);
  }

  async #run(): Promise<void> {
    await this.#work();
  }

  // The interval only gets shorter: the option promises that it is never longer.
  #spread(): number {
    return Math.max(1, Math.round(this.#intervalMs * (1 - JITTER * this.#random())));
  }
}
