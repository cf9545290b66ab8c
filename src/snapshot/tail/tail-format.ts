import { createHash } from 'node:crypto';
import { describeError, SnapshotCorruptError } from '../../errors.js';
import { isFollowedPath } from '../../profile/follow/followed-path.js';
import type { PackedFiles, PackedPiece } from '../../types.js';
import { DEFAULT_LIMITS } from '../manifest/limits.js';
import { NewerFormatError } from '../manifest/manifest-fields.js';
import { assertSafePaths } from '../manifest/safe-path.js';
import { isSnapshotId } from '../manifest/snapshot-id.js';
import { TAIL_LIMITS, type Tail, type TailEntry } from '../tail.js';

/** Bytes of a serialized tail with as many files and pieces as are accepted. */
export const MAX_TAIL_BYTES = 4 * 1024 * 1024;

const SHA256 = /^[0-9a-f]{64}$/;
const NAME = /^[A-Za-z0-9][-\w.]{0,199}$/;

type Fields = Readonly<Record<string, unknown>>;

/** The bytes of a tail, with a SHA-256 over all the rest. */
export function serializeTail(tail: Tail): Uint8Array {
  return Buffer.from(`${JSON.stringify({ ...tail, checksum: sha256(JSON.stringify(tail)) })}\n`);
}

/**
 * Reads a tail without trusting it.
 *
 * @throws SnapshotCorruptError that names what is wrong; NewerFormatError when a newer version of this library wrote it
 */
export function parseTail(bytes: Uint8Array): Tail {
  if (bytes.length > MAX_TAIL_BYTES) return refuse('it is larger than any honest one');
  try {
    return tailIn(objectIn(bytes));
  } catch (cause) {
    if (cause instanceof SnapshotCorruptError) throw cause;
    throw new SnapshotCorruptError(`the tail is damaged: ${describeError(cause).message}`, { cause });
  }
}

/** The checksum is taken of the fields that were checked: others may be nested more deeply than can be serialized. */
function tailIn(fields: Fields): Tail {
  if (typeof fields.format === 'number' && fields.format > 1) {
    throw new NewerFormatError(`it has format ${fields.format}: a newer version wrote it`);
  }
  if (fields.format !== 1) return refuse('its format is not 1');
  const files = listOf(fields.files, TAIL_LIMITS.maxFiles).map(entryOf);
  const packs = listOf(fields.packs, TAIL_LIMITS.maxPieces).map((pack) => packOf(pack, files));
  const tail: Tail = {
    format: 1,
    clientId: textOf(fields.clientId),
    snapshot: isSnapshotId(textOf(fields.snapshot))
      ? textOf(fields.snapshot)
      : refuse('it names no snapshot'),
    contentDigest: matching(fields.contentDigest, SHA256),
    lineage: matching(fields.lineage, NAME),
    run: count(fields.run, Number.MAX_SAFE_INTEGER),
    at: Number.isNaN(Date.parse(textOf(fields.at))) ? refuse('its time is none') : textOf(fields.at),
    files,
    packs,
  };
  if (fields.checksum !== sha256(JSON.stringify(tail))) return refuse('it does not match its checksum');
  assertSafePaths(files.map(({ path }) => path));
  assertWhole(files, packs);
  return tail;
}

function entryOf({ path, size, sha256: hash, from }: Fields): TailEntry {
  const bytes = count(size, TAIL_LIMITS.maxBytes);
  if (!isFollowedPath(textOf(path))) return refuse('it has a file that is neither a log nor a blob');
  return { path: textOf(path), size: bytes, sha256: matching(hash, SHA256), from: count(from, bytes) };
}

function packOf({ sha256: hash, size, pieces }: Fields, files: readonly TailEntry[]): PackedFiles {
  const packSize = count(size, DEFAULT_LIMITS.maxPackBytes);
  if (!Array.isArray(pieces) || pieces.length === 0) return refuse('a pack of it has no pieces');
  if (pieces.length > TAIL_LIMITS.maxPieces) return refuse('it has too many pieces');
  return {
    sha256: matching(hash, SHA256),
    size: packSize,
    pieces: pieces.map((piece: unknown) => pieceOf(piece, files, packSize)),
  };
}

function pieceOf(value: unknown, files: readonly TailEntry[], packSize: number): PackedPiece {
  if (!Array.isArray(value) || value.length !== 4) return refuse('a piece of it has not four numbers');
  const [file, from, at, length] = value.map((number: unknown) => count(number, Number.MAX_SAFE_INTEGER)) as [
    number,
    number,
    number,
    number,
  ];
  const size = files[file]?.size ?? refuse('a piece of it is of no file');
  if (length === 0 || length > size || from > size - length) return refuse('a piece is not within its file');
  if (length > packSize || at > packSize - length) return refuse('a piece is not within its pack');
  return [file, from, at, length];
}

/** Each file must be there from its `from` to its end, each byte once. */
function assertWhole(files: readonly TailEntry[], packs: readonly PackedFiles[]): void {
  const pieces = packs.flatMap((pack) => pack.pieces);
  if (pieces.length > TAIL_LIMITS.maxPieces) refuse('it has too many pieces');
  if (files.reduce((sum, { size }) => sum + size, 0) > TAIL_LIMITS.maxBytes)
    refuse('its files are too large');
  const ends = files.map(({ from }) => from);
  for (const [file, from, , length] of [...pieces].sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (from !== ends[file]) refuse(`the pieces of ${files[file]?.path} do not follow one another`);
    ends[file] = from + length;
  }
  for (const [index, { path, size }] of files.entries()) {
    if (ends[index] !== size) refuse(`the pieces of ${path} are not all of it`);
  }
}

function objectIn(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (isObject(value)) return value;
  } catch (cause) {
    throw new SnapshotCorruptError('the tail is damaged: it is torn or overwritten', { cause });
  }
  return refuse('it is no JSON object');
}

function listOf(value: unknown, most: number): readonly Fields[] {
  if (!Array.isArray(value) || value.length > most) return refuse('a list of it is missing or too long');
  return value.map((item: unknown) => (isObject(item) ? item : refuse('an entry of a list is none')));
}

function count(value: unknown, most: number): number {
  const isCount = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most;
  return isCount ? value : refuse('a number in it is none');
}

function textOf(value: unknown): string {
  return typeof value === 'string' && value.length <= 1_000 ? value : refuse('a text in it is none');
}

function matching(value: unknown, pattern: RegExp): string {
  return pattern.test(textOf(value)) ? textOf(value) : refuse('a name in it is none');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function refuse(why: string): never {
  throw new SnapshotCorruptError(`the tail is damaged: ${why}`);
}
