import type { FileSystem } from '../../file-system.js';
import { isMissing, readFolder } from '../walk.js';
import { DamageError, naming } from './damage.js';
import { readAtOf } from './read-at.js';
import { parseManifest, type Version } from './version-edit.js';

/** Limit for reading a MANIFEST into memory; LevelDB begins a new one long before that size. */
const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

/** A numbered file of a database. */
export interface NumberedFile {
  readonly number: number;
  readonly name: string;
}

/** The numbered files in a database's folder. */
export interface DatabaseFiles {
  /** Sorted by ascending number. */
  readonly logs: readonly NumberedFile[];
  readonly tables: ReadonlyMap<number, string>;
}

/** A database as described by its CURRENT and MANIFEST. */
export interface Database {
  readonly manifest: string;
  readonly manifestBytes: number;
  readonly version: Version;
  readonly files: DatabaseFiles;
}

/** Lists the logs and tables in a folder, including those that are no longer in use. */
export async function listDatabaseFiles(fs: FileSystem, folder: string): Promise<DatabaseFiles> {
  const logs: NumberedFile[] = [];
  const tables = new Map<number, string>();
  for (const entry of await readFolder(fs, folder)) {
    const match = /^(\d{1,15})\.(log|ldb|sst)$/.exec(entry.name);
    if (match === null || !entry.isFile()) continue;
    const number = Number(match[1]);
    if (match[2] === 'log') logs.push({ number, name: entry.name });
    else tables.set(number, entry.name);
  }
  return { logs: logs.sort((a, b) => a.number - b.number), tables };
}

/** Reads the MANIFEST that CURRENT names. Throws {@link DamageError} with the name of the damaged file. */
export async function readDatabase(fs: FileSystem, folder: string): Promise<Database> {
  const manifest = parseCurrent(await readSmall(fs, folder, 'CURRENT'));
  const bytes = await readSmall(fs, folder, manifest);
  const version = naming(manifest, () => parseManifest(bytes));
  return { manifest, manifestBytes: bytes.length, version, files: await listDatabaseFiles(fs, folder) };
}

/** The name of the MANIFEST that a CURRENT file contains. */
export function parseCurrent(bytes: Uint8Array): string {
  if (bytes.length === 0) throw new DamageError('it is empty', 'CURRENT');
  const match = /^(MANIFEST-\d{1,15})\n$/.exec(Buffer.from(bytes).toString('latin1'));
  if (match?.[1] === undefined) throw new DamageError('it does not name a MANIFEST', 'CURRENT');
  return match[1];
}

/** The logs whose records are not in a table yet (LevelDB, `DBImpl::Recover`). */
export function liveLogs(version: Version, logs: readonly NumberedFile[]): NumberedFile[] {
  return logs.filter(({ number }) => number >= version.logNumber || number === version.prevLogNumber);
}

async function readSmall(fs: FileSystem, folder: string, name: string): Promise<Uint8Array> {
  try {
    const file = await readAtOf(fs, `${folder}/${name}`);
    try {
      if (file.size > MAX_MANIFEST_BYTES) throw new DamageError('it is far too large', name);
      return await file.readAt(0, file.size);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) throw new DamageError('it is missing', name);
    if (error instanceof DamageError) throw new DamageError(error.message, name);
    throw error;
  }
}
