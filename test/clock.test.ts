import { describe, expect, it } from 'vitest';
import { orAborted, sleep, systemClock, withDeadline } from '../src/clock.js';
import { ClosedError, TimeoutError } from '../src/errors.js';
import { ManualClock } from '../src/testing/manual-clock.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('sleep()', () => {
  it('lasts as long as it is told to', async () => {
    const clock = new ManualClock();
    let isAwake = false;
    const sleeping = sleep(clock, 1000).then(() => {
      isAwake = true;
    });
    await clock.advance(999);
    expect(isAwake).toBe(false);
    await clock.advance(1);
    await sleeping;
  });

  it("rejects with the signal's reason as soon as that aborts, and leaves no timer", async () => {
    const clock = new ManualClock();
    const reason = new ClosedError('told by a test');
    const abort = new AbortController();
    const sleeping = sleep(clock, 1000, abort.signal);
    abort.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
    await expect(sleep(clock, 1000, abort.signal)).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects with ClosedError where the signal gives no error', async () => {
    const signal = AbortSignal.abort('just a word');
    await expect(sleep(new ManualClock(), 1, signal)).rejects.toBeInstanceOf(ClosedError);
  });
});

describe('withDeadline()', () => {
  it('settles as the work does, and leaves no timer', async () => {
    const clock = new ManualClock();
    expect(await withDeadline(clock, 1000, 'work', Promise.resolve('done'))).toBe('done');
    await expect(withDeadline(clock, 1000, 'work', Promise.reject(new Error('failed')))).rejects.toThrow(
      'failed',
    );
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects with a TimeoutError that names the work, and swallows what that comes to later', async () => {
    const clock = new ManualClock();
    let fail: (error: Error) => void = () => undefined;
    const work = new Promise((_, reject) => {
      fail = reject;
    });
    const bounded = withDeadline(clock, 1000, 'asking the page', work);
    bounded.catch(() => undefined);
    await clock.advance(1000);
    await expect(bounded).rejects.toThrow(new TimeoutError('asking the page took longer than 1000 ms'));
    fail(new Error('late'));
    await turn();
  });
});

describe('orAborted()', () => {
  it('settles as the work does', async () => {
    const { signal } = new AbortController();
    expect(await orAborted(Promise.resolve('done'), signal)).toBe('done');
    await expect(orAborted(Promise.reject(new Error('failed')), signal)).rejects.toThrow('failed');
  });

  it('rejects as soon as the signal aborts, or was aborted before, and swallows what comes later', async () => {
    const abort = new AbortController();
    const waiting = orAborted(new Promise(() => undefined), abort.signal);
    const reason = new ClosedError('told by a test');
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(orAborted(Promise.reject(new Error('late')), abort.signal)).rejects.toBe(reason);
    await turn();
  });
});

describe('the system clock', () => {
  it('tells both times', () => {
    expect(systemClock.now()).toBeGreaterThan(Date.UTC(2020, 0, 1));
    const before = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
  });

  it('has timers that do not keep the process alive, and can be cleared', async () => {
    const timer = systemClock.setTimeout(() => undefined, 60_000) as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
    systemClock.clearTimeout(timer);
    systemClock.clearTimeout(undefined);
    const keepAlive = setTimeout(() => undefined, 60_000);
    await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 1));
    clearTimeout(keepAlive);
  });
});
