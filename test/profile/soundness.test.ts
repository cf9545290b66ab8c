import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { appendFile, mkdir, readFile, rename, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.js';
import type { FileSystem } from '../../src/file-system.js';
import { listEssentialFiles } from '../../src/profile/essential-files.js';
import { checkProfile, checkProfileTask } from '../../src/profile/soundness.js';
import { inlineTaskRunner } from '../../src/task.js';
import { failingFileSystem } from '../../src/testing/failing-file-system.js';
import type { SnapshotFile } from '../../src/types.js';
import { readingMeter } from '../support/reading-meter.js';
import { writeBatch, writeEdit, writeLog, writeTable } from './leveldb-writer.js';
import {
  BLOBS,
  flushedLocalStorageFiles,
  INDEXED_DB,
  ITEM_KEY,
  indexedDbFiles,
  LOCAL_STORAGE,
  localStorageFiles,
  loggedInFiles,
  makeProfile,
  newDatabaseEdit,
  SQLITE_DB,
  sqliteFile,
  sqliteProfileFiles,
  writeTree,
} from './profiles.js';

const quick = { fs, depth: 'quick' } as const;
const deep = { fs, depth: 'deep' } as const;
/** A clock on which every wait is over at once. */
const hurried: Clock = {
  now: () => 0,
  monotonic: () => 0,
  setTimeout: (callback) => void queueMicrotask(callback),
  clearTimeout: () => undefined,
};

type Damage = (file: string) => Promise<unknown>;
const deleted: Damage = (file) => rm(file, { recursive: true });
const emptied: Damage = (file) => truncate(file, 0);
const halved: Damage = async (file) => truncate(file, Math.floor((await readFile(file)).length / 2));
const zeroed: Damage = async (file) => writeFile(file, Buffer.alloc((await readFile(file)).length));
const withText =
  (text: string): Damage =>
  (file) =>
    writeFile(file, text);
const zeroedInside: Damage = async (file) => {
  const bytes = await readFile(file);
  await writeFile(file, bytes.fill(0, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 100));
};
const replacedByFile: Damage = async (file) => {
  await rm(file, { recursive: true });
  await writeFile(file, 'no folder');
};

async function referenceOf(profileDir: string): Promise<SnapshotFile[]> {
  const files = await listEssentialFiles(profileDir, { fs });
  return Promise.all(
    files.map(async (file) => ({
      ...file,
      sha256: createHash('sha256')
        .update(await readFile(path.join(profileDir, file.path)))
        .digest('hex'),
    })),
  );
}

describe('a profile that is whole', () => {
  it.each([
    ['with tables in IndexedDB and a fresh Local Storage', loggedInFiles()],
    [
      'with a flushed Local Storage whose log is empty',
      { ...indexedDbFiles(), ...flushedLocalStorageFiles() },
    ],
    ['in the SQLite layout', sqliteProfileFiles()],
    ['with one half in each layout', { ...indexedDbFiles(), 'Default/LocalStorage': sqliteFile(2) }],
  ])('is sound: %s', async (_, files) => {
    const profileDir = await makeProfile(files);
    for (const options of [quick, deep]) {
      const report = await checkProfile(profileDir, options);
      expect(report).toMatchObject({ verdict: 'sound', findings: [] });
    }
  });

  it('counts the essential files only', async () => {
    const profileDir = await makeProfile();
    const files = await listEssentialFiles(profileDir, { fs });
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    expect(await checkProfile(profileDir, quick)).toMatchObject({ files: 9, bytes });
  });

  it.each([1, 3, 6, 8, 40, 3000])(
    'is sound although a kill cut %i bytes off the log in use',
    async (bytes) => {
      const profileDir = await makeProfile();
      const log = path.join(profileDir, INDEXED_DB, '000006.log');
      await truncate(log, (await readFile(log)).length - bytes);
      expect((await checkProfile(profileDir, deep)).verdict).toBe('sound');
    },
  );

  it('is sound although the log in use ends in preallocated zeros', async () => {
    const profileDir = await makeProfile();
    await fs.promises.appendFile(path.join(profileDir, INDEXED_DB, '000006.log'), Buffer.alloc(40_000));
    expect((await checkProfile(profileDir, deep)).verdict).toBe('sound');
  });

  it('is sound although a kill in a compaction left tables that nobody names', async () => {
    const profileDir = await makeProfile();
    await writeTree(profileDir, { [`${INDEXED_DB}/000009.ldb`]: 'half a table' });
    expect((await checkProfile(profileDir, deep)).verdict).toBe('sound');
  });

  it('is left exactly as it was', async () => {
    const profileDir = await makeProfile();
    const state = async () =>
      Promise.all(
        (await listEssentialFiles(profileDir, { fs })).map(async ({ path: file }) => {
          const { size, mtimeMs, ino } = await fs.promises.stat(path.join(profileDir, file));
          return { file, size, mtimeMs, ino };
        }),
      );
    const before = await state();
    await checkProfile(profileDir, deep);
    expect(await state()).toEqual(before);
    expect(fs.readdirSync(profileDir).sort()).toEqual(['Default', 'Local State']);
  });
});

// The list is that of docs/chromium-facts.md F1.8.
describe('every damage that leads to a QR or to a wipe', () => {
  const table: [half: string, file: string, what: string, damage: Damage, finding: RegExp][] = [
    [INDEXED_DB, 'CURRENT', 'deleted', deleted, /CURRENT.*missing/],
    [INDEXED_DB, 'CURRENT', 'empty', emptied, /CURRENT.*empty/],
    [INDEXED_DB, 'CURRENT', 'garbage', withText('\u0000garbage'), /CURRENT.*does not name/],
    [INDEXED_DB, 'CURRENT', 'dangling', withText('MANIFEST-000077\n'), /MANIFEST.*missing/],
    [INDEXED_DB, 'CURRENT', 'without its line end', withText('MANIFEST-000001'), /does not name/],
    [INDEXED_DB, 'MANIFEST-000001', 'deleted', deleted, /MANIFEST.*missing/],
    [INDEXED_DB, 'MANIFEST-000001', 'halved', halved, /lost its newest part|is missing/],
    [INDEXED_DB, 'MANIFEST-000001', 'empty', emptied, /MANIFEST.*empty/],
    [INDEXED_DB, 'MANIFEST-000001', 'zeroed', zeroed, /none of its \d+ bytes/],
    [INDEXED_DB, '000005.ldb', 'deleted (the oldest)', deleted, /000005\.ldb is missing/],
    [INDEXED_DB, '000007.ldb', 'deleted (the newest)', deleted, /000007\.ldb is missing/],
    [INDEXED_DB, '000005.ldb', 'emptied', emptied, /000005\.ldb is empty/],
    [INDEXED_DB, '000007.ldb', 'truncated', halved, /000007\.ldb is \d+ bytes short/],
    [INDEXED_DB, '000006.log', 'zeroed in the middle', zeroedInside, /log is damaged at byte \d+/],
    [INDEXED_DB, '000006.log', 'zeroed', zeroed, /all \d+ bytes of the log are zeros/],
    [INDEXED_DB, '', 'deleted', deleted, /no IndexedDB of WhatsApp Web/],
    [INDEXED_DB, '', 'replaced by a file', replacedByFile, /a file where the folder should be/],
    [LOCAL_STORAGE, 'CURRENT', 'emptied', emptied, /CURRENT.*empty/],
    [LOCAL_STORAGE, 'CURRENT', 'dangling', withText('MANIFEST-000077\n'), /MANIFEST.*missing/],
    [LOCAL_STORAGE, 'MANIFEST-000001', 'deleted', deleted, /MANIFEST.*missing/],
    [LOCAL_STORAGE, 'MANIFEST-000001', 'halved', halved, /none of its \d+ bytes/],
    [LOCAL_STORAGE, 'MANIFEST-000001', 'empty', emptied, /MANIFEST.*empty/],
    [LOCAL_STORAGE, 'MANIFEST-000001', 'zeroed', zeroed, /none of its \d+ bytes/],
    [LOCAL_STORAGE, '000003.log', 'zeroed', zeroed, /all \d+ bytes of the log are zeros/],
    [LOCAL_STORAGE, '000003.log', 'zeroed in the middle', zeroedInside, /log is damaged at byte \d+/],
    [LOCAL_STORAGE, '', 'deleted', deleted, /no Local Storage/],
    [LOCAL_STORAGE, '', 'replaced by a file', replacedByFile, /a file where the folder should be/],
  ];

  it.each(table)('%s/%s %s: corrupt, quick and deep', async (half, file, _what, damage, finding) => {
    const profileDir = await makeProfile();
    await damage(path.join(profileDir, half, file));
    for (const options of [quick, deep]) {
      const report = await checkProfile(profileDir, options);
      expect(report.verdict).toBe('corrupt');
      expect(report.findings.map(({ problem }) => problem).join('\n')).toMatch(finding);
    }
  });

  it.each([
    ['deleted', deleted],
    ['emptied', emptied],
    ['halved', halved],
  ])('the log of a fresh Local Storage %s: suspect, even without a snapshot', async (_, damage) => {
    const profileDir = await makeProfile();
    await damage(path.join(profileDir, LOCAL_STORAGE, '000003.log'));
    const report = await checkProfile(profileDir, quick);
    expect(report.verdict).toBe('suspect');
    expect(report.findings[0]?.problem).toMatch(/holds nothing of WhatsApp Web/);
  });

  it('100 zeroed bytes in a table: told by the deep check', async () => {
    const profileDir = await makeProfile();
    await zeroedInside(path.join(profileDir, INDEXED_DB, '000005.ldb'));
    expect((await checkProfile(profileDir, quick)).verdict).toBe('sound');
    const report = await checkProfile(profileDir, deep);
    expect(report.verdict).toBe('corrupt');
    expect(report.findings[0]).toMatchObject({ file: `${INDEXED_DB}/000005.ldb` });
    expect(report.findings[0]?.problem).toMatch(/checksum/);
  });

  it('a table that is known to be sound is not read again, only its length and its end', async () => {
    const profileDir = await makeProfile();
    const name = `${INDEXED_DB}/000005.ldb`;
    const file = path.join(profileDir, name);
    await zeroedInside(file);
    const soundTables = new Map([[name, '0'.repeat(64)]]);
    expect((await checkProfile(profileDir, { ...deep, soundTables })).verdict).toBe('sound');
    const others = await checkProfile(profileDir, {
      ...deep,
      soundTables: new Map([[`${LOCAL_STORAGE}/000005.ldb`, '0'.repeat(64)]]),
    });
    expect(others.verdict).toBe('corrupt');
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, bytes.length - 1));
    expect((await checkProfile(profileDir, { ...deep, soundTables })).verdict).toBe('corrupt');
  });

  it('the end of a table zeroed: told by the quick check', async () => {
    const profileDir = await makeProfile();
    const file = path.join(profileDir, INDEXED_DB, '000005.ldb');
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(0, bytes.length - 20));
    expect((await checkProfile(profileDir, quick)).findings[0]?.problem).toMatch(
      /end is not that of a table/,
    );
  });

  it('a table that grew: corrupt', async () => {
    const profileDir = await makeProfile();
    await fs.promises.appendFile(path.join(profileDir, INDEXED_DB, '000005.ldb'), 'more');
    expect((await checkProfile(profileDir, quick)).findings[0]?.problem).toMatch(/4 bytes too long/);
  });

  it('a folder in the place of a table: corrupt', async () => {
    const profileDir = await makeProfile();
    await unlink(path.join(profileDir, INDEXED_DB, '000005.ldb'));
    await mkdir(path.join(profileDir, INDEXED_DB, '000005.ldb'));
    expect((await checkProfile(profileDir, quick)).verdict).toBe('corrupt');
  });

  it('the log of IndexedDB deleted: suspect, for Chromium starts but has lost the newest records', async () => {
    const profileDir = await makeProfile();
    await unlink(path.join(profileDir, INDEXED_DB, '000006.log'));
    const report = await checkProfile(profileDir, quick);
    expect(report).toMatchObject({ verdict: 'suspect', findings: [{ file: `${INDEXED_DB}/000006.log` }] });
  });

  it('a MANIFEST cut at a record, whose tables are still there: told by tables it never heard of', async () => {
    const profileDir = await makeProfile();
    await writeTree(profileDir, {
      [`${INDEXED_DB}/MANIFEST-000001`]: writeLog([writeEdit(newDatabaseEdit('idb_cmp1'))]),
    });
    const report = await checkProfile(profileDir, quick);
    expect(report.verdict).toBe('corrupt');
    expect(report.findings[0]?.problem).toMatch(/lost its newest part: 2 tables/);
  });

  it.each([
    ['from a compaction in which a flush came', ['000008.ldb', '000009.ldb'], 10],
    ['from a flush', ['000011.ldb'], 10],
  ])('is sound although a kill has left tables that no MANIFEST names yet, %s', async (_, tables, log) => {
    const profileDir = await makeProfile();
    const folder = path.join(profileDir, INDEXED_DB);
    const edit = writeEdit({ logNumber: log, nextFileNumber: 13, lastSequence: 32 });
    await fs.promises.appendFile(path.join(folder, 'MANIFEST-000001'), writeLog([edit]));
    await rename(path.join(folder, '000006.log'), path.join(folder, `0000${log}.log`));
    for (const table of tables) await writeFile(path.join(folder, table), 'not yet whole');
    expect(await checkProfile(profileDir, deep)).toMatchObject({ verdict: 'sound', findings: [] });
    // Without the log that the MANIFEST names, it may be the MANIFEST that has lost its newest part.
    await unlink(path.join(folder, `0000${log}.log`));
    expect(await checkProfile(profileDir, deep)).toMatchObject({ verdict: 'corrupt' });
  });

  it('CURRENT of a fresh Local Storage deleted: suspect, for Chromium makes it anew from the log', async () => {
    const profileDir = await makeProfile();
    await unlink(path.join(profileDir, LOCAL_STORAGE, 'CURRENT'));
    expect((await checkProfile(profileDir, quick)).verdict).toBe('suspect');
  });

  it('CURRENT of a flushed Local Storage deleted: corrupt, for Chromium would delete the tables', async () => {
    const profileDir = await makeProfile({ ...indexedDbFiles(), ...flushedLocalStorageFiles() });
    await unlink(path.join(profileDir, LOCAL_STORAGE, 'CURRENT'));
    expect((await checkProfile(profileDir, quick)).verdict).toBe('corrupt');
  });

  it('an IndexedDB without a table and a record: corrupt', async () => {
    const profileDir = await makeProfile({
      ...localStorageFiles(),
      [`${INDEXED_DB}/CURRENT`]: 'MANIFEST-000001\n',
      [`${INDEXED_DB}/MANIFEST-000001`]: writeLog([writeEdit(newDatabaseEdit('idb_cmp1'))]),
      [`${INDEXED_DB}/000003.log`]: '',
    });
    expect((await checkProfile(profileDir, quick)).findings[0]?.problem).toBe('the database is empty');
  });

  it.each([
    ['beside its own log', '000008.log', 5, /does not go on where 000006\.log ends/],
    ['beside its own log, of higher numbers', '000008.log', 500, /does not go on where 000006\.log ends/],
    ['in place of its own log', '000006.log', 500, /starts at too high a sequence number/],
    ['in place of its own log, of lower numbers', '000006.log', 3, /ends before what the list of tables/],
  ])('a log of another login %s: suspect, for Chromium replays it', async (_, name, sequence, problem) => {
    const stray = writeLog([writeBatch([['k', 'v']], sequence)]);
    const profileDir = await makeProfile({ ...loggedInFiles(), [`${INDEXED_DB}/${name}`]: stray });
    expect(await checkProfile(profileDir, deep)).toMatchObject({
      verdict: 'suspect',
      findings: [{ file: `${INDEXED_DB}/${name}`, problem: expect.stringMatching(problem) }],
    });
    expect((await checkProfile(profileDir, quick)).verdict).toBe('sound');
  });

  it('is sound with two logs of its own, and with a newer one that is still empty', async () => {
    const profileDir = await makeProfile({
      ...loggedInFiles(),
      [`${INDEXED_DB}/000008.log`]: writeLog([writeBatch([['k', 'v']], 33)]),
      [`${INDEXED_DB}/000009.log`]: '',
    });
    expect(await checkProfile(profileDir, deep)).toMatchObject({ verdict: 'sound', findings: [] });
  });

  it('an older log cut off while a newer one exists: suspect', async () => {
    const profileDir = await makeProfile();
    await halved(path.join(profileDir, INDEXED_DB, '000006.log'));
    await writeTree(profileDir, { [`${INDEXED_DB}/000008.log`]: writeLog([writeBatch([['k', 'v']])]) });
    expect((await checkProfile(profileDir, quick)).findings[0]?.problem).toBe('an older log is cut off');
  });
});

