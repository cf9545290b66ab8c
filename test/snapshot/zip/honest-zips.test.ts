import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildManifest, serializeManifest } from '../../../src/snapshot/manifest/manifest.js';
import { importZipTask } from '../../../src/snapshot/zip/import-zip.js';
import { sha256 } from '../support/local-store.js';
import { expectRefused, LOGIN, UNPACKED, unpack } from '../support/unpack-zip.js';
import { LEVELDB, World } from '../support/world.js';
import { buildZip, type EvilEntry } from '../support/zip-builder.js';

const taken = { outcome: 'unpacked', all: UNPACKED };
const FIXTURES = new URL('./fixtures/', import.meta.url);

/**
 * Zips of the login in `LOGIN`, made by archiver 7.0.1 and 8.0.0, jszip 3.10.2, yazl 3.3.1, adm-zip 0.6.1, fflate 0.8.3,
 * zip.js 2.24.0, bsdtar 3.6.2 and jar 17: with a comment, as a stream, with 64-bit records forced, below a folder.
 */
describe('a zip made by', () => {
  it.each(readdirSync(FIXTURES))('%s is taken', async (name) => {
    expect(await unpack(readFileSync(new URL(name, FIXTURES)))).toEqual(taken);
  });
});

/** Where a tool is missing its tests are skipped, and said so; never where everything must be there. */
function needs(tool: string, ...probe: readonly string[]): (name: string, work: () => Promise<void>) => void {
  if (spawnSync(tool, probe, { stdio: 'ignore' }).error === undefined) return it;
  if (process.env.CI) {
    return (name) =>
      it(name, () => {
        throw new Error(`${tool} is missing: .ci/run must install it`);
      });
  }
  console.warn(`${tool} is missing: what it makes is not tested`);
  return (name) => it.skip(`${name} (${tool} is missing)`, () => undefined);
}

describe('a zip made here by', () => {
  let folder = '';
  const profile = () => join(folder, 'session-shop');
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'honest-zips-'));
    const files = {
      ...LOGIN,
      'Default/Cookies': 'none of ours',
      'Default/IndexedDB/ملف': 'x',
      'First Run': '',
    };
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(profile(), dirname(path)), { recursive: true });
      writeFileSync(join(profile(), path), content);
    }
    symlinkSync('host-1234', join(profile(), 'SingletonLock')); // as a running Chromium leaves it
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const made = (name = 'made.zip') => {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    rmSync(path);
    return bytes;
  };
  const run = (cwd: string, tool: string, ...args: readonly string[]) =>
    execFileSync(tool, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 });

  const zipIt = needs('zip', '-h');
  zipIt('zip -r of the content', async () => {
    run(profile(), 'zip', '-qr', '../made.zip', '.');
    expect(await unpack(made())).toEqual(taken);
  });
  zipIt('zip -ry of the folder, links and all', async () => {
    run(folder, 'zip', '-qry', 'made.zip', 'session-shop');
    expect(await unpack(made())).toEqual(taken);
  });
  zipIt('zip with the whole path', async () => {
    run('/', 'zip', '-qr', join(folder, 'made.zip'), profile());
    expect(await unpack(made())).toEqual(taken);
  });
  zipIt('zip into a pipe, and with 64-bit records, stored', async () => {
    expect(await unpack(run(profile(), 'zip', '-qr', '-', 'Default'))).toEqual(taken);
    run(profile(), 'zip', '-qr0', '-fz', '../made.zip', 'Default');
    expect(await unpack(made())).toEqual(taken);
  });
  zipIt('zip with a comment, in front of it a program', async () => {
    run(profile(), 'zip', '-qr', '../made.zip', 'Default');
    execFileSync('zip', ['-qz', 'made.zip'], { cwd: folder, input: 'the login of the shop\n' });
    const zip = made();
    expect(zip.includes('the login of the shop')).toBe(true);
    expect(await unpack(zip)).toEqual(taken);
    expect(await unpack(Buffer.concat([Buffer.alloc(9000, 'program'), zip]))).toEqual(taken);
  });
  zipIt('zip in parts, or with a password, is refused for what it is', async () => {
    run(profile(), 'zip', '-qr', '-P', 'x', '../made.zip', 'Default');
    await expectRefused(made(), 'SNAPSHOT_UNSAFE', /is encrypted: only a zip without a password/);
    const large = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * at * 7919) >>> 5));
    writeFileSync(join(folder, 'large'), large);
    run(folder, 'zip', '-q0', '-s', '64k', 'made.zip', 'large');
    await expectRefused(made(), 'SNAPSHOT_UNSAFE', 'is one part of several: join them');
    for (const part of readdirSync(folder).filter((name) => name.startsWith('made.z'))) made(part);
  });

  const sevenZip = needs('7z');
  sevenZip('7z of the content, and of the folder', async () => {
    run(profile(), '7z', 'a', '-tzip', '../made.zip', '.');
    expect(await unpack(made())).toEqual(taken);
    run(folder, '7z', 'a', '-tzip', 'made.zip', 'session-shop');
    expect(await unpack(made())).toEqual(taken);
  });
  sevenZip('7z with another compression, or a password, is refused for what it is', async () => {
    run(profile(), '7z', 'a', '-tzip', '-mm=LZMA', '../made.zip', 'Default');
    await expectRefused(made(), 'SNAPSHOT_UNSAFE', /unknown compression 14: only stored and deflated/);
    run(profile(), '7z', 'a', '-tzip', '-px', '-mem=AES256', '../made.zip', 'Default');
    await expectRefused(made(), 'SNAPSHOT_UNSAFE', /is encrypted/);
  });

  const PYTHON = `
import os, sys, zipfile
source, target, how = sys.argv[1:]
class Pipe:
    def __init__(self, file): self.file = file
    def write(self, data): return self.file.write(data)
    def flush(self): self.file.flush()
out = Pipe(open(target, 'wb')) if how == 'stream' else target
with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as made:
    for folder, _, names in os.walk(source):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path): continue
            info = zipfile.ZipInfo(os.path.relpath(path, source))
            if how == 'windows': info.create_system, info.filename = 0, info.filename.replace('/', '\\\\')
            if how == 'dot': info.filename = './' + info.filename
            with made.open(info, 'w', force_zip64=how == 'zip64') as entry: entry.write(open(path, 'rb').read())
    if how == 'comment': made.comment = b'x' * 65535
`;
  const pythonIt = needs('python3', '--version');
  for (const how of ['plain', 'stream', 'zip64', 'dot', 'windows', 'comment']) {
    pythonIt(`zipfile of Python: ${how}`, async () => {
      run(folder, 'python3', '-c', PYTHON, profile(), join(folder, 'made.zip'), how);
      expect(await unpack(made())).toEqual(taken);
    });
  }
});

