import type { File as DirectoryRecord } from 'unzipper';
import { SnapshotCorruptError, SnapshotUnsafeError } from '../errors.js';
import type { SnapshotLimits } from './limits.js';
import { assertSafePath, assertSafePaths, quoteName } from './safe-path.js';
import { MAX_ZIP_BYTES, type ZipSource } from './zip-source.js';

/** One file inside a zip, where its bytes lie and what they claim to become. */
export interface ZipEntry {
  readonly name: string;
  readonly compressed: boolean;
  /** Offset and bytes of the stored (perhaps deflated) data. */
  readonly dataOffset: number;
  readonly dataSize: number;
  /** Bytes it claims to unpack to. */
  readonly size: number;
  /** The checksum that its bytes shall have, as the zip declares it. */
  readonly crc32: number;
}

/** What to do with entries for folders: ours have none, archiver's `directory()` writes one for each. */
export interface ZipDirectoryOptions {
  /** `skip`: they are judged and left out. Default: refused. */
  readonly folders?: 'refuse' | 'skip';
}

const END_RECORD = Buffer.from('PK\x05\x06');
const END_BYTES = 22;
/** Where unzipper starts to look for the end record. */
const UNZIPPER_TAIL_BYTES = 80;
const LOCAL_HEADER_BYTES = 30;
const LOCAL_SIGNATURE = 0x04034b50;
const CENTRAL_SIGNATURE = 0x02014b50;
/** Encrypted, patched, strongly encrypted, masked headers. */
const REFUSED_FLAGS = 0x2061;
const STORED = 0;
const DEFLATED = 8;
const FILE_TYPE_MASK = 0xf000;
const REGULAR_FILE = 0x8000;
const FOLDER = 0x4000;
const DOS_FOLDER = 0x10;
/** Of nothing, deflated. */
const MAX_EMPTY_BYTES = 2;
/** A header, the longest accepted name, and room for extra fields. */
const CENTRAL_BYTES_PER_ENTRY = 2048;

/**
 * Reads the directory of a zip as an attacker's: names, kinds, sizes, counts, ratio and positions are all judged
 * before a byte is unpacked. unzipper itself skips unsafe names silently, checks no CRC and has no bomb guard.
 *
 * @throws SnapshotUnsafeError or SnapshotCorruptError naming the entry
 */
export async function readZipDirectory(
  source: ZipSource,
  limits: SnapshotLimits,
  { folders = 'refuse' }: ZipDirectoryOptions = {},
): Promise<readonly ZipEntry[]> {
  if (source.size > MAX_ZIP_BYTES) throw new SnapshotUnsafeError('the zip is larger than 4 GiB');
  const { count, offset, bytes } = await readZipEnd(source, limits);
  const all = await parseRecords(bytes, count, offset);
  const records = folders === 'skip' ? all.filter((record) => !isPlainFolder(record)) : all;
  assertBounds(records, source.size, limits);
  assertSafePaths(records.map(({ path }) => path));
  const entries: ZipEntry[] = [];
  for (const record of records) entries.push(await locate(source, record));
  assertApart(entries, offset);
  return entries;
}

/** The end record of a zip, with the bytes of its directory: absent when the zip was cut off anywhere. */
export async function readZipEnd(
  source: ZipSource,
  limits: SnapshotLimits,
): Promise<{ readonly count: number; readonly offset: number; readonly bytes: Buffer }> {
  const position = source.size - END_BYTES;
  const end = position < 0 ? Buffer.alloc(0) : await source.read(position, END_BYTES);
  if (end.length < END_BYTES || !end.subarray(0, 4).equals(END_RECORD)) {
    throw new SnapshotCorruptError('the zip is cut off: it has no directory at its end');
  }
  const count = end.readUInt16LE(10);
  const size = end.readUInt32LE(12);
  const offset = end.readUInt32LE(16);
  const whole = end.readUInt32LE(4) === 0 && end.readUInt16LE(8) === count && end.readUInt16LE(20) === 0;
  if (!whole || offset + size !== position) {
    throw new SnapshotCorruptError('the directory of the zip is damaged: its end record makes no sense');
  }
  if (count > limits.maxFiles + 1 || size > count * CENTRAL_BYTES_PER_ENTRY) {
    throw new SnapshotUnsafeError(`the zip claims ${count} entries in a directory of ${size} bytes`);
  }
  return { count, offset, bytes: Buffer.concat([await source.read(offset, size), end]) };
}

async function parseRecords(
  bytes: Buffer,
  count: number,
  offset: number,
): Promise<readonly DirectoryRecord[]> {
  // A second end record in the tail would show unzipper another directory than the one checked here.
  const tail = bytes.subarray(Math.max(0, bytes.length - UNZIPPER_TAIL_BYTES));
  if (tail.indexOf(END_RECORD) !== tail.length - END_BYTES) {
    throw new SnapshotUnsafeError('the zip has two directories');
  }
  const alone = Buffer.from(bytes);
  alone.writeUInt32LE(0, alone.length - END_BYTES + 16);
  const { Open } = await import('unzipper');
  try {
    // `Open.buffer` over the directory alone: no stream of unzipper ever touches the file (an error in one of its
    // streams has no listener and would end the process).
    const { files } = await Open.buffer(alone);
    if (files.length === count) return files;
  } catch (cause) {
    throw new SnapshotCorruptError(`the directory of the zip (at ${offset}) is damaged`, { cause });
  }
  throw new SnapshotCorruptError(`the directory of the zip (at ${offset}) is damaged`);
}

