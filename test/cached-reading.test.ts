import { describe, expect, it } from 'vitest';
import { CachedReading } from '../src/cached-reading.js';
import { ManualClock } from '../src/testing/manual-clock.js';

describe('a fact that is kept', () => {
  function keep(read: () => Promise<number>) {
    const clock = new ManualClock();
    return { clock, kept: new CachedReading({ clock, read, maxAgeMs: 60_000, deadlineMs: 5000 }) };
  }

  it('is read once for all who ask, and again when it is old', async () => {
    let reads = 0;
    const { clock, kept } = keep(async () => ++reads);
    expect(await Promise.all([kept.get(), kept.get()])).toEqual([1, 1]);
    await clock.advance(59_999);
    expect(await kept.get()).toBe(1);
    await clock.advance(1);
    expect(await kept.get()).toBe(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not kept when the reading failed, and asked for again when it hung', async () => {
    const answers = [
      () => Promise.reject(new Error('EIO')),
      () => new Promise<number>(() => undefined),
      async () => 7,
    ];
    const { clock, kept } = keep(async () => answers.shift()?.() ?? 0);
    await expect(kept.get()).rejects.toThrow('EIO');
    const hung = expect(kept.get()).rejects.toMatchObject({ code: 'TIMEOUT' });
    await clock.advance(5000);
    await hung;
    expect(await kept.get()).toBe(7);
  });
});
