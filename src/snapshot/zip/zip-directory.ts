/// <reference path="./unzipper.d.ts" />
import { PassThrough } from 'node:stream';
import type { File as DirectoryRecord } from 'unzipper';
import type { DirectorySource } from 'unzipper/lib/Open/directory.js';
import { SnapshotCorruptError, SnapshotUnsafeError } from '../../errors.js';
import type { SnapshotLimits } from '../manifest/limits.js';
import { assertSafePaths, quoteName } from '../manifest/safe-path.js';
import { readZipEnd, type ZipEnd } from './zip-end.js';
import { DEFLATED, STORED, type ZipEntry } from './zip-entry.js';
import type { ZipSource } from './zip-source.js';

/** Distance from the end at which unzipper starts to look for the end record. */
const UNZIPPER_TAIL_BYTES = 80;
/** From this count on, the number of entries is in the 64-bit end record. */
const MAX_SMALL_COUNT = 0xffff;
const LOCAL_HEADER_BYTES = 30;
const CENTRAL_HEADER_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const CENTRAL_SIGNATURE = 0x02014b50;
/** Flags for encrypted, strongly encrypted and masked headers. */
const ENCRYPTED_FLAGS = 0x2041;
const PATCHED_FLAG = 0x20;
const FILE_TYPE_MASK = 0xf000;
const REGULAR_FILE = 0x8000;
const FOLDER = 0x4000;
const DOS_FOLDER = 0x10;
/** The size of an empty entry after it was deflated. */
const MAX_EMPTY_BYTES = 2;

/** An unchanged entry of the directory, and the name under which it is judged and unpacked. */
export interface ZipRecord {
  readonly name: string;
  readonly record: DirectoryRecord;
}

/**
 * Reads the directory of a zip without trusting it: names, kinds, sizes, counts, ratio and positions are all
 * judged before a byte is unpacked. unzipper itself skips unsafe names silently, checks no CRC and does not detect
 * zip bombs.
 *
 * @throws SnapshotUnsafeError or SnapshotCorruptError naming the entry
 */
export async function readZipDirectory(
  source: ZipSource,
  limits: SnapshotLimits,
): Promise<readonly ZipEntry[]> {
  const { records, end } = await readZipRecords(source, limits);
  for (const { path, pathBuffer, fileNameLength } of records) {
    // unzipper returns no buffer at all for an empty name.
    if (fileNameLength > 0 && !Buffer.from(path).equals(pathBuffer)) throw damagedAt(path);
  }
  return judgeRecords(
    source,
    limits,
    end,
    records.map((record) => ({ name: record.path, record })),
  );
}

/** The entries in the directory of a zip; only their form is checked. */
export async function readZipRecords(
  source: ZipSource,
  limits: SnapshotLimits,
): Promise<{ readonly records: readonly DirectoryRecord[]; readonly end: ZipEnd }> {
  if (source.size > limits.maxZipBytes) {
    throw new SnapshotUnsafeError(
      `the zip has ${source.size} bytes; at most ${limits.maxZipBytes} are accepted`,
    );
  }
  const end = await readZipEnd(source, limits);
  return { records: await parseRecords(end), end };
}

/** The records at the end of a zip whose directory begins at 0 (APPNOTE.TXT 4.3.14 to 4.3.16). */
function endRecords(count: number, directoryBytes: number): Buffer {
  const small = Buffer.alloc(22);
  small.writeUInt32LE(0x06054b50, 0);
  small.writeUInt16LE(Math.min(count, MAX_SMALL_COUNT), 8);
  small.writeUInt16LE(Math.min(count, MAX_SMALL_COUNT), 10);
  small.writeUInt32LE(directoryBytes, 12);
  if (count < MAX_SMALL_COUNT) return Buffer.concat([Buffer.alloc(UNZIPPER_TAIL_BYTES), small]);
  const large = Buffer.alloc(56 + 20);
  large.writeUInt32LE(0x06064b50, 0);
  large.writeBigUInt64LE(44n, 4);
  large.writeBigUInt64LE(BigInt(count), 24);
  large.writeBigUInt64LE(BigInt(count), 32);
  large.writeBigUInt64LE(BigInt(directoryBytes), 40);
  large.writeUInt32LE(0x07064b50, 56);
  large.writeBigUInt64LE(BigInt(directoryBytes), 64);
  return Buffer.concat([large, small]);
}

/** Judges the entries that will be unpacked, and finds where their bytes lie. */
export async function judgeRecords(
  source: ZipSource,
  limits: SnapshotLimits,
  end: ZipEnd,
  records: readonly ZipRecord[],
): Promise<readonly ZipEntry[]> {
  assertBounds(records, source.size, limits);
  assertSafePaths(records.map(({ name }) => name));
  const entries: LocatedEntry[] = [];
  for (const record of records) entries.push(await locate(source, record, end.prefix));
  assertApart(entries, end.offset);
  return entries;
}

async function parseRecords({ count, offset, bytes }: ZipEnd): Promise<readonly DirectoryRecord[]> {
  const damaged = (cause?: unknown) =>
    new SnapshotCorruptError(`the directory of the zip (at ${offset}) is damaged`, { cause });
  // Adds end records of our own, the only ones that unzipper can find; those of the zip have already been read.
  const alone = Buffer.concat([bytes, endRecords(count, bytes.length)]);
  // The package's main module is not used: it requires an SDK that is not installed, which stops bundlers.
  const { default: openDirectory } = await import('unzipper/lib/Open/directory.js');
  let files: readonly DirectoryRecord[];
  try {
    // unzipper gets only the directory, never a stream of the file: an error in one of its streams has no listener
    // and would end the process.
    ({ files } = await openDirectory(bytesAsSource(alone)));
  } catch (cause) {
    throw damaged(cause);
  }
  const length = files.reduce(
    (sum, { fileNameLength, extraFieldLength, fileCommentLength }) =>
      sum + CENTRAL_HEADER_BYTES + fileNameLength + extraFieldLength + fileCommentLength,
    0,
  );
  if (files.length !== count || length !== bytes.length) throw damaged();
  return files;
}

