import type { Clock, TimerHandle } from '../clock.js';

export interface ManualClockOptions {
  /** Start of the wall clock, ms since 1970. Default 2026-01-01T00:00:00Z. */
  readonly now?: number;
}

export interface AdvanceUntilOptions {
  /** How far the time may move, ms. Default one hour. */
  readonly limitMs?: number;
  /** How long real I/O may take before the time moves on to the next timer, ms of the real clock. Default 20. */
  readonly patienceMs?: number;
}

interface Timer {
  readonly id: number;
  readonly dueAt: number;
  readonly callback: () => void;
}

/** Turns of the event loop after each timer: enough for a chain of promises, and for one or two memfs calls. */
const TURNS = 4;
const REAL_LIMIT_MS = 10_000;

/**
 * A {@link Clock} that stands still until a test moves it, so that tests of hours take no time.
 *
 * @example
 * const clock = new ManualClock();
 * const waiting = sleep(clock, 60_000);
 * await clock.advance(60_000);
 * await waiting;
 */
export class ManualClock implements Clock {
  #wall: number;
  #elapsed = 0;
  #nextId = 1;
  readonly #timers = new Map<number, Timer>();

  constructor(options: ManualClockOptions = {}) {
    this.#wall = options.now ?? Date.UTC(2026, 0, 1);
  }

  /** Number of pending timers. It is zero at the end of a test that left nothing behind. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** How long until the next timer is due, ms; `undefined` when none is pending. */
  get nextTimerInMs(): number | undefined {
    const next = this.#next();
    return next && Math.max(0, next.dueAt - this.#elapsed);
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    const id = this.#nextId++;
    this.#timers.set(id, { id, dueAt: this.#elapsed + Math.max(0, delayMs), callback });
    return id;
  }

  clearTimeout(handle: TimerHandle): void {
    if (typeof handle === 'number') this.#timers.delete(handle);
  }

  /** Moves only the wall clock, as an NTP correction does; timers and `monotonic` are not affected. */
  setNow(now: number): void {
    this.#wall = now;
  }

  /**
   * Moves the time by `ms` and fires the timers that are due, in order and each at its own time, including timers
   * that are set meanwhile. Pending promises run before the first timer, between timers, and after the last.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await turns();
    for (let next = this.#next(); next !== undefined && next.dueAt <= end; next = this.#next()) {
      this.#fire(next);
      await turns();
    }
    this.#moveTo(end);
    await turns();
  }

  /**
   * Moves the time from timer to timer until `work` settles, and then settles like `work`.
   *
   * @throws Error when `work` is still pending after `limitMs` of this clock, or after 10 s of the real clock
   */
  async advanceUntil<T>(work: Promise<T>, options: AdvanceUntilOptions = {}): Promise<T> {
    const { limitMs = 3_600_000, patienceMs = 20 } = options;
    let settled = false;
    const settle = () => {
      settled = true;
    };
    work.then(settle, settle);
    const end = this.#elapsed + limitMs;
    const realEnd = Date.now() + REAL_LIMIT_MS;
    while (Date.now() < realEnd) {
      await patience(patienceMs, () => settled);
      if (settled) return work;
      const next = this.#next();
      if (next !== undefined && next.dueAt > end) break;
      if (next !== undefined) this.#fire(next);
    }
    throw new Error(`still pending after ${limitMs} ms of the manual clock, or ${REAL_LIMIT_MS} real ones`);
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (first === undefined || timer.dueAt < first.dueAt) first = timer;
    }
    return first;
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer.id);
    this.#moveTo(timer.dueAt);
    timer.callback();
  }

  #moveTo(elapsed: number): void {
    this.#wall += elapsed - this.#elapsed;
    this.#elapsed = elapsed;
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function patience(ms: number, done: () => boolean): Promise<void> {
  const end = Date.now() + ms;
  do await new Promise((resolve) => setImmediate(resolve));
  while (!done() && Date.now() < end);
}