function assertBounds(records: readonly DirectoryRecord[], zipBytes: number, limits: SnapshotLimits): void {
  let total = 0;
  for (const record of records) {
    assertPlainFile(record);
    const { uncompressedSize, path } = record;
    total += uncompressedSize;
    if (uncompressedSize > limits.maxFileBytes || total > limits.maxTotalBytes) {
      throw new SnapshotUnsafeError(`entry ${quoteName(path)} unpacks to more bytes than are accepted`);
    }
    if (total > limits.freeExpansionBytes && total > zipBytes * limits.maxExpansionRatio) {
      throw new SnapshotUnsafeError(`entry ${quoteName(path)} unpacks to far more bytes than the zip has`);
    }
  }
}

/** An entry that only says that a folder is there. Its name is judged too: whoever hides something there is refused. */
function isPlainFolder(record: DirectoryRecord): boolean {
  const { path, fileNameLength, externalFileAttributes, uncompressedSize, compressedSize } = record;
  if (fileNameLength === 0 || !path.endsWith('/')) return false;
  const type = (externalFileAttributes >>> 16) & FILE_TYPE_MASK;
  if ((type !== 0 && type !== FOLDER) || uncompressedSize !== 0 || compressedSize > MAX_EMPTY_BYTES)
    return false;
  assertSafePath(path.slice(0, -1));
  return true;
}

function assertPlainFile(record: DirectoryRecord): void {
  // unzipper hands out no buffer at all for an empty name.
  if (record.fileNameLength === 0) throw new SnapshotUnsafeError('an entry of the zip has no name');
  const name = quoteName(record.path);
  if (record.signature !== CENTRAL_SIGNATURE || !Buffer.from(record.path).equals(record.pathBuffer)) {
    throw new SnapshotCorruptError(`the directory of the zip is damaged at entry ${name}`);
  }
  const type = (record.externalFileAttributes >>> 16) & FILE_TYPE_MASK;
  if ((type !== 0 && type !== REGULAR_FILE) || (record.externalFileAttributes & DOS_FOLDER) !== 0) {
    throw new SnapshotUnsafeError(`entry ${name} is not a plain file (a link, a folder or a device)`);
  }
  const { compressionMethod, compressedSize, uncompressedSize, flags } = record;
  if ((flags & REFUSED_FLAGS) !== 0) throw new SnapshotUnsafeError(`entry ${name} is encrypted or patched`);
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED) {
    throw new SnapshotUnsafeError(`entry ${name} has the unknown compression ${compressionMethod}`);
  }
  if (![compressedSize, uncompressedSize, record.offsetToLocalFileHeader].every(Number.isSafeInteger)) {
    throw new SnapshotCorruptError(`entry ${name} has no sizes or no place`);
  }
  if (compressionMethod === STORED && compressedSize !== uncompressedSize) {
    throw new SnapshotCorruptError(`entry ${name} is stored and yet has two sizes`);
  }
}

/** The local header must tell the same story: other unpackers believe it, not the directory. */
async function locate(source: ZipSource, record: DirectoryRecord): Promise<ZipEntry> {
  const { path, pathBuffer, compressionMethod, flags, offsetToLocalFileHeader: start } = record;
  const header = await source.read(start, LOCAL_HEADER_BYTES + pathBuffer.length);
  const same =
    header.length === LOCAL_HEADER_BYTES + pathBuffer.length &&
    header.readUInt32LE(0) === LOCAL_SIGNATURE &&
    header.readUInt16LE(6) === flags &&
    header.readUInt16LE(8) === compressionMethod &&
    header.readUInt16LE(26) === pathBuffer.length &&
    header.subarray(LOCAL_HEADER_BYTES).equals(pathBuffer);
  if (!same) throw new SnapshotCorruptError(`entry ${quoteName(path)} of the zip has a damaged header`);
  return {
    name: path,
    compressed: compressionMethod === DEFLATED,
    dataOffset: start + header.length + header.readUInt16LE(28),
    dataSize: record.compressedSize,
    size: record.uncompressedSize,
    crc32: record.crc32,
  };
}

/** Entries that share bytes are how a small zip unpacks to petabytes. */
function assertApart(entries: readonly ZipEntry[], directoryOffset: number): void {
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.dataOffset - b.dataOffset)) {
    const start = entry.dataOffset - LOCAL_HEADER_BYTES - Buffer.byteLength(entry.name);
    if (start < end) throw new SnapshotUnsafeError(`entry ${quoteName(entry.name)} overlaps another one`);
    end = entry.dataOffset + entry.dataSize;
    if (end > directoryOffset) throw new SnapshotCorruptError(`entry ${quoteName(entry.name)} is cut off`);
  }
}
