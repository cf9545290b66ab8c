import nodeFs from 'node:fs';
import { errnoOf } from './errors.js';

type Promises = typeof nodeFs.promises;

/**
 * What the library needs of a file system: an object shaped like `node:fs`.
 * `memfs` fits; so does a wrapper that fails the n-th call to see what survives.
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
  /** Without it, a logout is noted a moment later: a listener that ends the process at once may come before. */
  readonly writeFileSync?: typeof nodeFs.writeFileSync;
}

/** An open file of a {@link FileSystem}. */
export type FileHandle = Awaited<ReturnType<FileSystem['promises']['open']>>;

/** The real file system. */
export const systemFileSystem: FileSystem = nodeFs;

/** Files with credentials are for their owner only (docs/invariants.md I10). */
export const PRIVATE_FILE_MODE = 0o600;
/** Folders with credentials are for their owner only (docs/invariants.md I10). */
export const PRIVATE_FOLDER_MODE = 0o700;

/**
 * Writes all of `bytes`; one call of the system may take only a part.
 *
 * @param position default: behind what was written last
 * @throws Error when the file system takes nothing more and gives no reason
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
 * Opens what is expected to be a file. A named pipe in its place would wait for its other end, for ever, in one of the few
 * threads that node has for files: it is opened as well, and who asks `stat()` then sees what it is.
 *
 * @param flags of `node:fs` `constants`; default: for reading
 */
export async function openWithoutWaiting(
  fs: FileSystem,
  file: string,
  flags: number = nodeFs.constants.O_RDONLY,
): Promise<FileHandle> {
  const { O_NONBLOCK = 0 } = nodeFs.constants; // Windows has none
  try {
    return await fs.promises.open(file, flags | O_NONBLOCK);
  } catch (error) {
    // A file server asks another machine to let go of the file first; a pipe never answers so.
    if (errnoOf(error) !== 'EAGAIN') throw error;
    return fs.promises.open(file, flags);
  }
}

/**
 * How a file system says that it does not know something that only makes things better: an owner's mode, a time stamp, a
 * flush (Azure Files, FUSE, FAT, network shares). What fails otherwise is an error.
 */
const REFUSALS: ReadonlySet<string> = new Set(
  'EPERM EACCES ENOTSUP EOPNOTSUPP ENOSYS EINVAL EROFS ENOTTY EBADF EISDIR'.split(' '),
);

/**
 * Does what only makes things better, and passes over it where the file system refuses it.
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

/** Whether a file system says that it can't, or may not, do something at all. */
export function isRefusal(error: unknown): boolean {
  return REFUSALS.has(errnoOf(error) ?? '');
}

/** Whether nobody but its owner may look at something: most likely it is not ours, as `lost+found`. */
export function isDenied(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'EACCES' || code === 'EPERM';
}

/** Puts the names in a folder on the disk. Windows can't, nor can some network mounts: there it is passed over. */
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
