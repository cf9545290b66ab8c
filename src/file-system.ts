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
}

/** The real file system. */
export const systemFileSystem: FileSystem = nodeFs;

/** Credentials: owner only (invariant 10). */
export const PRIVATE_FILE_MODE = 0o600;
/** Folders of credentials: owner only (invariant 10). */
export const PRIVATE_FOLDER_MODE = 0o700;
