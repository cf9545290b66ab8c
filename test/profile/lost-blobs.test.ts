import fs from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkProfile } from '../../src/profile/soundness.js';
import { failingFileSystem } from '../../src/testing/failing-file-system.js';
import { blobEntry, blobEntryKey, recordKey } from './indexed-db-writer.js';
import { type WrittenEntry, writeBatch, writeEdit, writeLog, writeTable } from './leveldb-writer.js';
import {
  BLOBS,
  INDEXED_DB,
  localStorageFiles,
  makeProfile,
  newDatabaseEdit,
  type ProfileFiles,
  sqliteProfileFiles,
} from './profiles.js';

const BLOB = `${BLOBS}/1/00/2`;
const deep = { fs, depth: 'deep' } as const;

interface Contents {
  /** Oldest first: the changes of each have the numbers 1, 2, ... */
  readonly tables?: readonly (readonly WrittenEntry[])[];
  readonly log?: readonly WrittenEntry[];
}

const LOG_STARTS_AT = 100;

/** A profile whose IndexedDB holds these entries; blob 2 lies beside it. */
function profileOf({ tables = [], log = [] }: Contents): Promise<string> {
  const written = tables.map((entries, index) => ({
    number: 10 + index,
    bytes: writeTable(entries, { sequence: index + 1 }),
  }));
  const manifest = writeLog([
    writeEdit(newDatabaseEdit('idb_cmp1')),
    writeEdit({
      logNumber: 6,
      nextFileNumber: 20,
      lastSequence: LOG_STARTS_AT - 1,
      // The newest first: what counts is the number of a change, not where it is found.
      added: written.map(({ number, bytes }) => ({ number, size: bytes.length })).reverse(),
    }),
  ]);
  const files: ProfileFiles = {
    ...localStorageFiles(),
    [`${INDEXED_DB}/CURRENT`]: 'MANIFEST-000001\n',
    [`${INDEXED_DB}/MANIFEST-000001`]: manifest,
    [`${INDEXED_DB}/000006.log`]: writeLog(log.map((entry, n) => writeBatch([entry], LOG_STARTS_AT + n))),
    [BLOB]: 'a large value',
  };
  for (const { number, bytes } of written) files[`${INDEXED_DB}/0000${number}.ldb`] = bytes;
  return makeProfile(files);
}

/** What is told when the blob has gone that the profile had. */
async function toldOfItsLoss(profileDir: string, blobs: readonly string[] = [BLOB]) {
  await rm(path.join(profileDir, BLOBS), { recursive: true });
  return checkProfile(profileDir, { ...deep, blobs });
}

const LOST = {
  verdict: 'suspect',
  findings: [{ file: BLOB, problem: 'this large value (blob) is gone, and the database still names it' }],
};
const SOUND = { verdict: 'sound', findings: [] };
const named = blobEntry('a record', [{ number: 2 }]);
const namedElsewise = blobEntry('a record', [{ number: 3 }]);
const deleted: WrittenEntry = [blobEntryKey('a record')];
const some: WrittenEntry = [recordKey('a record'), 'a small value'];

describe('a blob that is gone', () => {
  it.each<[string, Contents]>([
    ['a log', { log: [some, named] }],
    ['a table', { tables: [[some, named]] }],
    ['a table, at its end', { tables: [[some, some, some, named]] }],
    ['a table, whose log deletes another', { tables: [[named]], log: [[blobEntryKey('another')]] }],
    ['a log, after a table that deletes it', { tables: [[deleted]], log: [named] }],
    ['the newest of two tables', { tables: [[namedElsewise], [named]] }],
    ['the log, beside others', { log: [blobEntry('a record', [{ number: 9 }, { number: 2 }])] }],
  ])('is lost when it is named in %s', async (_, contents) => {
    expect(await toldOfItsLoss(await profileOf(contents))).toMatchObject(LOST);
  });

  it.each<[string, Contents]>([
    ['nothing names it', { log: [some] }],
    ['its record was deleted', { tables: [[named]], log: [deleted] }],
    ['its record was deleted in a later table', { tables: [[named], [deleted]] }],
    ['its record has another one now', { tables: [[named]], log: [namedElsewise] }],
    ['its record has another one in a later table', { tables: [[named], [namedElsewise]] }],
    ['it is of another database', { log: [blobEntry('a record', [{ number: 2 }], { database: 2 })] }],
    ['the names are of an unknown form', { log: [named, [blobEntryKey('another'), '\x09?']] }],
  ])('is no loss when %s', async (_, contents) => {
    expect(await toldOfItsLoss(await profileOf(contents))).toMatchObject(SOUND);
  });

  it('is told by the last snapshot, too', async () => {
    const profileDir = await profileOf({ log: [named] });
    const reference = [{ path: BLOB, size: 13, sha256: 'f'.repeat(64) }];
    await rm(path.join(profileDir, BLOBS), { recursive: true });
    expect(await checkProfile(profileDir, { ...deep, reference })).toMatchObject(LOST);
    expect(await checkProfile(profileDir, { ...deep, depth: 'quick', reference })).toMatchObject(SOUND);
  });

  it('is nothing new when the profile never had it: no restore would bring it back', async () => {
    const profileDir = await profileOf({ log: [named] });
    expect(await toldOfItsLoss(profileDir, [])).toMatchObject(SOUND);
  });

  it('is not asked for while it is there', async () => {
    const profileDir = await profileOf({ tables: [[some, named]] });
    const watching = failingFileSystem(fs);
    await checkProfile(profileDir, { ...deep, fs: watching });
    const before = watching.calls.length;
    await checkProfile(profileDir, { ...deep, fs: watching, blobs: [BLOB] });
    expect(watching.calls.length).toBe(before * 2);
  });

  it('leaves the damage of the database to be told alone', async () => {
    const profileDir = await profileOf({ tables: [[some, named]] });
    await rm(path.join(profileDir, INDEXED_DB, '000010.ldb'));
    const { verdict, findings } = await toldOfItsLoss(profileDir);
    expect(verdict).toBe('corrupt');
    expect(findings.map(({ file }) => file)).toEqual([`${INDEXED_DB}/000010.ldb`]);
  });

  it('does not matter where IndexedDB is SQLite: blobs are in the database then', async () => {
    const profileDir = await makeProfile(sqliteProfileFiles());
    expect((await checkProfile(profileDir, { ...deep, blobs: [BLOB] })).verdict).toBe('sound');
  });
});
