import { type Clock, systemClock, type TimerHandle } from '../../clock.js';
import { describeError } from '../../errors.js';
import type { Logger } from '../../logger.js';
import { swallowRejection } from './swallow-rejection.js';

/** The last time that a date with a four-digit year can show: file names are sorted by such dates. */
const LATEST_MS = Date.UTC(9999, 11, 31);

const guarded = new WeakSet<Clock>();

/**
 * Wraps a clock so that it always answers: when the bot's own clock fails or returns something that is not a time,
 * the system's clock is used instead. Its timers fire at most once, never within `setTimeout` itself, and never
 * after `clearTimeout`. The first failure of each method is logged.
 */
export function guardClock(clock: Clock, logger: Logger): Clock {
  if (clock === systemClock || guarded.has(clock)) return clock;
  const safe = new GuardedClock(clock, logger);
  guarded.add(safe);
  return safe;
}

interface Timer {
  isDone: boolean;
  /** Clears the timer of the wrapped clock. */
  clear: () => void;
}

class GuardedClock implements Clock {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #told = new Set<keyof Clock>();
  /** The last value of the bot's monotonic clock, and the system's value at that moment. */
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
    // Continues from the bot clock's last value: a jump would end every deadline at once, or none.
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
      else setImmediate(callback); // a caller does not expect its timer to fire before it has the handle
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
