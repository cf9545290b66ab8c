import { describe, expect, it, vi } from 'vitest';
import { type Clock, sleep, systemClock } from '../../../src/clock.js';
import { guardClock } from '../../../src/options/callbacks/guard-clock.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

const logger = () => ({ debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() });

function broken(parts: Partial<Record<keyof Clock, unknown>>): Clock {
  const clock = new ManualClock();
  const whole = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimeout: (callback: () => void, delayMs: number) => clock.setTimeout(callback, delayMs),
    clearTimeout: (handle: unknown) => clock.clearTimeout(handle),
  };
  return { ...whole, ...parts } as Clock;
}

function fail(): never {
  throw new Error('no clock');
}

describe('a guarded clock', () => {
  it('is the bot’s own clock: times, timers, and their end', async () => {
    const clock = new ManualClock({ now: 1_000_000 });
    const log = logger();
    const guarded = guardClock(clock, log);
    const fired: string[] = [];
    guarded.setTimeout(() => fired.push('kept'), 100);
    guarded.clearTimeout(guarded.setTimeout(() => fired.push('cleared'), 50));
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(100);
    expect(fired).toEqual(['kept']);
    expect([guarded.now(), guarded.monotonic()]).toEqual([1_000_100, 100]);
    expect(log.warn).not.toHaveBeenCalled();
  });

  it('is made once, and the system’s stays as it is', () => {
    expect(guardClock(systemClock, logger())).toBe(systemClock);
    const guarded = guardClock(new ManualClock(), logger());
    expect(guardClock(guarded, logger())).toBe(guarded);
  });

  it.each<[string, unknown]>([
    ['throws', fail],
    ['returns NaN', () => Number.NaN],
    ['returns a Date', () => new Date()],
    ['returns more than a date can show', () => 1e18],
    ['returns nothing', () => undefined],
    ['is async', async () => 1],
  ])('tells the system’s time where now() %s', (_name, now) => {
    const log = logger();
    const guarded = guardClock(broken({ now }), log);
    expect(Math.abs(guarded.now() - Date.now())).toBeLessThan(60_000);
    expect(() => new Date(guarded.now()).toISOString()).not.toThrow();
    expect(log.warn).toHaveBeenCalledTimes(1);
  });

  it('goes on from where it stood where monotonic() fails: a jump would end every deadline at once', () => {
    let isBroken = false;
    const guarded = guardClock(broken({ monotonic: () => (isBroken ? fail() : 5000) }), logger());
    expect(guarded.monotonic()).toBe(5000);
    isBroken = true;
    const after = guarded.monotonic();
    expect(after).toBeGreaterThanOrEqual(5000);
    expect(after).toBeLessThan(65_000);
  });

  it('uses the system’s timers where setTimeout() throws', async () => {
    const guarded = guardClock(broken({ setTimeout: fail }), logger());
    await sleep(guarded, 1);
    const fired = vi.fn();
    guarded.clearTimeout(guarded.setTimeout(fired, 1));
    await sleep(guarded, 5);
    expect(fired).not.toHaveBeenCalled();
  });

  it('fires a timer once, whatever the clock does', async () => {
    const twice = (callback: () => void) => {
      callback();
      callback();
      return 0;
    };
    const guarded = guardClock(broken({ setTimeout: twice }), logger());
    const fired = vi.fn();
    guarded.setTimeout(fired, 10);
    expect(fired).not.toHaveBeenCalled(); // its handle is not known yet
    await new Promise((resolve) => setImmediate(resolve));
    expect(fired).toHaveBeenCalledTimes(1);
  });

  it('fires no timer that was cleared, also where clearTimeout() throws', async () => {
    const clock = new ManualClock();
    const setTimeout = clock.setTimeout.bind(clock);
    const guarded = guardClock(broken({ setTimeout, clearTimeout: fail }), logger());
    const fired = vi.fn();
    guarded.clearTimeout(guarded.setTimeout(fired, 10));
    guarded.clearTimeout(undefined);
    await clock.advance(10);
    expect(fired).not.toHaveBeenCalled();
  });
});
