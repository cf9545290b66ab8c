import { describe, expect, it } from 'vitest';
import { FileSystemStore } from '../../src/stores/file-system-store.js';
import { bytesOf, keysOf, readAll } from '../../src/testing/conformance/harness.js';
import { failingFileSystem, ManualClock } from '../../src/testing/index.js';
import { memoryFileSystem } from './fixtures/temporary-root.js';

describe('a FileSystemStore on a difficult system', () => {
  it.each(['EMFILE', 'ENFILE'])('waits a little and tries again on %s', async (errno) => {
    const { fs: disk } = memoryFileSystem();
    const clock = new ManualClock();
    const fs = failingFileSystem(disk, { operation: /^(open|readdir)$/, failOn: 1, times: 3, errno });
    const store = new FileSystemStore('/rack', { fs, clock });
    await clock.advanceUntil(store.put('a', bytesOf(3)));
    fs.arm({ operation: /^(open|readdir)$/, failOn: 1, times: 3, errno });
    expect((await clock.advanceUntil(store.get('a')))?.info.size).toBe(3);
    fs.arm({ operation: 'readdir', failOn: 1, times: 3, errno });
    expect(await clock.advanceUntil(keysOf(store))).toEqual(['a']);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(['EBUSY', 'EPERM', 'EACCES'])(
    'outwaits a virus scanner that answers a rename with %s on Windows',
    async (errno) => {
      const { fs: disk } = memoryFileSystem();
      const clock = new ManualClock();
      const fs = failingFileSystem(disk, { operation: 'rename', failOn: 1, times: 5, errno });
      const store = new FileSystemStore('/rack', { fs, clock, platform: 'win32' });
      await clock.advanceUntil(store.put('a', bytesOf(3)));
      expect(fs.matchingCalls).toBe(6);
    },
  );

  it('gives up on it after a bounded time, as something to retry', async () => {
    const { fs: disk } = memoryFileSystem();
    const clock = new ManualClock();
    const fs = failingFileSystem(disk, {
      operation: 'rename',
      failOn: 1,
      times: Number.POSITIVE_INFINITY,
      errno: 'EBUSY',
    });
    const store = new FileSystemStore('/rack', { fs, clock, platform: 'win32' });
    const putting = clock.advanceUntil(store.put('a', bytesOf(3)));
    await expect(putting).rejects.toMatchObject({ code: 'STORE', retryable: true, cause: { code: 'EBUSY' } });
    expect(fs.matchingCalls).toBe(8);
    expect(clock.monotonic()).toBeLessThan(5000);
    expect(await keysOf(store)).toEqual([]);
  });

  it.each(['ENOSPC', 'EDQUOT'])('deletes where there is no room for a byte more (%s)', async (errno) => {
    const { fs: disk } = memoryFileSystem();
    const fs = failingFileSystem(disk);
    const store = new FileSystemStore('/rack', { fs });
    await store.put('a', bytesOf(3));
    fs.arm({ operation: /write|mkdir/i, failOn: 1, times: Number.POSITIVE_INFINITY, errno });
    await expect(store.put('b', bytesOf(3))).rejects.toMatchObject({ code: 'STORE', cause: { code: errno } });
    expect(await store.delete('a')).toBe(true);
    fs.arm({});
    expect(await disk.promises.readdir('/rack')).toEqual([]); // no lock either
  });

  it('does not wait for what time does not change', async () => {
    const { fs: disk } = memoryFileSystem();
    const clock = new ManualClock();
    const fs = failingFileSystem(disk, { operation: 'rename', failOn: 1, errno: 'EACCES' });
    const putting = new FileSystemStore('/rack', { fs, clock, platform: 'linux' }).put('a', bytesOf(3));
    await expect(putting).rejects.toMatchObject({
      code: 'STORE',
      retryable: false,
      cause: { code: 'EACCES' },
    });
  });

  it.each(['EPERM', 'ENOTSUP', 'ENOSYS', 'EISDIR'])('keeps ifAbsent where link answers %s', async (errno) => {
    const { fs: disk } = memoryFileSystem();
    const fs = failingFileSystem(disk, {
      operation: 'link',
      failOn: 1,
      times: Number.POSITIVE_INFINITY,
      errno,
    });
    const store = new FileSystemStore('/rack', { fs, platform: 'linux' });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => store.put('a', bytesOf(10, index), { ifAbsent: true })),
    );
    const won = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
    expect(won).toHaveLength(1);
    const found = await store.get('a');
    expect(found && (await readAll(found.body))).toEqual(bytesOf(10, won[0]));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'STORE_CONFLICT' });
    }
  });

  it('makes its folder again when a delete removed it in between, a bounded number of times', async () => {
    const { fs: disk } = memoryFileSystem();
    await disk.promises.mkdir('/rack');
    const fs = failingFileSystem(disk, {
      operation: 'open',
      path: '.tmp-',
      failOn: 1,
      times: 5,
      errno: 'ENOENT',
    });
    const store = new FileSystemStore('/rack', { fs });
    await store.put('a/b', bytesOf(3));
    expect(await keysOf(store)).toEqual(['a/b']);
    fs.arm({ operation: 'open', path: '.tmp-', failOn: 1, times: Number.POSITIVE_INFINITY, errno: 'ENOENT' });
    await expect(store.put('c/d', bytesOf(3))).rejects.toMatchObject({ code: 'STORE', retryable: true });
    expect(fs.matchingCalls).toBe(20);
  });

  it('passes over files and folders that vanish while it lists', async () => {
    const { fs: disk } = memoryFileSystem();
    const store = new FileSystemStore('/rack', { fs: disk });
    for (const key of ['a/1', 'a/2', 'b/1']) await store.put(key, bytesOf(1));
    const vanishing = failingFileSystem(disk, {
      operation: 'lstat',
      path: 'a/1',
      failOn: 1,
      errno: 'ENOENT',
    });
    expect(await keysOf(new FileSystemStore('/rack', { fs: vanishing }))).toEqual(['a/2', 'b/1']);
    const folder = failingFileSystem(disk, {
      operation: 'readdir',
      path: 'rack/a',
      failOn: 1,
      errno: 'ENOENT',
    });
    expect(await keysOf(new FileSystemStore('/rack', { fs: folder }))).toEqual(['b/1']);
  });

  it('never ends a body early without an error', async () => {
    const { fs: disk } = memoryFileSystem();
    await new FileSystemStore('/rack', { fs: disk }).put('a', bytesOf(600_000));
    const fs = failingFileSystem(disk, { operation: 'handle.read', failOn: 2 });
    const store = new FileSystemStore('/rack', { fs });
    const failing = await store.get('a');
    await expect(failing && readAll(failing.body)).rejects.toMatchObject({
      code: 'STORE',
      cause: { code: 'EIO' },
    });
    expect(fs.calls.at(-1)?.operation).toBe('handle.close');
    fs.arm({});
    const cut = await store.get('a');
    const handle = await disk.promises.open('/rack/a', 'r+');
    await handle.truncate(1000);
    await handle.close();
    await expect(cut && readAll(cut.body)).rejects.toMatchObject({ code: 'STORE' });
  });

  it('closes the file of a body that is destroyed before it is read, and of a get that fails', async () => {
    const { fs: disk } = memoryFileSystem();
    const fs = failingFileSystem(disk);
    const store = new FileSystemStore('/rack', { fs });
    await store.put('a', bytesOf(10));
    fs.arm({ operation: 'handle.close' });
    const found = await store.get('a');
    await new Promise((resolve) => found?.body.destroy().once('close', resolve));
    expect(fs.matchingCalls).toBe(1);
    fs.arm({ operation: 'handle.stat', failOn: 1 });
    await expect(store.get('a')).rejects.toMatchObject({ code: 'STORE' });
    expect(fs.calls.at(-1)?.operation).toBe('handle.close');
    fs.arm({ operation: 'handle.close', failOn: 1 });
    const unclosable = await store.get('a');
    await expect(unclosable && readAll(unclosable.body)).rejects.toMatchObject({ code: 'STORE' });
  });
});