describe('compared with the last snapshot', () => {
  it('an unchanged or grown profile is sound', async () => {
    const profileDir = await makeProfile();
    const reference = await referenceOf(profileDir);
    expect((await checkProfile(profileDir, { ...deep, reference })).verdict).toBe('sound');
    await fs.promises.appendFile(
      path.join(profileDir, LOCAL_STORAGE, '000003.log'),
      writeLog([writeBatch([[ITEM_KEY, 'newer']])]),
    );
    expect((await checkProfile(profileDir, { ...deep, reference })).verdict).toBe('sound');
  });

  it('a log that became a table, a compacted table and a dropped blob are no loss', async () => {
    const profileDir = await makeProfile();
    const reference = await referenceOf(profileDir);
    const merged = writeTable([
      ['a', '1'],
      ['z', '2'],
    ]);
    await writeTree(profileDir, {
      [`${INDEXED_DB}/000010.ldb`]: merged,
      [`${INDEXED_DB}/000009.log`]: '',
      [`${INDEXED_DB}/MANIFEST-000001`]: Buffer.concat([
        await readFile(path.join(profileDir, INDEXED_DB, 'MANIFEST-000001')),
        writeLog([writeEdit(newDatabaseEdit('idb_cmp1'))]).subarray(0, 0),
      ]),
    });
    const manifest = writeLog([
      writeEdit(newDatabaseEdit('idb_cmp1')),
      writeEdit({
        logNumber: 9,
        nextFileNumber: 11,
        lastSequence: 30,
        added: [{ number: 10, size: merged.length }],
      }),
    ]);
    await writeTree(profileDir, {
      [`${INDEXED_DB}/MANIFEST-000008`]: manifest,
      [`${INDEXED_DB}/CURRENT`]: 'MANIFEST-000008\n',
    });
    for (const name of ['MANIFEST-000001', '000005.ldb', '000006.log', '000007.ldb']) {
      await unlink(path.join(profileDir, INDEXED_DB, name));
    }
    await unlink(path.join(profileDir, BLOBS, '1/00/2'));
    expect(await checkProfile(profileDir, { ...deep, reference })).toMatchObject({
      verdict: 'sound',
      findings: [],
    });
  });

  it.each([
    ['a log cut at a record', INDEXED_DB, '000006.log', /bytes shorter than in the last snapshot/],
    [
      'a Local Storage log cut at a record',
      LOCAL_STORAGE,
      '000003.log',
      /bytes shorter than in the last snapshot/,
    ],
  ])('%s is suspect', async (_, half, name, finding) => {
    const profileDir = await makeProfile();
    const file = path.join(profileDir, half, name);
    const original = await readFile(file);
    await fs.promises.appendFile(file, writeLog([writeBatch([['x', 'y']])]));
    const reference = await referenceOf(profileDir);
    await writeFile(file, original);
    const report = await checkProfile(profileDir, { ...quick, reference });
    expect(report.verdict).toBe('suspect');
    expect(report.findings[0]?.problem).toMatch(finding);
  });

  it('a log that is gone though no table replaced it is suspect', async () => {
    const profileDir = await makeProfile();
    await writeTree(profileDir, {
      [`${LOCAL_STORAGE}/000004.log`]: writeLog([writeBatch([[ITEM_KEY, 'z']])]),
    });
    const reference = await referenceOf(profileDir);
    await unlink(path.join(profileDir, LOCAL_STORAGE, '000003.log'));
    const report = await checkProfile(profileDir, { ...quick, reference });
    expect(report.findings[0]?.problem).toMatch(/gone although no table replaced it/);
  });

  it.each([
    ['cut off by a changed length', (bytes: Buffer, at: number) => bytes.writeUInt16LE(0x7000, at + 4)],
    ['zeroed', (bytes: Buffer, at: number) => bytes.fill(0, at)],
    ['another one', (bytes: Buffer, at: number) => writeLog([writeBatch([['x', 'z']])]).copy(bytes, at)],
  ])('a log whose last record is %s is suspect, though a sound log by itself', async (_, damage) => {
    const profileDir = await makeProfile();
    const file = path.join(profileDir, LOCAL_STORAGE, '000003.log');
    const before = (await readFile(file)).length;
    await fs.promises.appendFile(file, writeLog([writeBatch([['x', 'y']])]));
    const reference = await referenceOf(profileDir);
    const bytes = await readFile(file);
    damage(bytes, before);
    await writeFile(file, bytes);
    expect((await checkProfile(profileDir, deep)).verdict).toBe('sound');
    const report = await checkProfile(profileDir, { ...deep, reference });
    expect(report.verdict).toBe('suspect');
    expect(report.findings[0]?.problem).toMatch(/changed, although such a file only grows/);
  });

  it('a table whose bytes changed is suspect: by its size in the quick check, by its hash in the deep one', async () => {
    const profileDir = await makeProfile();
    const reference = (await referenceOf(profileDir)).map((file) =>
      file.path.endsWith('000005.ldb') ? { ...file, sha256: '0'.repeat(64) } : file,
    );
    expect((await checkProfile(profileDir, { ...quick, reference })).verdict).toBe('sound');
    expect((await checkProfile(profileDir, { ...deep, reference })).verdict).toBe('suspect');
    const otherSize = reference.map((file) => (file.path.endsWith('.ldb') ? { ...file, size: 1 } : file));
    expect((await checkProfile(profileDir, { ...quick, reference: otherSize })).verdict).toBe('suspect');
  });

  it('a table that is byte for byte that of the snapshot, which was sound, is read once: for its hash', async () => {
    const profileDir = await makeProfile();
    const reference = await referenceOf(profileDir);
    const name = `${INDEXED_DB}/000005.ldb`;
    const watching = failingFileSystem(fs, { operation: 'handle.read', path: name });
    expect((await checkProfile(profileDir, { ...deep, fs: watching, reference })).verdict).toBe('sound');
    expect(watching.matchingCalls).toBe(2); // the hash, and the end
    await zeroedInside(path.join(profileDir, name));
    const report = await checkProfile(profileDir, { ...deep, reference });
    expect(report.verdict).toBe('corrupt');
    expect(report.findings.map(({ problem }) => problem)).toEqual([
      expect.stringMatching(/checksum/),
      expect.stringMatching(/differ from the last snapshot/),
    ]);
  });

  it('a copy that was hashed while it was written is not read again but for its logs', async () => {
    const profileDir = await makeProfile();
    const right = await referenceOf(profileDir);
    const reference = right.map((file) => ({ ...file, sha256: '0'.repeat(64) }));
    const fresh = { ...deep, reference, isFreshCopy: true };
    expect((await checkProfile(profileDir, fresh)).verdict).toBe('sound');
    // Whoever calls it so has compared every byte with the snapshot, and only what was checked becomes one.
    const table = `${INDEXED_DB}/000005.ldb`;
    await zeroedInside(path.join(profileDir, table));
    expect((await checkProfile(profileDir, { ...fresh, reference: right })).verdict).toBe('sound');
    const withoutIt = right.filter((file) => file.path !== table);
    expect((await checkProfile(profileDir, { ...fresh, reference: withoutIt })).verdict).toBe('corrupt');
    const shorter = right.map((file) => ({ ...file, size: file.size + 1 }));
    expect(
      (await checkProfile(profileDir, { ...fresh, reference: shorter })).findings.length,
    ).toBeGreaterThan(2);
  });

  it('a table that the disk can not give back is damage, no reason to end', async () => {
    const profileDir = await makeProfile();
    const reference = await referenceOf(profileDir);
    const path = `${INDEXED_DB}/000005.ldb`;
    const dying = failingFileSystem(fs, {
      operation: 'handle.read',
      path,
      errno: 'EIO',
      failOn: 1,
      times: 99,
    });
    const report = await checkProfile(profileDir, { ...deep, fs: dying, reference });
    expect(report.verdict).toBe('corrupt');
    expect(report.findings.map(({ problem }) => problem).join()).toMatch(/can't be read from the disk/);
  });

  it('a database that Chromium wiped and began anew is suspect', async () => {
    const profileDir = await makeProfile();
    const reference = await referenceOf(profileDir);
    await rm(path.join(profileDir, INDEXED_DB), { recursive: true });
    await writeTree(profileDir, {
      [`${INDEXED_DB}/CURRENT`]: 'MANIFEST-000001\n',
      [`${INDEXED_DB}/MANIFEST-000001`]: writeLog([writeEdit(newDatabaseEdit('idb_cmp1'))]),
      [`${INDEXED_DB}/000003.log`]: writeLog([writeBatch([['schema', '5']])]),
    });
    const report = await checkProfile(profileDir, { ...quick, reference });
    expect(report.verdict).toBe('suspect');
    expect(report.findings.map(({ problem }) => problem).join()).toMatch(/was recreated/);
  });

  it('a half that lies in another layout now is suspect', async () => {
    const profileDir = await makeProfile();
    const reference = await referenceOf(profileDir);
    await rm(path.join(profileDir, LOCAL_STORAGE), { recursive: true });
    await writeTree(profileDir, { 'Default/LocalStorage': sqliteFile(2) });
    const report = await checkProfile(profileDir, { ...quick, reference });
    expect(report.findings[0]?.problem).toBe('Local Storage of the last snapshot is gone');
  });

  it('a profile that lost all traces of WhatsApp is corrupt, not somebody else’s', async () => {
    const profileDir = await makeProfile();
    const reference = await referenceOf(profileDir);
    await rm(path.join(profileDir, INDEXED_DB), { recursive: true });
    await writeTree(profileDir, localStorageFiles('_https://example.org\0\x01k'));
    await writeTree(profileDir, {
      [`${LOCAL_STORAGE}/000003.log`]: writeLog([writeBatch([['VERSION', '1']])]),
    });
    expect((await checkProfile(profileDir, quick)).verdict).toBe('foreign');
    expect((await checkProfile(profileDir, { ...quick, reference })).verdict).toBe('corrupt');
  });
});

describe('a folder without a login', () => {
  const foreignStorage = {
    [`${LOCAL_STORAGE}/CURRENT`]: 'MANIFEST-000001\n',
    [`${LOCAL_STORAGE}/MANIFEST-000001`]: writeLog([
      writeEdit(newDatabaseEdit('leveldb.BytewiseComparator')),
    ]),
    [`${LOCAL_STORAGE}/000003.log`]: writeLog([writeBatch([['_https://example.org\0\x01k', 'v']])]),
  };

  it.each([
    ['absent', 'an empty folder', {}],
    ['absent', 'caches only', { 'Default/Cache/Cache_Data/index': 'cached' }],
    ['absent', 'a Local Storage nobody wrote to', { ...foreignStorage, [`${LOCAL_STORAGE}/000003.log`]: '' }],
    ['foreign', 'a Local Storage of other sites', foreignStorage],
    [
      'foreign',
      'the IndexedDB of another site',
      { 'Default/IndexedDB/https_example.org_0.indexeddb.leveldb/CURRENT': 'x' },
    ],
    [
      'foreign',
      'a SQLite Local Storage of other sites',
      { 'Default/LocalStorage': sqliteFile(2, 'https://example.org/') },
    ],
    ['corrupt', 'a Local Storage that remembers WhatsApp Web, no IndexedDB', localStorageFiles()],
    ['corrupt', 'the same after a flush', flushedLocalStorageFiles()],
  ])('is %s: %s', async (verdict, _, files) => {
    const profileDir = await makeProfile(files);
    expect((await checkProfile(profileDir, quick)).verdict).toBe(verdict);
  });

  it('is absent when it does not exist', async () => {
    expect(await checkProfile('/nowhere/at/all', quick)).toEqual({
      verdict: 'absent',
      findings: [],
      files: 0,
      bytes: 0,
    });
  });
});

describe('the SQLite layout', () => {
  it.each<[string, string, Uint8Array | string, RegExp]>([
    ['no SQLite database', SQLITE_DB, 'x'.repeat(5000), /not a SQLite database/],
    ['a few bytes', SQLITE_DB, 'SQLite', /too short/],
    [
      'an impossible page size',
      SQLITE_DB,
      sqliteFile(2).fill(0, 16, 18),
      /header of the database is damaged/,
    ],
    ['a cut page', 'Default/LocalStorage', sqliteFile(2).subarray(0, 5000), /middle of a page/],
    ['missing pages', 'Default/LocalStorage', sqliteFile(4).subarray(0, 8192), /8192 bytes short/],
  ])('is corrupt with %s', async (_, file, contents, finding) => {
    const profileDir = await makeProfile({ ...sqliteProfileFiles(), [file]: contents });
    const report = await checkProfile(profileDir, quick);
    expect(report.verdict).toBe('corrupt');
    expect(report.findings[0]?.problem).toMatch(finding);
  });

  it.each<[string, Record<string, Uint8Array | string>]>([
    ['pages of 64 KB', { 'Default/LocalStorage': sqliteFile(1, 'https://web.whatsapp.com/', 65536) }],
    [
      'everything still in the -wal',
      {
        'Default/LocalStorage': '',
        'Default/LocalStorage-wal': `wal ${'https://web.whatsapp.com/'}`,
      },
    ],
    ['a length on its way while a -wal exists', { [SQLITE_DB]: sqliteFile(2).subarray(0, 5000) }],
  ])('is sound with %s', async (_, files) => {
    const profileDir = await makeProfile({ ...sqliteProfileFiles(), ...files });
    expect(await checkProfile(profileDir, quick)).toMatchObject({ verdict: 'sound', findings: [] });
  });

  it('is suspect when Local Storage holds nothing of WhatsApp Web', async () => {
    const profileDir = await makeProfile({
      ...sqliteProfileFiles(),
      'Default/LocalStorage': sqliteFile(2, 'nothing'),
    });
    expect((await checkProfile(profileDir, quick)).verdict).toBe('suspect');
  });

  it('is corrupt when the folder of IndexedDB holds no database, or is a file', async () => {
    const folder = path.dirname(SQLITE_DB);
    const empty = await makeProfile({ 'Default/LocalStorage': sqliteFile(2), [`${folder}/x-shm`]: 'index' });
    expect((await checkProfile(empty, quick)).findings[0]?.problem).toBe('no database is in the folder');
    const file = await makeProfile({ 'Default/LocalStorage': sqliteFile(2), [folder]: 'a file' });
    expect((await checkProfile(file, quick)).verdict).toBe('corrupt');
  });

  it('counts only when it was written last', async () => {
    const profileDir = await makeProfile({
      ...loggedInFiles(),
      'Default/LocalStorage': 'no database at all'.repeat(9),
    });
    const old = new Date(1000);
    await fs.promises.utimes(path.join(profileDir, 'Default/LocalStorage'), old, old);
    expect((await checkProfile(profileDir, quick)).verdict).toBe('sound');
    const soon = new Date(Date.now() + 60_000);
    await fs.promises.utimes(path.join(profileDir, 'Default/LocalStorage'), soon, soon);
    expect((await checkProfile(profileDir, quick)).verdict).toBe('corrupt');
  });
});

describe('a live browser', () => {
  /** Fails the first `times` opens of `name`, as when a compaction deletes a table just then. */
  function vanishing(name: string, times: number): FileSystem {
    let left = times;
    const open: typeof fs.promises.open = async (file, ...rest) => {
      if (String(file).endsWith(name) && left-- > 0)
        throw Object.assign(new Error('gone'), { code: 'ENOENT' });
      return fs.promises.open(file, ...rest);
    };
    return { ...fs, promises: { ...fs.promises, open } };
  }

  it.each(['000005.ldb', '000006.log', 'CURRENT'])('may delete %s between two looks', async (name) => {
    const profileDir = await makeProfile();
    const options = { depth: 'quick', clock: hurried } as const;
    expect((await checkProfile(profileDir, { ...options, fs: vanishing(name, 1), live: true })).verdict).toBe(
      'sound',
    );
    expect((await checkProfile(profileDir, { ...options, fs: vanishing(name, 1) })).verdict).not.toBe(
      'sound',
    );
  });

  it('has each table opened once by quick checks, and again when it has changed', async () => {
    const profileDir = await makeProfile();
    const opened: string[] = [];
    const open: typeof fs.promises.open = async (file, ...rest) => {
      opened.push(path.basename(String(file)));
      return fs.promises.open(file, ...rest);
    };
    const options = {
      fs: { ...fs, promises: { ...fs.promises, open } },
      depth: 'quick',
      clock: hurried,
      live: true,
    } as const;
    const tablesOpened = async () => {
      opened.length = 0;
      const { verdict } = await checkProfile(profileDir, options);
      return { verdict, tables: [...new Set(opened.filter((name) => name.endsWith('.ldb')))].sort() };
    };
    expect(await tablesOpened()).toEqual({ verdict: 'sound', tables: ['000005.ldb', '000007.ldb'] });
    expect(await tablesOpened()).toEqual({ verdict: 'sound', tables: [] });
    const table = path.join(profileDir, INDEXED_DB, '000005.ldb');
    const bytes = await readFile(table);
    await writeFile(table, bytes.fill(0, bytes.length - 8));
    expect(await tablesOpened()).toEqual({ verdict: 'corrupt', tables: ['000005.ldb'] });
    await rm(table);
    expect((await tablesOpened()).verdict).toBe('corrupt');
  });

  it('has of each log read what is new, by quick checks; all of it by others, and where it was damaged', async () => {
    const profileDir = await makeProfile();
    const log = path.join(profileDir, INDEXED_DB, '000006.log');
    const long = writeLog([writeBatch([['long', 'x'.repeat(200_000)]], 100)]);
    await writeFile(log, long);
    const meter = readingMeter(fs);
    const options = { fs: meter.fs, depth: 'quick', clock: hurried, live: true } as const;
    let verdict: string | undefined;
    const readBy = (more: object = {}) =>
      meter.readBy(/\.log$/, async () => {
        verdict = (await checkProfile(profileDir, { ...options, ...more })).verdict;
      });
    const all = await readBy();
    expect(all).toBeGreaterThan(long.length);
    expect(await readBy()).toBe(0);
    expect(verdict).toBe('sound');
    const grown = writeLog([writeBatch([['long', 'x'.repeat(200_000)]], 100), writeBatch([['b', '1']], 101)]);
    await appendFile(log, grown.subarray(long.length));
    expect(await readBy()).toBeLessThan(70_000);
    expect(verdict).toBe('sound');
    expect(await readBy({ live: false })).toBeGreaterThanOrEqual(all);
    expect(await readBy({ depth: 'deep' })).toBeGreaterThanOrEqual(all);
    await writeFile(log, Buffer.from(grown).fill(0, 5000, 6000));
    expect(await readBy()).toBeGreaterThanOrEqual(all);
    expect(verdict).toBe('corrupt');
  });

  it('is opened all the same where nobody uses the profile', async () => {
    const profileDir = await makeProfile();
    const options = { depth: 'quick', clock: hurried } as const;
    await checkProfile(profileDir, { ...options, fs, live: true });
    const blocked = vanishing('000005.ldb', 1e9);
    expect((await checkProfile(profileDir, { ...options, fs: blocked })).verdict).toBe('corrupt');
  });

  it('is called corrupt after a bounded number of looks', async () => {
    const profileDir = await makeProfile();
    const report = await checkProfile(profileDir, {
      fs: vanishing('5.ldb', 1e9),
      depth: 'quick',
      clock: hurried,
      live: true,
    });
    expect(report.verdict).toBe('corrupt');
  });
});

describe('the check as a task', () => {
  it('gives the same answer, and stops when it is aborted', async () => {
    const profileDir = await makeProfile();
    const runner = inlineTaskRunner(fs);
    const input = structuredClone({
      profileDir,
      depth: 'deep' as const,
      reference: await referenceOf(profileDir),
    });
    expect((await runner.run(checkProfileTask, input)).verdict).toBe('sound');
    const aborted = runner.run(checkProfileTask, input, { signal: AbortSignal.abort(new Error('enough')) });
    await expect(aborted).rejects.toThrow('enough');
  });

  it('passes on what is no damage, such as a folder that may not be read', async () => {
    const profileDir = await makeProfile();
    const open = async () => Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' }));
    const denied: FileSystem = { ...fs, promises: { ...fs.promises, open } };
    await expect(checkProfile(profileDir, { fs: denied, depth: 'quick' })).rejects.toThrow('denied');
  });
});

describe('a large log', () => {
  it('is left to the deep check', async () => {
    const profileDir = await makeProfile({ ...indexedDbFiles(), ...localStorageFiles() });
    const log = path.join(profileDir, INDEXED_DB, '000006.log');
    const piece = await readFile(log);
    await rename(log, `${log}.gone`);
    await writeFile(log, Buffer.concat([Buffer.alloc(5 * 1024 * 1024, 1), piece]));
    expect((await checkProfile(profileDir, quick)).verdict).toBe('sound');
    expect((await checkProfile(profileDir, deep)).verdict).toBe('corrupt');
  });
});
