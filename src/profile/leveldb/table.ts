import { createHash } from 'node:crypto';
import { ByteReader, readUint16, readUint32 } from './byte-reader.js';
import { crc32c, unmaskCrc } from './crc32c.js';
import { DamageError } from './damage.js';
import { decompressSnappy } from './snappy.js';

/** Bytes of the footer, the last part of a table, which tells where the index is (LevelDB, doc/table_format.md). */
export const FOOTER_BYTES = 48;
const CRC_BYTES = 4;
/** Each block is followed by one byte for its compression and by its CRC. */
const TRAILER_BYTES = 1 + CRC_BYTES;
/** Larger blocks (with one huge value) are checked in pieces and never decompressed. */
const MAX_BLOCK_BYTES = 64 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

/** Each user key is followed by one byte for the kind of change and 7 for its sequence number (LevelDB, db/dbformat.h). */
const INTERNAL_KEY_BYTES = 8;

const UNCOMPRESSED = 0;
const SNAPPY = 1;

/**
 * Reads exactly `length` bytes at `offset`; throws {@link DamageError} when the file ends before that. The result may be a
 * part of `into`, if that is given; it must be large enough.
 */
export type ReadAt = (offset: number, length: number, into?: Uint8Array) => Promise<Uint8Array>;

interface BlockHandle {
  readonly offset: number;
  /** Bytes without the trailer. */
  readonly size: number;
}

/** An entry of a block. In a data block, the key is a user key followed by 8 bytes for sequence number and kind. */
export interface BlockEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Checks the footer: the magic number is correct, and the handles point inside the file. */
export function parseFooter(
  footer: Uint8Array,
  fileBytes: number,
): { metaIndex: BlockHandle; index: BlockHandle } {
  if (footer.length !== FOOTER_BYTES) throw new DamageError('it is too short to be a table');
  if (readUint32(footer, 40) !== 0x8b80fb57 || readUint32(footer, 44) !== 0xdb477524) {
    throw new DamageError('its end is not that of a table');
  }
  const reader = new ByteReader(footer.subarray(0, 40));
  const end = fileBytes - FOOTER_BYTES;
  return { metaIndex: readHandle(reader, end), index: readHandle(reader, end) };
}

/**
 * Compares every block of a table with its CRC. Reads the file once, in pieces of the size of `window`.
 *
 * @returns SHA-256 of the bytes that were checked, lower-case hex; `undefined` when the signal has aborted, or when the index
 *   has an unknown compression, so that the blocks can't be found
 * @throws {@link DamageError} at the first block that differs
 */
export async function checkTable(
  readAt: ReadAt,
  fileBytes: number,
  window: Uint8Array,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { metaIndex, index } = await readFooter(readAt, fileBytes);
  const indexBlock = await readBlock(readAt, index);
  const blocks = new BlockChecker([
    ...handlesIn(await readBlock(readAt, metaIndex), fileBytes),
    ...handlesIn(indexBlock, fileBytes),
    metaIndex,
    index,
  ]);
  const hash = createHash('sha256');
  for (let offset = 0; offset < fileBytes; ) {
    if (signal?.aborted === true) return undefined;
    const bytes = await readAt(offset, Math.min(window.length, fileBytes - offset), window);
    hash.update(bytes);
    blocks.push(bytes);
    offset += bytes.length;
  }
  return indexBlock === undefined ? undefined : hash.digest('hex');
}

/** Compares blocks with their CRCs while the file is read piece by piece. */
class BlockChecker {
  readonly #blocks: readonly BlockHandle[];
  readonly #stored = new Uint8Array(CRC_BYTES);
  #next = 0;
  #position = 0;
  #crc = 0;

  /** @throws {@link DamageError} when blocks overlap: each byte is read only once, so the blocks must follow one another */
  constructor(blocks: readonly BlockHandle[]) {
    this.#blocks = [...blocks].sort((a, b) => a.offset - b.offset);
    let end = 0;
    for (const { offset, size } of this.#blocks) {
      if (offset < end) throw new DamageError('two of its blocks overlap');
      end = offset + size + TRAILER_BYTES;
    }
  }

