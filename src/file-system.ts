import nodeFs from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from './errors.js';

type Promises = typeof nodeFs.promises;

/**
 * The part of a file system that the library needs: an object with the shape of `node:fs`.
 * `memfs` fits, and so does a wrapper that lets the n-th call fail to test what survives.
 */
export interface FileSystem {
  readonly promises: Pick<
    Promises,
    | 'access'
    | 'chmod'
    | 'copyFile'
    | 'link'
    | 'lstat'
    | 'mkdir'
    | 'open'
    | 'readdir'
    | 'readFile'
    | 'readlink'
    | 'realpath'
    | 'rename'
    | 'rm'
    | 'rmdir'
    | 'stat'
    | 'unlink'
    | 'utimes'
    | 'writeFile'
  > &
    Partial<Pick<Promises, 'statfs'>>;
  readonly createReadStream: typeof nodeFs.createReadStream;
  readonly createWriteStream: typeof nodeFs.createWriteStream;
  /** Without it, a logout is noted a moment later, and not at all if a listener ends the process at once. */
  readonly writeFileSync?: typeof nodeFs.writeFileSync;
}

/** An open file of a {@link FileSystem}. */
export type FileHandle = Awaited<ReturnType<FileSystem['promises']['open']>>;

/** The real file system. */
export const systemFileSystem: FileSystem = nodeFs;

/** Only the owner may access files with credentials (docs/invariants.md I10). */
export const PRIVATE_FILE_MODE = 0o600;
/** Only the owner may access folders with credentials (docs/invariants.md I10). */
export const PRIVATE_FOLDER_MODE = 0o700;

/** More folders than a path has: it bounds the search for the one that could not be made. */
const MAX_FOLDERS = 256;

/**
 * Makes a folder and the missing ones above it. Unlike `mkdir` with `recursive`, which answers ENOENT for what it does not
 * know (a disk that is read-only, has no quota left, or fails), it reports what the system says.
 */
export async function makeFolders(
  fs: Pick<FileSystem, 'promises'>,
  folder: string,
  mode: number = PRIVATE_FOLDER_MODE,
): Promise<void> {
  const make = () => fs.promises.mkdir(folder, { recursive: true, mode });
  try {
    await make();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    const refusal = await refusalOf(fs, folder, mode);
    if (refusal === 'none') await make();
    else throw refusal ?? error;
  }
}

/** What the system says of the topmost missing folder; `none` where it can be made now. */
async function refusalOf(fs: Pick<FileSystem, 'promises'>, folder: string, mode: number): Promise<unknown> {
  let path = folder;
  for (let depth = 0; depth < MAX_FOLDERS; depth++) {
    try {
      await fs.promises.mkdir(path, { mode });
      return 'none';
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'EEXIST') return undefined; // a link that leads to nothing
      if (code !== 'ENOENT') return error;
    }
    const parent = dirname(path);
    if (parent === path) return undefined;
    path = parent;
  }
  return undefined;
}

/**
 * Writes all of `bytes`, because one system call may write only a part.
 *
 * @param position default: after the bytes that were written last
 * @throws Error when the file system writes nothing and reports no error
 */
export async function writeAll(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number | null = null,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = position === null ? null : position + done;
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at);
    if (bytesWritten === 0) throw new Error('the file system wrote nothing and gave no reason');
    done += bytesWritten;
  }
}

/**
 * Opens a path that is expected to be a file, without waiting if it is a named pipe. Opening a pipe normally waits for its
 * other end, possibly for ever, and blocks one of node's few threads for files. Here the pipe is opened at once, and the
 * caller can find out by `stat()` what it is.
 *
 * @param flags constants of `node:fs`; default: for reading
 */
export async function openWithoutWaiting(
  fs: FileSystem,
  file: string,
  flags: number = nodeFs.constants.O_RDONLY,
): Promise<FileHandle> {
  const { O_NONBLOCK = 0 } = nodeFs.constants; // not defined on Windows
  try {
    return await fs.promises.open(file, flags | O_NONBLOCK);
  } catch (error) {
    // A file server answers EAGAIN while it asks another machine to release the file; a pipe never does.
    if (errnoOf(error) !== 'EAGAIN') throw error;
    return fs.promises.open(file, flags);
  }
}

/**
 * Error codes by which a file system refuses an optional operation: to set a mode, to set a time stamp, to flush (Azure
 * Files, FUSE, FAT, network shares). Any other code is a real error.
 */
const REFUSALS: ReadonlySet<string> = new Set(
  'EPERM EACCES ENOTSUP EOPNOTSUPP ENOSYS EINVAL EROFS ENOTTY EBADF EISDIR'.split(' '),
);

/**
 * Does something optional, and ignores it when the file system refuses it.
 *
 * @param refused called with the code of the refusal
 */
export async function improve(
  work: () => Promise<unknown>,
  refused: (code: string) => void = () => undefined,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    refused(errnoOf(error) ?? '');
  }
}

/** Whether a file system reports that it can't or may not do an operation at all. */
export function isRefusal(error: unknown): boolean {
  return REFUSALS.has(errnoOf(error) ?? '');
}

/** Whether access was denied: the file most likely belongs to another user, like `lost+found`. */
export function isDenied(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'EACCES' || code === 'EPERM';
}

/** Flushes the names in a folder to the disk. Does nothing on Windows and on network mounts that can't do it. */
export async function syncFolder(fs: FileSystem, folder: string): Promise<void> {
  await improve(async () => {
    const handle = await fs.promises.open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}
