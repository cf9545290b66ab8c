import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/clock.js';
import { ManualClock } from '../../src/testing/index.js';

describe('ManualClock', () => {
  it('stands still by itself', () => {
    const clock = new ManualClock({ now: 1000 });
    expect([clock.now(), clock.monotonic()]).toEqual([1000, 0]);
    expect(new Date(new ManualClock().now()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
  });

  it('fires what falls due in order, each at its own moment', async () => {
    const clock = new ManualClock({ now: 0 });
    const fired: string[] = [];
    const at = (name: string) => () => void fired.push(`${name}@${clock.now()}/${clock.monotonic()}`);
    clock.setTimeout(at('c'), 30);
    clock.setTimeout(at('a'), 10);
    clock.setTimeout(at('a2'), 10);
    clock.setTimeout(at('late'), 31);
    clock.setTimeout(at('negative'), -5);
    await clock.advance(30);
    expect(fired).toEqual(['negative@0/0', 'a@10/10', 'a2@10/10', 'c@30/30']);
    expect([clock.now(), clock.monotonic(), clock.pendingTimers]).toEqual([30, 30, 1]);
  });

  it('says how long it is until the next timer', async () => {
    const clock = new ManualClock();
    expect(clock.nextTimerInMs).toBeUndefined();
    const later = clock.setTimeout(() => undefined, 30);
    const sooner = clock.setTimeout(() => undefined, 10);
    await clock.advance(4);
    expect(clock.nextTimerInMs).toBe(6);
    clock.clearTimeout(sooner);
    expect(clock.nextTimerInMs).toBe(26);
    clock.clearTimeout(later);
    expect(clock.nextTimerInMs).toBeUndefined();
  });

  it('lets promises run between timers, and fires the timers that those set', async () => {
    const clock = new ManualClock();
    const ticks: number[] = [];
    const loop = (async () => {
      for (let round = 0; round < 5; round++) {
        await sleep(clock, 1000);
        ticks.push(clock.monotonic());
      }
    })();
    await clock.advance(4999);
    expect(ticks).toEqual([1000, 2000, 3000, 4000]);
    await clock.advance(1);
    await loop;
    expect(ticks).toHaveLength(5);
  });

  it('forgets cleared timers', async () => {
    const clock = new ManualClock();
    let fired = false;
    clock.clearTimeout(
      clock.setTimeout(() => {
        fired = true;
      }, 10),
    );
    clock.clearTimeout(undefined);
    await clock.advance(100);
    expect([fired, clock.pendingTimers]).toEqual([false, 0]);
  });

  it('keeps timers and durations out of a correction of the wall clock', async () => {
    const clock = new ManualClock({ now: 1_000_000 });
    let firedAt: number | undefined;
    clock.setTimeout(() => {
      firedAt = clock.monotonic();
    }, 100);
    clock.setNow(5);
    await clock.advance(100);
    expect([firedAt, clock.now()]).toEqual([100, 105]);
  });

  it('advances until something settles, and settles as it does', async () => {
    const clock = new ManualClock();
    expect(await clock.advanceUntil(sleep(clock, 50_000).then(() => 'done'))).toBe('done');
    expect(clock.monotonic()).toBe(50_000);
    const failure = sleep(clock, 10).then(() => Promise.reject(new Error('no')));
    await expect(clock.advanceUntil(failure)).rejects.toThrow('no');
  });

  it('gives up on what does not settle in its time', async () => {
    const clock = new ManualClock();
    await expect(clock.advanceUntil(sleep(clock, 5000), { limitMs: 4999 })).rejects.toThrow(
      'still pending after 4999',
    );
  });
});
