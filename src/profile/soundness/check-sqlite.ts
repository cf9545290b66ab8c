import type { FileSystem } from '../../file-system.js';
import { DamageError } from '../leveldb/damage.js';
import { readAtOf } from '../leveldb/read-at.js';
import { isMissing, lstatIfPresent, readFolder } from '../walk.js';
import { corrupt, type Problem } from './problem.js';

const HEADER_BYTES = 100;
const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');
/** Value of bytes 18 and 19 of the header for write-ahead logging. */
const WAL_FORMAT = 2;

export interface SqliteReport {
  readonly problems: readonly Problem[];
  /** Whether all of the databases are empty. */
  readonly empty: boolean;
}

/** The names of the databases in a folder, without their side files and without subfolders. */
export async function listSqliteDatabases(fs: FileSystem, folder: string): Promise<string[]> {
  const entries = await readFolder(fs, folder);
  return entries.filter((e) => e.isFile() && !/-(?:wal|shm|journal)$/.test(e.name)).map((e) => e.name);
}

/** Checks IndexedDB in its SQLite layout: one database per name under the origin's folder (docs/chromium-facts.md F1.2). */
export async function checkSqliteFolder(
  fs: FileSystem,
  profileDir: string,
  folder: string,
): Promise<SqliteReport> {
  const stats = await lstatIfPresent(fs, `${profileDir}/${folder}`);
  if (stats?.isDirectory() !== true) {
    return { problems: [corrupt(folder, 'there is a file where the folder should be')], empty: true };
  }
  const names = await listSqliteDatabases(fs, `${profileDir}/${folder}`);
  if (names.length === 0) return { problems: [corrupt(folder, 'no database is in the folder')], empty: true };
  const reports = await Promise.all(
    names.map((name) => checkSqliteFile(fs, profileDir, `${folder}/${name}`)),
  );
  return { problems: reports.flatMap((r) => r.problems), empty: reports.every((r) => r.empty) };
}

/** Checks one database by its header and length. Reports only damage that is certain. */
export async function checkSqliteFile(
  fs: FileSystem,
  profileDir: string,
  path: string,
): Promise<SqliteReport> {
  const wal = await lstatIfPresent(fs, `${profileDir}/${path}-wal`);
  const walBytes = wal?.size ?? 0;
  try {
    const file = await readAtOf(fs, `${profileDir}/${path}`);
    try {
      // A database has no header yet while its first transaction is still in the -wal.
      if (file.size === 0) return { problems: [], empty: walBytes === 0 };
      if (file.size < HEADER_BYTES) return broken(path, 'the database is too short');
      const problem = headerProblem(Buffer.from(await file.readAt(0, HEADER_BYTES)), file.size, walBytes);
      return problem === undefined ? { problems: [], empty: false } : broken(path, problem);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) return broken(path, 'the database is missing');
    if (error instanceof DamageError) return broken(path, `the database can't be read: ${error.message}`);
    throw error;
  }
}

function headerProblem(header: Buffer, size: number, walBytes: number): string | undefined {
  if (!header.subarray(0, MAGIC.length).equals(MAGIC)) return 'the file is not a SQLite database';
  const stored = header.readUInt16BE(16);
  const pageBytes = stored === 1 ? 65536 : stored;
  if (pageBytes < 512 || (pageBytes & (pageBytes - 1)) !== 0) return 'the header of the database is damaged';
  // While there is a -wal (or one is being written back), the length may just be changing.
  if (size % pageBytes !== 0 && walBytes === 0) return 'the database ends in the middle of a page';
  const pages = header.readUInt32BE(28);
  const countIsValid = header.readUInt32BE(24) === header.readUInt32BE(92);
  const short = pages * pageBytes - size;
  const usesWal = header[18] === WAL_FORMAT && walBytes > 0;
  return countIsValid && !usesWal && short > 0 ? `the database is ${short} bytes short` : undefined;
}

function broken(path: string, problem: string): SqliteReport {
  return { problems: [corrupt(path, problem)], empty: false };
}
