import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemFileSystem } from '../../src/file-system.js';
import { FileSystemStore } from '../../src/stores/file-system-store.js';
import { bytesOf, keysOf } from '../../src/testing/conformance/harness.js';
import { failingFileSystem } from '../../src/testing/index.js';
import { memoryFileSystem, temporaryRoot } from './fixtures/temporary-root.js';

describe('a FileSystemStore whose root', () => {
  it('does not exist has nothing in it, and is made by the first put', async () => {
    const { folder } = await temporaryRoot();
    const store = new FileSystemStore(join(folder, 'not', 'yet', 'there'));
    expect(await store.get('a')).toBeUndefined();
    expect(await store.head('a')).toBeUndefined();
    expect(await store.delete('a')).toBe(false);
    expect(await keysOf(store)).toEqual([]);
    expect(await store.sweepTemporaries()).toEqual({ count: 0, bytes: 0 });
    await store.put('a', bytesOf(1));
    expect(await keysOf(store)).toEqual(['a']);
  });

  it('does not exist, nor the folder above it, is made once by puts that come together', async () => {
    const { fs } = memoryFileSystem();
    const store = new FileSystemStore('/not/yet', { fs });
    await Promise.all(['a', 'b', 'c'].map((key) => store.put(key, bytesOf(1))));
    expect((await keysOf(store)).sort()).toEqual(['a', 'b', 'c']);
  });

  it('is a file is down', async () => {
    const { root } = await temporaryRoot();
    await writeFile(root, '');
    await everyCallRejects(new FileSystemStore(root), /not a folder/);
  });

  it('is a link to nowhere (an unmounted volume) is down', async () => {
    const { folder, root } = await temporaryRoot();
    await symlink(join(folder, 'volume'), root);
    await everyCallRejects(new FileSystemStore(root), /leads nowhere/);
  });

  it('is a link to a folder works', async () => {
    const { folder, root } = await temporaryRoot();
    await mkdir(join(folder, 'volume'));
    await symlink(join(folder, 'volume'), root);
    const store = new FileSystemStore(root);
    await store.put('a/b', bytesOf(1));
    expect(await keysOf(store)).toEqual(['a/b']);
  });

  it.each(['EACCES', 'EIO', 'ESTALE', 'ETIMEDOUT'])('answers with %s is down', async (errno) => {
    const { fs: disk } = memoryFileSystem();
    await new FileSystemStore('/rack', { fs: disk }).put('a', bytesOf(1));
    for (const operation of ['stat', 'lstat', 'open']) {
      const fs = failingFileSystem(disk, { operation, failOn: 1, times: Number.POSITIVE_INFINITY, errno });
      await expect(new FileSystemStore('/rack', { fs }).get('a')).rejects.toMatchObject({ code: 'STORE' });
    }
    const fs = failingFileSystem(disk, { operation: 'readdir', failOn: 1, errno });
    await expect(keysOf(new FileSystemStore('/rack', { fs }))).rejects.toMatchObject({ code: 'STORE' });
  });

  it('is no path is refused at once', () => {
    expect(() => new FileSystemStore('')).toThrow(/path of a folder/);
    expect(() => new FileSystemStore(undefined as unknown as string)).toThrow(/path of a folder/);
  });
});

describe('a FileSystemStore with links below its root', () => {
  it('refuses keys that lead through a linked folder, and leaves what is outside', async () => {
    const { folder, root } = await temporaryRoot();
    const outside = join(folder, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    await mkdir(root);
    await symlink(outside, join(root, 'shop'));
    const store = new FileSystemStore(root);
    for (const key of ['shop/secret', 'shop/none', 'shop/deep/er']) {
      const refused = { code: 'STORE', retryable: false, message: expect.stringContaining('symbolic link') };
      await expect(store.get(key)).rejects.toMatchObject(refused);
      await expect(store.head(key)).rejects.toMatchObject(refused);
      await expect(store.put(key, bytesOf(1))).rejects.toMatchObject(refused);
      await expect(store.put(key, bytesOf(1), { ifAbsent: true })).rejects.toMatchObject(refused);
      await expect(store.putFile(key, join(outside, 'secret'))).rejects.toMatchObject(refused);
      await expect(store.delete(key)).rejects.toMatchObject(refused);
    }
    await expect(keysOf(store, 'shop/')).rejects.toMatchObject({ code: 'STORE' });
    expect(await keysOf(store)).toEqual([]);
    await store.sweepTemporaries(0);
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  it('refuses a key that is itself a link', async () => {
    const { folder, root } = await temporaryRoot();
    await writeFile(join(folder, 'secret'), 'secret');
    await mkdir(root);
    await symlink(join(folder, 'secret'), join(root, 'note'));
    await symlink(join(folder, 'none'), join(root, 'dangling'));
    const store = new FileSystemStore(root);
    for (const key of ['note', 'dangling']) {
      const refused = { code: 'STORE', retryable: false };
      await expect(store.get(key)).rejects.toMatchObject(refused);
      await expect(store.head(key)).rejects.toMatchObject(refused);
      await expect(store.put(key, bytesOf(1))).rejects.toMatchObject(refused);
      await expect(store.delete(key)).rejects.toMatchObject(refused);
    }
    expect(await keysOf(store)).toEqual([]);
    expect(await readFile(join(folder, 'secret'), 'utf8')).toBe('secret');
    expect(await readdir(folder)).toEqual(['root', 'secret']);
  });

  it('refuses a link that is planted between the look and the reading', async () => {
    const { folder, root } = await temporaryRoot();
    await writeFile(join(folder, 'secret'), 'secret');
    await new FileSystemStore(root).put('note', bytesOf(1));
    const fs = {
      ...systemFileSystem,
      promises: {
        ...systemFileSystem.promises,
        open: async (...args: Parameters<typeof systemFileSystem.promises.open>) => {
          await systemFileSystem.promises.unlink(join(root, 'note'));
          await symlink(join(folder, 'secret'), join(root, 'note'));
          return systemFileSystem.promises.open(...args);
        },
      },
    };
    await expect(new FileSystemStore(root, { fs }).get('note')).rejects.toMatchObject({ code: 'STORE' });
  });
});

async function everyCallRejects(store: FileSystemStore, message: RegExp): Promise<void> {
  const down = { code: 'STORE', message: expect.stringMatching(message) };
  await expect(store.get('a')).rejects.toMatchObject(down);
  await expect(store.head('a/b')).rejects.toMatchObject(down);
  await expect(store.delete('a')).rejects.toMatchObject(down);
  await expect(store.put('a', bytesOf(1))).rejects.toMatchObject(down);
  await expect(keysOf(store)).rejects.toMatchObject(down);
  await expect(keysOf(store, 'a/')).rejects.toMatchObject(down);
  await expect(store.sweepTemporaries()).rejects.toMatchObject(down);
}
