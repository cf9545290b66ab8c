/** Compression methods of the format (APPNOTE.TXT 4.4.5). */
export const STORED = 0 as const;
export const DEFLATED = 8 as const;

/** Zips stay below the size at which the format needs its 64-bit records. */
export const MAX_ZIP_BYTES = 0xffff_fffe;

/** One file inside a zip: where its bytes lie and what they claim to unpack to. */
export interface ZipEntry {
  readonly name: string;
  readonly compressed: boolean;
  /** Position and length of the stored (perhaps deflated) data. */
  readonly dataOffset: number;
  readonly dataSize: number;
  /** The size that it claims to unpack to. */
  readonly size: number;
  /** The checksum that the zip declares for its bytes. */
  readonly crc32: number;
}

/** One entry of a zip that is being written. */
export interface WrittenEntry {
  /** Its path, with `/` between names. */
  readonly name: string;
  readonly method: typeof STORED | typeof DEFLATED;
  readonly modified: Date;
  /** Where its local header begins. */
  readonly offset: number;
  readonly crc32: number;
  /** Size in the zip, and unpacked size. */
  readonly dataSize: number;
  readonly size: number;
}

/** Version 2.0 of the format, which supports deflate. */
const VERSION = 20;
/** Says that the file attributes are those of Unix. */
const MADE_BY_UNIX = 3 << 8;
const PLAIN_FILE_0600 = 0o100600;
const NAME_IS_UTF8 = 0x0800;

/** The header before the data of an entry (APPNOTE.TXT 4.3.7). */
export function localHeader(entry: WrittenEntry): Buffer {
  const name = Buffer.from(entry.name);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  writeShared(header, 4, entry, name.length);
  return Buffer.concat([header, name]);
}

/** The header of an entry in the directory (APPNOTE.TXT 4.3.12). */
export function centralHeader(entry: WrittenEntry): Buffer {
  const name = Buffer.from(entry.name);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(MADE_BY_UNIX | VERSION, 4);
  writeShared(header, 6, entry, name.length);
  header.writeUInt32LE(PLAIN_FILE_0600 * 0x10000, 38);
  header.writeUInt32LE(entry.offset, 42);
  return Buffer.concat([header, name]);
}

/** The record at the end of a zip, which says where its directory lies (APPNOTE.TXT 4.3.16). */
export function endRecord(entries: number, directoryBytes: number, directoryOffset: number): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(entries, 8);
  record.writeUInt16LE(entries, 10);
  record.writeUInt32LE(directoryBytes, 12);
  record.writeUInt32LE(directoryOffset, 16);
  return record;
}

/** The fields that both headers have, in the same order. */
function writeShared(header: Buffer, start: number, entry: WrittenEntry, nameBytes: number): void {
  const { date, time } = dosTime(entry.modified);
  header.writeUInt16LE(VERSION, start);
  header.writeUInt16LE(nameBytes === entry.name.length ? 0 : NAME_IS_UTF8, start + 2);
  header.writeUInt16LE(entry.method, start + 4);
  header.writeUInt16LE(time, start + 6);
  header.writeUInt16LE(date, start + 8);
  header.writeUInt32LE(entry.crc32, start + 10);
  header.writeUInt32LE(entry.dataSize, start + 14);
  header.writeUInt32LE(entry.size, start + 18);
  header.writeUInt16LE(nameBytes, start + 22);
}

/** UTC, in steps of two seconds; the format supports the years 1980 to 2107. */
function dosTime(time: Date): { readonly date: number; readonly time: number } {
  const year = Math.min(2107, Math.max(1980, time.getUTCFullYear()));
  return {
    date: ((year - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate(),
    time: (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1),
  };
}
