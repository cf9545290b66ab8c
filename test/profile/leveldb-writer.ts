import { crc32c, maskCrc } from '../../src/profile/leveldb/crc32c.js';

/**
 * Writes the structures of LevelDB, in the way Chromium's does, so that tests can have small profiles at will.
 * Compared once with real ones: test/profile/profiles.ts says which.
 */
const BLOCK = 32 * 1024;

export function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

export function uint32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

function prefixed(bytes: Uint8Array | readonly number[]): number[] {
  return [...varint(bytes.length), ...bytes];
}

/** A log (or MANIFEST) of the given records. */
export function writeLog(records: readonly Uint8Array[]): Buffer {
  const out: number[] = [];
  for (const record of records) writeRecord(out, record);
  return Buffer.from(out);
}

function writeRecord(out: number[], record: Uint8Array): void {
  let at = 0;
  for (let isFirst = true, isLast = false; !isLast; isFirst = false) {
    while (BLOCK - (out.length % BLOCK) < 7) out.push(0);
    const payload = record.subarray(at, at + BLOCK - (out.length % BLOCK) - 7);
    at += payload.length;
    isLast = at === record.length;
    const type = isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3;
    const crc = maskCrc(crc32c(Buffer.concat([Uint8Array.of(type), payload])));
    out.push(...uint32(crc), payload.length & 255, payload.length >>> 8, type);
    for (const byte of payload) out.push(byte);
  }
}

export interface EditFields {
  readonly comparator?: string;
  readonly logNumber?: number;
  readonly prevLogNumber?: number;
  readonly nextFileNumber?: number;
  readonly lastSequence?: number;
  readonly deleted?: readonly number[];
  readonly added?: readonly { readonly number: number; readonly size: number; readonly level?: number }[];
}

/** One record of a MANIFEST. */
export function writeEdit(edit: EditFields): Buffer {
  const out: number[] = [];
  if (edit.comparator !== undefined) out.push(1, ...prefixed(Buffer.from(edit.comparator)));
  if (edit.logNumber !== undefined) out.push(2, ...varint(edit.logNumber));
  if (edit.prevLogNumber !== undefined) out.push(9, ...varint(edit.prevLogNumber));
  if (edit.nextFileNumber !== undefined) out.push(3, ...varint(edit.nextFileNumber));
  if (edit.lastSequence !== undefined) out.push(4, ...varint(edit.lastSequence));
  for (const number of edit.deleted ?? []) out.push(6, ...varint(0), ...varint(number));
  for (const { number, size, level = 0 } of edit.added ?? []) {
    out.push(7, ...varint(level), ...varint(number), ...varint(size), ...prefixed([97]), ...prefixed([122]));
  }
  return Buffer.from(out);
}

/** One change; without a value the key is deleted. */
export type WrittenEntry = readonly [key: string, value?: string];

/** A write batch as logs hold it. Its first change gets the number `sequence`. */
export function writeBatch(entries: readonly WrittenEntry[], sequence = 1): Buffer {
  const body = entries.flatMap(([key, value]) => [
    value === undefined ? 0 : 1,
    ...prefixed(Buffer.from(key, 'latin1')),
    ...(value === undefined ? [] : prefixed(Buffer.from(value, 'latin1'))),
  ]);
  return Buffer.from([...uint32(sequence), 0, 0, 0, 0, ...uint32(entries.length), ...body]);
}

/** Snappy, as plain as it gets: literals only. */
export function snappyLiterals(bytes: Uint8Array): Buffer {
  const out: number[] = varint(bytes.length);
  for (let at = 0; at < bytes.length; at += 256) {
    const piece = bytes.subarray(at, at + 256);
    out.push(60 << 2, piece.length - 1, ...piece);
  }
  return Buffer.from(out);
}

/** A table of the given keys, which must be in order; two entries to a data block, all of the number `sequence`. */
export function writeTable(
  entries: readonly WrittenEntry[],
  options: { readonly compress?: boolean; readonly compression?: number; readonly sequence?: number } = {},
): Buffer {
  const { sequence = 1 } = options;
  const out: number[] = [];
  const emit = (contents: Uint8Array): number[] => {
    const stored = options.compress === true ? snappyLiterals(contents) : contents;
    const type = options.compression ?? (options.compress === true ? 1 : 0);
    const handle = [...varint(out.length), ...varint(stored.length)];
    out.push(...stored, type, ...uint32(maskCrc(crc32c(Uint8Array.of(...stored, type)))));
    return handle;
  };
  const index: [Uint8Array, Uint8Array][] = [];
  for (let at = 0; at < entries.length; at += 2) {
    const pair = entries
      .slice(at, at + 2)
      .map(([key, value]): [Uint8Array, Uint8Array] => [
        Buffer.concat([
          Buffer.from(key, 'latin1'),
          Buffer.from([value === undefined ? 0 : 1, ...uint32(sequence), 0, 0, 0]),
        ]),
        Buffer.from(value ?? '', 'latin1'),
      ]);
    const handle = emit(writeBlock(pair));
    index.push([pair[pair.length - 1]?.[0] ?? Buffer.alloc(0), Buffer.from(handle)]);
  }
  const metaIndex = emit(writeBlock([]));
  const handles = [...metaIndex, ...emit(writeBlock(index))];
  while (handles.length < 40) handles.push(0);
  out.push(...handles, ...uint32(0x8b80fb57), ...uint32(0xdb477524));
  return Buffer.from(out);
}

/** A block with prefix-compressed keys and one restart. */
export function writeBlock(entries: readonly (readonly [Uint8Array, Uint8Array])[]): Buffer {
  const out: number[] = [];
  let before: Uint8Array = Buffer.alloc(0);
  for (const [key, value] of entries) {
    let shared = 0;
    while (shared < before.length && shared < key.length && before[shared] === key[shared]) shared++;
    out.push(...varint(shared), ...varint(key.length - shared), ...varint(value.length));
    out.push(...key.subarray(shared), ...value);
    before = key;
  }
  return Buffer.from([...out, ...uint32(0), ...uint32(1)]);
}
