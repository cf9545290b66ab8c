import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../../src/file-system.js';
import { LOCK_WAIT_MS } from '../../../src/stores/file-system/key-lock.js';
import { EMPTY_STALE_MS, LOCK_STALE_MS } from '../../../src/stores/file-system/lock-file.js';
import { thisWriter } from '../../../src/stores/file-system/writer.js';
import { FileSystemStore } from '../../../src/stores/file-system-store.js';
import { bytesOf } from '../../../src/testing/conformance/harness.js';
import { failingFileSystem, ManualClock } from '../../../src/testing/index.js';
import { useNamedPipes } from '../../support/named-pipe.js';
import { memoryFileSystem } from '../fixtures/temporary-root.js';

const LOCK = '/rack/.lock-note';
const UNLOCK = '/rack/.unlock-note';
const STRANGER = 'token-1 another-host 7\n';

describe('the lock of a key', () => {
  const plantPipe = useNamedPipes();

  it('is gone after a put and a delete', async () => {
    const { paths, store } = await prepare();
    await store.put('note', bytesOf(1));
    expect(paths()).toEqual(['/rack/note']);
    await store.delete('note');
    expect(paths()).toEqual(['/rack']);
  });

  it('of a process of this machine that is proven dead is broken at once', async () => {
    const { fs, paths, store, clock } = await prepare();
    await fs.promises.writeFile(LOCK, `token-1 ${(await thisWriter()).host} ${await deadPid()}\n`);
    await store.put('note', bytesOf(2));
    expect(clock.monotonic()).toBe(0);
    expect(paths()).toEqual(['/rack/note']);
  });

  it.each([
    ['another machine', LOCK_STALE_MS, async () => STRANGER],
    [
      'a live process of this machine',
      LOCK_STALE_MS,
      async () => `token-1 ${(await thisWriter()).host} ${process.pid}\n`,
    ],
    ['nobody (its maker died over it)', EMPTY_STALE_MS, async () => ''],
  ])(
    'of %s is waited for, and broken once it stood still for the documented time',
    async (_, staleMs, content) => {
      const { fs, paths, store, clock } = await prepare();
      await fs.promises.writeFile(LOCK, await content());
      await advance(clock, store.put('note', bytesOf(2)));
      expect(clock.monotonic()).toBeGreaterThanOrEqual(staleMs);
      expect(clock.monotonic()).toBeLessThan(staleMs + 1000);
      expect(paths()).toEqual(['/rack/note']);
      expect(clock.pendingTimers).toBe(0);
    },
  );

  it('that is a named pipe is waited for like an empty one', async () => {
    const root = await mkdtemp(join(tmpdir(), 'rack-'));
    await plantPipe(join(root, '.lock-note'));
    const clock = new ManualClock();
    await advance(clock, new FileSystemStore(root, { clock }).put('note', bytesOf(2)));
    expect(clock.monotonic()).toBeGreaterThanOrEqual(EMPTY_STALE_MS);
    expect(await readdir(root)).toEqual(['note']);
    await rm(root, { recursive: true });
  });

  it('that goes from holder to holder is not stale, and waiting for it has an end', async () => {
    const { fs, store, clock } = await prepare();
    let holder = 0;
    const pass = async () => {
      await fs.promises.writeFile(LOCK, `token-${holder++} another-host 7\n`);
      clock.setTimeout(() => void pass(), LOCK_STALE_MS / 2);
    };
    await pass();
    await expect(advance(clock, store.put('note', bytesOf(2)))).rejects.toMatchObject({
      code: 'STORE',
      retryable: true,
      message: expect.stringContaining('locked'),
    });
    expect(clock.monotonic()).toBeGreaterThanOrEqual(LOCK_WAIT_MS);
    expect((await store.head('note'))?.size).toBe(1);
  });

  it('is waited for no longer than the signal allows', async () => {
    const { fs, store, clock } = await prepare();
    await fs.promises.writeFile(LOCK, STRANGER);
    const controller = new AbortController();
    const reason = new Error('changed our mind');
    clock.setTimeout(() => controller.abort(reason), 1000);
    const { signal } = controller;
    await expect(advance(clock, store.put('note', bytesOf(2), { signal }))).rejects.toBe(reason);
    expect((await store.head('note'))?.size).toBe(1);
  });

  it.each([
    [
      'with a call that was given up',
      (store: FileSystemStore, signal: AbortSignal) =>
        store.put('note', bytesOf(3), { signal }).catch(() => undefined),
    ],
    ['with a sweep', (store: FileSystemStore) => store.sweepTemporaries()],
  ])('is stale by what was seen of it %s', async (_, look) => {
    const { fs, paths, store, clock } = await prepare();
    await fs.promises.writeFile(LOCK, STRANGER);
    const controller = new AbortController();
    clock.setTimeout(() => controller.abort(new Error('given up')), LOCK_STALE_MS - 1000);
    const looking: Promise<unknown> = look(store, controller.signal);
    await advance(clock, looking);
    await clock.advance(LOCK_STALE_MS - clock.monotonic());
    const put = new FileSystemStore('/rack', { fs, clock }).put('note', bytesOf(2));
    await advance(clock, put);
    expect(clock.monotonic()).toBeLessThan(LOCK_STALE_MS + 1000);
    expect(paths()).toEqual(['/rack/note']);
  });

  it('is watched anew when it is another one, also of the same holder', async () => {
    const { fs, store, clock } = await prepare();
    await fs.promises.writeFile(LOCK, STRANGER);
    await store.sweepTemporaries();
    await clock.advance(LOCK_STALE_MS);
    await fs.promises.writeFile(LOCK, STRANGER.replace('token-1', 'token-2'));
    const begun = clock.monotonic();
    await advance(clock, store.put('note', bytesOf(2)));
    expect(clock.monotonic()).toBeGreaterThanOrEqual(begun + LOCK_STALE_MS);
  });

  it('lets others of this process queue, each no longer than its own signal and the bound allow', async () => {
    const { fs, store, clock } = await prepare();
    await fs.promises.writeFile(LOCK, STRANGER);
    const reason = new Error('changed our mind');
    const controller = new AbortController();
    const first = store.put('note', bytesOf(2));
    const second = store.put('note', bytesOf(3), { signal: controller.signal });
    const third = store.put('note', bytesOf(4));
    clock.setTimeout(() => controller.abort(reason), 1000);
    await expect(advance(clock, second)).rejects.toBe(reason);
    await advance(clock, Promise.all([first, third]));
    expect((await store.head('note'))?.size).toBe(4);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is broken by one breaker at a time: another one waits for its turn', async () => {
    const { fs, store, clock, paths } = await prepare();
    await fs.promises.writeFile(LOCK, `token-1 ${(await thisWriter()).host} ${await deadPid()}\n`);
    await fs.promises.writeFile(UNLOCK, `token-2 ${(await thisWriter()).host} ${process.pid}\n`);
    clock.setTimeout(() => void fs.promises.unlink(UNLOCK), 500);
    await advance(clock, store.put('note', bytesOf(2)));
    expect(clock.monotonic()).toBeGreaterThanOrEqual(500);
    expect(clock.monotonic()).toBeLessThan(LOCK_STALE_MS);
    expect(paths()).toEqual(['/rack/note']);
  });

  it('survives breakers that died at it, here or on another machine', async () => {
    for (const breaker of [`token-2 ${(await thisWriter()).host} ${await deadPid()}\n`, STRANGER]) {
      const { fs, store, clock, paths } = await prepare();
      await fs.promises.writeFile(LOCK, `token-1 ${(await thisWriter()).host} ${await deadPid()}\n`);
      await fs.promises.writeFile(UNLOCK, breaker);
      await advance(clock, store.put('note', bytesOf(2)));
      expect(paths()).toEqual(['/rack/note']);
    }
  });

  it('that was taken from us stops the put before it changes anything, and stays the other one’s', async () => {
    const { fs: disk, clock } = await prepare();
    const fs: FileSystem = {
      ...disk,
      promises: new Proxy(disk.promises, {
        get: (target, name) =>
          name === 'utimes'
            ? async (...args: Parameters<typeof target.utimes>) => {
                await disk.promises.writeFile(LOCK, STRANGER);
                return target.utimes(...args);
              }
            : Reflect.get(target, name),
      }),
    };
    // The clock was set back, so the new value needs another stamp, under the lock: that is when we stand still.
    clock.setNow(0);
    const store = new FileSystemStore('/rack', { fs, clock });
    await expect(store.put('note', bytesOf(2))).rejects.toMatchObject({ code: 'STORE', retryable: true });
    expect(await disk.promises.readFile(LOCK, 'utf8')).toBe(STRANGER);
    expect((await disk.promises.stat('/rack/note')).size).toBe(1);
  });

  it('is let go of by another try when the first one fails', async () => {
    const { fs: disk, paths } = await prepare();
    const fs = failingFileSystem(disk, { operation: 'unlink', path: '.lock-', failOn: 1, times: 2 });
    await new FileSystemStore('/rack', { fs }).put('note', bytesOf(2));
    expect(paths()).toEqual(['/rack/note']);
  });

  it('that can’t be written is not left behind', async () => {
    const { fs: disk, paths } = await prepare();
    const fs = failingFileSystem(disk, {
      operation: 'handle.writeFile',
      path: '.lock-',
      failOn: 1,
      errno: 'EIO',
    });
    await expect(new FileSystemStore('/rack', { fs }).put('note', bytesOf(2))).rejects.toMatchObject({
      code: 'STORE',
      cause: { code: 'EIO' },
    });
    expect(paths()).toEqual(['/rack/note']);
  });

  it('has nothing to say to readers', async () => {
    const { fs, store, clock } = await prepare();
    await fs.promises.writeFile(LOCK, STRANGER);
    const found = await store.get('note');
    found?.body.destroy();
    expect(found?.info.size).toBe(1);
    expect(clock.monotonic()).toBe(0);
  });
});

async function prepare() {
  const { fs, paths } = memoryFileSystem();
  const clock = new ManualClock();
  const store = new FileSystemStore('/rack', { fs, clock });
  await store.put('note', bytesOf(1));
  return { fs, paths, clock, store };
}

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  if (child.pid === undefined) throw new Error('the child did not start');
  return child.pid;
}

/** Everything is in memory: nothing to wait for. */
function advance<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  return clock.advanceUntil(work, { patienceMs: 1 });
}
