import { memfs } from 'memfs';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../../src/file-system.js';
import { hashFilesTask } from '../../../src/snapshot/hashing/hashing.js';
import { watchedTaskRunner } from '../../../src/snapshot/thread/watched-runner.js';
import { isStandstill } from '../../../src/stores/watched/deadline.js';
import { defineTask } from '../../../src/task.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

function setUp() {
  const clock = new ManualClock();
  const fs = memfs({ '/a': 'bytes' }).fs as unknown as FileSystem;
  return { clock, runner: watchedTaskRunner(fs, clock, 'nas') };
}

describe('a runner that watches the work on files', () => {
  it('runs a task to its end, with open files as they are', async () => {
    const { clock, runner } = setUp();
    const [hash] = await runner.run(hashFilesTask, { paths: ['/a'] });
    expect(hash?.size).toBe(5);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives up a task when no file has moved for a minute, and only then', async () => {
    const { clock, runner } = setUp();
    let reads = 0;
    const slow = defineTask('test:slow', async (_: undefined, { fs, clock: time }) => {
      for (; reads < 3; reads++) {
        await new Promise<void>((resolve) => time.setTimeout(resolve, 50_000));
        await fs.promises.readFile('/a');
      }
      await new Promise(() => undefined);
    });
    const outcome = runner.run(slow, undefined).catch((error: unknown) => error);
    await clock.advance(209_999);
    let isOver = false;
    void outcome.then(() => {
      isOver = true;
    });
    await clock.advance(0);
    expect([reads, isOver]).toEqual([3, false]);
    await clock.advance(1);
    const error = await outcome;
    expect(isStandstill(error)).toBe(true);
    expect(error).toMatchObject({ code: 'STORE', message: expect.stringContaining('nas') });
  });
});