const files: readonly EvilEntry[] = Object.entries(LOGIN).map(([name, data]) => ({
  name,
  data,
  deflate: true,
}));
const below = (folder: string, entries = files) =>
  entries.map((entry) => ({ ...entry, name: `${folder}${String(entry.name)}` }));

describe('a zip as', () => {
  it.each<[string, Buffer]>([
    [
      'the Archive Utility of macOS makes it',
      buildZip([
        { name: 'session-shop/', mode: 0o40755 },
        ...below('session-shop/').map((entry) => ({
          ...entry,
          streamed: true,
          localExtra: Buffer.from('UX\0\0'),
        })),
        { name: 'session-shop/SingletonLock', data: 'host-1234', mode: 0o120755 },
        { name: 'session-shop/.DS_Store', data: 'x', streamed: true },
        { name: '__MACOSX/session-shop/._.DS_Store', data: 'x', streamed: true },
        { name: `__MACOSX/session-shop/${LEVELDB}/._000005.ldb`, data: 'x', streamed: true },
        { name: `session-shop/${LEVELDB}/._CURRENT`, data: 'x' },
        { name: `session-shop/${LEVELDB}/.DS_Store`, data: 'x' },
      ]),
    ],
    [
      'the Explorer of Windows makes it',
      buildZip(
        [
          ...below('session-shop/'),
          { name: Buffer.from('session-shop/Z\xfcrich.txt', 'latin1'), data: 'x' },
        ].map((entry) => ({ ...entry, madeBy: 0, mode: 0, dosAttributes: 0x20 })),
      ),
    ],
    [
      'PowerShell 5 makes it',
      buildZip(
        [{ name: 'session-shop/Default/' }, ...below('session-shop/')].map((entry) => ({
          ...entry,
          ...{ name: String(entry.name).replaceAll('/', '\\'), madeBy: 0, mode: 0 },
        })),
      ),
    ],
    ['a tool with ./ in front makes it', buildZip([{ name: './', mode: 0o40755 }, ...below('././')])],
    ['a tool with names of Unix makes it', buildZip(below('backup 2026-11-29 20:16? "shop"/'))],
    [
      'a zip of a whole bot, with links and names that are none elsewhere',
      buildZip([
        ...below('bot/.wwebjs_auth/session/'),
        { name: 'bot/node_modules/.bin/tsc', data: '../typescript/bin/tsc', mode: 0o120777 },
        { name: 'bot/a:b', data: 'x' },
        { name: 'bot/aux', data: 'x' },
      ]),
    ],
    [
      '64 bits wherever there is room for them',
      buildZip(
        files.map((entry) => ({ ...entry, zip64: true })),
        { zip64: {} },
      ),
    ],
    ['64-bit sizes, a small end', buildZip(files.map((entry) => ({ ...entry, zip64: true })))],
    ['64-bit records that repeat the small one', buildZip(files, { zip64: {}, count: 3 })],
    ['64-bit records behind a program', buildZip(files, { zip64: {}, prefix: Buffer.alloc(777, 'MZ') })],
    ['a directory in another order', buildZip(files, { order: (records) => [...records].reverse() })],
    ['a comment', buildZip(files, { comment: Buffer.from('the shop') })],
    ['the longest comment', buildZip(files, { comment: Buffer.alloc(65_535, 'c') })],
    ['a comment, and padding', buildZip(files, { comment: Buffer.from('x'), padding: Buffer.alloc(4096) })],
    ['padding to the end of a block', buildZip(files, { padding: Buffer.alloc(64 * 1024) })],
    ['a line end behind it', buildZip(files, { padding: Buffer.from('\r\n') })],
    ['a program in front of it', buildZip(files, { prefix: Buffer.alloc(100_000, 'MZ') })],
    [
      'comments and extra fields of its entries',
      buildZip(
        files.map((entry) => ({
          ...entry,
          comment: Buffer.from('mine'),
          extra: Buffer.from('UT\x05\0\x03abcd'),
        })),
      ),
    ],
  ])('%s is taken', async (_what, zip) => {
    expect(await unpack(zip)).toEqual(taken);
  });

  it('a backup of our own that was unpacked and zipped again is compared with its manifest', async () => {
    const list = Object.entries(LOGIN).map(([path, content]) => ({
      ...{ path, size: Buffer.byteLength(content), sha256: sha256(content) },
    }));
    const manifest = {
      name: 'manifest.json',
      data: serializeManifest(buildManifest('backup', new World().context(), list)),
    };
    const again = (entries: readonly EvilEntry[]) =>
      buildZip([
        ...below('shop_run3/', [...entries, manifest]),
        { name: '__MACOSX/shop_run3/._x', data: 'x' },
      ]);
    const world = new World();
    await world.fs.promises.writeFile('/a.zip', again(files));
    const { manifest: found } = await world.runner.run(importZipTask, {
      path: '/a.zip',
      directory: '/box/out',
    });
    expect(found).toMatchObject({ clientId: 'shop', lineage: 'lineage-1' });
    expect(await world.read('/box')).toEqual(
      Object.fromEntries(Object.entries(UNPACKED).map(([path, text]) => [path.replace('box/', ''), text])),
    );
    const other = files.map((entry) =>
      entry.name.includes('CURRENT') ? { ...entry, data: 'MANIFEST-000002\n' } : entry,
    );
    await expectRefused(again(other), 'SNAPSHOT_CORRUPT', /CURRENT.*SHA-256/);
    await expectRefused(again(files.slice(1)), 'SNAPSHOT_CORRUPT', /CURRENT" is missing/);
  });
});

describe('what no honest tool makes of one profile is refused as before', () => {
  it.each<[string, string | RegExp, Buffer]>([
    [
      'two profiles',
      /holds 2 profiles, below "a", "b": make a zip of one/,
      buildZip([...below('a/'), ...below('b/')]),
    ],
    ['a folder above the folder', /"\.\.\/Default.*\.\. as a name/, buildZip(below('../'))],
    ['an absolute folder', 'it is absolute', buildZip(below('/session/'))],
    ['a ./ that hides an absolute name', 'it is absolute', buildZip(below('.//'))],
    ['a drive', 'it names a drive', buildZip(below('C:/session/'))],
    [
      'names of Windows from another system',
      'the character \\',
      buildZip([...files, { name: 'x\\..\\y', data: '' }]),
    ],
    [
      'a way out in names of Windows',
      '.. as a name',
      buildZip([...files, { name: '..\\evil', madeBy: 0, data: '' }]),
    ],
    [
      'a way out beside the profile',
      '.. as a name',
      buildZip([...below('s/'), { name: 's/../../evil', data: '' }]),
    ],
    [
      'a link in the profile',
      'not a plain file',
      buildZip([...below('s/'), { name: `s/${LEVELDB}/x`, mode: 0o120777 }]),
    ],
    [
      'a link as its folder',
      'not a plain file',
      buildZip([...below('s/'), { name: 's/Default', mode: 0o120777 }]),
    ],
    [
      'names that differ by ./ only',
      'duplicate',
      buildZip([...files, { name: `./${LEVELDB}/CURRENT`, data: 'MANIFEST-000009\n' }]),
    ],
    ['a comment that holds a zip', 'two directories', buildZip(files, { comment: buildZip(files) })],
    [
      'padding that holds a zip',
      'two directories',
      buildZip(files, { padding: Buffer.concat([buildZip(files), Buffer.from('x')]) }),
    ],
    ['a part of several', 'one part of several', buildZip(files, { disk: 2 })],
    ['a larger directory than 64 bits can say', 'claims', buildZip(files, { zip64: { count: 2 ** 53 } })],
    [
      'encryption',
      /is encrypted: only a zip without a password/,
      buildZip(files.map((entry) => ({ ...entry, flags: 1 }))),
    ],
    ['a patch', 'is a patch', buildZip(files.map((entry) => ({ ...entry, flags: 0x20 })))],
  ])('%s', async (_what, named, zip) => {
    await expectRefused(zip, 'SNAPSHOT_UNSAFE', named);
  });

  it.each<[string, string | RegExp, Buffer]>([
    ['two end records that disagree', 'disagree', buildZip(files, { zip64: {}, count: 2 })],
    [
      'a 64-bit record that points past the end',
      'not where',
      buildZip(files, { zip64: { offset: 2 ** 40 } }),
    ],
    ['a 64-bit size beyond the zip', /damaged|not where/, buildZip(files, { zip64: { size: 4000 } })],
    ['no zip at all', 'this is no zip', Buffer.from('<html>no such page</html>')],
    ['nothing', 'this is no zip', Buffer.alloc(0)],
    ['the first half of one', 'the zip is cut off', buildZip(files).subarray(0, 300)],
    ['more padding than anybody adds', 'cut off', buildZip(files, { padding: Buffer.alloc(300_000) })],
  ])('%s', async (_what, named, zip) => {
    await expectRefused(zip, 'SNAPSHOT_CORRUPT', named);
  });
});

describe('a zip of any of these shapes, mangled', () => {
  it('gives its own bytes in its own folder, or nothing (fuzz)', async () => {
    const shapes = [
      buildZip(
        below('session-shop/').map((entry) => ({ ...entry, streamed: true })),
        { comment: Buffer.from('a comment') },
      ),
      buildZip(
        files.map((entry) => ({ ...entry, zip64: true })),
        { zip64: {}, prefix: Buffer.alloc(50, 'MZ') },
      ),
      buildZip(below('./'), { padding: Buffer.alloc(40) }),
    ];
    const mangling = fc.record({
      shape: fc.nat(shapes.length - 1),
      // Counted from the end as well: the records there steer everything.
      edits: fc.array(fc.tuple(fc.boolean(), fc.nat(1500), fc.nat(255)), { maxLength: 5 }),
      cut: fc.option(fc.nat(1500), { nil: undefined }),
      insert: fc.option(fc.tuple(fc.nat(1500), fc.uint8Array({ maxLength: 40 })), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(mangling, async ({ shape, edits, cut, insert }) => {
        let zip = Buffer.from(shapes[shape] ?? []);
        for (const [fromEnd, at, value] of edits) {
          const place = at % zip.length;
          zip[fromEnd ? zip.length - 1 - (place % 200) : place] = value;
        }
        if (insert !== undefined) {
          zip = Buffer.concat([zip.subarray(0, insert[0]), insert[1], zip.subarray(insert[0])]);
        }
        const { outcome, all } = await unpack(zip.subarray(0, cut));
        if (outcome !== 'unpacked') expect(outcome.code).toMatch(/^SNAPSHOT_/);
        if (outcome !== 'unpacked') expect(all).toEqual({});
        for (const [path, text] of Object.entries(all)) {
          expect(path).toMatch(/^box\/out\/Default\//);
          expect(Object.values(UNPACKED)).toContain(text);
        }
      }),
      { numRuns: 600 },
    );
  });
});
