import { makeFolders, openWithoutWaiting } from '../../file-system.js';
import type { CapturedFile, FileSignature } from '../../types.js';
import { isEssential } from '../essential-files.js';
import { isMissing, sameSignature, walkFiles } from '../walk.js';
import { type CapturePlaces, copyPrefix, readSignature } from './copy-file.js';
import { ChangedMeanwhile } from './retry.js';

/** Length of the `-wal` header, whose two salts change whenever the `-wal` is started again (SQLite's file format, 4.1). */
const WAL_HEADER_BYTES = 32;

/** Finds the databases, without their side files, at or below `path`, which is relative to the profile. */
export async function findSqliteDatabases(places: CapturePlaces, path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const file of walkFiles(places.fs, places.profileDir, path)) {
    if (isEssential(file.path) && !/-(?:wal|journal)$/.test(file.path)) found.push(file.path);
  }
  return found;
}

/**
 * Makes one attempt to copy consistently a SQLite database that a browser may write to. SQLite appends transactions to the
 * `-wal`. The database itself changes only in a checkpoint, which copies them over; the `-wal` then starts again with other
 * salts. So this copies the database, and then the `-wal` up to its present length. If the database's signature and the
 * `-wal` header are the same before and after, there was no checkpoint, and the copy shows one moment (SQLite ignores a
 * last transaction that is cut off).
 */
export async function captureSqlite(places: CapturePlaces, path: string): Promise<CapturedFile[]> {
  const { fs, targetDir } = places;
  for (const suffix of ['', '-wal', '-journal'])
    await fs.promises.rm(`${targetDir}/${path}${suffix}`, { force: true });
  await makeFolders(fs, `${targetDir}/${path.slice(0, path.lastIndexOf('/'))}`);
  const before = await momentOf(places, path);
  const files = [await copyPrefix(places, path)];
  if (before.wal !== undefined) files.push(await copyPrefix(places, `${path}-wal`));
  if (before.journal !== undefined) files.push(await copyPrefix(places, `${path}-journal`));
  const after = await momentOf(places, path);
  const isSame =
    sameSignature(before.database, after.database) &&
    sameSignature(before.journal, after.journal) &&
    before.wal === after.wal;
  if (!isSame) throw new ChangedMeanwhile(path, 'the database was written to while it was copied');
  return files;
}

interface Moment {
  readonly database: FileSignature;
  /** Header of the `-wal`, as hex; empty while it has none; `undefined` if there is no `-wal`. */
  readonly wal: string | undefined;
  readonly journal: FileSignature | undefined;
}

async function momentOf(places: CapturePlaces, path: string): Promise<Moment> {
  return {
    database: await readSignature(places, path),
    wal: await orMissing(walHead(places, `${path}-wal`)),
    journal: await orMissing(readSignature(places, `${path}-journal`)),
  };
}

async function walHead(places: CapturePlaces, path: string): Promise<string> {
  const handle = await openWithoutWaiting(places.fs, `${places.profileDir}/${path}`);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(WAL_HEADER_BYTES), 0, WAL_HEADER_BYTES, 0);
    return buffer.subarray(0, bytesRead).toString('hex');
  } finally {
    await handle.close();
  }
}

async function orMissing<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
