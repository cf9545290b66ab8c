import { SnapshotUnsafeError } from '../../errors.js';
import type { PackedFiles, PackedPiece, SnapshotFile } from '../../types.js';
import { count, type Fields, matching, refuse, SHA256 } from './field-checks.js';
import type { SnapshotLimits } from './limits.js';

/**
 * Reads the field `packs` of a manifest without trusting it. Each file that lies in packs must lie there from its first
 * byte to its last, each byte once, so that no reader finds a hole. Which bytes those are, only their SHA-256 tells.
 *
 * @throws SnapshotCorruptError, or SnapshotUnsafeError for what is more than the limits allow
 */
export function packedFiles(
  value: unknown,
  files: readonly SnapshotFile[],
  limits: SnapshotLimits,
): readonly PackedFiles[] {
  if (!Array.isArray(value)) return refuse('packs', 'it must be a list');
  if (value.length === 0) return refuse('packs', 'it is empty');
  if (value.length > limits.maxPacks) {
    throw new SnapshotUnsafeError(
      `the snapshot lies in ${value.length} packs; at most ${limits.maxPacks} are accepted`,
    );
  }
  const packs = value.map((item: unknown, index) => packOf(item, files, limits, `packs[${index}]`));
  if (new Set(packs.map(({ sha256 }) => sha256)).size < packs.length)
    return refuse('packs', 'it names one twice');
  assertWholeFiles(packs, files, limits);
  return packs;
}

function packOf(
  value: unknown,
  files: readonly SnapshotFile[],
  limits: SnapshotLimits,
  where: string,
): PackedFiles {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 3) {
    return refuse(where, 'it must have sha256, size and pieces');
  }
  const fields = value as Fields;
  const size = count(fields, 'size', limits.maxPackBytes, where);
  const { pieces } = fields;
  if (!Array.isArray(pieces) || pieces.length === 0) return refuse(`${where}.pieces`, 'it must be a list');
  return {
    sha256: matching(fields, 'sha256', SHA256, where),
    size,
    pieces: pieces.map((piece: unknown) => pieceOf(piece, files, size, `${where}.pieces`)),
  };
}

function pieceOf(
  value: unknown,
  files: readonly SnapshotFile[],
  packSize: number,
  where: string,
): PackedPiece {
  if (!Array.isArray(value) || value.length !== 4) return refuse(where, 'a piece has four numbers');
  const [file, from, at, length] = value.map((number: unknown) =>
    count({ number }, 'number', Number.MAX_SAFE_INTEGER, where),
  ) as [number, number, number, number];
  const size = files[file]?.size;
  if (size === undefined) return refuse(where, 'a piece is of no file');
  // Differences, because a sum of two such numbers need not be exact.
  if (length === 0 || length > size || from > size - length)
    return refuse(where, 'a piece is not within its file');
  if (length > packSize || at > packSize - length) return refuse(where, 'a piece is not within its pack');
  return [file, from, at, length];
}

function assertWholeFiles(
  packs: readonly PackedFiles[],
  files: readonly SnapshotFile[],
  { maxPieces, maxPiecedBytes }: SnapshotLimits,
): void {
  const ofFiles = new Map<number, PackedPiece[]>();
  for (const piece of packs.flatMap(({ pieces }) => pieces)) {
    const known = ofFiles.get(piece[0]);
    if (known === undefined) ofFiles.set(piece[0], [piece]);
    else known.push(piece);
  }
  let piecedBytes = 0;
  for (const [file, pieces] of ofFiles) {
    const { path = '', size = 0 } = files[file] ?? {};
    let end = 0;
    for (const [, from, , length] of pieces.sort((a, b) => a[1] - b[1])) {
      if (from !== end) refuse('packs', `the pieces of ${path} do not follow one another`);
      end = from + length;
    }
    if (end !== size) refuse('packs', `the pieces of ${path} are not all of it`);
    if (pieces.length > 1) piecedBytes += size;
    if (pieces.length > maxPieces || piecedBytes > maxPiecedBytes) {
      throw new SnapshotUnsafeError(`${path} lies in more pieces, or larger ones, than are accepted`);
    }
  }
}
