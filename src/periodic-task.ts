import type { Clock, TimerHandle } from './clock.js';

/** Sessions in one process must not all save in the same moment: each interval is spread by so much. */
const JITTER = 0.1;

/**
 * Calls `work` again and again, `intervalMs` after it has ended each time (never two at once). A rejection goes to
 * `onError` and the next call comes all the same. `intervalMs` 0: never.
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

  /** Starts afresh; the first call comes after `firstDelayMs`, by default one interval. */
  start(firstDelayMs?: number): void {
    this.stop();
    if (this.#intervalMs > 0) this.#schedule(firstDelayMs ?? this.#spread());
  }

  /** No further call begins. One that runs ends by itself. */
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

  // Only ever shorter: an interval that is set is a promise.
  #spread(): number {
    return Math.max(1, Math.round(this.#intervalMs * (1 - JITTER * this.#random())));
  }
}
