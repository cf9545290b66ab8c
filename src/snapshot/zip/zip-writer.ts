import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { crc32, createDeflateRaw } from 'node:zlib';
import { SnapshotCorruptError, SnapshotUnsafeError } from '../../errors.js';
import { type FileHandle, type FileSystem, improve, PRIVATE_FILE_MODE, writeAll } from '../../file-system.js';
import { defineTask } from '../../task.js';
import type { SnapshotFile, SnapshotManifest } from '../../types.js';
import { fileBytes } from '../hashing/hashing.js';
import { serializeManifest } from '../manifest/manifest.js';
import { MANIFEST_NAME } from './zip-head.js';
import {
  centralHeader,
  DEFLATED,
  endRecord,
  localHeader,
  MAX_ZIP_BYTES,
  STORED,
  type WrittenEntry,
} from './zip-records.js';

/** `fast`: tables are stored, other files deflated at level 1. `small`: all files are deflated at level 6. */
export type ZipCompression = 'fast' | 'small';

export interface WriteZipInput {
  /** The folder with the captured files. */
  readonly directory: string;
  readonly manifest: SnapshotManifest;
  /** The zip to write; must not exist. */
  readonly target: string;
  readonly compression: ZipCompression;
}

const LEVELS: Readonly<Record<ZipCompression, number>> = { fast: 1, small: 6 };
const DEFLATED_PIECE_BYTES = 256 * 1024;

/**
 * Writes a zip of captured files, the manifest first, and syncs it to the disk. Each file is compared with the
 * manifest while it is read, so that a file which has changed since it was hashed never gets into a valid zip.
 *
 * @returns the size of the zip, bytes
 * @throws SnapshotCorruptError naming the file; the caller removes the file that was written
 */
export const writeZipTask = defineTask<WriteZipInput, { readonly size: number }>(
  'snapshot:write-zip',
  async ({ directory, manifest, target, compression }, { fs, signal }) => {
    const zip = await ZipFile.create(fs, target, new Date(manifest.createdAt));
    try {
      // The manifest is stored without a trailing descriptor, so that a listing finds it at a known place
      // (zip-head.ts).
      await zip.add(MANIFEST_NAME, piecesOf(serializeManifest(manifest)));
      for (const file of manifest.files) {
        signal?.throwIfAborted();
        const bytes = checkedBytes(fs, directory, file, signal);
        // Snappy has already compressed the tables: deflating them takes five times as long to save 23 %
        // (docs/chromium-facts.md F5.1 and F5.2).
        const isStored = file.size === 0 || (compression === 'fast' && file.path.endsWith('.ldb'));
        await zip.add(file.path, bytes, isStored ? undefined : LEVELS[compression]);
      }
      return { size: await zip.finish() };
    } finally {
      await zip.close();
    }
  },
);

/** A zip that is written from beginning to end, one entry at a time. */
class ZipFile {
  readonly #handle: FileHandle;
  readonly #modified: Date;
  readonly #entries: WrittenEntry[] = [];
  #size = 0;

  private constructor(handle: FileHandle, modified: Date) {
    this.#handle = handle;
    this.#modified = modified;
  }

  static async create(fs: FileSystem, target: string, modified: Date): Promise<ZipFile> {
    return new ZipFile(await fs.promises.open(target, 'wx', PRIVATE_FILE_MODE), modified);
  }

  /** @param level the level of deflate; without it the bytes are stored as they are */
  async add(name: string, bytes: AsyncIterable<Uint8Array>, level?: number): Promise<void> {
    const sums = { crc32: 0, size: 0 };
    const method = level === undefined ? STORED : DEFLATED;
    const entry = { name, method, modified: this.#modified, offset: this.#size } as const;
    // The sums are known only after the data, so the header is written twice. A descriptor after the data would do
    // as well, but some unpackers misread it.
    await this.#append(localHeader({ ...entry, ...sums, dataSize: 0 }));
    const dataStart = this.#size;
    const counted = summed(bytes, sums);
    for await (const piece of level === undefined ? counted : deflated(counted, level))
      await this.#append(piece);
    const written: WrittenEntry = { ...entry, ...sums, dataSize: this.#size - dataStart };
    await writeAll(this.#handle, localHeader(written), entry.offset);
    this.#entries.push(written);
  }

  /** Writes the directory and syncs everything to the disk. */
  async finish(): Promise<number> {
    const offset = this.#size;
    for (const entry of this.#entries) await this.#append(centralHeader(entry));
    await this.#append(endRecord(this.#entries.length, this.#size - offset, offset));
    await improve(() => this.#handle.sync());
    return this.#size;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #append(piece: Uint8Array): Promise<void> {
    if (this.#size + piece.length > MAX_ZIP_BYTES) {
      throw new SnapshotUnsafeError('the snapshot does not fit into a zip: it would be larger than 4 GiB');
    }
    await writeAll(this.#handle, piece, this.#size);
    this.#size += piece.length;
  }
}

/** The bytes of a captured file; throws at their end when they do not match the manifest. */
async function* checkedBytes(
  fs: FileSystem,
  directory: string,
  file: SnapshotFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of fileBytes(fs, join(directory, ...file.path.split('/')), signal)) {
    size += piece.length;
    hash.update(piece);
    yield piece;
  }
  if (size !== file.size || hash.digest('hex') !== file.sha256) {
    throw new SnapshotCorruptError(`${file.path} was changed or damaged after it was checked`, {
      retryable: true,
    });
  }
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Passes bytes on, and computes their size and CRC. */
async function* summed(
  pieces: AsyncIterable<Uint8Array>,
  sums: { crc32: number; size: number },
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    sums.crc32 = crc32(piece, sums.crc32);
    sums.size += piece.length;
    yield piece;
  }
}

async function* deflated(pieces: AsyncIterable<Uint8Array>, level: number): AsyncGenerator<Uint8Array> {
  const deflate = createDeflateRaw({ level, chunkSize: DEFLATED_PIECE_BYTES });
  let failure: unknown;
  // The bytes are copied, because the stream keeps pieces that are only valid until the next one is requested.
  const source = async function* () {
    try {
      for await (const piece of pieces) yield Buffer.from(piece);
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  pipeline(source, deflate, () => undefined);
  try {
    for await (const piece of deflate) yield piece as Uint8Array;
  } catch (error) {
    throw failure ?? error;
  } finally {
    deflate.destroy();
  }
}
