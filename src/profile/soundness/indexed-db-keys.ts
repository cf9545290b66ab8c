import { ByteReader } from '../leveldb/byte-reader.js';
import { DamageError } from '../leveldb/damage.js';

// Chromium, content/browser/indexed_db/indexed_db_leveldb_coding.cc: every key begins with the ids of its database, its
// object store and its index. One byte tells how many bytes each of them takes.

/** The index under which an object store keeps what its records name outside of the database. */
const BLOB_ENTRY_INDEX = 3;

/** What a blob entry can name (IndexedDBExternalObject::ObjectType). */
const BLOB = 0;
const FILE = 1;
const FILE_SYSTEM_HANDLE = 2;

interface KeyPrefix {
  readonly database: number;
  readonly objectStore: number;
  readonly index: number;
}

/** Whether the key is that of a blob entry: its value says which files belong to a record. */
export function isBlobEntry(key: Uint8Array): boolean {
  return prefixOf(key)?.index === BLOB_ENTRY_INDEX;
}

/** Whether a blob entry may lie between two keys, both of them included. The order is that of the ids, first of all. */
export function mayHoldBlobEntries(from: Uint8Array, to: Uint8Array): boolean {
  const [first, last] = [prefixOf(from), prefixOf(to)];
  if (first === undefined || last === undefined) return true;
  const isOneIndex =
    first.database === last.database && first.objectStore === last.objectStore && first.index === last.index;
  return !isOneIndex || first.index === BLOB_ENTRY_INDEX;
}

/** A blob as its entry names it. */
export interface NamedBlob {
  /** Relative to the `.blob` folder, as `1/00/2`. */
  readonly name: string;
  /** Bytes of the file. */
  readonly size: number;
}

/**
 * The blobs that an entry names. Those without a byte have no file.
 *
 * @throws DamageError when the entry is of a form that this reader does not know
 */
export function blobsNamedBy(key: Uint8Array, value: Uint8Array): readonly NamedBlob[] {
  const database = prefixOf(key)?.database;
  if (database === undefined) throw new DamageError('a key of IndexedDB is too short');
  const reader = new ByteReader(value);
  const blobs: NamedBlob[] = [];
  while (!reader.done) {
    const kind = reader.byte();
    if (kind === FILE_SYSTEM_HANDLE) {
      reader.lengthPrefixed();
      continue;
    }
    if (kind !== BLOB && kind !== FILE) throw new DamageError('a blob entry is of an unknown kind');
    const name = nameOf(database, reader.varint());
    skipText(reader); // its MIME type
    const size = reader.varint();
    if (kind === FILE) {
      skipText(reader); // what the page calls it
      skipVarint(reader); // when it was last changed: before 1601 it is negative, and takes ten bytes
    }
    if (size > 0) blobs.push({ name, size });
  }
  return blobs;
}

/** IndexedDBBackingStore::GetBlobFileName: a folder for each database, in it one for the second byte of the number. */
function nameOf(database: number, blob: number): string {
  const folder = (Math.floor(blob / 256) % 256).toString(16).padStart(2, '0');
  return `${database.toString(16)}/${folder}/${blob.toString(16)}`;
}

/** Text is UTF-16, with the number of its units in front. */
function skipText(reader: ByteReader): void {
  reader.take(reader.varint() * 2);
}

function skipVarint(reader: ByteReader): void {
  while (reader.byte() >= 128);
}

function prefixOf(key: Uint8Array): KeyPrefix | undefined {
  const [lengths] = key;
  if (lengths === undefined) return undefined;
  const databaseBytes = (lengths >> 5) + 1;
  const objectStoreBytes = ((lengths >> 2) & 7) + 1;
  const indexBytes = (lengths & 3) + 1;
  if (key.length < 1 + databaseBytes + objectStoreBytes + indexBytes) return undefined;
  let at = 1;
  const take = (bytes: number) => {
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + (key[at + i] ?? 0);
    at += bytes;
    return value;
  };
  return { database: take(databaseBytes), objectStore: take(objectStoreBytes), index: take(indexBytes) };
}
