import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../../src/file-system.js';
import { thisWriter } from '../../../src/stores/file-system/writer.js';
import { FileSystemStore } from '../../../src/stores/file-system-store.js';
import { bytesOf } from '../../../src/testing/conformance/harness.js';
import { failingFileSystem, ManualClock } from '../../../src/testing/index.js';
import { memoryFileSystem } from '../fixtures/temporary-root.js';

const HOUR_MS = 3_600_000;

describe('sweepTemporaries', () => {
  it('removes what dead writers of this machine left, at once, and the folders that are empty then', async () => {
    const { fs, paths, store, clock } = await prepare();
    const { host } = await thisWriter();
    const pid = await deadPid();
    await leave(fs, `/rack/shop/.tmp-${host}-${pid}-00ff`, 100, clock.now());
    await leave(fs, `/rack/gone/.tmp-${host}-${pid}-00ff`, 10, clock.now());
    await leave(fs, '/rack/shop/.lock-a', `token ${host} ${pid}\n`, clock.now());
    await leave(fs, '/rack/shop/.unlock-a', `token ${host} ${pid}\n`, clock.now());
    const lockBytes = `token ${host} ${pid}\n`.length;
    expect(await store.sweepTemporaries()).toEqual({ count: 4, bytes: 110 + 2 * lockBytes });
    expect(paths()).toEqual(['/rack/shop/note']);
  });

  it.each([
    ['of another machine', async () => ({ host: 'beef', pid: await deadPid() })],
    ['of a live process', async () => thisWriter()],
  ])('leaves what is %s until it is an hour old', async (_, writer) => {
    const { fs, paths, store, clock } = await prepare();
    const { host, pid } = await writer();
    await leave(fs, `/rack/.tmp-${host}-${pid}-00ff`, 100, clock.now() - HOUR_MS + 1000);
    await leave(fs, '/rack/.lock-a', `token ${host} ${pid}\n`, clock.now() - HOUR_MS + 1000);
    await leave(fs, '/rack/.unlock-a', `token ${host} ${pid}\n`, clock.now() - HOUR_MS + 1000);
    expect(await store.sweepTemporaries()).toEqual({ count: 0, bytes: 0 });
    expect((await store.sweepTemporaries(HOUR_MS / 2)).count).toBe(3);
    expect(paths()).toEqual(['/rack/shop/note']);
  });

  it('removes a lock that its maker was killed over before it wrote it, once it is too old to be at it', async () => {
    const { fs, paths, store, clock } = await prepare();
    await leave(fs, '/rack/shop/.lock-new', '', clock.now() - 1000);
    await leave(fs, '/rack/shop/.lock-old', '', clock.now() - 2000);
    expect((await store.sweepTemporaries()).count).toBe(1);
    expect(paths().sort()).toEqual(['/rack/shop/.lock-new', '/rack/shop/note']);
  });

  it('never touches what this process is writing, nor any object', async () => {
    const { paths, store } = await prepare();
    let half: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => {
      half = resolve;
    });
    let goOn: () => void = () => undefined;
    const allowed = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    async function* body() {
      yield bytesOf(10);
      half();
      await allowed;
      yield bytesOf(10);
    }
    const putting = store.put('shop/big', Readable.from(body(), { objectMode: false }));
    await reached;
    expect(paths().some((path) => path.includes('.tmp-'))).toBe(true);
    expect(await store.sweepTemporaries(0)).toEqual({ count: 0, bytes: 0 });
    goOn();
    expect((await putting).size).toBe(20);
    expect(paths().sort()).toEqual(['/rack/shop/big', '/rack/shop/note']);
  });

  it('counts no bytes for the second name of an object', async () => {
    const { fs: disk, store, clock } = await prepare();
    const fs = failingFileSystem(disk, { operation: 'unlink', path: '.tmp-', failOn: 1 });
    await new FileSystemStore('/rack', { fs, clock }).put('shop/new', bytesOf(50), { ifAbsent: true });
    expect(await store.sweepTemporaries(0)).toEqual({ count: 1, bytes: 0 });
    expect((await store.head('shop/new'))?.size).toBe(50);
  });

  it('passes over what another sweep takes first', async () => {
    const { fs: disk, store, clock } = await prepare();
    await leave(disk, '/rack/.tmp-beef-1-00ff', 10, 0);
    const fs = failingFileSystem(disk, { operation: 'lstat', path: '.tmp-', failOn: 1, errno: 'ENOENT' });
    const other = new FileSystemStore('/rack', { fs, clock });
    expect((await other.sweepTemporaries(0)).count).toBe(0);
    fs.arm({ operation: 'unlink', path: '.tmp-', failOn: 1, errno: 'ENOENT' });
    expect((await other.sweepTemporaries(0)).count).toBe(0);
    expect((await store.sweepTemporaries(0)).count).toBe(1);
  });

  it('says that it failed', async () => {
    const { fs: disk } = await prepare();
    const fs = failingFileSystem(disk, { operation: 'readdir', failOn: 1 });
    await expect(new FileSystemStore('/rack', { fs }).sweepTemporaries()).rejects.toMatchObject({
      code: 'STORE',
    });
  });
});

async function prepare() {
  const { fs, paths } = memoryFileSystem();
  const clock = new ManualClock();
  const store = new FileSystemStore('/rack', { fs, clock });
  await store.put('shop/note', bytesOf(1));
  return { fs, paths, clock, store };
}

async function leave(
  fs: FileSystem,
  path: string,
  content: number | string,
  modifiedMs: number,
): Promise<void> {
  await fs.promises.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
  await fs.promises.writeFile(path, typeof content === 'string' ? content : bytesOf(content));
  await fs.promises.utimes(path, modifiedMs / 1000, modifiedMs / 1000);
}

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  if (child.pid === undefined) throw new Error('the child did not start');
  return child.pid;
}
