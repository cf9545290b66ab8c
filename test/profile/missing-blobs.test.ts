import fs from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { missingBlobsTask } from '../../src/profile/missing-blobs.js';
import { readBlobNames } from '../../src/profile/soundness/named-blobs.js';
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
const context = { fs, clock: systemClock };

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

/** What the profile lacks when its blobs are taken away. */
async function missingIn(profileDir: string) {
  await rm(path.join(profileDir, BLOBS), { recursive: true });
  return missingBlobsTask.run({ profileDir }, context);
}

const MISSING = [{ path: BLOB, size: 13 }];
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
    ['the log, beside one without a byte', { log: [blobEntry('a record', [{ number: 2 }])] }],
  ])('is missed when it is named in %s', async (_, contents) => {
    expect(await missingIn(await profileOf(contents))).toEqual(MISSING);
  });

  it.each<[string, Contents]>([
    ['nothing names it', { log: [some] }],
    ['its record was deleted', { tables: [[named]], log: [deleted] }],
    ['its record was deleted in a later table', { tables: [[named], [deleted]] }],
    ['the names are of an unknown form', { log: [named, [blobEntryKey('another'), '\x09?']] }],
  ])('is not missed when %s', async (_, contents) => {
    expect(await missingIn(await profileOf(contents))).toEqual([]);
  });

  it('is not missed when its record has another one now, which is', async () => {
    const another = [{ path: `${BLOBS}/1/00/3`, size: 13 }];
    expect(await missingIn(await profileOf({ tables: [[named]], log: [namedElsewise] }))).toEqual(another);
    expect(await missingIn(await profileOf({ tables: [[named], [namedElsewise]] }))).toEqual(another);
  });

  it('is not asked for where IndexedDB is SQLite: blobs are in the database then', async () => {
    const profileDir = await makeProfile(sqliteProfileFiles());
    expect(await missingBlobsTask.run({ profileDir }, context)).toEqual([]);
  });

  it('is not asked for in a profile without any database', async () => {
    expect(await missingBlobsTask.run({ profileDir: '/nowhere' }, context)).toEqual([]);
  });
});

describe('the names of blobs', () => {
  it('are also known of records that are gone, as long as the database has them', async () => {
    const profileDir = await profileOf({ tables: [[named]], log: [deleted, namedElsewise] });
    const names = await readBlobNames({ fs, profileDir });
    expect([...(names?.now ?? [])]).toEqual([[`${BLOBS}/1/00/3`, 13]]);
    expect([...(names?.ever ?? [])].sort()).toEqual([BLOB, `${BLOBS}/1/00/3`]);
  });

  const tableOfUnknownCompression = async () => {
    const profileDir = await profileOf({ tables: [[some, named]] });
    await overwriteTable(profileDir, writeTable([some, named], { compression: 2 }));
    return profileDir;
  };
  it.each<[string, () => Promise<string>]>([
    ['a table is of an unknown compression', tableOfUnknownCompression],
    [
      'a table is gone',
      async () => {
        const profileDir = await profileOf({ tables: [[some, named]] });
        await rm(path.join(profileDir, TABLE));
        return profileDir;
      },
    ],
    ['a change is of an unknown kind', () => profileOf({ log: [named] }).then(withUnknownChange)],
    [
      'an entry is far too long',
      () => profileOf({ log: [[blobEntryKey('a record'), '\0'.repeat(300_000)]] }),
    ],
    ['CURRENT is gone', () => profileOf({ log: [named] }).then(withoutCurrent)],
  ])('are unknown, all of them, when %s', async (_, make) => {
    expect(await readBlobNames({ fs, profileDir: await make() })).toBeUndefined();
  });

  it('are unknown when the disk fails (EIO); other errors are told', async () => {
    const profileDir = await profileOf({ tables: [[some, named]] });
    const failing = (errno: string) => failingFileSystem(fs, { operation: 'handle.read', failOn: 1, errno });
    expect(await readBlobNames({ fs: failing('EIO'), profileDir })).toBeUndefined();
    await expect(readBlobNames({ fs: failing('EACCES'), profileDir })).rejects.toMatchObject({
      code: 'EACCES',
    });
  });
});

const TABLE = `${INDEXED_DB}/000010.ldb`;

function overwriteTable(profileDir: string, bytes: Buffer): Promise<void> {
  return writeFile(path.join(profileDir, TABLE), bytes);
}

async function withUnknownChange(profileDir: string): Promise<string> {
  const batch = writeBatch([some]);
  batch[12] = 7;
  await writeFile(path.join(profileDir, INDEXED_DB, '000006.log'), writeLog([batch]));
  return profileDir;
}

async function withoutCurrent(profileDir: string): Promise<string> {
  await rm(path.join(profileDir, INDEXED_DB, 'CURRENT'));
  return profileDir;
}
