import { describe, expect, it } from 'vitest';
import { Mutex } from '../src/mutex.js';

describe('Mutex', () => {
  it('runs one piece of work at a time, in the order of the calls', async () => {
    const mutex = new Mutex();
    const log: string[] = [];
    const work = (name: string) => async () => {
      log.push(`${name} begins`);
      await Promise.resolve();
      await Promise.resolve();
      log.push(`${name} ends`);
      return name;
    };
    const results = await Promise.all(['a', 'b', 'c'].map((name) => mutex.runExclusive(work(name))));
    expect(results).toEqual(['a', 'b', 'c']);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('goes on after work that failed, and hands its error to its caller only', async () => {
    const mutex = new Mutex();
    const failing = mutex.runExclusive(() => {
      throw new Error('broken');
    });
    const after = mutex.runExclusive(() => 'fine');
    await expect(failing).rejects.toThrow('broken');
    await expect(after).resolves.toBe('fine');
  });

  it('lets go of one who gives up waiting, and keeps the order of the others', async () => {
    const mutex = new Mutex();
    const gate = withResolvers();
    const abort = new AbortController();
    const log: string[] = [];
    const first = mutex.runExclusive(async () => {
      await gate.promise;
      log.push('first');
    });
    const second = mutex.runExclusive(() => log.push('second'), { signal: abort.signal });
    const third = mutex.runExclusive(() => log.push('third'));
    abort.abort(new Error('no more'));
    await expect(second).rejects.toThrow('no more');
    expect(log).toEqual([]);
    gate.resolve();
    await Promise.all([first, third]);
    expect(log).toEqual(['first', 'third']);
  });

  it('never begins work whose signal is aborted already, whatever the reason', async () => {
    let begun = false;
    const attempt = new Mutex().runExclusive(
      () => {
        begun = true;
      },
      { signal: AbortSignal.abort('a reason that is no error') },
    );
    await expect(attempt).rejects.toMatchObject({ code: 'CLOSED' });
    expect(begun).toBe(false);
  });

  it('lets work that has begun end although its signal aborts', async () => {
    const mutex = new Mutex();
    const abort = new AbortController();
    const work = mutex.runExclusive(
      async () => {
        abort.abort();
        return 'done';
      },
      { signal: abort.signal },
    );
    await expect(work).resolves.toBe('done');
  });

  it('says whether it is busy', async () => {
    const mutex = new Mutex();
    expect(mutex.busy).toBe(false);
    const work = mutex.runExclusive(() => undefined);
    expect(mutex.busy).toBe(true);
    await work;
    expect(mutex.busy).toBe(false);
  });
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
