import type { MessagePort } from 'node:worker_threads';
import { sendBytes } from '../../byte-channel.js';
import { StoreError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import { defineTask } from '../../task.js';
import type { SnapshotManifest } from '../../types.js';
import { serializeManifest } from '../manifest/manifest.js';
import { ArchiveFeeder } from './archive-feeder.js';
import { openArchive } from './open-archive.js';
import { MANIFEST_NAME } from './zip-head.js';
import { ZipPieces } from './zip-pieces.js';

/** `fast`: tables are stored, other files deflated at level 1. `small`: all files are deflated at level 6. */
export type ZipCompression = 'fast' | 'small';

/** The content of a zip. */
export interface ZipContent {
  /** The folder with the captured files. */
  readonly directory: string;
  readonly manifest: SnapshotManifest;
  readonly compression: ZipCompression;
}

const LEVELS: Readonly<Record<ZipCompression, number>> = { fast: 1, small: 6 };
/** Of the zip on its way, and of deflate. Larger ones take memory pages of their own each time, and more CPU. */
const PIECE_BYTES = 64 * 1024;

/**
 * Writes a zip of captured files into a channel; putZip has its other end.
 *
 * @returns the size of the zip, bytes; `undefined` when nobody takes it any more
 */
export const writeZipTask = defineTask<
  ZipContent & { readonly to: MessagePort; readonly maxBytes?: number },
  { readonly size: number | undefined }
>('snapshot:write-zip', async ({ to, maxBytes, ...content }, { fs, signal }) => {
  const pieces = limited(zipPieces(content, fs, signal), maxBytes);
  return { size: await sendBytes(to, pieces, signal) };
});

/**
 * The bytes of a zip of captured files, the manifest first. Each file is compared with the manifest before, or while,
 * its bytes go into the zip, so that a file which has changed since it was hashed never gets into a whole zip.
 *
 * @throws SnapshotCorruptError naming the file
 */
export async function* zipPieces(
  { directory, manifest, compression }: ZipContent,
  fs: FileSystem,
  signal?: AbortSignal,
): AsyncGenerator<Buffer<ArrayBuffer>> {
  signal?.throwIfAborted();
  const archive = await openArchive({
    zlib: { level: LEVELS[compression], chunkSize: PIECE_BYTES },
    highWaterMark: PIECE_BYTES,
  });
  const pieces = new ZipPieces(PIECE_BYTES);
  const feeder = new ArchiveFeeder(archive, pieces, { fs, date: new Date(manifest.createdAt), signal });
  const feed = async () => {
    // The manifest is stored and its header has its size, so that a listing finds it at a known place (zip-head.ts).
    await feeder.add(MANIFEST_NAME, serializeManifest(manifest));
    for (const file of manifest.files) {
      // Snappy has already compressed the tables: deflating them takes five times as long to save 23 %
      // (docs/chromium-facts.md F5.1 and F5.2).
      await feeder.addFile(directory, file, compression === 'fast' && file.path.endsWith('.ldb'));
    }
    await feeder.finish();
  };
  archive.pipe(pieces);
  const feeding = feed().catch((error: unknown) => {
    pieces.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    for await (const piece of pieces) yield piece as Buffer<ArrayBuffer>;
  } finally {
    feeder.stop();
    pieces.destroy();
    archive.destroy();
    await feeding;
  }
}

async function* limited(
  pieces: AsyncIterable<Buffer<ArrayBuffer>>,
  maxBytes = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer<ArrayBuffer>> {
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > maxBytes) {
      throw new StoreError(
        `the store takes objects up to ${maxBytes} bytes; the zip of the snapshot is larger`,
        {
          retryable: false,
        },
      );
    }
    yield piece;
  }
}
