import { describe, expect, it } from 'vitest';
import { PeriodicTask } from '../src/periodic-task.js';
import { ManualClock } from '../src/testing/manual-clock.js';

function setUp(work: () => Promise<unknown> = async () => undefined, intervalMs = 1000, random = () => 0) {
  const clock = new ManualClock();
  const calls: number[] = [];
  const errors: unknown[] = [];
  const task = new PeriodicTask({
    clock,
    random,
    intervalMs,
    work: () => {
      calls.push(clock.monotonic());
      return work();
    },
    onError: (error) => errors.push(error),
  });
  return { clock, calls, errors, task };
}

describe('a periodic task', () => {
  it('comes again and again, an interval after the end of the last', async () => {
    const { clock, calls, task } = setUp();
    task.start();
    await clock.advance(3500);
    expect(calls).toEqual([1000, 2000, 3000]);
    task.stop();
  });

  it('comes first when it is told to', async () => {
    const { clock, calls, task } = setUp();
    task.start(10);
    await clock.advance(1010);
    expect(calls).toEqual([10, 1010]);
    task.stop();
  });

  it('is spread by a tenth at most, and only ever earlier', async () => {
    const { clock, calls, task } = setUp(undefined, 1000, () => 0.999_999);
    task.start();
    await clock.advance(1800);
    expect(calls).toEqual([900, 1800]);
    task.stop();
  });

  it('never runs twice at once, however long it takes', async () => {
    let release: () => void = () => undefined;
    const { clock, calls, task } = setUp(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    task.start();
    await clock.advance(10_000);
    expect(calls).toEqual([1000]);
    release();
    await clock.advance(1000);
    expect(calls).toEqual([1000, 11_000]);
    task.stop();
  });

  it('tells of an error, also of one that is thrown at once, and comes again all the same', async () => {
    let round = 0;
    const { clock, calls, errors, task } = setUp(() => {
      if (++round === 1) throw new Error('thrown');
      return Promise.reject(new Error('rejected'));
    });
    task.start();
    await clock.advance(2500);
    expect(errors).toEqual([new Error('thrown'), new Error('rejected')]);
    expect(calls).toHaveLength(2);
    task.stop();
  });

  it('comes no more after stop(), not even when it was running then', async () => {
    let release: () => void = () => undefined;
    const { clock, calls, task } = setUp(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    task.start();
    await clock.advance(1000);
    task.stop();
    release();
    await clock.advance(5000);
    expect(calls).toEqual([1000]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('starts afresh when it is started again', async () => {
    const { clock, calls, task } = setUp();
    task.start();
    await clock.advance(999);
    task.start();
    await clock.advance(999);
    expect(calls).toEqual([]);
    expect(clock.pendingTimers).toBe(1);
    task.stop();
  });

  it('never comes with an interval of 0', async () => {
    const { clock, task } = setUp(undefined, 0);
    task.start();
    task.start(5);
    expect(clock.pendingTimers).toBe(0);
  });
});
