import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Open } from 'unzipper';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { MANIFEST_NAME, readManifestAtHead } from '../../../src/snapshot/zip/zip-head.js';
import { extractZipTask } from '../../../src/snapshot/zip/zip-reader.js';
import { zipPieces } from '../../../src/snapshot/zip/zip-writer.js';
import { LEVELDB, PROFILE, World } from '../support/world.js';
import { contentOf, writeZip } from './write-zip.js';

/** The archiver 7 that whatsapp-web.js brings along. */
const archiver7: unknown = createRequire(createRequire(import.meta.url).resolve('whatsapp-web.js'))(
  'archiver',
);
const archiver8: object = await vi.importActual('archiver');
const loaded = vi.hoisted(() => ({ archiver: {} }));
vi.mock('archiver', () => ({
  get ZipArchive() {
    return (loaded.archiver as { ZipArchive?: unknown }).ZipArchive;
  },
  get default() {
    return (loaded.archiver as { default?: unknown }).default;
  },
}));

const FOREIGN = /(?:CURRENT|MANIFEST-000001|000003\.log)$/;
const LARGE = `${LEVELDB}/000009.log`;
/** More than is read whole, and compressible. */
const large = () => Buffer.alloc(4_300_000, 'a record of some length; ');

describe.each([
  ['archiver 7, a CommonJS function', { default: archiver7 }],
  ['archiver 8, a class of an ES module', archiver8],
])('writing a zip with %s', (_version, archiver) => {
  loaded.archiver = archiver;
  const use = () => {
    loaded.archiver = archiver;
    return new World();
  };
  afterEach(() => vi.restoreAllMocks());

  it('gives every file its name, time and owner-only mode, and deflates what gains by it', async () => {
    const world = use();
    const bytes = await writeZip(world, await contentOf(world, PROFILE), '/t.zip');
    const { files } = await Open.buffer(bytes);
    expect(files.map(({ path }) => path)).toEqual([MANIFEST_NAME, ...Object.keys(PROFILE).sort()]);
    for (const file of files) {
      expect(file.externalFileAttributes >>> 16).toBe(0o100600);
      expect(file.compressionMethod === 8).toBe(FOREIGN.test(file.path));
      // Only what is deflated ends by itself, and may have its size behind it.
      expect(file.flags).toBe(file.compressionMethod === 8 ? 8 : 0);
    }
    expect(files[0]?.lastModifiedDateTime?.toISOString()).toBe('2026-11-23T05:14:08.000Z');
    const small = await writeZip(world, await contentOf(world, PROFILE, 'small'), '/small.zip');
    expect(small.length).toBeLessThan(bytes.length / 10);
  });

  it('begins with the manifest, whose header has its size', async () => {
    const world = use();
    const content = await contentOf(world, PROFILE);
    const bytes = await writeZip(world, content, '/t.zip');
    expect(await readManifestAtHead(async (count) => bytes.subarray(0, count))).toEqual(content.manifest);
  });

  it('writes files of any size and name, and reads the same', async () => {
    const world = use();
    const files = {
      ...PROFILE,
      'Default/IndexedDB/سجل.log': 'مرحبا',
      [LARGE]: large(),
      [`${LEVELDB}/000010.ldb`]: large(),
      [`${LEVELDB}/000011.ldb`]: Buffer.alloc(4 * 1024 * 1024, 'k'),
      [`${LEVELDB}/000012.ldb`]: Buffer.alloc(1_000_000, 'l'),
      [`${LEVELDB}/000013.ldb`]: 'tiny',
      [`${LEVELDB}/000014.ldb`]: 'small',
    };
    for (const compression of ['fast', 'small'] as const) {
      await writeZip(world, await contentOf(world, files, compression), '/t.zip');
      await world.runner.run(extractZipTask, { path: '/t.zip', directory: `/${compression}` });
      for (const [path, content] of Object.entries(files)) {
        const unpacked = await world.fs.promises.readFile(join(`/${compression}`, path));
        expect(Buffer.from(content).equals(unpacked), path).toBe(true);
      }
    }
  });

  it.each([
    ['a small file', `${LEVELDB}/000005.ldb`, Buffer.alloc(70_000, 'other')],
    ['one that has grown', `${LEVELDB}/000005.ldb`, Buffer.alloc(70_001, 'table')],
    ['one that was cut off', `${LEVELDB}/CURRENT`, 'MANIFEST'],
    ['a large file', LARGE, Buffer.concat([large().subarray(0, -1), Buffer.from('!')])],
    ['a large one that has grown', LARGE, Buffer.concat([large(), Buffer.from('!')])],
    ['a large one that was cut off', LARGE, large().subarray(0, -1)],
  ])(
    'ends with an error that names a file that has changed since it was hashed: %s',
    async (_what, path, now) => {
      const world = use();
      const content = await contentOf(world, { ...PROFILE, [LARGE]: large() });
      await world.fs.promises.writeFile(join(content.directory, path), now);
      await expect(writeZip(world, content, '/t.zip')).rejects.toMatchObject({
        code: 'SNAPSHOT_CORRUPT',
        retryable: true,
        message: expect.stringContaining(path) as string,
      });
    },
  );

  it.each([`${LEVELDB}/000005.ldb`, LARGE])('keeps the cause when %s can not be read', async (path) => {
    const world = use();
    const content = await contentOf(world, { ...PROFILE, [LARGE]: large() });
    const cause = Object.assign(new Error('bad sector'), { code: 'EIO' });
    const open = world.fs.promises.open.bind(world.fs.promises);
    vi.spyOn(world.fs.promises, 'open').mockImplementation(async (...given) => {
      const handle = await open(...given);
      if (String(given[0]).endsWith(path)) vi.spyOn(handle, 'read').mockRejectedValue(cause);
      return handle;
    });
    await expect(writeZip(world, content, '/t.zip')).rejects.toBe(cause);
  });

  it('closes every file, however it ends', async () => {
    const world = use();
    const content = await contentOf(world, { ...PROFILE, [LARGE]: large() });
    const open = world.fs.promises.open.bind(world.fs.promises);
    let opened = 0;
    vi.spyOn(world.fs.promises, 'open').mockImplementation(async (...given) => {
      const handle = await open(...given);
      const close = handle.close.bind(handle);
      opened += 1;
      handle.close = async () => {
        opened -= 1;
        await close();
      };
      return handle;
    });
    for await (const _piece of zipPieces(content, world.fs)) break;
    expect(opened).toBe(0);
    await writeZip(world, content, '/t.zip');
    expect(opened).toBe(0);
    await world.fs.promises.writeFile(join(content.directory, LARGE), 'other');
    await expect(writeZip(world, content, '/t.zip')).rejects.toThrow(LARGE);
    expect(opened).toBe(0);
  });

  it('reads no further than its reader does', async () => {
    const world = use();
    const tables = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`${LEVELDB}/${100 + n}.ldb`, Buffer.alloc(1_000_000, `${n}`)]),
    );
    const content = await contentOf(world, tables);
    const open = vi.spyOn(world.fs.promises, 'open');
    const pieces = zipPieces(content, world.fs);
    await pieces.next();
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(open.mock.calls.length).toBeLessThanOrEqual(3);
    await pieces.return(undefined);
  });

  it('stops when it is aborted, before or in the middle', async () => {
    const world = use();
    const content = await contentOf(world, { ...PROFILE, [LARGE]: large() });
    const before = zipPieces(content, world.fs, AbortSignal.abort(new Error('stopping')));
    await expect(before.next()).rejects.toThrow('stopping');
    const abort = new AbortController();
    const pieces = zipPieces({ ...content, compression: 'fast' }, world.fs, abort.signal);
    const taken = (async () => {
      for await (const _piece of pieces) abort.abort(new Error('stopping now'));
    })();
    abort.abort(new Error('stopping now'));
    await expect(taken).rejects.toThrow('stopping now');
  });
});

describe('the form of archiver', () => {
  it('is named when it is an unknown one', async () => {
    loaded.archiver = {};
    const world = new World();
    await expect(writeZip(world, await contentOf(world, PROFILE), '/t.zip')).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('^7.0.1 || ^8.0.0') as string,
    });
  });
});
