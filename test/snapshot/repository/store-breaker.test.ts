import { describe, expect, it } from 'vitest';
import { StoreBreaker } from '../../../src/snapshot/repository/store-breaker.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

function setUp() {
  const clock = new ManualClock();
  return { clock, breaker: new StoreBreaker(clock, 's3') };
}

describe('the breaker of a store', () => {
  it('lets everything pass while the store answers, errors included', () => {
    const { breaker } = setUp();
    for (let call = 0; call < 5; call++) breaker.left(breaker.enter(), 'answered');
    expect(breaker.isOpen).toBe(false);
  });

  it('leaves a store alone that stood still, longer each time up to a minute, and tries by one call at a time', async () => {
    const { clock, breaker } = setUp();
    breaker.left(breaker.enter(), 'stood-still');
    for (const restMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      await clock.advance(restMs - 1);
      expect(() => breaker.enter()).toThrow(/s3 did not answer the last time; it is asked again in 1 s/);
      await clock.advance(1);
      const tried = breaker.enter();
      expect(tried).toBe(true);
      expect(() => breaker.enter()).toThrow(/just being asked again/);
      breaker.left(tried, 'stood-still');
    }
  });

  it('is closed by any answer, and by none that its caller did not wait for', async () => {
    const { clock, breaker } = setUp();
    breaker.left(breaker.enter(), 'stood-still');
    await clock.advance(5_000);
    breaker.left(breaker.enter(), 'aborted');
    expect(breaker.isOpen).toBe(true);
    breaker.left(breaker.enter(), 'answered');
    expect(breaker.isOpen).toBe(false);
    expect(breaker.enter()).toBe(false);
  });
});
