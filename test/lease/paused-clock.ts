import type { Clock } from '../../src/clock.js';
import type { ManualClock } from './manual-clock.js';

/** The clock of one process: it shares the time of the world, and its timers wait while the process is suspended. */
export class PausedClock implements Clock {
  readonly #clock: ManualClock;
  #waiting: (() => void)[] | undefined;
  /** Since when the monotonic time stands still. */
  #frozenAt: number | undefined;
  /** For how long it stood still before. */
  #stoodMs = 0;
  #setByMs = 0;
  readonly #timers = new Map<object, unknown>();

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now() + this.#setByMs;
  }

  monotonic(): number {
    return (this.#frozenAt ?? this.#clock.monotonic()) - this.#stoodMs;
  }

  setTimeout(callback: () => void, delayMs: number): object {
    const timer = {};
    const due = this.monotonic() + delayMs;
    const fire = () => {
      if (this.#waiting !== undefined) return void this.#waiting.push(fire);
      const leftMs = due - this.monotonic();
      if (leftMs > 0) return void this.#timers.set(timer, this.#clock.setTimeout(fire, leftMs));
      if (this.#timers.delete(timer)) callback();
    };
    this.#timers.set(timer, this.#clock.setTimeout(fire, delayMs));
    return timer;
  }

  clearTimeout(handle: unknown): void {
    this.#clock.clearTimeout(this.#timers.get(handle as object));
    this.#timers.delete(handle as object);
  }

  suspend({ isMachine = false } = {}): void {
    this.#waiting ??= [];
    if (isMachine) this.#frozenAt ??= this.#clock.monotonic();
  }

  resume(): void {
    if (this.#frozenAt !== undefined) this.#stoodMs += this.#clock.monotonic() - this.#frozenAt;
    this.#frozenAt = undefined;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const callback of waiting) callback();
  }

  set(byMs: number): void {
    this.#setByMs += byMs;
  }

  running(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting === undefined) resolve();
      else this.#waiting.push(resolve);
    });
  }
}
