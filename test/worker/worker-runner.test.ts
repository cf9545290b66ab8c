import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { threadId } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { type FileSystem, systemFileSystem } from '../../src/file-system.js';
import { silentLogger } from '../../src/logger.js';
import { copyAndHashTask, hashFilesTask } from '../../src/snapshot/hashing/hashing.js';
import { defineTask, type TaskRunner } from '../../src/task.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { isThreadFault, isThreadResting } from '../../src/thread-fault.js';
import { locateWorker } from '../../src/worker/locate-worker.js';
import { createTaskRunner } from '../../src/worker/worker-runner.js';
import { bundle } from '../support/bundle.js';
import { workerOfSources } from './worker-of-sources.js';

const fixture = (name: string) => new URL(`./fixtures/${name}`, import.meta.url);
const fs = systemFileSystem;
const never = async () => 'inline';
const crash = defineTask<null, string>('odd:crash', never);
const exit = defineTask<null, string>('odd:exit', never);
const echo = defineTask<unknown, unknown>('odd:echo', never);
const still = defineTask<null, string>('odd:still', never);
const hang = defineTask<null, string>('odd:hang', never);
const unknown = defineTask<null, number>('odd:unknown', async () => threadId);

/** Runs a program of its own, which is given the worker of the sources. */
function program(name: string, ...args: readonly string[]) {
  const node = [...bundle(fileURLToPath(fixture(name))), fileURLToPath(workerOfSources()), ...args];
  return promisify(execFile)(process.execPath, node, { timeout: 15_000 });
}

