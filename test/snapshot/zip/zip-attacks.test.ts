import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/snapshot/manifest/limits.js';
import { buildManifest, contentDigest, serializeManifest } from '../../../src/snapshot/manifest/manifest.js';
import { extractZipTask, verifyZipTask } from '../../../src/snapshot/zip/zip-reader.js';
import { sha256 } from '../support/local-store.js';
import { asText, type Files, World } from '../support/world.js';
import { buildZip, type EvilEnd, type EvilEntry } from '../support/zip-builder.js';
import { contentOf, writeZip } from './write-zip.js';

const FILES: Files = { 'Default/CURRENT': 'MANIFEST-000001\n', 'Default/table.ldb': 'T'.repeat(400) };

function manifestEntry(files: Files, compressed = false): EvilEntry {
  const list = Object.entries(files).map(([path, content]) => ({
    path,
    size: Buffer.byteLength(content),
    sha256: sha256(content),
  }));
  const data = serializeManifest(buildManifest('backup', new World().context(), list, 'seed'));
  return { name: 'manifest.json', data, deflate: compressed };
}

const honest: readonly EvilEntry[] = [
  manifestEntry(FILES),
  ...Object.entries(FILES).map(([name, data]) => ({ name, data, deflate: name.endsWith('CURRENT') })),
];

/** Unpacks a zip; the folder beside it shows whether anything was written elsewhere. */
async function extract(zip: Uint8Array, limits = DEFAULT_LIMITS) {
  const world = new World();
  await world.fs.promises.mkdir('/box');
  await world.fs.promises.writeFile('/box/evil.zip', zip);
  const outcome = await world.runner
    .run(extractZipTask, { path: '/box/evil.zip', directory: '/box/out', limits })
    .then(
      () => 'restored' as const,
      (error: Error & { code?: string }) => error,
    );
  const all = (await world.read('/')) ?? {};
  delete all['box/evil.zip'];
  return { outcome, all };
}

async function expectRefused(zip: Uint8Array, code: string, named: string | RegExp, limits = DEFAULT_LIMITS) {
  const { outcome, all } = await extract(zip, limits);
  expect(outcome).toMatchObject({ code });
  expect(String(outcome)).toMatch(named);
  expect(all).toEqual({});
}

const UNSAFE = 'SNAPSHOT_UNSAFE';
const CORRUPT = 'SNAPSHOT_CORRUPT';

