import { ByteReader } from '../leveldb/byte-reader.js';
import { DamageError } from '../leveldb/damage.js';

// Chromium, content/browser/indexed_db/indexed_db_leveldb_coding.cc: every key begins with one byte that tells the lengths
// of three ids. Then come the ids of the database, the object store and the index.

/** The index in which an object store keeps the names of blobs that are stored outside of the database. */
const BLOB_ENTRY_INDEX = 3;

/** The kinds of object that a blob entry can name (IndexedDBExternalObject::ObjectType). */
const BLOB = 0;
const FILE = 1;
const FILE_SYSTEM_HANDLE = 2;

interface KeyPrefix {
  readonly database: number;
  readonly objectStore: number;
  readonly index: number;
}

/** Whether the key is that of a blob entry, whose value names the files that belong to a record. */
export function isBlobEntry(key: Uint8Array): boolean {
  return prefixOf(key)?.index === BLOB_ENTRY_INDEX;
}

/** Whether there may be a blob entry from one key to the other, both included. Keys are sorted by their ids first. */
export function mayHoldBlobEntries(from: Uint8Array, to: Uint8Array): boolean {
  const [first, last] = [prefixOf(from), prefixOf(to)];
  if (first === undefined || last === undefined) return true;
  const isOneIndex =
    first.database === last.database && first.objectStore === last.objectStore && first.index === last.index;
  return !isOneIndex || first.index === BLOB_ENTRY_INDEX;
}

/** A blob that a blob entry names. */
export interface NamedBlob {
  /** Path relative to the `.blob` folder, for example `1/00/2`. */
  readonly name: string;
  /** Size of the file, bytes. */
  readonly size: number;
}

/**
 * The blobs that an entry names. Empty blobs are left out, because they have no file.
 *
 * @throws DamageError when the format of the entry is not known
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
      skipText(reader); // its file name
      skipVarint(reader); // time of the last change; a time before 1601 is negative and takes ten bytes
    }
    if (size > 0) blobs.push({ name, size });
  }
  return blobs;
}

/** IndexedDBBackingStore::GetBlobFileName: each database has a folder, with a subfolder for the number's second byte. */
function nameOf(database: number, blob: number): string {
  const folder = (Math.floor(blob / 256) % 256).toString(16).padStart(2, '0');
  return `${database.toString(16)}/${folder}/${blob.toString(16)}`;
}

/** Skips a text, which is the number of its UTF-16 units followed by the units. */
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
