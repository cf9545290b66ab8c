import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BackupDirStore } from '../../src/stores/backup-dir-store.js';
import { FileSystemStore } from '../../src/stores/file-system-store.js';
import { bytesOf, keysOf, readAll } from '../../src/testing/conformance/harness.js';
import { ManualClock } from '../../src/testing/index.js';
import { temporaryRoot } from './fixtures/temporary-root.js';

describe('FileSystemStore on disk', () => {
  it('keeps plain files: the key is the path, and what lies there by hand is an object too', async () => {
    const { root } = await temporaryRoot();
    const store = new FileSystemStore(root);
    await store.put('shop/2026/a.zip', Buffer.from('zip'));
    expect(await readFile(join(root, 'shop', '2026', 'a.zip'), 'utf8')).toBe('zip');
    expect(store.localPath('shop/2026/a.zip')).toBe(join(root, 'shop', '2026', 'a.zip'));
    await writeFile(join(root, 'shop', 'by-hand.zip'), 'more');
    await writeFile(join(root, 'shop', 'not a key:'), 'ignored');
    expect(await keysOf(store)).toEqual(['shop/2026/a.zip', 'shop/by-hand.zip']);
  });

  it.each([0o000, 0o077, 0o277, 0o777])('makes files 0600 and folders 0700 under umask %o', async (umask) => {
    const { folder, root } = await temporaryRoot();
    await writeFile(join(folder, 'source'), 'x', { mode: 0o444 });
    const previous = process.umask(umask);
    try {
      const store = new FileSystemStore(root);
      await store.put('a/b/bytes', bytesOf(1));
      await store.put('a/b/absent', bytesOf(1), { ifAbsent: true });
      await store.putFile('a/b/file', join(folder, 'source'));
    } finally {
      process.umask(previous);
    }
    for (const path of ['.', 'a', 'a/b']) expect(await modeOf(join(root, path)), path).toBe(0o700);
    for (const path of ['bytes', 'absent', 'file'])
      expect(await modeOf(join(root, 'a/b', path)), path).toBe(0o600);
  });

  it('leaves the mode of a folder that was there', async () => {
    const { root } = await temporaryRoot();
    await mkdir(root);
    await chmod(root, 0o750);
    await new FileSystemStore(root).put('a', bytesOf(1));
    expect(await modeOf(root)).toBe(0o750);
  });

  it('never shares a file with the source of putFile', async () => {
    const { folder, root } = await temporaryRoot();
    const source = join(folder, 'source');
    await writeFile(source, 'one');
    const store = new FileSystemStore(root);
    await store.putFile('table', source, { ifAbsent: true });
    expect((await stat(source)).nlink).toBe(1);
    expect((await stat(store.localPath('table'))).nlink).toBe(1);
  });

  it('removes folders that a delete leaves empty, but not the root', async () => {
    const { root } = await temporaryRoot();
    const store = new FileSystemStore(root);
    await store.put('a/b/c/d', bytesOf(1));
    await store.put('a/e', bytesOf(1));
    await store.delete('a/b/c/d');
    expect(await readdir(join(root, 'a'))).toEqual(['e']);
    await store.delete('a/e');
    expect(await readdir(root)).toEqual([]);
  });

  it('answers with the body already open: what is deleted after that is still read', async () => {
    const { root } = await temporaryRoot();
    const store = new FileSystemStore(root);
    await store.put('a', bytesOf(600_000));
    const found = await store.get('a');
    await store.delete('a');
    expect(found && (await readAll(found.body)).equals(bytesOf(600_000))).toBe(true);
  });

  it('changes the version with each put, of equal bytes too, whatever the wall clock does', async () => {
    const { root } = await temporaryRoot();
    const clock = new ManualClock();
    const versions = new Set<string>();
    for (let round = 0; round < 30; round++) {
      if (round % 3 === 0) clock.setNow(clock.now() - 3_600_000);
      const store = new FileSystemStore(root, { clock });
      versions.add((await store.put('a', bytesOf(10))).version);
    }
    expect(versions.size).toBe(30);
  });

  it('stamps objects by the injected clock', async () => {
    const { root } = await temporaryRoot();
    const clock = new ManualClock({ now: Date.UTC(2030, 0, 1) });
    const { modifiedAt } = await new FileSystemStore(root, { clock }).put('a', bytesOf(1));
    expect(modifiedAt?.toISOString()).toBe('2030-01-01T00:00:00.000Z');
  });
});

describe('a FileSystemStore whose names get in each other’s way', () => {
  it('takes a folder for no object, and an object for no folder', async () => {
    const { root } = await temporaryRoot();
    const store = new FileSystemStore(root);
    await store.put('a/b', bytesOf(1));
    expect(await store.get('a')).toBeUndefined();
    expect(await store.delete('a')).toBe(false);
    for (const options of [{}, { ifAbsent: true }]) {
      await expect(store.put('a', bytesOf(1), options)).rejects.toMatchObject({
        code: 'STORE',
        retryable: false,
      });
    }
    expect(await store.get('a/b/c')).toBeUndefined();
    expect(await keysOf(store, 'a/b/')).toEqual([]);
    await expect(store.put('a/b/c', bytesOf(1))).rejects.toMatchObject({ code: 'STORE', retryable: false });
    expect(await keysOf(store)).toEqual(['a/b']);
  });
});

describe('BackupDirStore', () => {
  it('is a folder of ordinary zips under its own name', async () => {
    const { root } = await temporaryRoot();
    const store = new BackupDirStore(root);
    expect(store.name).toBe('backup-dir');
    expect(new BackupDirStore(root, { name: 'nas' }).name).toBe('nas');
    await store.put('shop/20260101.zip', Buffer.from('PK'));
    await store.put('shop/20260101.json', Buffer.from('{}'));
    expect((await readdir(join(root, 'shop'))).sort()).toEqual(['20260101.json', '20260101.zip']);
  });
});

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}
