import fs from 'node:fs';
import { symlink, utimes } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ESSENTIAL_PARTS,
  isEssential,
  listEssentialFiles,
  recogniseLayout,
} from '../../src/profile/essential-files.js';
import {
  BLOBS,
  INDEXED_DB,
  LOCAL_STORAGE,
  loggedInFiles,
  makeProfile,
  SQLITE_DB,
  sqliteFile,
  sqliteProfileFiles,
} from './profiles.js';

describe('essential files', () => {
  it.each([
    `${INDEXED_DB}/CURRENT`,
    `${INDEXED_DB}/MANIFEST-000001`,
    `${INDEXED_DB}/000005.ldb`,
    `${INDEXED_DB}/000006.log`,
    `${BLOBS}/1/00/2`,
    `${LOCAL_STORAGE}/CURRENT`,
    `${LOCAL_STORAGE}/000003.log`,
    SQLITE_DB,
    `${SQLITE_DB}-wal`,
    `${SQLITE_DB}-journal`,
    'Default/LocalStorage',
    'Default/LocalStorage-wal',
    'Default/LocalStorage-journal',
  ])('include %s', (file) => {
    expect(isEssential(file)).toBe(true);
  });

  it.each([
    `${INDEXED_DB}/LOCK`,
    `${INDEXED_DB}/LOG`,
    `${INDEXED_DB}/LOG.old`,
    `${INDEXED_DB}/000013.dbtmp`,
    `${LOCAL_STORAGE}/LOCK`,
    `${SQLITE_DB}-shm`,
    'Default/LocalStorage-shm',
    'Default/IndexedDB/https_example.org_0.indexeddb.leveldb/CURRENT',
    'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.leveldb',
    'Default/Cookies',
    'Default/Cache/Cache_Data/index',
    'Local State',
    '',
    '/',
    `/${INDEXED_DB}/CURRENT`,
    `${INDEXED_DB}/../CURRENT`,
    `${INDEXED_DB}//CURRENT`,
    `${INDEXED_DB}/./CURRENT`,
    `${INDEXED_DB}/..\\..\\CURRENT`,
  ])('do not include %s', (file) => {
    expect(isEssential(file)).toBe(false);
  });

  it('never lead out of the profile (fuzz)', () => {
    const name = fc.oneof(fc.constantFrom('..', '.', '', 'CURRENT', 'a'), fc.string({ maxLength: 5 }));
    fc.assert(
      fc.property(fc.constantFrom(INDEXED_DB, BLOBS), fc.array(name, { maxLength: 5 }), (folder, names) => {
        const file = [folder, ...names].join('/');
        if (isEssential(file)) expect(path.posix.normalize(file)).toBe(file);
      }),
    );
  });

  it('lie in the parts that are moved as a whole', async () => {
    const files = Object.keys({ ...loggedInFiles(), ...sqliteProfileFiles() }).filter(isEssential);
    expect(files.length).toBe(12);
    for (const file of files) {
      expect(ESSENTIAL_PARTS.some((part) => file === part || file.startsWith(`${part}/`))).toBe(true);
    }
  });

  it('are listed by path, without links', async () => {
    const profileDir = await makeProfile();
    await symlink('/etc/hostname', path.join(profileDir, INDEXED_DB, '000099.ldb'));
    const files = await listEssentialFiles(profileDir, { fs });
    expect(files.map((file) => file.path)).toEqual(Object.keys(loggedInFiles()).filter(isEssential).sort());
    expect(files.every((file) => file.size > 0)).toBe(true);
    expect(await listEssentialFiles('/nowhere', { fs })).toEqual([]);
  });
});

describe('the layout', () => {
  it.each([
    ['leveldb', 'leveldb', loggedInFiles()],
    ['sqlite', 'sqlite', sqliteProfileFiles()],
    ['none', 'none', {}],
    ['none', 'sqlite', { 'Default/LocalStorage': sqliteFile(1) }],
    ['leveldb', 'none', { [`${INDEXED_DB}/CURRENT`]: '' }],
  ])('of IndexedDB is %s, of Local Storage %s', async (indexedDb, localStorage, files) => {
    expect(await recogniseLayout(await makeProfile(files), { fs })).toEqual({ indexedDb, localStorage });
  });

  it('is the one that was written last', async () => {
    const profileDir = await makeProfile({ ...loggedInFiles(), [SQLITE_DB]: sqliteFile(1) });
    const file = path.join(profileDir, SQLITE_DB);
    await utimes(file, 1, 1);
    expect((await recogniseLayout(profileDir, { fs })).indexedDb).toBe('leveldb');
    await utimes(file, 4e9, 4e9);
    expect((await recogniseLayout(profileDir, { fs })).indexedDb).toBe('sqlite');
  });
});