describe('the task runner', () => {
  let home: string;
  let file: string;
  const runners: TaskRunner[] = [];

  function open(
    worker: string | URL,
    options: { clock?: Clock; logger?: typeof silentLogger } = {},
  ): TaskRunner {
    const workerUrl = typeof worker === 'string' ? fixture(worker) : worker;
    const runner = createTaskRunner({ fs, workerUrl, ...options });
    runners.push(runner);
    return runner;
  }

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'wps-worker-'));
    file = join(home, 'file');
    writeFileSync(file, 'hello');
  });
  afterEach(async () => {
    await Promise.all(runners.splice(0).map((runner) => runner.close()));
    rmSync(home, { recursive: true, force: true });
  });

  it('runs the tasks of the library in a worker thread', async () => {
    const runner = open(workerOfSources());
    const hashes = await runner.run(hashFilesTask, { paths: [file, join(home, 'none')] });
    expect(hashes).toEqual([
      { size: 5, sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' },
      undefined,
    ]);
  });

  it('gives errors back with their class, code and errno', async () => {
    const runner = open(workerOfSources());
    const wrong = { path: 'a', from: file, size: 5, sha256: '0'.repeat(64) };
    const copy = runner.run(copyAndHashTask, { directory: join(home, 'out'), files: [wrong], store: 'disk' });
    await expect(copy).rejects.toMatchObject({ name: 'SnapshotCorruptError', code: 'SNAPSHOT_CORRUPT' });
    await expect(runner.run(hashFilesTask, { paths: [home] })).rejects.toMatchObject({
      code: 'EISDIR',
      syscall: 'read',
    });
  });

  it('ends a task by its signal, with the reason the caller gave', async () => {
    const runner = open(workerOfSources());
    const reason = new Error('stopping');
    const early = { signal: AbortSignal.abort(reason) };
    await expect(runner.run(hashFilesTask, { paths: [file] }, early)).rejects.toBe(reason);
    const abort = new AbortController();
    const many = runner.run(hashFilesTask, { paths: Array(2000).fill(file) }, { signal: abort.signal });
    abort.abort(reason);
    await expect(many).rejects.toBe(reason);
    const late = new AbortController();
    const more = runner.run(hashFilesTask, { paths: Array(2000).fill(file) }, { signal: late.signal });
    late.abort(reason);
    await expect(more).rejects.toBe(reason);
  });

  it('lets a program end by itself, and not before the answer of a pending task', async () => {
    const { stdout } = await program('two-tasks.ts', file);
    expect(stdout.trim()).toBe('size 5');
  });

  it('starts the thread ahead of its first task, which keeps no program alive', async () => {
    const warn = vi.fn();
    open('broken-worker.mjs', { logger: { ...silentLogger, warn } }).warmUp?.();
    await vi.waitFor(() => expect(warn).toHaveBeenCalledOnce(), 15_000);
    const { stdout } = await program('warmed-up.ts');
    expect(stdout.trim()).toBe('warmed up');
  });

  it('warms up one thread only, also when it is closed', async () => {
    const runner = open('odd-worker.mjs');
    runner.warmUp?.();
    runner.warmUp?.();
    expect(await runner.run(echo, 1)).toBe(1);
    await runner.close();
    runner.warmUp?.();
    await expect(runner.run(echo, 1)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('serves all sessions with one thread until the last one closes', async () => {
    const [a, b] = [open('odd-worker.mjs'), open('odd-worker.mjs')];
    expect(await a.run(echo, 1)).toBe(1);
    expect(await b.run(echo, 2)).toBe(2);
    await a.close();
    await a.close();
    expect(await b.run(echo, { deep: ['copy'] })).toEqual({ deep: ['copy'] });
    await b.close();
    await expect(b.run(echo, 1)).rejects.toMatchObject({ code: 'CLOSED' });
    expect(await open('odd-worker.mjs').run(echo, 3)).toBe(3);
  });

  it('rejects what is pending when its session closes, and only that', async () => {
    const [a, b] = [open('odd-worker.mjs'), open('odd-worker.mjs')];
    await b.run(echo, 0);
    const pending = a.run(hang, null);
    pending.catch(() => undefined);
    await a.close();
    await expect(pending).rejects.toMatchObject({ code: 'CLOSED' });
    expect(await b.run(echo, 1)).toBe(1);
    const last = b.run(hang, null);
    last.catch(() => undefined);
    await b.close();
    await expect(last).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('rejects, retryable, the tasks of a thread that crashed, and starts another at the next use', async () => {
    const error = vi.fn();
    const runner = open('odd-worker.mjs', { logger: { ...silentLogger, error } });
    const [one, two] = await Promise.allSettled([runner.run(crash, null), runner.run(hang, null)]);
    for (const outcome of [one, two]) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'INTERNAL', retryable: true } });
    }
    expect(error).toHaveBeenCalledOnce();
    expect(error).toHaveBeenCalledWith('the worker thread stopped', { crashesInARow: 1, reason: 'crashed' });
    expect(one).toMatchObject({ reason: { message: expect.stringContaining('crashed') } });
    await expect(runner.run(exit, null)).rejects.toMatchObject({
      ...{ code: 'INTERNAL', retryable: true },
      message: expect.stringContaining('exit code 7'),
    });
    expect(await runner.run(echo, 1)).toBe(1);
  });

  it('ends a thread that stands still, rejects its tasks, retryable, and starts another at the next use', async () => {
    const [warn, error] = [vi.fn(), vi.fn()];
    const clock = new ManualClock();
    const runner = open('odd-worker.mjs', { clock, logger: { ...silentLogger, warn, error } });
    expect(await runner.run(echo, 1)).toBe(1);
    const waiting = Promise.allSettled([runner.run(still, null), runner.run(echo, 1)]);
    await clock.advance(60_000);
    expect(runner.silentMs?.()).toBe(55_000);
    expect(warn.mock.calls).toEqual([['the worker thread does not answer', { silentMs: 30_000 }]]);
    await clock.advance(5_000);
    for (const outcome of await waiting) {
      expect(outcome).toMatchObject({
        reason: {
          code: 'INTERNAL',
          retryable: true,
          message: expect.stringContaining('not answered for 60 s'),
        },
      });
      expect(outcome.status === 'rejected' && isThreadFault(outcome.reason)).toBe(true);
    }
    expect(runner.silentMs?.()).toBe(0);
    expect(await runner.run(echo, 2)).toBe(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not take a task that takes hours for a thread that stands still', async () => {
    const clock = new ManualClock();
    const runner = open('odd-worker.mjs', { clock });
    expect(await runner.run(echo, 1)).toBe(1);
    let isOver = false;
    const long = runner.run(hang, null).finally(() => {
      isOver = true;
    });
    long.catch(() => undefined);
    for (let step = 0; step < 100; step++) {
      await clock.advance(20_000);
      await vi.waitFor(() => expect(runner.silentMs?.()).toBe(0), { timeout: 20_000 });
    }
    expect(isOver).toBe(false);
    await runner.close();
    await expect(long).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('may have many tasks that wait, without a warning of node', async () => {
    const warned = vi.spyOn(process, 'emitWarning');
    const runner = open('odd-worker.mjs');
    const waiting = Array.from({ length: 12 }, () => runner.run(hang, null));
    const ends = Promise.allSettled(waiting);
    expect(await runner.run(echo, 1)).toBe(1);
    await runner.close();
    await ends;
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });

  it('lets a thread rest that crashes again and again', async () => {
    let now = 0;
    const clock: Clock = {
      now: () => now,
      monotonic: () => now,
      setTimeout: () => 0,
      clearTimeout: () => undefined,
    };
    const runner = open('odd-worker.mjs', { clock });
    for (let round = 0; round < 5; round += 1) {
      await expect(runner.run(exit, null)).rejects.toThrow(/stopped while it worked/);
    }
    const failure: unknown = await runner.run(echo, 1).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      message: expect.stringMatching(/5 times in a row \(exit code 7\) and rests for a while/),
      cause: { message: 'exit code 7' },
    });
    expect([isThreadResting(failure), isThreadResting(new Error('a start', { cause: failure }))]).toEqual([
      true,
      true,
    ]);
    now += 300_000;
    expect(await runner.run(echo, 1)).toBe(1);
    await expect(runner.run(exit, null)).rejects.toThrow(/while it worked/);
    expect(await runner.run(echo, 2)).toBe(2);
  });

  it('lets it rest for a moment first, and longer each time', async () => {
    let now = 0;
    const clock: Clock = {
      now: () => now,
      monotonic: () => now,
      setTimeout: () => 0,
      clearTimeout: () => undefined,
    };
    const runner = open('odd-worker.mjs', { clock });
    for (let round = 0; round < 4; round += 1) await runner.run(exit, null).catch(() => undefined);
    for (const restMs of [20_000, 40_000, 80_000, 160_000, 300_000, 300_000]) {
      await expect(runner.run(exit, null)).rejects.toThrow(/while it worked/);
      now += restMs - 1;
      await expect(runner.run(echo, 1)).rejects.toThrow(/rests for a while/);
      now += 1;
    }
    expect(await runner.run(echo, 1)).toBe(1);
  });

  it('rejects an input that can not cross the boundary', async () => {
    const runner = open('odd-worker.mjs');
    const before = runner.run(echo, () => undefined);
    await expect(before).rejects.toThrow(/could not be cloned/);
    await runner.run(echo, 1);
    await expect(runner.run(echo, () => undefined)).rejects.toThrow(/could not be cloned/);
  });

  it('runs a task in its own thread that the worker does not know', async () => {
    expect(await open('odd-worker.mjs').run(unknown, null)).toBe(threadId);
  });

  it.each(['stale-worker.mjs', 'broken-worker.mjs', 'no-such-worker.mjs'])(
    'runs everything in its own thread when the worker is %s',
    async (name) => {
      const warn = vi.fn();
      const runner = open(name, { logger: { ...silentLogger, warn } });
      expect(await Promise.all([runner.run(echo, 1), runner.run(unknown, null)])).toEqual([
        'inline',
        threadId,
      ]);
      expect(await runner.run(echo, 1)).toBe('inline');
      expect(warn).toHaveBeenCalledOnce();
    },
  );

  it('runs everything in its own thread when the worker does not answer, and says so', async () => {
    const warn = vi.fn();
    const clock = new ManualClock();
    const runner = open('mute-worker.mjs', { clock, logger: { ...silentLogger, warn } });
    const answer = runner.run(echo, 1);
    await clock.advance(60_000);
    expect(await answer).toBe('inline');
    expect(warn.mock.calls).toEqual([
      [
        expect.stringContaining('dist/worker.cjs'),
        expect.objectContaining({ reason: 'no answer within 60 s' }),
      ],
    ]);
  });

  it('tries a thread that did not start again after a while, and lets no task wait for it', async () => {
    const warn = vi.fn();
    const clock = new ManualClock();
    const workerUrl = pathToFileURL(join(home, 'worker.mjs'));
    const works = `export * from ${JSON.stringify(fixture('odd-worker.mjs').href)};`;
    const runner = createTaskRunner({ fs, clock, workerUrl, logger: { ...silentLogger, warn } });
    runners.push(runner);
    writeFileSync(join(home, 'worker.mjs'), 'throw new Error("no memory");');
    expect(await runner.run(echo, 1)).toBe('inline');
    writeFileSync(join(home, 'worker.mjs'), works);
    await clock.advance(299_000);
    expect(await runner.run(echo, 1)).toBe('inline');
    await clock.advance(1_000);
    expect(await runner.run(echo, 1)).toBe('inline');
    await vi.waitFor(async () => expect(await runner.run(echo, 1)).toBe(1), { timeout: 30_000 });
    expect(warn.mock.calls).toEqual([[expect.any(String), expect.objectContaining({ reason: 'no memory' })]]);
  });

  it('says once to each logger that there is no worker file, and what to do', async () => {
    const warn = vi.fn();
    const logger = { ...silentLogger, warn };
    for (let round = 0; round < 3; round++) {
      const runner = createTaskRunner({ fs, logger, locate: () => undefined });
      expect(await runner.run(echo, 1)).toBe('inline');
      await runner.close();
    }
    expect(warn.mock.calls).toEqual([[expect.stringContaining('copy dist/worker.cjs')]]);
  });

  it('runs everything in its own thread over another file system, which no worker could see', async () => {
    const other: FileSystem = { ...fs };
    const seen = defineTask<null, boolean>('odd:echo', async (_input, context) => context.fs === other);
    const runner = createTaskRunner({ fs: other, workerUrl: fixture('odd-worker.mjs') });
    expect(await runner.run(seen, null)).toBe(true);
    await runner.close();
  });

  it('works with whatever worker file lies beside it, or with none', async () => {
    const runner = createTaskRunner({ fs });
    runners.push(runner);
    expect(await runner.run(unknown, null)).toBe(threadId);
  });

  it('closes without ever having been used', async () => {
    await open('odd-worker.mjs').close();
  });
});

describe('the worker file', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'wps-locate-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const at = (name: string) => pathToFileURL(join(home, name)).href;

  it('is the one beside the chunk that asks, when it is this library’s', () => {
    writeFileSync(join(home, 'worker.cjs'), '// wwebjs-persistent-session:worker-thread');
    expect(locateWorker([at('index.js')])?.href).toBe(at('worker.cjs'));
    expect(locateWorker([at('testing/index.js')])?.href).toBe(at('worker.cjs'));
  });

  it('is the one beside the program, where a bundler left no name of the file it runs from, or a strange one', () => {
    writeFileSync(join(home, 'worker.cjs'), '// wwebjs-persistent-session:worker-thread');
    const names = [undefined, '', 'webpack://shop/index.js', 'file:///made/here/index.js', at('bot.js')];
    expect(locateWorker(names)?.href).toBe(at('worker.cjs'));
    expect(locateWorker([undefined, undefined])).toBeUndefined();
  });

  it('is never another file of that name, which a bundled app may have', () => {
    writeFileSync(join(home, 'worker.cjs'), 'startTheShop()');
    expect(locateWorker([at('app.js')])).toBeUndefined();
    expect(locateWorker([at('nowhere/else/app.js')])).toBeUndefined();
  });
});
