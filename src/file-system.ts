import nodeFs from 'node:fs';

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

/** Credentials: owner only (invariant 10). */
export const PRIVATE_FILE_MODE = 0o600;
/** Folders of credentials: owner only (invariant 10). */
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
