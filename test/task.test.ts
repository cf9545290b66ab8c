import { describe, expect, it } from 'vitest';
import { systemFileSystem } from '../src/file-system.js';
import { defineTask, inlineTaskRunner } from '../src/task.js';

describe('a task that runs where it is called', () => {
  const task = defineTask('test:echo', async (input: string, context) => ({ input, ...context }));

  it('gets its input, the file system and the signal', async () => {
    const runner = inlineTaskRunner(systemFileSystem);
    const { signal } = new AbortController();
    expect(await runner.run(task, 'hello', { signal })).toEqual({
      input: 'hello',
      fs: systemFileSystem,
      signal,
    });
    expect(await runner.run(task, 'hello')).toEqual({ input: 'hello', fs: systemFileSystem });
    await runner.close();
  });

  it('rejects as the task does', async () => {
    const failing = defineTask('test:fail', async () => {
      throw new Error('failed');
    });
    await expect(inlineTaskRunner(systemFileSystem).run(failing, undefined)).rejects.toThrow('failed');
  });
});