function bytesAsSource(bytes: Buffer): DirectorySource {
  return {
    size: async () => bytes.length,
    stream: (offset, length) => {
      const stream = new PassThrough();
      stream.end(bytes.subarray(offset, length ? offset + length : undefined));
      return stream;
    },
  };
}

function assertBounds(records: readonly ZipRecord[], zipBytes: number, limits: SnapshotLimits): void {
  let total = 0;
  for (const record of records) {
    assertPlainFile(record);
    const { uncompressedSize } = record.record;
    const name = quoteName(record.name);
    total += uncompressedSize;
    if (uncompressedSize > limits.maxFileBytes || total > limits.maxTotalBytes) {
      throw new SnapshotUnsafeError(`entry ${name} unpacks to more bytes than are accepted`);
    }
    if (total > limits.freeExpansionBytes && total > zipBytes * limits.maxExpansionRatio) {
      throw new SnapshotUnsafeError(`entry ${name} unpacks to far more bytes than the zip has`);
    }
  }
}

/** The file type that a Unix tool recorded; 0 when there is none. */
export function fileTypeOf({ externalFileAttributes }: DirectoryRecord): number {
  return (externalFileAttributes >>> 16) & FILE_TYPE_MASK;
}

/** Whether an entry only states that a folder exists. */
export function isPlainFolder({ name, record }: ZipRecord): boolean {
  const { uncompressedSize, compressedSize } = record;
  const type = fileTypeOf(record);
  return (
    name.endsWith('/') &&
    (type === 0 || type === FOLDER) &&
    uncompressedSize === 0 &&
    compressedSize <= MAX_EMPTY_BYTES
  );
}

function assertPlainFile({ name: path, record }: ZipRecord): void {
  if (record.fileNameLength === 0) throw new SnapshotUnsafeError('an entry of the zip has no name');
  const name = quoteName(path);
  if (record.signature !== CENTRAL_SIGNATURE) throw damagedAt(path);
  const type = fileTypeOf(record);
  if ((type !== 0 && type !== REGULAR_FILE) || (record.externalFileAttributes & DOS_FOLDER) !== 0) {
    throw new SnapshotUnsafeError(`entry ${name} is not a plain file (a link, a folder or a device)`);
  }
  const { compressionMethod, compressedSize, uncompressedSize, flags } = record;
  if ((flags & ENCRYPTED_FLAGS) !== 0) {
    throw new SnapshotUnsafeError(`entry ${name} is encrypted: only a zip without a password is read`);
  }
  if ((flags & PATCHED_FLAG) !== 0) throw new SnapshotUnsafeError(`entry ${name} is a patch, not a file`);
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED) {
    throw new SnapshotUnsafeError(
      `entry ${name} has the unknown compression ${compressionMethod}: only stored and deflated files are read`,
    );
  }
  if (![compressedSize, uncompressedSize, record.offsetToLocalFileHeader].every(Number.isSafeInteger)) {
    throw new SnapshotCorruptError(`entry ${name} has no sizes or no place`);
  }
  if (compressionMethod === STORED && compressedSize !== uncompressedSize) {
    throw new SnapshotCorruptError(`entry ${name} is stored and yet has two sizes`);
  }
}

function damagedAt(path: string): SnapshotCorruptError {
  return new SnapshotCorruptError(`the directory of the zip is damaged at entry ${quoteName(path)}`);
}

interface LocatedEntry extends ZipEntry {
  /** Where its local header begins. */
  readonly start: number;
}

/** The local header must agree with the directory, because other unpackers rely on it instead of the directory. */
async function locate(source: ZipSource, { name, record }: ZipRecord, prefix: number): Promise<LocatedEntry> {
  const { pathBuffer, compressionMethod, flags, offsetToLocalFileHeader } = record;
  const start = offsetToLocalFileHeader + prefix;
  const header = await source.read(start, LOCAL_HEADER_BYTES + pathBuffer.length);
  const same =
    header.length === LOCAL_HEADER_BYTES + pathBuffer.length &&
    header.readUInt32LE(0) === LOCAL_SIGNATURE &&
    header.readUInt16LE(6) === flags &&
    header.readUInt16LE(8) === compressionMethod &&
    header.readUInt16LE(26) === pathBuffer.length &&
    header.subarray(LOCAL_HEADER_BYTES).equals(pathBuffer);
  if (!same) throw new SnapshotCorruptError(`entry ${quoteName(name)} of the zip has a damaged header`);
  return {
    name,
    start,
    compressed: compressionMethod === DEFLATED,
    dataOffset: start + header.length + header.readUInt16LE(28),
    dataSize: record.compressedSize,
    size: record.uncompressedSize,
    crc32: record.crc32,
  };
}

/** Refuses entries that share bytes: with these a small zip unpacks to petabytes. */
function assertApart(entries: readonly LocatedEntry[], directoryOffset: number): void {
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.start - b.start)) {
    if (entry.start < end)
      throw new SnapshotUnsafeError(`entry ${quoteName(entry.name)} overlaps another one`);
    end = entry.dataOffset + entry.dataSize;
    if (end > directoryOffset) throw new SnapshotCorruptError(`entry ${quoteName(entry.name)} is cut off`);
  }
}
