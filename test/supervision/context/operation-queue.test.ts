import { describe, expect, it } from 'vitest';
import { ClosedError } from '../../../src/errors.js';
import { OperationQueue } from '../../../src/supervision/context/operation-queue.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

function setUp() {
  const clock = new ManualClock();
  return { clock, queue: new OperationQueue(clock) };
}

describe('the queue of operations', () => {
  it('runs one at a time, in the order of the calls, whatever the others come to', async () => {
    const { queue } = setUp();
    const steps: string[] = [];
    const operation = (name: string) => async () => {
      steps.push(`${name} begins`);
      await Promise.resolve();
      steps.push(`${name} ends`);
      if (name === 'first') throw new Error('failed');
      return name;
    };
    const first = queue.exclusive(operation('first'));
    const second = queue.exclusive(operation('second'));
    await expect(first).rejects.toThrow('failed');
    expect(await second).toBe('second');
    expect(steps).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
  });

  it('gives what runs 30 s when it is shut, then aborts it', async () => {
    const { clock, queue } = setUp();
    const { signal } = queue;
    void queue.exclusive(() => new Promise(() => undefined));
    queue.shut();
    await clock.advance(29_999);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBeInstanceOf(ClosedError);
  });

  it('aborts nothing that ends in time, and nothing where nothing runs', async () => {
    const { clock, queue } = setUp();
    const { signal } = queue;
    queue.shut();
    expect(clock.pendingTimers).toBe(0);
    const operation = queue.exclusive(async () => undefined);
    queue.shut();
    await operation;
    await clock.advance(60_000);
    expect(signal.aborted).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  it('aborts at once when the session is owned no more; the next time it is open has a signal of its own', () => {
    const { queue } = setUp();
    const { signal } = queue;
    queue.abort();
    expect(signal.aborted).toBe(true);
    queue.shut();
    queue.open();
    expect(queue.signal.aborted).toBe(false);
    const after = queue.signal;
    queue.open();
    expect(queue.signal).toBe(after);
  });

  it('is not held up by what goes on beside it', async () => {
    const { queue } = setUp();
    void queue.beside(() => new Promise(() => undefined));
    expect(await queue.exclusive(async () => 'next')).toBe('next');
  });

  it('aborts what goes on beside it 30 s after it was shut, or when its time is over', async () => {
    for (const end of ['shut', 'endBeside'] as const) {
      const { clock, queue } = setUp();
      const { signal } = queue;
      const ms = end === 'shut' ? 30_000 : 4_000;
      void queue.beside(() => new Promise(() => undefined));
      const ended = end === 'shut' ? queue.shut() : queue.endBeside(ms);
      await clock.advance(ms - 1);
      expect(signal.aborted).toBe(false);
      await clock.advance(1);
      expect(signal.aborted).toBe(true);
      await clock.advance(500); // what is stuck is not waited for
      await ended;
      expect(clock.pendingTimers).toBe(0);
    }
  });

  it('waits for nothing, and aborts nothing, when what went on beside it is over', async () => {
    const { clock, queue } = setUp();
    await expect(queue.beside(async () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    await queue.endBeside(4_000);
    queue.shut();
    expect([queue.signal.aborted, clock.pendingTimers]).toEqual([false, 0]);
  });
});
