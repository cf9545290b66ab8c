import { describe, expect, it } from 'vitest';
import { Lane, type LaneCall } from '../../src/disk-gate/lane.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

describe('a lane to a disk', () => {
  function setUp(width = 1) {
    const clock = new ManualClock();
    const lane = new Lane(width);
    const how = { clock, ms: 20_000, refusal: () => new Error('does not answer'), isGivenUp: false };
    const answers: ((value: string) => void)[] = [];
    /** A call that comes back when the disk does. */
    const hung = () => new Promise<string>((resolve) => answers.push(resolve));
    const run = (call: () => Promise<string>, own: Partial<LaneCall<string>> = {}) => {
      const made = lane.run(call, { ...how, ...own });
      made.catch(() => undefined);
      return made;
    };
    return { clock, lane, how, answers, hung, run };
  }

  it('lets one call at a time through, in the order in which they come', async () => {
    const { clock, answers, hung, run } = setUp();
    const first = run(hung);
    await clock.advance(250);
    const second = run(async () => 'second');
    expect(answers).toHaveLength(1);
    answers[0]?.('first');
    expect(await Promise.all([first, second])).toEqual(['first', 'second']);
  });

  it('refuses what waits, and what comes, behind a call that does not come back; and none when it has', async () => {
    const { clock, lane, answers, hung, run } = setUp();
    const first = run(hung);
    await clock.advance(250);
    const waiting = run(async () => 'waited');
    await clock.advance(20_000);
    await expect(waiting).rejects.toThrow('does not answer');
    expect(lane.isStuck).toBe(true);
    await expect(run(async () => 'late')).rejects.toThrow('does not answer');
    answers[0]?.('after all');
    expect(await first).toBe('after all');
    expect(await run(async () => 'again')).toBe('again');
  });

  it('gives up the call itself where that is wanted, and passes on what it comes to', async () => {
    const { clock, answers, hung, run } = setUp();
    const late: string[] = [];
    const first = run(hung, { isGivenUp: true, late: (value) => late.push(value) });
    await clock.advance(20_000);
    await expect(first).rejects.toThrow('does not answer');
    answers[0]?.('after all');
    await clock.advance(0);
    expect(await run(async () => 'again')).toBe('again');
    expect(late).toEqual(['after all']);
  });

  it('of two ways gives one at most to what takes long, so that a quick call finds a way past it', async () => {
    const { clock, answers, hung, run } = setUp(2);
    const long = run(hung, { isLong: true, ms: 120_000 });
    const next = run(hung, { isLong: true, ms: 120_000 });
    expect(await run(async () => 'quick')).toBe('quick');
    expect(answers).toHaveLength(1);
    await clock.advance(120_000);
    await expect(next).rejects.toThrow('does not answer');
    expect(await run(async () => 'still quick')).toBe('still quick');
    answers[0]?.('after all');
    expect(await long).toBe('after all');
  });

  it('refuses what takes long, too, behind a quick call that does not come back', async () => {
    const { clock, hung, run } = setUp(2);
    run(hung);
    run(hung);
    await clock.advance(250);
    const long = run(async () => 'long', { isLong: true });
    await clock.advance(20_000);
    await expect(long).rejects.toThrow('does not answer');
  });

  it('lets urgent calls go first, and yet one of the others in between', async () => {
    const { answers, hung, run } = setUp();
    const first = run(hung);
    const order: string[] = [];
    const note = (name: string) => async () => String(order.push(name));
    const others = [1, 2].map((n) => run(note(`other ${n}`)));
    const urgent = [1, 2, 3, 4, 5].map((n) => run(note(`urgent ${n}`), { isUrgent: true }));
    answers[0]?.('first');
    await Promise.all([first, ...others, ...urgent]);
    const named = (kind: string, numbers: readonly number[]) => numbers.map((n) => `${kind} ${n}`);
    expect(order).toEqual([...named('urgent', [1, 2, 3, 4]), 'other 1', 'urgent 5', 'other 2']);
  });

  it('goes on after a call that fails or throws', async () => {
    const { run } = setUp();
    await expect(run(() => Promise.reject(new Error('EIO')))).rejects.toThrow('EIO');
    const throws = () => {
      throw new Error('at once');
    };
    await expect(run(throws)).rejects.toThrow('at once');
    expect(await run(async () => 'next')).toBe('next');
  });

  it('closes a file later, which nobody waits for, where it can not be done now', async () => {
    const { clock, lane, how, answers, hung, run } = setUp();
    const first = run(hung);
    await clock.advance(20_000);
    const waiting = run(async () => 'waited');
    await clock.advance(0);
    await expect(waiting).rejects.toThrow('does not answer');
    let closed = 0;
    const close = async () => void closed++;
    await lane.close(close, { ...how, late: () => undefined });
    expect(closed).toBe(0);
    answers[0]?.('after all');
    await first;
    await run(async () => 'next');
    expect(closed).toBe(1);
  });

  it('sets no timer for a call that nobody waits behind', async () => {
    const { clock, answers, hung, run } = setUp();
    const first = run(hung);
    expect(clock.pendingTimers).toBe(0);
    answers[0]?.('done');
    await first;
  });
});
