import { varint, type WrittenEntry } from './leveldb-writer.js';

/** A blob as the record that owns it names it. */
export interface NamedBlob {
  readonly number: number;
  /** Makes it a file, as a page stores one; otherwise it is the wrapped value that Chromium makes of a large one. */
  readonly fileName?: string;
}

/** What Chromium calls a value that it has put into a file of its own (seen in real profiles). */
const WRAPPER_TYPE = 'application/vnd.blink-idb-value-wrapper';
/** Eight bytes of a varint, as for any time of our days. */
const LAST_MODIFIED = varint(13_408_000_000_000_000);
const BLOB = 0;
const FILE = 1;

/** The entry of IndexedDB that says which blobs belong to a record. */
export function blobEntry(
  record: string,
  blobs: readonly NamedBlob[],
  { database = 1, objectStore = 1 }: { readonly database?: number; readonly objectStore?: number } = {},
): WrittenEntry {
  const value = blobs.flatMap(({ number, fileName }) => [
    fileName === undefined ? BLOB : FILE,
    ...varint(number),
    ...text(fileName === undefined ? WRAPPER_TYPE : 'text/plain'),
    ...varint(13),
    ...(fileName === undefined ? [] : [...text(fileName), ...LAST_MODIFIED]),
  ]);
  return [blobEntryKey(record, { database, objectStore }), Buffer.from(value).toString('latin1')];
}

/** The key of such an entry. */
export function blobEntryKey(record: string, { database = 1, objectStore = 1 } = {}): string {
  return keyOf([database, objectStore, 3], record);
}

/** The key of a record itself. */
export function recordKey(record: string, { database = 1, objectStore = 1 } = {}): string {
  return keyOf([database, objectStore, 1], record);
}

function keyOf(ids: readonly [database: number, objectStore: number, index: number], record: string): string {
  const [database, objectStore, index] = ids.map(littleEndian) as [number[], number[], number[]];
  const lengths = ((database.length - 1) << 5) | ((objectStore.length - 1) << 2) | (index.length - 1);
  return Buffer.from([lengths, ...database, ...objectStore, ...index]).toString('latin1') + record;
}

function littleEndian(value: number): number[] {
  const bytes = [value % 256];
  for (let rest = Math.floor(value / 256); rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  return bytes;
}

/** UTF-16, big-endian, with the number of its units in front. */
function text(value: string): number[] {
  return [...varint(value.length), ...Buffer.from(value, 'utf16le').swap16()];
}
