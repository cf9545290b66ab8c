import { describe, expect, it } from 'vitest';
import { systemFileSystem as fs } from '../../src/file-system.js';
import { isAnotherLogin } from '../../src/profile/soundness/compare-logins.js';
import { writeBatch, writeEdit, writeLog } from './leveldb-writer.js';
import {
  flushedLocalStorageFiles,
  INDEXED_DB,
  ITEM_KEY,
  indexedDbFiles,
  LOCAL_STORAGE,
  localStorageFiles,
  loggedInFiles,
  makeProfile,
  newDatabaseEdit,
  type ProfileFiles,
} from './profiles.js';

const LOG = `${LOCAL_STORAGE}/000003.log`;

/** A database whose log begins as every new one does. */
function freshDatabase(folder: string, secrets: readonly string[]): ProfileFiles {
  const records = ['VERSION', ...secrets].map((value, index) => writeBatch([[ITEM_KEY, value]], 1 + index));
  return {
    [`${folder}/CURRENT`]: 'MANIFEST-000001\n',
    [`${folder}/MANIFEST-000001`]: writeLog([writeEdit(newDatabaseEdit('idb_cmp1'))]),
    [`${folder}/000003.log`]: writeLog(records),
  };
}

const fresh = (...secrets: string[]): ProfileFiles => ({
  ...freshDatabase(INDEXED_DB, secrets),
  ...freshDatabase(LOCAL_STORAGE, secrets),
});

describe('whether a profile is that of another login than the one before', () => {
  const cases: [string, boolean, ProfileFiles, ProfileFiles][] = [
    ['another pairing, as young as the one before', true, fresh('ben', 'b'), fresh('anna', 'a')],
    ['another pairing, younger than the one before', true, fresh('ben'), { ...loggedInFiles() }],
    ['another pairing, older than the one before', true, { ...loggedInFiles() }, fresh('anna', 'a')],
    ['the same', false, loggedInFiles(), loggedInFiles()],
    ['one that has gone on', false, fresh('anna', 'a', 'later'), fresh('anna', 'a')],
    ['one whose logs have lost their ends', false, fresh('anna'), fresh('anna', 'a', 'later')],
    ['one whose logs have lost all', false, fresh(), fresh('anna', 'a')],
    [
      'one half of it, beside a new one',
      false,
      { ...freshDatabase(INDEXED_DB, ['new']), ...localStorageFiles() },
      loggedInFiles(),
    ],
    [
      'one with a torn end',
      false,
      { ...loggedInFiles(), [LOG]: Buffer.from(localStorageFiles()[LOG] ?? '').subarray(0, 60) },
      loggedInFiles(),
    ],
    [
      'one that has nothing under the same numbers: it may be an older state',
      false,
      { ...freshDatabase(INDEXED_DB, ['anna']), ...localStorageFiles() },
      { ...indexedDbFiles(), ...flushedLocalStorageFiles() },
    ],
    ['one that can not be read', false, { ...fresh('ben'), [`${INDEXED_DB}/CURRENT`]: '' }, fresh('anna')],
  ];

  it.each(cases)('%s: %s', async (_name, expected, now, former) => {
    const [profileDir, formerDir] = [await makeProfile(now), await makeProfile(former)];
    expect(await isAnotherLogin({ profileDir, formerDir }, { fs })).toBe(expected);
  });
});
