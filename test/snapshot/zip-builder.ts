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
}

/** Fields of the end record that lie. */
export interface EvilEnd {
  readonly count?: number;
  readonly size?: number;
  readonly offset?: number;
  readonly disk?: number;
  readonly comment?: Buffer;
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
  const directory = Buffer.concat(records);
  const tail = Buffer.alloc(22);
  tail.write('PK\x05\x06', 0, 'latin1');
  tail.writeUInt16LE(end.disk ?? 0, 4);
  tail.writeUInt16LE(end.disk ?? 0, 6);
  tail.writeUInt16LE(end.count ?? entries.length, 8);
  tail.writeUInt16LE(end.count ?? entries.length, 10);
  tail.writeUInt32LE(end.size ?? directory.length, 12);
  tail.writeUInt32LE(end.offset ?? position, 16);
  tail.writeUInt16LE(end.comment?.length ?? 0, 20);
  return Buffer.concat([...locals, directory, tail, end.comment ?? Buffer.alloc(0)]);
}

function buildEntry(entry: EvilEntry, position: number): { readonly local: Buffer; readonly record: Buffer } {
  const plain = Buffer.from(entry.data ?? '');
  const body = entry.deflate ? deflateRawSync(plain) : plain;
  const name = Buffer.from(entry.name);
  const localName = entry.localName === undefined ? name : Buffer.from(entry.localName);
  const extra = entry.extra ?? Buffer.alloc(0);
  const comment = entry.comment ?? Buffer.alloc(0);
  const common = Buffer.alloc(22);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(entry.flags ?? 0, 2);
  common.writeUInt16LE(entry.method ?? (entry.deflate ? 8 : 0), 4);
  common.writeUInt32LE(crc32(plain), 10);
  common.writeUInt32LE(entry.compressedSize ?? body.length, 14);
  common.writeUInt32LE(entry.size ?? plain.length, 18);
  const attributes = Buffer.alloc(12);
  attributes.writeUInt32LE((((entry.mode ?? 0o100600) << 16) | (entry.dosAttributes ?? 0)) >>> 0, 4);
  attributes.writeUInt32LE(entry.offset ?? position, 8);
  const lengths = (nameLength: number, ...rest: number[]) => {
    const bytes = Buffer.alloc(2 + rest.length * 2);
    for (const [index, value] of [nameLength, ...rest].entries()) bytes.writeUInt16LE(value, index * 2);
    return bytes;
  };
  return {
    local: Buffer.concat([
      Buffer.from('PK\x03\x04', 'latin1'),
      common,
      lengths(localName.length, 0),
      localName,
      body,
    ]),
    record: Buffer.concat([
      ...[Buffer.from('PK\x01\x02', 'latin1'), Buffer.from([20, 3]), common],
      ...[lengths(name.length, extra.length, comment.length), attributes, name, extra, comment],
    ]),
  };
}
