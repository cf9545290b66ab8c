import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Archive } from 'archiver';
import { orAborted } from '../../clock.js';
import { ClosedError, SnapshotCorruptError } from '../../errors.js';
import {
  type FileHandle,
  type FileSystem,
  openWithoutWaiting,
  PRIVATE_FILE_MODE,
} from '../../file-system.js';
import type { SnapshotFile } from '../../types.js';
import type { ZipPieces } from './zip-pieces.js';

/** Files up to this size are read whole, so that none of their bytes is written before their hash was compared. */
const WHOLE_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** Gives files to an archive, one at a time and no faster than its bytes are taken, each compared with its SHA-256. */
export class ArchiveFeeder {
  readonly #archive: Archive;
  readonly #pieces: ZipPieces;
  readonly #fs: FileSystem;
  readonly #date: Date;
  readonly #ending = new AbortController();
  readonly #forget: () => void;
  /** The memory of the last file that was read whole. */
  #buffer = Buffer.alloc(0);

  constructor(
    archive: Archive,
    pieces: ZipPieces,
    {
      fs,
      date,
      signal,
    }: { readonly fs: FileSystem; readonly date: Date; readonly signal: AbortSignal | undefined },
  ) {
    this.#archive = archive;
    this.#pieces = pieces;
    this.#fs = fs;
    this.#date = date;
    archive.on('error', (error) => this.#ending.abort(error));
    const onAbort = () => this.#ending.abort(signal?.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort);
    this.#forget = () => signal?.removeEventListener('abort', onAbort);
  }

  /** Ends whatever is under way, and lets nothing more in. */
  stop(): void {
    this.#forget();
    this.#ending.abort(new ClosedError('nobody reads the zip any more'));
  }

  /** Writes the directory of the zip. */
  async finish(): Promise<void> {
    await this.#unlessStopped(this.#archive.finalize());
  }

  /** Stores bytes; the header of the entry has their size. */
  async add(name: string, bytes: Uint8Array): Promise<void> {
    await this.#append(name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), true);
  }

  /**
   * @param isStored stores the bytes instead of deflating them, unless the file is too large to be read whole: a stored
   * entry without its size in its header ends nowhere for who reads the zip from its beginning
   * @throws SnapshotCorruptError when the file is not the one of the manifest
   */
  async addFile(directory: string, file: SnapshotFile, isStored: boolean): Promise<void> {
    this.#ending.signal.throwIfAborted();
    const handle = await openWithoutWaiting(this.#fs, join(directory, ...file.path.split('/')));
    try {
      if (file.size <= WHOLE_BYTES) await this.#append(file.path, await this.#whole(handle, file), isStored);
      else await this.#stream(handle, file);
    } finally {
      await handle.close();
    }
  }

  async #append(name: string, bytes: Buffer, isStored: boolean): Promise<void> {
    const { copied } = this.#pieces;
    const store = isStored || bytes.length === 0;
    if (store) this.#pieces.lend(bytes);
    await this.#entry(name, bytes, store);
    // Archiver takes a buffer at once, whoever reads, and passes it on.
    if (store) await this.#unlessStopped(this.#pieces.untilCopied(copied + bytes.length));
  }

  async #stream(handle: FileHandle, file: SnapshotFile): Promise<void> {
    const source = Readable.from(checkedChunks(handle, file), {
      objectMode: false,
      highWaterMark: CHUNK_BYTES,
    });
    // The source's own error is the reason; archiver passes on that it has one.
    const failed = new Promise<never>((_resolve, reject) => {
      source.once('error', reject);
    });
    try {
      await Promise.race([failed, this.#entry(file.path, source, false)]);
    } finally {
      source.destroy();
    }
  }

  async #entry(name: string, source: Buffer | Readable, store: boolean): Promise<void> {
    this.#ending.signal.throwIfAborted();
    const taken = new Promise<void>((resolve) => {
      this.#archive.once('entry', () => resolve());
    });
    this.#archive.append(source, { name, date: this.#date, mode: PRIVATE_FILE_MODE, store });
    await this.#unlessStopped(taken);
  }

  #unlessStopped<T>(work: Promise<T>): Promise<T> {
    return orAborted(work, this.#ending.signal);
  }

  async #whole(handle: FileHandle, file: SnapshotFile): Promise<Buffer> {
    // One byte more shows whether the file has grown.
    if (this.#buffer.length <= file.size || !this.#pieces.isReturned)
      this.#buffer = Buffer.allocUnsafeSlow(file.size + 1);
    let size = 0;
    while (size <= file.size) {
      const { bytesRead } = await handle.read(this.#buffer, size, file.size + 1 - size, size);
      if (bytesRead === 0) break;
      size += bytesRead;
    }
    const bytes = this.#buffer.subarray(0, file.size);
    if (size !== file.size || createHash('sha256').update(bytes).digest('hex') !== file.sha256)
      throw changed(file);
    return bytes;
  }
}

/** The bytes of a file; throws at their end when they do not match the manifest. */
async function* checkedChunks(handle: FileHandle, file: SnapshotFile): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let size = 0;
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, size);
    if (bytesRead === 0) break;
    size += bytesRead;
    if (size > file.size) throw changed(file);
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    yield chunk;
  }
  if (size !== file.size || hash.digest('hex') !== file.sha256) throw changed(file);
}

function changed(file: SnapshotFile): SnapshotCorruptError {
  return new SnapshotCorruptError(`${file.path} was changed or damaged after it was checked`, {
    retryable: true,
  });
}
