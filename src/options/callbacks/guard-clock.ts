import { type Clock, systemClock, type TimerHandle } from '../../clock.js';
import { describeError } from '../../errors.js';
import type { Logger } from '../../logger.js';
import { swallowRejection } from './swallow-rejection.js';

/** What a date can show with a year of four digits: names of files sort by it. */
const LATEST_MS = Date.UTC(9999, 11, 31);

const guarded = new WeakSet<Clock>();

/**
 * The same clock, but one that always answers: where the bot's own fails or says what is no time, the system's does so
 * instead. Its timers fire once at the most, never within `setTimeout` itself, and never after `clearTimeout`. The first
 * failure of each method is logged.
 */
export function guardClock(clock: Clock, logger: Logger): Clock {
  if (clock === systemClock || guarded.has(clock)) return clock;
  const safe = new GuardedClock(clock, logger);
  guarded.add(safe);
  return safe;
}

interface Timer {
  isDone: boolean;
  /** Ends the timer underneath. */
  clear: () => void;
}

class GuardedClock implements Clock {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #told = new Set<keyof Clock>();
  /** What the bot's monotonic clock said last, and the system's in that moment. */
  #lastSeen: { readonly own: number; readonly system: number } | undefined;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  now(): number {
    const now = this.#ask('now', () => this.#clock.now());
    if (isNumber(now) && now >= 0 && now <= LATEST_MS) return now;
    this.#tell('now', 'it returned no time in ms since 1970');
    return systemClock.now();
  }

  monotonic(): number {
    const own = this.#ask('monotonic', () => this.#clock.monotonic());
    if (isNumber(own)) {
      this.#lastSeen = { own, system: systemClock.monotonic() };
      return own;
    }
    this.#tell('monotonic', 'it returned no number of ms');
    // Goes on from where the other stood: a jump would end every deadline at once, or none.
    const { own: last, system } = this.#lastSeen ?? { own: 0, system: 0 };
    return last + systemClock.monotonic() - system;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    let hasReturned = false;
    const timer: Timer = { isDone: false, clear: () => undefined };
    const fire = () => {
      if (timer.isDone) return;
      timer.isDone = true;
      if (hasReturned) callback();
      else setImmediate(callback); // who sets a timer does not expect it to fire before it has its handle
    };
    try {
      const handle: unknown = this.#clock.setTimeout(fire, delayMs);
      swallowRejection(handle);
      timer.clear = () => this.#clock.clearTimeout(handle);
    } catch (error) {
      this.#tell('setTimeout', describeError(error).message);
      if (!timer.isDone) {
        const handle = systemClock.setTimeout(fire, delayMs);
        timer.clear = () => systemClock.clearTimeout(handle);
      }
    }
    hasReturned = true;
    return timer;
  }

  clearTimeout(handle: TimerHandle): void {
    if (!isTimer(handle) || handle.isDone) return;
    handle.isDone = true;
    this.#ask('clearTimeout', handle.clear);
  }

  #ask(method: keyof Clock, ask: () => unknown): unknown {
    try {
      const answer = ask();
      swallowRejection(answer);
      return answer;
    } catch (error) {
      this.#tell(method, describeError(error).message);
      return undefined;
    }
  }

  #tell(method: keyof Clock, why: string): void {
    if (this.#told.has(method)) return;
    this.#told.add(method);
    this.#logger.warn(`the option \`clock\` failed in ${method}(); the system's clock is used instead`, {
      why,
    });
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isTimer(handle: unknown): handle is Timer {
  return typeof handle === 'object' && handle !== null && 'isDone' in handle && 'clear' in handle;
}
