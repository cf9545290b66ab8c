import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { InvalidStateError, SnapshotCorruptError } from '../../errors.js';
import {
  type FileSystem,
  improve,
  makeFolders,
  PRIVATE_FILE_MODE,
  syncFolder,
  writeAll,
} from '../../file-system.js';
import type { SnapshotFile } from '../../types.js';
import { assertSafePath } from '../manifest/safe-path.js';

/**
 * Writes one file of a snapshot below `directory` and compares it with its size and SHA-256 while writing. Never
 * follows a link or overwrites a file (`wx`), never writes more than the declared size, and syncs the file to the
 * disk.
 *
 * @throws SnapshotCorruptError naming the file; the caller discards the bytes that were written
 */
export async function writeChecked(
  fs: FileSystem,
  directory: string,
  file: SnapshotFile,
  chunks: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  assertSafePath(file.path);
  const target = join(directory, ...file.path.split('/'));
  await makeFolders(fs, dirname(target));
  const handle = await fs.promises.open(target, 'wx', PRIVATE_FILE_MODE);
  try {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      size += chunk.length;
      if (size > file.size) throw mismatch(file, 'it is larger than its manifest says');
      hash.update(chunk);
      await writeAll(handle, chunk);
    }
    assertSame(file, { size, sha256: hash.digest('hex') });
    await improve(() => handle.sync());
  } finally {
    await handle.close();
  }
}

/** Throws {@link SnapshotCorruptError} naming the file when the bytes that were read do not match the manifest. */
export function assertSame(
  file: SnapshotFile,
  found: { readonly size: number; readonly sha256: string } | undefined,
): void {
  if (found === undefined) throw mismatch(file, 'it is missing');
  if (found.size !== file.size) {
    throw mismatch(file, `it has ${found.size} bytes, its manifest says ${file.size}`);
  }
  if (found.sha256 !== file.sha256) throw mismatch(file, 'its SHA-256 is not the one in the manifest');
}

/** Creates `directory`, or refuses it when it is not empty: a restore never mixes with other files. */
export async function prepareEmptyFolder(fs: FileSystem, directory: string): Promise<void> {
  await makeFolders(fs, directory);
  const names = await fs.promises.readdir(directory);
  if (names.length > 0) throw new InvalidStateError('a snapshot is only restored into an empty folder');
}

/** Removes a folder that must not be used. A failure to remove is ignored, because the caller's error matters more. */
export async function discardFolder(fs: FileSystem, directory: string): Promise<void> {
  await fs.promises.rm(directory, { recursive: true, force: true }).catch(() => undefined);
}

/** Syncs the folders of the written files to the disk, because a file's own fsync does not cover its name. */
export async function syncFolders(
  fs: FileSystem,
  directory: string,
  paths: readonly string[],
): Promise<void> {
  const folders = new Set([directory]);
  for (const path of paths) {
    const names = path.split('/');
    for (let depth = names.length - 1; depth > 0; depth -= 1) {
      folders.add(join(directory, ...names.slice(0, depth)));
    }
  }
  for (const folder of folders) await syncFolder(fs, folder);
}

function mismatch(file: SnapshotFile, problem: string): SnapshotCorruptError {
  return new SnapshotCorruptError(`${file.path} of the snapshot is damaged: ${problem}`, { file: file.path });
}
