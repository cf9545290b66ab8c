import type { FileSystem } from '../../file-system.js';
import { ESSENTIAL_PATHS } from '../essential-files.js';
import { DamageError } from '../leveldb/damage.js';
import { type Database, liveLogs } from '../leveldb/database.js';
import { scanLog } from '../leveldb/log-file.js';
import { readAtOf } from '../leveldb/read-at.js';
import { readInternalKey, tableEntries } from '../leveldb/table.js';
import { type Change, changesOf } from '../leveldb/write-batch.js';
import { throwIfAborted } from '../walk.js';
import { inParallel } from './in-parallel.js';
import { blobsNamedBy, isBlobEntry, mayHoldBlobEntries } from './indexed-db-keys.js';

const TABLES_AT_ONCE = 4;

export interface NamedBlobsPlace {
  readonly fs: FileSystem;
  readonly profileDir: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The blobs that records of IndexedDB name now, relative to the profile. Of each table its index is read, and of its
 * blocks only those that can have such names.
 *
 * @throws DamageError when the database is damaged, or names blobs in a way that this reader does not know
 */
export async function namedBlobs(
  database: Database,
  { fs, profileDir, signal }: NamedBlobsPlace,
): Promise<ReadonlySet<string>> {
  const folder = `${profileDir}/${ESSENTIAL_PATHS.indexedDbLevelDb}`;
  const newest = new NewestEntries();
  await inParallel(TABLES_AT_ONCE, [...database.version.tables.keys()], async (number) => {
    throwIfAborted(signal);
    const name = database.files.tables.get(number);
    const file = await readAtOf(fs, `${folder}/${name ?? 'missing'}`);
    try {
      for await (const entry of tableEntries(file.readAt, file.size, isWanted)) {
        const { userKey, sequence, isPut } = readInternalKey(entry);
        newest.note({ key: userKey, sequence, value: isPut ? entry.value : undefined });
      }
    } finally {
      await file.close();
    }
  });
  for (const { name } of liveLogs(database.version, database.files.logs)) {
    const onRecord = (record: Uint8Array) => {
      for (const change of changesOf(record)) newest.note(change);
    };
    const scan = await scanLog(fs, `${folder}/${name}`, { onRecord, signal });
    if (scan?.damage !== undefined) throw new DamageError(scan.damage.problem, name);
  }
  return new Set(newest.named().map((name) => `${ESSENTIAL_PATHS.indexedDbBlobs}/${name}`));
}

/** The blob entries of a database, each as its newest change has left it, in whatever order the changes are told. */
class NewestEntries {
  readonly #entries = new Map<string, Change>();

  note(change: Change): void {
    if (!isBlobEntry(change.key)) return;
    const id = Buffer.from(change.key).toString('latin1');
    const known = this.#entries.get(id);
    if (known !== undefined && known.sequence > change.sequence) return;
    // A copy: its bytes are part of a whole block, or of a record of a log.
    const { key, sequence, value } = change;
    this.#entries.set(id, { key: key.slice(), sequence, value: value?.slice() });
  }

  named(): string[] {
    return [...this.#entries.values()].flatMap(({ key, value }) =>
      value === undefined ? [] : blobsNamedBy(key, value),
    );
  }
}

const isWanted = (before: Uint8Array | undefined, last: Uint8Array) =>
  before === undefined || mayHoldBlobEntries(before, last);
