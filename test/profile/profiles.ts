import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { blobEntry } from './indexed-db-writer.js';
import type { EditFields } from './leveldb-writer.js';
import { writeBatch, writeEdit, writeLog, writeTable } from './leveldb-writer.js';

export const INDEXED_DB = 'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.leveldb';
export const BLOBS = 'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.blob';
export const LOCAL_STORAGE = 'Default/Local Storage/leveldb';

/** Files of a profile: path relative to it, to contents. */
export type ProfileFiles = Record<string, Uint8Array | string>;

export const ITEM_KEY = '_https://web.whatsapp.com\0\x01WANoiseInfo';

/** The first record of a MANIFEST as LevelDB 1.23 writes it for a new database (seen: 23 and 41 bytes). */
export function newDatabaseEdit(comparator: string): EditFields {
  return { comparator, logNumber: 0, nextFileNumber: 2, lastSequence: 0 };
}

/** An IndexedDB that was flushed and compacted: tables 5 and 7 live, 4 compacted away, log 6. A record names blob 2. */
export function indexedDbFiles(): ProfileFiles {
  const oldest = writeTable(
    [
      ['a', 'noise'.repeat(40)],
      ['b', '2'],
      ['c', '3'.repeat(300)],
    ],
    { compress: true },
  );
  const newest = writeTable(
    [['d', 'signal'.repeat(50)], ['e', '5'], blobEntry('a record', [{ number: 2 }])],
    { compress: true },
  );
  const manifest = writeLog([
    writeEdit(newDatabaseEdit('idb_cmp1')),
    writeEdit({
      logNumber: 3,
      prevLogNumber: 0,
      nextFileNumber: 5,
      lastSequence: 10,
      added: [{ number: 4, size: 999 }],
    }),
    writeEdit({
      logNumber: 6,
      prevLogNumber: 0,
      nextFileNumber: 8,
      lastSequence: 20,
      deleted: [4],
      added: [
        { number: 5, size: oldest.length, level: 1 },
        { number: 7, size: newest.length },
      ],
    }),
  ]);
  return {
    [`${INDEXED_DB}/CURRENT`]: 'MANIFEST-000001\n',
    [`${INDEXED_DB}/MANIFEST-000001`]: manifest,
    [`${INDEXED_DB}/000005.ldb`]: oldest,
    [`${INDEXED_DB}/000007.ldb`]: newest,
    [`${INDEXED_DB}/000006.log`]: writeLog(
      Array.from({ length: 12 }, (_, i) => writeBatch([[`key${i}`, `${i}`.repeat(4000)]], 21 + i)),
    ),
    [`${INDEXED_DB}/LOCK`]: '',
    [`${INDEXED_DB}/LOG`]: 'Reusing MANIFEST',
    [`${INDEXED_DB}/LOG.old`]: 'Creating DB',
    [`${BLOBS}/1/00/2`]: 'a large value',
  };
}

/** A new Local Storage has everything in its log, and its MANIFEST names none (docs/chromium-facts.md F1.8). */
export function localStorageFiles(item = ITEM_KEY): ProfileFiles {
  return {
    [`${LOCAL_STORAGE}/CURRENT`]: 'MANIFEST-000001\n',
    [`${LOCAL_STORAGE}/MANIFEST-000001`]: writeLog([
      writeEdit(newDatabaseEdit('leveldb.BytewiseComparator')),
    ]),
    [`${LOCAL_STORAGE}/000003.log`]: writeLog([
      writeBatch([['VERSION', '1']]),
      writeBatch(
        [
          [item, 'x'.repeat(1500)],
          ['_https://web.whatsapp.com\0\x01logout-token', 'y'.repeat(200)],
        ],
        2,
      ),
    ]),
    [`${LOCAL_STORAGE}/LOCK`]: '',
    [`${LOCAL_STORAGE}/LOG`]: 'Creating DB',
  };
}

/** A Local Storage that was flushed: the items are in table 5, the log is empty. */
export function flushedLocalStorageFiles(item = ITEM_KEY): ProfileFiles {
  const table = writeTable(
    [
      ['META:https://web.whatsapp.com', 'm'],
      ['VERSION', '1'],
      [item, 'x'.repeat(99)],
    ],
    {
      compress: true,
    },
  );
  return {
    [`${LOCAL_STORAGE}/CURRENT`]: 'MANIFEST-000004\n',
    [`${LOCAL_STORAGE}/MANIFEST-000004`]: writeLog([
      writeEdit(newDatabaseEdit('leveldb.BytewiseComparator')),
      writeEdit({
        logNumber: 6,
        nextFileNumber: 7,
        lastSequence: 9,
        added: [{ number: 5, size: table.length }],
      }),
    ]),
    [`${LOCAL_STORAGE}/000005.ldb`]: table,
    [`${LOCAL_STORAGE}/000006.log`]: '',
  };
}

/** A profile that is logged in. */
export function loggedInFiles(): ProfileFiles {
  return {
    ...indexedDbFiles(),
    ...localStorageFiles(),
    'Default/Cache/Cache_Data/index': 'cached',
    'Default/Preferences': '{}',
    'Local State': '{}',
  };
}

/** The header of a SQLite database of so many pages (page 1 whole). */
export function sqliteFile(pages: number, text = 'https://web.whatsapp.com/', pageBytes = 4096): Buffer {
  const file = Buffer.alloc(pages * pageBytes);
  file.write('SQLite format 3\0', 0, 'latin1');
  file.writeUInt16BE(pageBytes === 65536 ? 1 : pageBytes, 16);
  file.fill(2, 18, 20);
  file.writeUInt32BE(7, 24);
  file.writeUInt32BE(pages, 28);
  file.writeUInt32BE(7, 92);
  file.write(text, 200);
  return file;
}

export const SQLITE_DB = 'Default/IndexedDB/https_web.whatsapp.com_0/SZSJWAVN6DYSSNAXXGI7HBTGS2WLKVMP';

export function sqliteProfileFiles(): ProfileFiles {
  return {
    [SQLITE_DB]: sqliteFile(3),
    [`${SQLITE_DB}-wal`]: Buffer.alloc(9000, 7),
    'Default/LocalStorage': sqliteFile(2),
  };
}

/** Writes files below a folder. */
export async function writeTree(root: string, files: ProfileFiles): Promise<void> {
  for (const [name, contents] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), contents);
  }
}

/** A new folder that is removed with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'wwebjs-profile-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A new profile folder with these files. */
export async function makeProfile(files: ProfileFiles = loggedInFiles()): Promise<string> {
  const profileDir = path.join(await temporaryFolder(), 'session');
  await writeTree(profileDir, files);
  return profileDir;
}
