import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { until } from './until.js';

/** A world whose only work is one call of its file system after each timer. */
function world() {
  const clock = new ManualClock();
  const calls: unknown[] = [];
  let looks = 0;
  const fs = {
    get calls() {
      looks++;
      return calls;
    },
  };
  return { clock, fs, calls, looks: () => looks };
}

describe('until', () => {
  it('lets hours pass without work at little cost, and sees the condition hold at its second', async () => {
    const { clock, fs, looks } = world();
    await until({ clock, fs, isInMemory: true }, 'an hour', () => clock.monotonic() >= 3_600_000);
    expect(clock.monotonic()).toBe(3_600_000);
    // More than 300,000 if each of the 3600 seconds were waited for.
    expect(looks()).toBeLessThan(100_000);
  });

  it('lets the work of every timer end before the next second', async () => {
    const { clock, fs, calls } = world();
    const seen: number[] = [];
    const work = async () => {
      const from = clock.monotonic();
      for (let turn = 0; turn < 100; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        calls.push(turn);
      }
      seen.push(clock.monotonic() - from);
    };
    for (const at of [1, 2, 50]) clock.setTimeout(() => void work(), at * 1000);
    await until({ clock, fs, isInMemory: true }, 'the work of three timers', () => seen.length === 3);
    expect(seen).toEqual([0, 0, 0]);
    expect(clock.monotonic()).toBe(50_000);
  });

  it('says what did not come, once the whole time has passed', async () => {
    const { clock, fs } = world();
    const waiting = until({ clock, fs }, 'a miracle', () => false, { limitMs: 4500 });
    await expect(waiting).rejects.toThrow('did not come within 4500 ms: a miracle');
    expect(clock.monotonic()).toBe(4500);
  });
});
