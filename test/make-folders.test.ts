import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type FileSystem, makeFolders } from '../src/file-system.js';
import { memoryFileSystem } from './support/fake-stage.js';
import { nodesOwnMkdir, withMkdir } from './support/nodes-own-mkdir.js';

describe('making folders', () => {
  const readOnly = (errno: string, folder = '/disk') => nodesOwnMkdir(memoryFileSystem(), { folder, errno });

  it.each(['EROFS', 'EDQUOT', 'EIO', 'ESTALE'])(
    'tells what the system says, where node says ENOENT: %s',
    async (errno) => {
      const fs = readOnly(errno);
      await expect(fs.promises.mkdir('/disk/a/b', { recursive: true })).rejects.toMatchObject({
        code: 'ENOENT',
      });
      await expect(makeFolders(fs, '/disk/a/b/c')).rejects.toMatchObject({ code: errno, path: '/disk/a' });
      await expect(makeFolders(fs, '/disk/a')).rejects.toMatchObject({ code: errno });
    },
  );

  it('makes what is missing, and takes what is there', async () => {
    const fs = memoryFileSystem();
    for (let round = 0; round < 2; round++) await makeFolders(fs, '/bot/a/b');
    expect((await fs.promises.stat('/bot/a/b')).mode & 0o777).toBe(0o700);
  });

  it('makes them after all where the disk was away for a moment', async () => {
    const fs = memoryFileSystem();
    let calls = 0;
    const mkdir = (async (...given: Parameters<FileSystem['promises']['mkdir']>) => {
      calls++;
      if (calls === 1) throw Object.assign(new Error('away'), { code: 'ENOENT' });
      return fs.promises.mkdir(...given);
    }) as FileSystem['promises']['mkdir'];
    await makeFolders(withMkdir(fs, mkdir), '/a/b/c');
    expect((await fs.promises.stat('/a/b/c')).isDirectory()).toBe(true);
  });

  it('of a link that leads to nothing keeps the first error', async () => {
    const first = Object.assign(new Error('the first'), { code: 'ENOENT' });
    const mkdir = (async (_path: string, options: { recursive?: boolean }) => {
      throw options.recursive ? first : Object.assign(new Error('a link'), { code: 'EEXIST' });
    }) as unknown as FileSystem['promises']['mkdir'];
    await expect(makeFolders(withMkdir(memoryFileSystem(), mkdir), '/a/b')).rejects.toBe(first);
  });

  it('is done by this function everywhere', () => {
    const others = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .filter((file) => !file.startsWith('testing/') && file !== 'file-system.ts')
      .filter((file) => /mkdir(Sync)?\([^;]*recursive/s.test(readFileSync(`src/${file}`, 'utf8')));
    expect(others).toEqual([]);
  });
});
