import { describe, expect, it } from 'vitest';
import { systemClock } from '../src/clock.js';
import { systemFileSystem } from '../src/file-system.js';
import { defineTask, inlineTaskRunner } from '../src/task.js';
import { ManualClock } from '../src/testing/manual-clock.js';

describe('a task that runs where it is called', () => {
  const task = defineTask('test:echo', async (input: string, context) => ({ input, ...context }));

  it('gets its input, the file system and the signal', async () => {
    const runner = inlineTaskRunner(systemFileSystem);
    const { signal } = new AbortController();
    expect(await runner.run(task, 'hello', { signal })).toEqual({
      input: 'hello',
      fs: systemFileSystem,
      clock: systemClock,
      signal,
    });
    const clock = new ManualClock();
    const timed = inlineTaskRunner(systemFileSystem, clock);
    expect(await timed.run(task, 'hello')).toEqual({ input: 'hello', fs: systemFileSystem, clock });
    await runner.close();
  });

  it('rejects as the task does', async () => {
    const failing = defineTask('test:fail', async () => {
      throw new Error('failed');
    });
    await expect(inlineTaskRunner(systemFileSystem).run(failing, undefined)).rejects.toThrow('failed');
  });
});