  push(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const taken = this.#take(bytes.subarray(done));
      done += taken;
      this.#position += taken;
    }
  }

  /** Processes the bytes at the present position; returns how many were processed, at least one. */
  #take(bytes: Uint8Array): number {
    const block = this.#blocks[this.#next];
    if (block === undefined) return bytes.length;
    // The CRC also covers the byte for the compression.
    const covered = block.offset + block.size + 1;
    const until = (end: number) => bytes.subarray(0, end - this.#position);
    if (this.#position < block.offset) return until(block.offset).length;
    if (this.#position < covered) {
      const part = until(covered);
      this.#crc = crc32c(part, this.#crc);
      return part.length;
    }
    const part = until(covered + CRC_BYTES);
    this.#stored.set(part, this.#position - covered);
    if (this.#position + part.length === covered + CRC_BYTES) this.#judge(block);
    return part.length;
  }

  #judge(block: BlockHandle): void {
    if (this.#crc !== unmaskCrc(readUint32(this.#stored, 0))) throw wrongChecksum(block);
    this.#next++;
    this.#crc = 0;
  }
}

/**
 * Whether a data block is wanted. Its keys come after `before`, the last key of the previous block (`undefined` for the
 * first block), and go up to `last`. Both have the form of a key of {@link BlockEntry}.
 */
export type WantsBlock = (before: Uint8Array | undefined, last: Uint8Array) => boolean;

/**
 * The entries of a table's data blocks: of all blocks, or of those that are wanted.
 *
 * @throws {@link DamageError} also when a block is too large, or compressed in a way that this reader does not know
 */
export async function* tableEntries(
  readAt: ReadAt,
  fileBytes: number,
  wants: WantsBlock = () => true,
): AsyncGenerator<BlockEntry> {
  const { index } = await readFooter(readAt, fileBytes);
  let before: Uint8Array | undefined;
  for (const { key, value } of blockEntries(await readWholeBlock(readAt, index))) {
    const isWanted = wants(before, key);
    before = key;
    if (!isWanted) continue;
    const handle = readHandle(new ByteReader(value), fileBytes - FOOTER_BYTES);
    yield* blockEntries(await readWholeBlock(readAt, handle));
  }
}

/** Splits the key of an entry into its parts: the user key, the sequence number and the kind of change. */
export function readInternalKey({ key }: BlockEntry): {
  readonly userKey: Uint8Array;
  readonly sequence: number;
  readonly isPut: boolean;
} {
  const end = key.length - INTERNAL_KEY_BYTES;
  if (end < 0) throw new DamageError('a key is too short');
  const sequence =
    (key[end + 1] ?? 0) + readUint32(key, end + 2) * 2 ** 8 + readUint16(key, end + 6) * 2 ** 40;
  return { userKey: key.subarray(0, end), sequence, isPut: key[end] === 1 };
}

/** The entries of one decompressed block. Throws {@link DamageError} and nothing else. */
export function* blockEntries(block: Uint8Array): Generator<BlockEntry> {
  if (block.length < 4) throw new DamageError('a block is too short');
  const restarts = readUint32(block, block.length - 4);
  const end = block.length - 4 - restarts * 4;
  if (end < 0) throw new DamageError('a block is too short');
  const reader = new ByteReader(block.subarray(0, end));
  let key: Uint8Array = new Uint8Array(0);
  while (!reader.done) {
    const shared = reader.varint();
    const unshared = reader.varint();
    const valueBytes = reader.varint();
    if (shared > key.length) throw new DamageError('a key in a block is impossible');
    const rest = reader.take(unshared);
    const whole = new Uint8Array(shared + unshared);
    whole.set(key.subarray(0, shared));
    whole.set(rest, shared);
    key = whole;
    yield { key, value: reader.take(valueBytes) };
  }
}

async function readFooter(readAt: ReadAt, fileBytes: number) {
  if (fileBytes < FOOTER_BYTES) throw new DamageError('it is too short to be a table');
  return parseFooter(await readAt(fileBytes - FOOTER_BYTES, FOOTER_BYTES), fileBytes);
}

async function readWholeBlock(readAt: ReadAt, handle: BlockHandle): Promise<Uint8Array> {
  const block = await readBlock(readAt, handle);
  if (block === undefined) throw new DamageError(`the block at byte ${handle.offset} can't be read`);
  return block;
}

/** Reads, checks and decompresses a block; `undefined` when this reader does not know its compression. */
async function readBlock(readAt: ReadAt, handle: BlockHandle): Promise<Uint8Array | undefined> {
  if (handle.size > MAX_BLOCK_BYTES) {
    await checkBlock(readAt, handle);
    return undefined;
  }
  const stored = await readAt(handle.offset, handle.size + TRAILER_BYTES);
  if (crc32c(stored.subarray(0, handle.size + 1)) !== unmaskCrc(readUint32(stored, handle.size + 1))) {
    throw wrongChecksum(handle);
  }
  const compression = stored[handle.size];
  const contents = stored.subarray(0, handle.size);
  if (compression === UNCOMPRESSED) return contents;
  return compression === SNAPPY ? decompressSnappy(contents, MAX_BLOCK_BYTES) : undefined;
}

async function checkBlock(readAt: ReadAt, handle: BlockHandle): Promise<void> {
  const covered = handle.size + 1;
  let crc = 0;
  for (let done = 0; done < covered; done += PIECE_BYTES) {
    crc = crc32c(await readAt(handle.offset + done, Math.min(PIECE_BYTES, covered - done)), crc);
  }
  if (crc !== unmaskCrc(readUint32(await readAt(handle.offset + covered, 4), 0))) throw wrongChecksum(handle);
}

function handlesIn(block: Uint8Array | undefined, fileBytes: number): BlockHandle[] {
  if (block === undefined) return [];
  return [...blockEntries(block)].map(({ value }) =>
    readHandle(new ByteReader(value), fileBytes - FOOTER_BYTES),
  );
}

function readHandle(reader: ByteReader, end: number): BlockHandle {
  const handle = { offset: reader.varint(), size: reader.varint() };
  if (handle.offset + handle.size + TRAILER_BYTES > end) {
    throw new DamageError('it names a block outside of itself');
  }
  return handle;
}

function wrongChecksum(handle: BlockHandle): DamageError {
  return new DamageError(`the checksum of the block at byte ${handle.offset} is wrong`);
}
