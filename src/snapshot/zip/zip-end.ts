import { SnapshotCorruptError, SnapshotUnsafeError } from '../../errors.js';
import type { SnapshotLimits } from '../manifest/limits.js';
import type { ZipSource } from './zip-source.js';

/** Where the directory of a zip is. */
export interface ZipEnd {
  /** How many entries it has. */
  readonly count: number;
  /** Where it begins in the file. */
  readonly offset: number;
  readonly bytes: Buffer;
  /**
   * Bytes in front of the zip itself (in a self-extracting one): positions in the directory are counted from their
   * end.
   */
  readonly prefix: number;
}

/** The content of the records at the end (APPNOTE.TXT 4.3.14 to 4.3.16). */
interface EndFields {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
  /** Where the directory must end. */
  readonly position: number;
}

const END_SIGNATURE = Buffer.from('PK\x05\x06');
const LOCATOR_SIGNATURE = 0x07064b50;
const END64_SIGNATURE = 0x06064b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const MAX_COMMENT_BYTES = 0xffff;
/** Maximum padding after a zip that was copied in blocks, or out of a larger file. */
const MAX_PADDING_BYTES = 64 * 1024;
/** The end record lies within this many last bytes. */
const TAIL_BYTES = END_BYTES + MAX_COMMENT_BYTES + MAX_PADDING_BYTES;
/** A header, the longest accepted name, and room for extra fields. */
const CENTRAL_BYTES_PER_ENTRY = 2048;

/**
 * Reads the directory of a zip, which is found by the records at its end. A comment and padding may follow these
 * records, and the 64-bit ones may precede them.
 *
 * @throws SnapshotCorruptError when the zip was cut off anywhere; SnapshotUnsafeError when it has two directories,
 * or a larger one than is accepted
 */
export async function readZipEnd(source: ZipSource, limits: SnapshotLimits): Promise<ZipEnd> {
  const { record, position, behind } = await findEndRecord(source);
  const { count, size, offset, position: end } = await readEnd64(source, fieldsOf(record, position));
  if (count > limits.maxFiles + 1 || size > count * CENTRAL_BYTES_PER_ENTRY) {
    throw new SnapshotUnsafeError(
      `the zip claims ${count} entries in a directory of ${size} bytes; accepted are at most ${limits.maxFiles + 1} ` +
        `entries, of ${CENTRAL_BYTES_PER_ENTRY} bytes each`,
    );
  }
  const prefix = end - size - offset;
  if (prefix < 0) {
    throw new SnapshotCorruptError(
      'the directory of the zip is damaged: it is not where the end record says',
    );
  }
  const bytes = await source.read(end - size, size);
  // The bytes in front may belong to another zip, not to a program, when two zips were joined.
  const before = await source.read(Math.max(0, prefix - TAIL_BYTES), Math.min(prefix, TAIL_BYTES));
  // Unpackers would disagree on which directory is valid, because they begin to look at different places.
  if ([before, bytes, behind].some((part) => part.includes(END_SIGNATURE))) {
    throw new SnapshotUnsafeError('the zip has two directories');
  }
  return { count, offset: end - size, bytes, prefix };
}

/** The end record, its position, and the bytes after it. */
async function findEndRecord(
  source: ZipSource,
): Promise<{ readonly record: Buffer; readonly position: number; readonly behind: Buffer }> {
  // Most zips have no comment, so one small read is tried first.
  for (const bytes of [END_BYTES, TAIL_BYTES]) {
    const start = Math.max(0, source.size - bytes);
    const tail = await source.read(start, source.size - start);
    for (let at = tail.lastIndexOf(END_SIGNATURE); at >= 0; ) {
      const commentEnd = at + END_BYTES + (at + END_BYTES <= tail.length ? tail.readUInt16LE(at + 20) : 0);
      if (commentEnd <= tail.length) {
        const record = tail.subarray(at, at + END_BYTES);
        return { record, position: start + at, behind: tail.subarray(at + END_BYTES) };
      }
      at = at === 0 ? -1 : tail.lastIndexOf(END_SIGNATURE, at - 1);
    }
  }
  const head = await source.read(0, 4);
  const isZip = head.length === 4 && head.readUInt32LE(0) === LOCAL_SIGNATURE;
  throw new SnapshotCorruptError(
    isZip
      ? 'the zip is cut off: it has no directory at its end'
      : 'this is no zip, or one that is cut off: it has no directory at its end',
  );
}

function fieldsOf(record: Buffer, position: number): EndFields {
  // When all bits are set, the value is in the 64-bit record.
  assertOneDisk(...[record.readUInt16LE(4), record.readUInt16LE(6)].filter((disk) => disk !== 0xffff));
  return {
    count: sameCount(record.readUInt16LE(8), record.readUInt16LE(10)),
    size: record.readUInt32LE(12),
    offset: record.readUInt32LE(16),
    position,
  };
}

/** Reads the 64-bit record, which holds the numbers that are too large for the small one. */
async function readEnd64(source: ZipSource, small: EndFields): Promise<EndFields> {
  const at = small.position - LOCATOR_BYTES;
  const locator = at < 0 ? Buffer.alloc(0) : await source.read(at, LOCATOR_BYTES);
  if (locator.length < LOCATOR_BYTES || locator.readUInt32LE(0) !== LOCATOR_SIGNATURE) return small;
  assertOneDisk(locator.readUInt32LE(4), Math.max(0, locator.readUInt32LE(16) - 1));
  // With a prefix the record is not where the locator says, but directly before it, as all known tools write it.
  const declared = Number(locator.readBigUInt64LE(8));
  for (const position of [declared, at - END64_BYTES]) {
    if (position < 0 || position + END64_BYTES > at) continue;
    const record = await source.read(position, END64_BYTES);
    if (record.length < END64_BYTES || record.readUInt32LE(0) !== END64_SIGNATURE) continue;
    assertOneDisk(record.readUInt32LE(16), record.readUInt32LE(20));
    return agreed(small, {
      count: sameCount(Number(record.readBigUInt64LE(24)), Number(record.readBigUInt64LE(32))),
      size: Number(record.readBigUInt64LE(40)),
      offset: Number(record.readBigUInt64LE(48)),
      position,
    });
  }
  throw new SnapshotCorruptError('the directory of the zip is damaged: its 64-bit end record is not there');
}

/** Returns the large record if both agree: an old unpacker would rely on the small one. */
function agreed(small: EndFields, large: EndFields): EndFields {
  const agree = (one: number, other: number, none: number) => one === none || one === other;
  const isSame =
    agree(small.count, large.count, 0xffff) &&
    agree(small.size, large.size, 0xffff_ffff) &&
    agree(small.offset, large.offset, 0xffff_ffff);
  if (isSame && Number.isSafeInteger(large.size) && Number.isSafeInteger(large.offset)) return large;
  throw new SnapshotCorruptError('the directory of the zip is damaged: its two end records disagree');
}

function assertOneDisk(...disks: readonly number[]): void {
  if (disks.some((disk) => disk !== 0)) {
    throw new SnapshotUnsafeError('the zip is one part of several: join them to one zip first');
  }
}

function sameCount(onThisDisk: number, inAll: number): number {
  if (onThisDisk === inAll) return inAll;
  throw new SnapshotCorruptError('the directory of the zip is damaged: it has two counts of its entries');
}
