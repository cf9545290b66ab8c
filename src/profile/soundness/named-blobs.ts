import { errnoOf } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import { ESSENTIAL_PATHS } from '../essential-files.js';
import { DamageError } from '../leveldb/damage.js';
import { type Database, liveLogs, readDatabase } from '../leveldb/database.js';
import { scanLog } from '../leveldb/log-file.js';
import { readAtOf } from '../leveldb/read-at.js';
import { readInternalKey, tableEntries } from '../leveldb/table.js';
import { type Change, changesOf } from '../leveldb/write-batch.js';
import { isMissing, throwIfAborted } from '../walk.js';
import { inParallel } from './in-parallel.js';
import { blobsNamedBy, isBlobEntry, mayHoldBlobEntries } from './indexed-db-keys.js';

const TABLES_AT_ONCE = 4;
/** Far more than any page needs: the entry for a record with a hundred files has about 10 KB. */
const MAX_ENTRY_BYTES = 256 * 1024;
const MAX_ENTRIES = 250_000;

/** The blobs (files of large values) that a database names. Paths are relative to the profile. */
export interface BlobNames {
  /** The blobs that records name now, with their sizes in bytes. */
  readonly now: ReadonlyMap<string, number>;
  /** All blobs including those of earlier records, as far as the database still has these records. */
  readonly ever: ReadonlySet<string>;
}

/**
 * Reads which blobs the records of IndexedDB name. Of each table it reads the index and only those blocks that may hold such
 * names.
 *
 * @returns `undefined` when not all names can be read, because the database is damaged or has an unknown format
 */
export async function readBlobNames(place: {
  readonly fs: FileSystem;
  readonly profileDir: string;
  readonly signal?: AbortSignal | undefined;
}): Promise<BlobNames | undefined> {
  try {
    const { fs, profileDir } = place;
    const folder = `${profileDir}/${ESSENTIAL_PATHS.indexedDbLevelDb}`;
    const database = await readDatabase(fs, folder);
    const entries = new BlobEntries();
    await readTables({ ...place, folder, database }, entries);
    await readLogs({ ...place, folder, database }, entries);
    return entries.names();
  } catch (error) {
    if (error instanceof DamageError || isMissing(error) || errnoOf(error) === 'EIO') return undefined;
    throw error;
  }
}

interface Source {
  readonly fs: FileSystem;
  readonly folder: string;
  readonly database: Database;
  readonly signal?: AbortSignal | undefined;
}

async function readTables({ fs, folder, database, signal }: Source, entries: BlobEntries): Promise<void> {
  const { version, files } = database;
  await inParallel(TABLES_AT_ONCE, [...version.tables.keys()], async (number) => {
    const file = await readAtOf(fs, `${folder}/${files.tables.get(number) ?? 'missing'}`);
    try {
      for await (const entry of tableEntries(file.readAt, file.size, mayHoldBlobs)) {
        throwIfAborted(signal);
        const { userKey, sequence, isPut } = readInternalKey(entry);
        entries.note({ key: userKey, sequence, value: isPut ? entry.value : undefined });
      }
    } finally {
      await file.close();
    }
  });
}

async function readLogs({ fs, folder, database, signal }: Source, entries: BlobEntries): Promise<void> {
  for (const { name } of liveLogs(database.version, database.files.logs)) {
    let read = 0;
    const onRecord = (record: Uint8Array) => {
      read++;
      for (const change of changesOf(record)) entries.note(change);
    };
    const scan = await scanLog(fs, `${folder}/${name}`, { onRecord, signal });
    if (scan === undefined) throw new DamageError('it is gone', name);
    if (scan.damage !== undefined) throw new DamageError(scan.damage.problem, name);
    if (scan.records !== read) throw new DamageError('one of its records is too large to be read', name);
  }
}

/** Collects the newest version of each blob entry of a database; the changes may come in any order. */
class BlobEntries {
  readonly #newest = new Map<
    string,
    Pick<Change, 'sequence'> & { readonly blobs: ReadonlyMap<string, number> }
  >();
  readonly #ever = new Set<string>();

  note({ key, sequence, value }: Change): void {
    if (!isBlobEntry(key)) return;
    if ((value?.length ?? 0) > MAX_ENTRY_BYTES) throw new DamageError('a blob entry is far too long');
    const blobs = new Map<string, number>();
    if (value !== undefined) {
      for (const { name, size } of blobsNamedBy(key, value)) {
        const path = `${ESSENTIAL_PATHS.indexedDbBlobs}/${name}`;
        blobs.set(path, size);
        this.#ever.add(path);
      }
    }
    const id = Buffer.from(key).toString('latin1');
    const known = this.#newest.get(id);
    if (known === undefined || known.sequence <= sequence) this.#newest.set(id, { sequence, blobs });
    if (this.#newest.size + this.#ever.size > MAX_ENTRIES) throw new DamageError('it has far too many blobs');
  }

  names(): BlobNames {
    const now = new Map<string, number>();
    for (const { blobs } of this.#newest.values()) for (const [path, size] of blobs) now.set(path, size);
    return { now, ever: this.#ever };
  }
}

const mayHoldBlobs = (before: Uint8Array | undefined, last: Uint8Array) =>
  before === undefined || mayHoldBlobEntries(before, last);