describe('a zip built by hand', () => {
  it('is restored when it is honest', async () => {
    const { outcome, all } = await extract(buildZip(honest));
    expect(outcome).toBe('restored');
    const expected = Object.entries(asText(FILES)).map(([path, text]) => [`box/out/${path}`, text]);
    expect(all).toEqual(Object.fromEntries(expected));
  });

  it.each<[string, EvilEnd]>([
    ['a comment', { comment: Buffer.from('of the shop') }],
    ['padding', { padding: Buffer.alloc(512) }],
    ['64-bit records', { zip64: {} }],
  ])('is restored with %s that somebody has added', async (_what, end) => {
    expect((await extract(buildZip(honest, end))).outcome).toBe('restored');
  });

  it.each([
    '/etc/cron.d/evil',
    '../evil',
    'Default/../../evil',
    'Default\\..\\evil',
    'C:/evil',
    'C:evil',
    'Default/a:stream',
    'Default/nul',
    'Default/evil\0.txt',
    'Default/dot.',
    'Default//evil',
    'Default/folder/',
    '',
  ])('is refused for the entry name %j', async (name) => {
    await expectRefused(buildZip([...honest, { name, data: 'x' }]), UNSAFE, /unsafe entry|has no name/);
  });

  it('is refused for such a name in its manifest too', async () => {
    const list = [{ path: '../evil', size: 1, sha256: sha256('x') }];
    const good = buildManifest('backup', new World().context(), [
      { path: 'evil', size: 1, sha256: sha256('x') },
    ]);
    const data = serializeManifest({ ...good, files: list, contentDigest: contentDigest(list) });
    const zip = buildZip([
      { name: 'manifest.json', data },
      { name: 'evil', data: 'x' },
    ]);
    await expectRefused(zip, UNSAFE, '"../evil"');
  });

  it.each([
    ['a symbolic link', { mode: 0o120777 }],
    ['a folder', { mode: 0o040755 }],
    ['a device', { mode: 0o020600 }],
    ['a DOS folder', { dosAttributes: 0x10 }],
    ['encryption', { flags: 1 }],
    ['strong encryption', { flags: 0x40 }],
    ['an unknown compression', { method: 12 }],
  ])('is refused for %s', async (_what, lie) => {
    await expectRefused(
      buildZip([...honest, { name: 'Default/evil', data: '/etc/passwd', ...lie }]),
      UNSAFE,
      /"Default\/evil" (is not a plain file|is encrypted|has the unknown compression)/,
    );
  });

  it.each([
    ['twice the same', 'Default/CURRENT'],
    ['another case', 'default/current'],
    ['another manifest', 'Manifest.json'],
    ['a file as a folder', 'Default/CURRENT/x'],
    ['another case of a folder', 'DEFAULT/x'],
  ])('is refused for names that meet: %s', async (_what, name) => {
    await expectRefused(
      buildZip([...honest, { name, data: 'x' }]),
      UNSAFE,
      /duplicate|differs|folder at once/,
    );
  });

  it('is refused for two Unicode forms of one name', async () => {
    const zip = buildZip([...honest, { name: 'caf\u00e9', data: '1' }, { name: 'cafe\u0301', data: '2' }]);
    await expectRefused(zip, UNSAFE, 'duplicate');
  });

  it('is refused for a name that is no UTF-8', async () => {
    const zip = buildZip([...honest, { name: Buffer.from([0x61, 0xff]), data: '1' }]);
    await expectRefused(zip, CORRUPT, 'damaged at entry');
  });

  it('is refused for an entry that the manifest does not name, and for one it misses', async () => {
    await expectRefused(buildZip([...honest, { name: 'Default/extra', data: 'x' }]), UNSAFE, 'Default/extra');
    await expectRefused(buildZip(honest.slice(0, 2)), CORRUPT, /table.ldb" is missing/);
  });

  it('is refused without a manifest at its beginning', async () => {
    await expectRefused(buildZip([]), CORRUPT, 'no backup of a session');
    await expectRefused(buildZip([...honest.slice(1), ...honest.slice(0, 1)]), CORRUPT, 'does not begin');
    const huge = { ...DEFAULT_LIMITS, maxManifestBytes: 50 };
    await expectRefused(buildZip(honest), UNSAFE, 'manifest.json', huge);
  });

  it('is refused when one byte of a file is another', async () => {
    const changed = honest.map((entry) =>
      entry.name === 'Default/table.ldb' ? { ...entry, data: `${'T'.repeat(399)}U` } : entry,
    );
    await expectRefused(buildZip(changed), CORRUPT, /Default\/table.ldb.*SHA-256/);
  });

  it('is refused when sizes in directory and manifest differ', async () => {
    const longer = honest.map((entry) =>
      entry.name === 'Default/table.ldb' ? { ...entry, data: 'T'.repeat(401) } : entry,
    );
    await expectRefused(buildZip(longer), CORRUPT, /table.ldb" declares 401 bytes, the manifest says 400/);
  });

  it('is not believed when it declares less than it holds (a bomb that lies)', async () => {
    const bomb = Buffer.alloc(50_000_000);
    const files = { 'Default/bomb': 'x'.repeat(100) };
    const zip = buildZip([
      manifestEntry(files),
      { name: 'Default/bomb', data: bomb, deflate: true, size: 100 },
    ]);
    await expectRefused(zip, CORRUPT, /Default\/bomb" unpacks to more bytes than it declares/);
  });

  it('is refused when it declares more than it holds', async () => {
    const files = { 'Default/less': 'x'.repeat(100) };
    const less = { name: 'Default/less', data: 'x'.repeat(50), deflate: true, size: 100 };
    await expectRefused(buildZip([manifestEntry(files), less]), CORRUPT, /fewer bytes than it declares/);
    const stored = { name: 'Default/less', data: 'x'.repeat(50), size: 100 };
    await expectRefused(buildZip([manifestEntry(files), stored]), CORRUPT, /two sizes/);
  });

  it('is refused, before anything is unpacked, when it declares more than is accepted', async () => {
    const zip = buildZip(honest);
    await expectRefused(zip, UNSAFE, 'manifest.json', {
      ...DEFAULT_LIMITS,
      maxFileBytes: 700,
      maxTotalBytes: 700,
    });
    await expectRefused(zip, UNSAFE, /far more/, {
      ...DEFAULT_LIMITS,
      freeExpansionBytes: 100,
      maxExpansionRatio: 0.1,
    });
    await expectRefused(zip, UNSAFE, /claims 3 entries/, { ...DEFAULT_LIMITS, maxFiles: 1 });
  });

  it('is refused when entries share bytes', async () => {
    const files = { 'Default/a': 'x'.repeat(100), 'Default/b': 'x'.repeat(100) };
    const first = manifestEntry(files);
    const start = buildZip([first]).length - 22 - (46 + 'manifest.json'.length);
    const kernel = { name: 'Default/a', data: 'x'.repeat(100) };
    const zip = buildZip([first, kernel, { name: 'Default/b', data: 'x'.repeat(100), offset: start }]);
    await expectRefused(zip, CORRUPT, /Default\/b" of the zip has a damaged header/);
    const twice = buildZip([
      manifestEntry(FILES),
      { name: 'Default/CURRENT', data: 'MANIFEST-000001\n', compressedSize: 60, size: 60 },
      { name: 'Default/table.ldb', data: 'T'.repeat(400) },
    ]);
    await expectRefused(twice, UNSAFE, 'Default/table.ldb" overlaps');
  });

  it('is refused when an entry reaches into the directory', async () => {
    const long = { name: 'Default/table.ldb', data: 'T'.repeat(400), compressedSize: 450, size: 450 };
    await expectRefused(buildZip([...honest.slice(0, 2), long]), CORRUPT, 'Default/table.ldb" is cut off');
  });

  it('is refused when local header and directory disagree about a name', async () => {
    const two = { name: 'Default/table.ldb', localName: '../../evil.so.ldb', data: 'T'.repeat(400) };
    await expectRefused(buildZip([...honest.slice(0, 2), two]), CORRUPT, 'damaged header');
  });

  it('is refused for data that is no deflate stream', async () => {
    const files = { 'Default/x': 'x'.repeat(10) };
    const garbage = { name: 'Default/x', data: Buffer.alloc(10, 0xff), method: 8 };
    await expectRefused(buildZip([manifestEntry(files), garbage]), CORRUPT, /can't be unpacked/);
  });

  it.each<[string, EvilEnd]>([
    ['too many entries', { count: 65_535 }],
    ['too few entries', { count: 1 }],
    ['another place', { offset: 7 }],
    ['another size', { size: 1 }],
    ['several disks', { disk: 1 }],
    ['64-bit records that disagree', { zip64: {}, count: 2 }],
    ['64-bit records elsewhere', { zip64: { at: 5, offset: 3 } }],
  ])('is refused for an end record with %s', async (_what, end) => {
    const { outcome, all } = await extract(buildZip(honest, end));
    expect(outcome).toMatchObject({ code: expect.stringMatching(/SNAPSHOT_/) as string });
    expect(all).toEqual({});
  });

  it('is refused for a second end record that other readers would find first', async () => {
    const decoy = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18, 0xff)]);
    const zip = buildZip([
      ...honest.slice(0, 2),
      { ...honest[2], name: 'Default/table.ldb', comment: decoy },
    ]);
    await expectRefused(zip, UNSAFE, 'two directories');
  });

  it('is refused for 64-bit sizes beyond reason', async () => {
    const extra = Buffer.alloc(20);
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(16, 2);
    extra.writeBigUInt64LE(2n ** 50n, 4);
    extra.writeBigUInt64LE(2n ** 50n, 12);
    const giant = { name: 'Default/giant', size: 0xffffffff, compressedSize: 0xffffffff, extra };
    await expectRefused(buildZip([...honest, giant]), UNSAFE, 'Default/giant');
    const none = { ...giant, extra: Buffer.alloc(0) };
    await expectRefused(buildZip([...honest, none]), CORRUPT, 'Default/giant" has no sizes or no place');
  });

  it('is refused when it is empty or cut off anywhere', async () => {
    const zip = buildZip(honest);
    for (let length = 0; length < zip.length; length += 13) {
      await expectRefused(zip.subarray(0, length), CORRUPT, /cut off|damaged/);
    }
  });

  it('restores the same bytes or nothing when any byte of it is another', async () => {
    const world = new World();
    const zip = await writeZip(world, await contentOf(world, FILES), '/good.zip');
    const whole = asText(FILES);
    let noticed = 0;
    for (let offset = 0; offset < zip.length; offset += 1) {
      const flipped = Buffer.from(zip);
      flipped[offset] = (flipped[offset] ?? 0) ^ (1 << (offset % 8));
      await world.fs.promises.writeFile('/flipped.zip', flipped);
      const directory = `/out/${offset}`;
      try {
        await world.runner.run(extractZipTask, { path: '/flipped.zip', directory });
        expect(await world.read(directory), `byte ${offset}`).toEqual(whole);
      } catch (error) {
        noticed += 1;
        expect(error, `byte ${offset}`).toMatchObject({
          code: expect.stringMatching(/^SNAPSHOT_/) as string,
        });
        expect(await world.read(directory)).toBeUndefined();
      }
    }
    expect(noticed).toBeGreaterThan(zip.length / 2);
  });

  it('never does anything but restore the same bytes or refuse, however it is mangled (fuzz)', async () => {
    const zip = buildZip(honest);
    const mangling = fc.record({
      edits: fc.array(fc.tuple(fc.nat(zip.length - 1), fc.nat(255)), { maxLength: 6 }),
      cut: fc.option(fc.nat(zip.length), { nil: undefined }),
      insert: fc.option(fc.tuple(fc.nat(zip.length), fc.uint8Array({ maxLength: 40 })), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(mangling, async ({ edits, cut, insert }) => {
        let bytes = Buffer.from(zip);
        for (const [offset, value] of edits) bytes[offset] = value;
        if (insert !== undefined) {
          bytes = Buffer.concat([bytes.subarray(0, insert[0]), insert[1], bytes.subarray(insert[0])]);
        }
        const { outcome, all } = await extract(bytes.subarray(0, cut));
        if (outcome === 'restored') {
          const expected = Object.entries(asText(FILES)).map(([path, text]) => [`box/out/${path}`, text]);
          expect(all).toEqual(Object.fromEntries(expected));
        } else {
          expect(outcome.code).toMatch(/^SNAPSHOT_/);
          expect(all).toEqual({});
        }
      }),
      { numRuns: 400 },
    );
  });

  it('is verified by the same rules without writing anything', async () => {
    const world = new World();
    await world.fs.promises.writeFile('/a.zip', buildZip(honest));
    await world.fs.promises.writeFile('/b.zip', buildZip([...honest, { name: '../evil', data: 'x' }]));
    expect((await world.runner.run(verifyZipTask, { path: '/a.zip' })).clientId).toBe('shop');
    await expect(world.runner.run(verifyZipTask, { path: '/b.zip' })).rejects.toMatchObject({ code: UNSAFE });
    const aborted = { signal: AbortSignal.abort(new Error('stopping')) };
    await expect(world.runner.run(verifyZipTask, { path: '/a.zip' }, aborted)).rejects.toThrow('stopping');
  });

  it('may have its manifest deflated by another tool', async () => {
    const zip = buildZip([manifestEntry(FILES, true), ...honest.slice(1)]);
    expect((await extract(zip)).outcome).toBe('restored');
  });
});
