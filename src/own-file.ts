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
 * The small files of this library (records, journals, notes, probes). Whoever can plant something in the place of one must
 * neither hold us up, as a named pipe would for ever, nor lead us elsewhere, as a symbolic link would.
 */

/** Far more than any of them has. */
export const MAX_OWN_FILE_BYTES = 1024 * 1024;

/** Somebody else writes the same file at the same time: how often it is begun anew. */
const MAX_WRITES = 3;

/** How the system says that something else lies there than `lstat` saw a moment before. */
const REPLACED = new Set(['ELOOP', 'EMLINK', 'ENXIO', 'EISDIR']);

/**
 * Opens a small file of ours; `undefined` where something else than a regular file lies there. Errors of the system
 * (`ENOENT`, ...) pass through. Close it.
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

/** It may have been replaced since `lstat`: no link is followed, and the opening of a pipe does not wait. */
async function openUnlessReplaced(
  fs: FileSystem,
  file: string,
  access: 'read' | 'update',
): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_RDWR, O_NOFOLLOW = 0 } = constants; // Windows has no O_NOFOLLOW
  try {
    return await openWithoutWaiting(fs, file, (access === 'read' ? O_RDONLY : O_RDWR) | O_NOFOLLOW);
  } catch (error) {
    if (REPLACED.has(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** The text of a small file of ours; `undefined` where it is missing, no regular file, or larger than one of ours can be. */
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

/** The value of a small JSON file of ours; `undefined` also where it is no JSON. */
export async function readOwnJson(fs: FileSystem, file: string): Promise<unknown> {
  const text = await readOwnFile(fs, file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Where a file is written before it gets its name. */
export function temporaryOf(file: string): string {
  return `${file}.tmp`;
}

export interface WriteOwnFileOptions {
  /** Whether it must outlive a power cut: it is the old one or the new one then. Default true. */
  readonly durable?: boolean;
}

/** Writes a small file of ours: whole, under another name first, in place of whatever lies there. */
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
    await fs.promises.unlink(temporary).catch(() => undefined); // nothing is left behind beside what is not ours
    throw error;
  }
  if (durable) await syncFolder(fs, path.dirname(file));
}

/** What lies there goes first: the rest of a write that was killed, or a link of somebody else. */
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

/** Makes an empty file of ours at once, whose name says it all. One that is there already, whatever it is, says the same. */
export function noteNow(fs: Pick<FileSystem, 'writeFileSync'>, file: string): void {
  try {
    fs.writeFileSync?.(file, '', { mode: PRIVATE_FILE_MODE, flag: 'wx' });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * Tries whether files can be made in a folder: makes one and removes it. Always under the same name, so that one that a
 * killed process left goes with the next try.
 */
export async function tryToWrite(fs: FileSystem, folder: string, contents = ''): Promise<void> {
  const probe = path.join(folder, '.write-probe');
  await fs.promises.rm(probe, { force: true });
  try {
    await fs.promises.writeFile(probe, contents, { mode: PRIVATE_FILE_MODE, flag: 'wx' });
  } catch (error) {
    // Another session tries at this very moment.
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  await fs.promises.rm(probe, { force: true });
}
