import { createHash } from 'node:crypto';
import { errnoOf } from '../../errors.js';
import { type FileSystem, openWithoutWaiting } from '../../file-system.js';
import { defineTask } from '../../task.js';
import type { SnapshotFile } from '../../types.js';
import { mapLimited } from '../concurrency.js';
import { asFileReadFault, missingObject } from '../store-calls/store-bytes.js';
import { discardFolder, prepareEmptyFolder, syncFolders, writeChecked } from './checked-file.js';

/** Reading more large files at once costs memory and gains nothing on two cores (docs/chromium-facts.md F5.4). */
const CONCURRENCY = 3;
const BUFFER_BYTES = 256 * 1024;

export interface FileHash {
  /** Bytes read. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** SHA-256 and size of many files, in the order of the paths; `undefined` for a file that does not exist. */
export const hashFilesTask = defineTask<
  { readonly paths: readonly string[] },
  readonly (FileHash | undefined)[]
>('snapshot:hash-files', ({ paths }, { fs, signal }) =>
  mapLimited(paths, CONCURRENCY, (path) => hashFile(fs, path, signal)),
);

/** One file to copy: its expected content, and the place of its bytes. */
export interface CopySource extends SnapshotFile {
  /** Absolute path of a plain local file. */
  readonly from: string;
}

/**
 * Copies files into an empty folder and compares each with its SHA-256 while it is copied. Files get mode 0600,
 * folders 0700; all bytes are synced to the disk when it resolves. When anything is wrong, the folder is removed.
 * A fault of reading becomes a StoreError; a fault of writing stays a system error.
 */
export const copyAndHashTask = defineTask<
  /** `store` is the name of the store with the files. */
  { readonly directory: string; readonly files: readonly CopySource[]; readonly store: string },
  void
>('snapshot:copy-and-hash', async ({ directory, files, store }, { fs, signal }) => {
  await prepareEmptyFolder(fs, directory);
  try {
    await mapLimited(files, CONCURRENCY, (file) =>
      writeChecked(fs, directory, file, storedBytes(fs, file, store, signal), signal),
    );
    await syncFolders(
      fs,
      directory,
      files.map(({ path }) => path),
    );
  } catch (error) {
    await discardFolder(fs, directory);
    throw error;
  }
});

/**
 * Reads a file piece by piece; a piece is only valid until the next one is requested.
 *
 * @param from where to begin, bytes
 */
export async function* fileBytes(
  fs: FileSystem,
  path: string,
  signal?: AbortSignal,
  from = 0,
): AsyncGenerator<Uint8Array> {
  const handle = await openWithoutWaiting(fs, path);
  try {
    const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
    for (let at = from; ; ) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function hashFile(fs: FileSystem, path: string, signal?: AbortSignal): Promise<FileHash | undefined> {
  try {
    return await hashBytes(fileBytes(fs, path, signal));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** SHA-256 and size of a stream. */
export async function hashBytes(chunks: AsyncIterable<Uint8Array>): Promise<FileHash> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    hash.update(chunk);
  }
  return { size, sha256: hash.digest('hex') };
}

async function* storedBytes(
  fs: FileSystem,
  file: CopySource,
  store: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (file.size === 0) return; // nothing is stored of it
  try {
    yield* fileBytes(fs, file.from, signal);
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' ? missingObject(file.path) : asFileReadFault(store, file.path, error);
  }
}
