import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { momentOf, systemClock } from '../src/clock.js';
import { ManualClock } from '../src/testing/manual-clock.js';
import { WritePermit } from '../src/write-permit.js';

describe('a permit to write', () => {
  it('is not valid before it was given', () => {
    expect(new WritePermit().isValid(new ManualClock())).toBe(false);
  });

  it('lasts until its time has come', async () => {
    const clock = new ManualClock();
    const permit = new WritePermit();
    permit.extendTo(clock.monotonic() + 1000);
    await clock.advance(999);
    expect(permit.isValid(clock)).toBe(true);
    await clock.advance(1);
    expect(permit.isValid(clock)).toBe(false);
  });

  it('ends by the wall clock, too, which goes on while a machine is suspended', () => {
    const clock = { ...systemClock, now: () => wall, monotonic: () => 1000 };
    let wall = 1_000_000;
    const permit = new WritePermit();
    permit.extend(momentOf(clock), 30_000);
    wall += 29_999;
    expect([permit.isValid(clock), permit.isDoubtful(clock)]).toEqual([true, false]);
    wall += 1;
    expect([permit.isValid(clock), permit.isDoubtful(clock)]).toEqual([false, true]);
    expect(new WritePermit(permit.memory).isValid(clock)).toBe(false);
    permit.extend(momentOf(clock), 30_000);
    expect(permit.isValid(clock)).toBe(true);
    permit.end();
    expect([permit.isValid(clock), permit.isDoubtful(clock)]).toEqual([false, false]);
  });

  it('is not ended by a wall clock that is set back', () => {
    let wall = 1_000_000;
    const clock = { ...systemClock, now: () => wall, monotonic: () => 1000 };
    const permit = new WritePermit();
    permit.extend(momentOf(clock), 30_000);
    wall -= 86_400_000;
    expect(permit.isValid(clock)).toBe(true);
  });

  it('ends before its time', () => {
    const permit = new WritePermit();
    permit.extendTo(systemClock.monotonic() + 60_000);
    permit.end();
    expect(permit.isValid(systemClock)).toBe(false);
  });

  it('is the same wherever its memory is, at once', () => {
    const permit = new WritePermit();
    const elsewhere = new WritePermit(permit.memory);
    permit.extendTo(systemClock.monotonic() + 60_000);
    expect(elsewhere.isValid(systemClock)).toBe(true);
    permit.end();
    expect(elsewhere.isValid(systemClock)).toBe(false);
  });
});

describe("the real clock's monotonic time", () => {
  it('is the same in another thread', async () => {
    const before = systemClock.monotonic();
    const source = `require('node:worker_threads').parentPort.postMessage(Number(process.hrtime.bigint()) / 1e6)`;
    const thread = new Worker(source, { eval: true });
    const there = await new Promise<number>((resolve, reject) =>
      thread.on('message', resolve).on('error', reject),
    );
    await thread.terminate();
    expect(there).toBeGreaterThan(before);
    expect(there).toBeLessThan(systemClock.monotonic());
  });
});
