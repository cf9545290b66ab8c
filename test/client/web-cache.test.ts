import { createFsFromVolume, Volume } from 'memfs';
import { describe, expect, it } from 'vitest';
import type { ClientInternals, WebVersionCacheOptions } from '../../src/client/client-types.js';
import { WebCache } from '../../src/client/web-cache.js';
import type { FileSystem } from '../../src/file-system.js';
import { failingFileSystem } from '../../src/testing/failing-file-system.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

const NEVER = new AbortController().signal;
const LOCAL = { type: 'local', path: '/cache' };

function newCache(webVersionCache: WebVersionCacheOptions | undefined, webVersion?: string) {
  const volume = Volume.fromJSON({ '/other/file': 'x', '/full/2.3000.html': '<html>' });
  const fs = failingFileSystem(createFsFromVolume(volume) as unknown as FileSystem);
  const options = { webVersionCache, webVersion };
  const client = { options } as unknown as ClientInternals;
  const clock = new ManualClock();
  const files = () => Object.keys(volume.toJSON()).sort();
  return { cache: new WebCache(client, { fs, clock }), fs, options, clock, files };
}

describe('the web cache of a client', () => {
  it('stays as it is where its folder can be written, and nothing is left there', async () => {
    const { cache, options, files } = newCache(LOCAL);
    expect(await cache.settle(NEVER)).toBeUndefined();
    expect(options.webVersionCache).toBe(LOCAL);
    expect(files()).toEqual(['/cache', '/full/2.3000.html', '/other/file']);
  });

  it.each(['EROFS', 'EACCES', 'ENOSPC', 'EIO'])('is switched off where a write fails (%s)', async (errno) => {
    const { cache, fs, options } = newCache(LOCAL);
    fs.arm({ operation: 'writeFile', failOn: 1, times: Number.POSITIVE_INFINITY, errno });
    expect(await cache.settle(NEVER)).toMatchObject({
      folder: '/cache',
      why: expect.stringContaining(errno),
    });
    expect(options.webVersionCache).toEqual({ type: 'none' });
  });

  it('is switched off where its folder can not be made', async () => {
    const { cache, options } = newCache({ type: 'local', path: '/other/file/cache' });
    expect(await cache.settle(NEVER)).toMatchObject({ folder: '/other/file/cache' });
    expect(options.webVersionCache).toEqual({ type: 'none' });
  });

  it('is back, as it was set, as soon as its folder can be written', async () => {
    const { cache, fs, options } = newCache(LOCAL);
    fs.arm({ operation: 'mkdir', failOn: 1, times: 2, errno: 'EROFS' });
    expect(await cache.settle(NEVER)).toBeDefined();
    expect(await cache.settle(NEVER)).toBeDefined();
    expect(await cache.settle(NEVER)).toBeUndefined();
    expect(options.webVersionCache).toBe(LOCAL);
  });

  it('is in the working directory where no folder is set', async () => {
    const { cache, fs } = newCache({ type: 'local' });
    fs.arm({ operation: 'mkdir', failOn: 1, errno: 'EROFS' });
    expect(await cache.settle(NEVER)).toMatchObject({ folder: `${process.cwd()}/.wwebjs_cache` });
  });

  it.each([
    ['of another kind', { type: 'none' }],
    ['that only reads', { type: 'local', strict: true, path: '/cache' }],
    ['of a fork that has none', undefined],
  ] as const)('is left alone where it is one %s', async (_name, given) => {
    const { cache, fs, options } = newCache(given);
    fs.arm({ failOn: 1, times: Number.POSITIVE_INFINITY });
    expect(await cache.settle(NEVER)).toBeUndefined();
    expect(options.webVersionCache).toBe(given);
  });

  it('is left alone where it holds the version that is asked for: that is read, and never written', async () => {
    const { cache, fs, options } = newCache({ type: 'local', path: '/full' }, '2.3000');
    fs.arm({ operation: /mkdir|writeFile/, failOn: 1, times: Number.POSITIVE_INFINITY, errno: 'EROFS' });
    expect(await cache.settle(NEVER)).toBeUndefined();
    expect(options.webVersionCache).toMatchObject({ type: 'local' });
  });

  it('is switched off where its disk hangs', async () => {
    const { cache, fs, options, clock } = newCache(LOCAL);
    const hanging = fs.promises as { mkdir: unknown };
    Object.defineProperty(hanging, 'mkdir', { value: () => new Promise(() => undefined) });
    const settled = cache.settle(NEVER);
    await clock.advanceUntil(settled);
    expect(await settled).toMatchObject({ why: expect.stringContaining('longer than') });
    expect(options.webVersionCache).toEqual({ type: 'none' });
  });
});
