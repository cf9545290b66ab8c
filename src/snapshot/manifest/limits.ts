import { SnapshotUnsafeError } from '../../errors.js';

/** Limits that are checked before anything is written, whatever an archive or a manifest claims. */
export interface SnapshotLimits {
  readonly maxFiles: number;
  /** Bytes of one file. */
  readonly maxFileBytes: number;
  /** Bytes of all files of a snapshot. */
  readonly maxTotalBytes: number;
  /** Bytes of a zip. */
  readonly maxZipBytes: number;
  /** Bytes of a serialized manifest. */
  readonly maxManifestBytes: number;
  /** Unpacked bytes for each byte of the zip; it applies above {@link freeExpansionBytes}. */
  readonly maxExpansionRatio: number;
  /** Bytes that any zip may unpack to: a small zip full of zeros may be harmless. */
  readonly freeExpansionBytes: number;
  /** Packs that the files of a snapshot may lie in. */
  readonly maxPacks: number;
  /** Bytes of a pack. */
  readonly maxPackBytes: number;
  /** Pieces that a file may lie in. */
  readonly maxPieces: number;
  /** Bytes of all files of a snapshot that lie in several pieces. */
  readonly maxPiecedBytes: number;
}

const MiB = 1024 * 1024;

/** Far above any known session (the largest that was measured has 505 MB), and far below what fills a disk. */
export const DEFAULT_LIMITS: SnapshotLimits = {
  maxFiles: 100_000,
  maxFileBytes: 4096 * MiB - 1,
  maxTotalBytes: 8192 * MiB,
  maxZipBytes: 16_384 * MiB,
  maxManifestBytes: 32 * MiB,
  maxExpansionRatio: 100,
  freeExpansionBytes: 256 * MiB,
  maxPacks: 10_000,
  maxPackBytes: 64 * MiB,
  maxPieces: 256,
  maxPiecedBytes: 512 * MiB,
};

/** Throws {@link SnapshotUnsafeError} when the declared files are more, or larger, than the limits allow. */
export function assertWithinLimits(
  files: readonly { readonly path: string; readonly size: number }[],
  limits: SnapshotLimits,
): void {
  if (files.length > limits.maxFiles) {
    throw new SnapshotUnsafeError(
      `the snapshot has ${files.length} files; at most ${limits.maxFiles} are accepted`,
    );
  }
  let total = 0;
  for (const { path, size } of files) {
    if (size > limits.maxFileBytes) {
      throw new SnapshotUnsafeError(
        `${path} has ${size} bytes; at most ${limits.maxFileBytes} are accepted for one file`,
      );
    }
    total += size;
    if (total > limits.maxTotalBytes) {
      throw new SnapshotUnsafeError(
        `with ${path} the snapshot has more than ${limits.maxTotalBytes} bytes in all`,
      );
    }
  }
}
