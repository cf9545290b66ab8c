import { constants } from 'node:fs';
import path from 'node:path';
import { errnoOf } from './errors.js';
import {
  type FileHandle,
  type FileSystem,
  improve,
  openWithoutWaiting,
  PRIVATE_FILE_MODE,
  syncFolder,
} from './file-system.js';

/**
 * Reads and writes the small files of this library (records, journals, notes, probes). Somebody may put something else in
 * the place of such a file: a named pipe must not block us for ever, and a symbolic link must not lead us to another file.
 */

/** Far more than any of these files needs. */
export const MAX_OWN_FILE_BYTES = 1024 * 1024;

/** How often a write is started again while another process writes the same file. */
const MAX_WRITES = 3;

/** Error codes that show that the file was replaced since `lstat` looked at it. */
const REPLACED = new Set(['ELOOP', 'EMLINK', 'ENXIO', 'EISDIR']);

/**
 * Opens a small file of this library; `undefined` when it is not a regular file. System errors (`ENOENT`, ...) pass
 * through. The caller must close it.
 */
export async function openOwnFile(
  fs: FileSystem,
  file: string,
  access: 'read' | 'update' = 'read',
): Promise<FileHandle | undefined> {
  if (!(await fs.promises.lstat(file)).isFile()) return undefined;
  const handle = await openUnlessReplaced(fs, file, access);
  try {
    if ((await handle?.stat())?.isFile() === true) return handle;
  } catch (error) {
    await handle?.close();
    throw error;
  }
  await handle?.close();
  return undefined;
}

/** The file may have been replaced since `lstat`, so no link is followed, and opening a pipe does not wait. */
async function openUnlessReplaced(
  fs: FileSystem,
  file: string,
  access: 'read' | 'update',
): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_RDWR, O_NOFOLLOW = 0 } = constants; // not defined on Windows
  try {
    return await openWithoutWaiting(fs, file, (access === 'read' ? O_RDONLY : O_RDWR) | O_NOFOLLOW);
  } catch (error) {
    if (REPLACED.has(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** The text of a small file of this library; `undefined` when it is missing, not a regular file, or too large to be ours. */
export async function readOwnFile(fs: FileSystem, file: string): Promise<string | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await openOwnFile(fs, file);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  if (handle === undefined) return undefined;
  try {
    return await textOf(handle);
  } finally {
    await handle.close();
  }
}

async function textOf(handle: FileHandle): Promise<string | undefined> {
  const { size } = await handle.stat();
  if (size > MAX_OWN_FILE_BYTES) return undefined;
  const buffer = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await handle.read(buffer, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.toString('utf8', 0, filled);
}

/** The value of a small JSON file, read like {@link readOwnFile}; `undefined` also when it is no JSON. */
export async function readOwnJson(fs: FileSystem, file: string): Promise<unknown> {
  const text = await readOwnFile(fs, file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The temporary name under which a file is written before it is renamed. */
export function temporaryOf(file: string): string {
  return `${file}.tmp`;
}

export interface WriteOwnFileOptions {
  /** Whether the old or the new file must be intact after a power cut. Default true. */
  readonly durable?: boolean;
}

/** Writes a small file of this library completely under a temporary name, and then renames it over whatever is there. */
export async function writeOwnFile(
  fs: FileSystem,
  file: string,
  contents: string,
  { durable = true }: WriteOwnFileOptions = {},
): Promise<void> {
  const temporary = temporaryOf(file);
  const handle = await createAnew(fs, temporary);
  try {
    try {
      await handle.writeFile(contents);
      if (durable) await improve(() => handle.sync());
    } finally {
      await handle.close();
    }
    await fs.promises.rename(temporary, file);
  } catch (error) {
    await fs.promises.unlink(temporary).catch(() => undefined); // leave nothing behind in somebody else's folder
    throw error;
  }
  if (durable) await syncFolder(fs, path.dirname(file));
}

/** Creates the file after removing what is there: the rest of a killed write, or a link that somebody else made. */
async function createAnew(fs: FileSystem, file: string): Promise<FileHandle> {
  for (let write = 1; ; write++) {
    await removeIfPresent(fs, file);
    try {
      return await fs.promises.open(file, 'wx', PRIVATE_FILE_MODE);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST' || write === MAX_WRITES) throw error;
    }
  }
}

async function removeIfPresent(fs: FileSystem, file: string): Promise<void> {
  try {
    await fs.promises.unlink(file);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Synchronously creates an empty file whose name is the message. If anything with that name exists, nothing is done. */
export function noteNow(fs: Pick<FileSystem, 'writeFileSync'>, file: string): void {
  try {
    fs.writeFileSync?.(file, '', { mode: PRIVATE_FILE_MODE, flag: 'wx' });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * Tests whether files can be created in a folder, by creating and removing one. It always has the same name, so that the
 * file that a killed process left is removed by the next test.
 */
export async function tryToWrite(fs: FileSystem, folder: string, contents = ''): Promise<void> {
  const probe = path.join(folder, '.write-probe');
  await fs.promises.rm(probe, { force: true });
  try {
    await fs.promises.writeFile(probe, contents, { mode: PRIVATE_FILE_MODE, flag: 'wx' });
  } catch (error) {
    // Another session does the same test at this moment.
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  await fs.promises.rm(probe, { force: true });
}
