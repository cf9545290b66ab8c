import { basename } from 'node:path';
import { pipeline } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { SnapshotCorruptError } from '../../errors.js';
import { type FileSystem, openWithoutWaiting } from '../../file-system.js';
import { quoteName } from '../manifest/safe-path.js';
import { asFileReadFault } from '../store-calls/store-bytes.js';
import type { ZipEntry } from './zip-entry.js';

const PIECE_BYTES = 256 * 1024;

/** A zip that can be read at any position. */
export interface ZipSource {
  readonly size: number;
  /** Returns fewer bytes than `length` only at the end of the file. Uses `into` if it is given and large enough. */
  read(position: number, length: number, into?: Buffer): Promise<Buffer>;
}

/** The zip file to open. */
export interface ZipFile {
  readonly path: string;
  /**
   * Name of the local store with the file: a failed read is then a fault of the store (StoreError). Absent for a
   * file of our own, where it stays a system error.
   */
  readonly store?: string;
}

/** Opens a zip, passes it to `work`, and always closes it. */
export async function withZipSource<Result>(
  fs: FileSystem,
  { path, store }: ZipFile,
  work: (source: ZipSource) => Promise<Result>,
): Promise<Result> {
  const reading = <T>(call: Promise<T>): Promise<T> =>
    store === undefined ? call : call.catch((error) => rejectRead(store, path, error));
  const handle = await reading(openWithoutWaiting(fs, path));
  try {
    const { size } = await reading(handle.stat());
    const read = async (position: number, length: number, into?: Buffer) => {
      const wanted = Math.max(0, Math.min(length, size - position));
      const buffer =
        into !== undefined && into.length >= wanted ? into.subarray(0, wanted) : Buffer.alloc(wanted);
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await reading(
          handle.read(buffer, filled, buffer.length - filled, position + filled),
        );
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    };
    return await work({ size, read });
  } finally {
    await handle.close();
  }
}

function rejectRead(store: string, path: string, error: unknown): never {
  throw asFileReadFault(store, basename(path), error);
}

/**
 * The unpacked bytes of one entry, never more than it declares: a deflate stream may hold more than the directory
 * claims. A piece is only valid until the next one is requested.
 *
 * @throws SnapshotCorruptError naming the entry
 */
export async function* entryBytes(source: ZipSource, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  let unpacked = 0;
  for await (const chunk of entry.compressed ? inflated(source, entry) : rawBytes(source, entry)) {
    unpacked += chunk.length;
    if (unpacked > entry.size) {
      throw new SnapshotCorruptError(`entry ${quoteName(entry.name)} unpacks to more bytes than it declares`);
    }
    yield chunk;
  }
  if (unpacked < entry.size) {
    throw new SnapshotCorruptError(`entry ${quoteName(entry.name)} unpacks to fewer bytes than it declares`);
  }
}

async function* inflated(source: ZipSource, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw({ chunkSize: PIECE_BYTES });
  let readFailure: { readonly error: unknown } | undefined;
  const raw = async function* () {
    try {
      // The bytes are copied, because the stream keeps them.
      for await (const piece of rawBytes(source, entry)) yield Buffer.from(piece);
    } catch (error) {
      readFailure = { error };
      throw error;
    }
  };
  pipeline(raw, inflate, () => undefined);
  try {
    for await (const chunk of inflate) yield chunk as Uint8Array;
  } catch (cause) {
    if (readFailure) throw readFailure.error;
    throw new SnapshotCorruptError(`entry ${quoteName(entry.name)} can't be unpacked`, { cause });
  } finally {
    inflate.destroy();
  }
}

async function* rawBytes(source: ZipSource, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, entry.dataSize));
  for (let done = 0; done < entry.dataSize; ) {
    const length = Math.min(PIECE_BYTES, entry.dataSize - done);
    const piece = await source.read(entry.dataOffset + done, length, buffer);
    if (piece.length === 0) throw new SnapshotCorruptError(`entry ${quoteName(entry.name)} is cut off`);
    done += piece.length;
    yield piece;
  }
}
