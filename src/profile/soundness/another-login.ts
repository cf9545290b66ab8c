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
 * Whether a sound profile is that of another login altogether, and not what is left of the former one: in neither half a
 * table or the beginning of a log is the same. What was cut off, emptied, or begun anew in one half still has something in
 * common. `false` where that can't be told.
 */
export async function isAnotherLogin({ profileDir, formerDir }: TwoProfiles, disk: Disk): Promise<boolean> {
  for (const folder of [ESSENTIAL_PATHS.indexedDbLevelDb, ESSENTIAL_PATHS.localStorageLevelDb]) {
    if (await haveCommonHistory(`${profileDir}/${folder}`, `${formerDir}/${folder}`, disk)) return false;
  }
  return true;
}

/** {@link isAnotherLogin} for the worker thread. */
export const anotherLoginTask = defineTask<TwoProfiles, boolean>('profile:another-login', (input, context) =>
  isAnotherLogin(input, context),
);

async function haveCommonHistory(folder: string, formerFolder: string, disk: Disk): Promise<boolean> {
  try {
    const [now, former] = await Promise.all([folder, formerFolder].map((one) => readDatabase(disk.fs, one)));
    for (const [number, name] of now?.files.tables ?? []) {
      const formerName = former?.files.tables.get(number);
      if (formerName === undefined) continue;
      if (await isSameFile(`${folder}/${name}`, `${formerFolder}/${formerName}`, disk)) return true;
    }
    for (const { name } of now?.files.logs ?? []) {
      if (!former?.files.logs.some((log) => log.name === name)) continue;
      if (!(await partWays(`${folder}/${name}`, `${formerFolder}/${name}`, disk))) return true;
    }
    return false;
  } catch (error) {
    if (error instanceof DamageError || isMissing(error)) return true;
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
