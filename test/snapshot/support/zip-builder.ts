import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of a zip built by hand: every field can lie. */
export interface EvilEntry {
  readonly name: string | Buffer;
  readonly data?: Uint8Array | string;
  readonly deflate?: boolean;
  /** Name in the local header, when it shall differ from the directory's. */
  readonly localName?: string;
  /** Declared sizes in the directory, when they shall differ from the truth. */
  readonly size?: number;
  readonly compressedSize?: number;
  readonly method?: number;
  readonly flags?: number;
  /** Unix mode with the file type, for example 0o120777 for a symlink. */
  readonly mode?: number;
  readonly dosAttributes?: number;
  /** Directory offset of the local header, when it shall point elsewhere. */
  readonly offset?: number;
  readonly extra?: Buffer;
  readonly comment?: Buffer;
  /** Sizes and CRC follow the data, as tools that write to a stream do it; the local header has none. */
  readonly streamed?: boolean;
  /** Sizes and place stand in a 64-bit extra field of the directory. */
  readonly zip64?: boolean;
  /** Extra field of the local header. */
  readonly localExtra?: Buffer;
  /** System of the tool (APPNOTE.TXT 4.4.2.2); default 3, Unix. */
  readonly madeBy?: number;
}

/** Fields of the end record that lie. */
export interface EvilEnd {
  readonly count?: number;
  readonly size?: number;
  readonly offset?: number;
  readonly disk?: number;
  readonly comment?: Buffer;
  /** Bytes in front of everything, which no position counts. */
  readonly prefix?: Buffer;
  /** Bytes behind everything, which nothing declares. */
  readonly padding?: Buffer;
  /** Adds the 64-bit records; `{}` for true ones. Fields of the small one that have no value here have all bits set. */
  readonly zip64?: {
    readonly count?: number;
    readonly size?: number;
    readonly offset?: number;
    readonly at?: number;
  };
  /** Changes the order of the directory. */
  readonly order?: (records: readonly Buffer[]) => readonly Buffer[];
}

/** Builds a zip byte by byte. */
export function buildZip(entries: readonly EvilEntry[], end: EvilEnd = {}): Buffer {
  const locals: Buffer[] = [];
  const records: Buffer[] = [];
  let position = 0;
  for (const entry of entries) {
    const { local, record } = buildEntry(entry, position);
    locals.push(local);
    records.push(record);
    position += local.length;
  }
  const directory = Buffer.concat(end.order?.(records) ?? records);
  const { zip64 } = end;
  const large = zip64
    ? end64(
        {
          count: zip64.count ?? entries.length,
          size: zip64.size ?? directory.length,
          offset: zip64.offset ?? position,
        },
        zip64.at ?? position + directory.length,
      )
    : Buffer.alloc(0);
  const tail = Buffer.alloc(22);
  tail.write('PK\x05\x06', 0, 'latin1');
  tail.writeUInt16LE(end.disk ?? 0, 4);
  tail.writeUInt16LE(end.disk ?? 0, 6);
  const count = end.count ?? (zip64 ? 0xffff : entries.length);
  tail.writeUInt16LE(count, 8);
  tail.writeUInt16LE(count, 10);
  tail.writeUInt32LE(end.size ?? (zip64 ? 0xffffffff : directory.length), 12);
  tail.writeUInt32LE(end.offset ?? (zip64 ? 0xffffffff : position), 16);
  tail.writeUInt16LE(end.comment?.length ?? 0, 20);
  const nothing = Buffer.alloc(0);
  const { prefix = nothing, comment = nothing, padding = nothing } = end;
  return Buffer.concat([prefix, ...locals, directory, large, tail, comment, padding]);
}

/** The 64-bit end record and its locator. */
function end64(
  { count, size, offset }: { readonly count: number; readonly size: number; readonly offset: number },
  at: number,
): Buffer {
  const record = Buffer.alloc(56);
  record.write('PK\x06\x06', 0, 'latin1');
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(45, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(size), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 0, 'latin1');
  locator.writeBigUInt64LE(BigInt(at), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator]);
}

function buildEntry(entry: EvilEntry, position: number): { readonly local: Buffer; readonly record: Buffer } {
  const plain = Buffer.from(entry.data ?? '');
  const body = entry.deflate ? deflateRawSync(plain) : plain;
  const name = Buffer.from(entry.name);
  const localName = entry.localName === undefined ? name : Buffer.from(entry.localName);
  const size = entry.size ?? plain.length;
  const compressedSize = entry.compressedSize ?? body.length;
  const offset = entry.offset ?? position;
  const extra = entry.extra ?? (entry.zip64 ? extra64(size, compressedSize, offset) : Buffer.alloc(0));
  const localExtra = entry.localExtra ?? Buffer.alloc(0);
  const comment = entry.comment ?? Buffer.alloc(0);
  const common = Buffer.alloc(22);
  common.writeUInt16LE(entry.zip64 ? 45 : 20, 0);
  common.writeUInt16LE((entry.flags ?? 0) | (entry.streamed ? 8 : 0), 2);
  common.writeUInt16LE(entry.method ?? (entry.deflate ? 8 : 0), 4);
  const checks = Buffer.alloc(12);
  checks.writeUInt32LE(crc32(plain), 0);
  checks.writeUInt32LE(entry.zip64 ? 0xffffffff : compressedSize, 4);
  checks.writeUInt32LE(entry.zip64 ? 0xffffffff : size, 8);
  checks.copy(common, 10);
  const localCommon = Buffer.from(common);
  if (entry.streamed) localCommon.fill(0, 10);
  const descriptor = entry.streamed ? Buffer.concat([Buffer.from('PK\x07\x08'), checks]) : Buffer.alloc(0);
  const attributes = Buffer.alloc(12);
  attributes.writeUInt32LE((((entry.mode ?? 0o100600) << 16) | (entry.dosAttributes ?? 0)) >>> 0, 4);
  attributes.writeUInt32LE(entry.zip64 ? 0xffffffff : offset, 8);
  const lengths = (nameLength: number, ...rest: number[]) => {
    const bytes = Buffer.alloc(2 + rest.length * 2);
    for (const [index, value] of [nameLength, ...rest].entries()) bytes.writeUInt16LE(value, index * 2);
    return bytes;
  };
  return {
    local: Buffer.concat([
      ...[Buffer.from('PK\x03\x04', 'latin1'), localCommon, lengths(localName.length, localExtra.length)],
      ...[localName, localExtra, body, descriptor],
    ]),
    record: Buffer.concat([
      ...[Buffer.from('PK\x01\x02', 'latin1'), Buffer.from([20, entry.madeBy ?? 3]), common],
      ...[lengths(name.length, extra.length, comment.length), attributes, name, extra, comment],
    ]),
  };
}

/** What stands in the directory where 32 bits are too few (APPNOTE.TXT 4.5.3). */
function extra64(...values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + values.length * 8);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(values.length * 8, 2);
  for (const [index, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + index * 8);
  return extra;
}
