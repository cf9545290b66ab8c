import { dirname } from 'node:path';
import { isUnanswered } from '../disk-gate/gated-file-system.js';
import type { FileSystem } from '../file-system.js';

/** More folders than any path has. */
const MAX_DEPTH = 256;

/** The disk that holds a path. */
export interface DiskSpace {
  /** Bytes that this user may still write. */
  readonly freeBytes: number;
  /** `stat().dev`: equal numbers mean the same disk. */
  readonly device: number;
}

/**
 * Free space on the disk of `path`, which need not exist yet; `undefined` when the file system does not report it.
 *
 * @throws system errors, but not for a missing path
 */
export async function diskSpace(fs: FileSystem, path: string): Promise<DiskSpace | undefined> {
  if (fs.promises.statfs === undefined) return undefined;
  const folder = await existing(fs, path);
  const { bavail, bsize } = await fs.promises.statfs(folder);
  const { dev } = await fs.promises.stat(folder);
  return { freeBytes: Number(bavail) * Number(bsize), device: Number(dev) };
}

/** The number of the disk of `path`, which need not exist yet; `undefined` when it is unknown. */
export async function deviceOf(fs: FileSystem, path: string): Promise<number | undefined> {
  try {
    const { dev } = await fs.promises.stat(await existing(fs, path));
    return Number.isFinite(Number(dev)) ? Number(dev) : undefined;
  } catch {
    return undefined;
  }
}

async function existing(fs: FileSystem, path: string): Promise<string> {
  let folder = path;
  for (let depth = 0; depth < MAX_DEPTH && dirname(folder) !== folder; depth++) {
    const isThere = await fs.promises.access(folder).then(
      () => true,
      (error: unknown) => {
        if (isUnanswered(error)) throw error; // the disk of the folder above is another one
        return false;
      },
    );
    if (isThere) break;
    folder = dirname(folder);
  }
  return folder;
}
