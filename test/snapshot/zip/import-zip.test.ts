import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/snapshot/manifest/limits.js';
import { importZipTask } from '../../../src/snapshot/zip/import-zip.js';
import { expectRefused, LOGIN, UNPACKED, unpack } from '../support/unpack-zip.js';
import { LEVELDB, World } from '../support/world.js';
import { buildZip, type EvilEnd, type EvilEntry } from '../support/zip-builder.js';

const CURRENT = `${LEVELDB}/CURRENT`;
const TABLE = `${LEVELDB}/000005.ldb`;

/** As RemoteAuth makes it: everything deflated, an entry for each folder, no manifest. */
const honest: readonly EvilEntry[] = [
  { name: 'Default/', mode: 0o40755, dosAttributes: 0x10 },
  { name: 'Default/IndexedDB/', mode: 0o40755 },
  ...Object.entries(LOGIN).map(([name, data]) => ({ name, data, deflate: true })),
];

const UNSAFE = 'SNAPSHOT_UNSAFE';
const CORRUPT = 'SNAPSHOT_CORRUPT';
describe("somebody else's zip of a profile", () => {
  it('is unpacked when it is honest, folders and all', async () => {
    expect(await unpack(buildZip(honest))).toEqual({ outcome: 'unpacked', all: UNPACKED });
  });

  it('gives what is essential only', async () => {
    const more = [
      { name: 'Default/Cookies', data: 'secret' },
      { name: `${LEVELDB}/LOCK`, data: '' },
    ];
    expect(await unpack(buildZip([...honest, ...more]))).toEqual({ outcome: 'unpacked', all: UNPACKED });
  });

  it('is refused when nothing in it is a login', async () => {
    await expectRefused(buildZip([{ name: 'session-shop/Default/x', data: 'x' }]), CORRUPT, 'holds no login');
    await expectRefused(buildZip([]), CORRUPT, 'holds no login');
  });

  it.each([
    '/etc/cron.d/evil',
    '../evil',
    `${LEVELDB}/../../../../evil`,
    'Default\\..\\evil',
    'C:/evil',
    `${LEVELDB}/nul`,
    `${LEVELDB}/evil\0.ldb`,
    'Default//evil',
    'Default/folder/',
    '',
  ])('is refused for the entry name %j', async (name) => {
    await expectRefused(buildZip([...honest, { name, data: 'x' }]), UNSAFE, /unsafe entry|has no name/);
  });

  it.each(['../evil/', '/evil/', 'Default/../../evil/', 'C:/'])(
    'is refused for the folder name %j',
    async (name) => {
      await expectRefused(buildZip([...honest, { name, mode: 0o40755 }]), UNSAFE, 'unsafe entry');
    },
  );

  it.each([
    ['a symbolic link', { mode: 0o120777 }],
    ['a folder that is none by its name', { mode: 0o040755 }],
    ['a device', { mode: 0o020600 }],
    ['encryption', { flags: 1 }],
    ['an unknown compression', { method: 12 }],
  ])('is refused for %s', async (_what, lie) => {
    await expectRefused(
      buildZip([...honest, { name: `${LEVELDB}/evil`, data: '/etc/passwd', ...lie }]),
      UNSAFE,
      /evil" (is not a plain file|is encrypted|has the unknown compression)/,
    );
  });

  it('is refused for a folder that hides bytes', async () => {
    const hidden = { name: 'Default/folder/', data: 'hidden', mode: 0o40755 };
    await expectRefused(buildZip([...honest, hidden]), UNSAFE, /folder\/" is not a plain file/);
  });

  it.each([
    ['twice the same', CURRENT],
    ['another case', CURRENT.toLowerCase()],
    ['a file as a folder', `${CURRENT}/x`],
  ])('is refused for names that meet: %s', async (_what, name) => {
    const zip = buildZip([...honest, { name, data: 'x' }]);
    await expectRefused(zip, UNSAFE, /duplicate|differs|folder at once/);
  });

  it('is refused, before anything is unpacked, when it declares more than is accepted', async () => {
    const zip = buildZip(honest);
    await expectRefused(zip, UNSAFE, '000005.ldb', { ...DEFAULT_LIMITS, maxFileBytes: 300 });
    await expectRefused(zip, UNSAFE, 'more bytes', { ...DEFAULT_LIMITS, maxTotalBytes: 405 });
    await expectRefused(zip, UNSAFE, /claims 5 entries/, { ...DEFAULT_LIMITS, maxFiles: 1 });
    const tight = { ...DEFAULT_LIMITS, freeExpansionBytes: 100, maxExpansionRatio: 0.1 };
    await expectRefused(zip, UNSAFE, /far more/, tight);
  });

  it('is not believed when it declares less, or more, than it holds', async () => {
    const bomb = { name: TABLE, data: Buffer.alloc(50_000_000), deflate: true, size: 100 };
    await expectRefused(buildZip([bomb]), CORRUPT, /000005.ldb" unpacks to more bytes than it declares/);
    const less = { name: TABLE, data: 'x'.repeat(50), deflate: true, size: 100 };
    await expectRefused(buildZip([less]), CORRUPT, /000005.ldb" unpacks to fewer bytes than it declares/);
  });

  it('is refused when a byte is another than its CRC says', async () => {
    const zip = buildZip([{ name: TABLE, data: 'T'.repeat(400) }]);
    const at = zip.indexOf('TTTT');
    zip[at] = 0x55;
    await expectRefused(zip, CORRUPT, /000005.ldb" is damaged: its CRC/);
  });

  it('is refused when local header and directory disagree about a name', async () => {
    const two = { name: TABLE, localName: `../${TABLE.slice(3)}`, data: 'x' };
    await expectRefused(buildZip([two]), CORRUPT, 'damaged header');
  });

  it.each<[string, EvilEnd]>([
    ['too many entries', { count: 65_535 }],
    ['too few entries', { count: 1 }],
    ['another place', { offset: 7 }],
    ['several disks', { disk: 1 }],
  ])('is refused for an end record with %s', async (_what, end) => {
    const { outcome, all } = await unpack(buildZip(honest, end));
    expect(outcome).toMatchObject({ code: expect.stringMatching(/SNAPSHOT_/) as string });
    expect(all).toEqual({});
  });

  it('is refused when it is empty or cut off anywhere', async () => {
    const zip = buildZip(honest);
    for (let length = 0; length < zip.length; length += 13) {
      await expectRefused(zip.subarray(0, length), CORRUPT, /cut off|damaged/);
    }
  });

  it('stops when it is asked to', async () => {
    const world = new World();
    await world.fs.promises.writeFile('/a.zip', buildZip(honest));
    const input = { path: '/a.zip', directory: '/out' };
    const aborted = { signal: AbortSignal.abort(new Error('stopping')) };
    await expect(world.runner.run(importZipTask, input, aborted)).rejects.toThrow('stopping');
    expect(await world.read('/out')).toBeUndefined();
  });

  it('never writes other bytes, or elsewhere, however it is mangled (fuzz)', async () => {
    const zip = buildZip(honest);
    const mangling = fc.record({
      edits: fc.array(fc.tuple(fc.nat(zip.length - 1), fc.nat(255)), { maxLength: 6 }),
      cut: fc.option(fc.nat(zip.length), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(mangling, async ({ edits, cut }) => {
        const bytes = Buffer.from(zip);
        for (const [offset, value] of edits) bytes[offset] = value;
        const { outcome, all } = await unpack(bytes.subarray(0, cut));
        if (outcome !== 'unpacked') {
          expect(outcome.code).toMatch(/^SNAPSHOT_/);
          expect(all).toEqual({});
          return;
        }
        // Without a manifest a renamed file is only missing: what is there has its own bytes, in its own folder.
        for (const [path, text] of Object.entries(all)) {
          expect(path).toMatch(/^box\/out\/Default\//);
          expect(Object.values(UNPACKED)).toContain(text);
        }
      }),
      { numRuns: 300 },
    );
  });
});
