import type { Clock } from '../../src/clock.js';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** A clock that stands still until the test moves it. */
export class ManualClock implements Clock {
  #elapsed = 0;
  #wall = Date.UTC(2026, 10, 23);
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const timer = { due: this.#elapsed + delayMs, callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as Timer);
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves the time on, firing every timer at its moment and letting what it starts come to rest. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#move(next.due);
      this.#timers.delete(next);
      next.callback();
      await settle();
    }
    this.#move(end);
  }

  /** What a suspended process sees when it wakes: the time has passed, no timer has fired yet. */
  jump(ms: number): void {
    this.#move(this.#elapsed + ms);
  }

  /** What a process sees when its machine has slept, or the wall clock was set: no other time has passed. */
  setWall(byMs: number): void {
    this.#wall += byMs;
  }

  #next(end: number): Timer | undefined {
    return [...this.#timers].sort((a, b) => a.due - b.due).find(({ due }) => due <= end);
  }

  #move(to: number): void {
    const elapsed = Math.max(this.#elapsed, to);
    this.#wall += elapsed - this.#elapsed;
    this.#elapsed = elapsed;
  }
}

/** Lets everything that waits for memory only (promises, memfs) run to its end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
}
