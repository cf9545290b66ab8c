import { createHash } from 'node:crypto';
import type { FileSystem } from '../../file-system.js';
import { defineTask } from '../../task.js';
import { ESSENTIAL_PATHS } from '../essential-files.js';
import { DamageError } from '../leveldb/damage.js';
import { readDatabase } from '../leveldb/database.js';
import { scanLog } from '../leveldb/log-file.js';
import { isMissing, lstatIfPresent, throwIfAborted } from '../walk.js';
import { hashOfStart } from './hash-of-start.js';

export interface TwoProfiles {
  readonly profileDir: string;
  /** What lay there before. */
  readonly formerDir: string;
}

interface Disk {
  readonly fs: FileSystem;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Whether a sound profile is that of another login altogether, and not an older or smaller state of the former one: a table
 * or a record of a log is another one there than it was, and neither half goes on from the former one, or is a part of it.
 * `false` where that can't be told.
 */
export async function isAnotherLogin({ profileDir, formerDir }: TwoProfiles, disk: Disk): Promise<boolean> {
  const folders = [ESSENTIAL_PATHS.indexedDbLevelDb, ESSENTIAL_PATHS.localStorageLevelDb];
  const histories: (History | undefined)[] = [];
  for (const folder of folders) {
    histories.push(await historyOf(`${profileDir}/${folder}`, `${formerDir}/${folder}`, disk));
  }
  return histories.includes('another') && !histories.includes('same');
}

/** {@link isAnotherLogin} for the worker thread. */
export const anotherLoginTask = defineTask<TwoProfiles, boolean>('profile:another-login', (input, context) =>
  isAnotherLogin(input, context),
);

type History = 'same' | 'another';

/**
 * What is different tells more than what is the same: no damage makes another sound table under its number, or another whole
 * record in its place, while two new databases begin with the same bytes.
 */
async function historyOf(folder: string, formerFolder: string, disk: Disk): Promise<History | undefined> {
  try {
    const now = await readDatabase(disk.fs, folder);
    const former = await readDatabase(disk.fs, formerFolder);
    let history: History | undefined;
    for (const [number, name] of now.files.tables) {
      const formerName = former.files.tables.get(number);
      if (formerName === undefined) continue;
      if (!(await isSameFile(`${folder}/${name}`, `${formerFolder}/${formerName}`, disk))) return 'another';
      history = 'same';
    }
    for (const { name } of now.files.logs) {
      if (!former.files.logs.some((log) => log.name === name)) continue;
      if (await partWays(`${folder}/${name}`, `${formerFolder}/${name}`, disk)) return 'another';
      history = 'same';
    }
    return history;
  } catch (error) {
    if (error instanceof DamageError || isMissing(error)) return 'same';
    throw error;
  }
}

async function isSameFile(one: string, other: string, { fs, signal }: Disk): Promise<boolean> {
  throwIfAborted(signal);
  const size = (await lstatIfPresent(fs, one))?.size;
  if (size === undefined || size !== (await lstatIfPresent(fs, other))?.size) return false;
  return (await hashOfStart(fs, one, size)) === (await hashOfStart(fs, other, size));
}

/** Whether two logs have different records at one place, each of them whole: no damage makes such records. */
async function partWays(one: string, other: string, disk: Disk): Promise<boolean> {
  const [records, others] = [await recordsOf(one, disk), await recordsOf(other, disk)];
  return records.some((record, index) => others[index] !== undefined && others[index] !== record);
}

/** The records of a log by their hashes, in order. */
async function recordsOf(path: string, { fs, signal }: Disk): Promise<readonly string[]> {
  const records: string[] = [];
  const onRecord = (record: Uint8Array) => {
    records.push(createHash('sha256').update(record).digest('base64'));
  };
  await scanLog(fs, path, { onRecord, signal });
  return records;
}
