import type { BigIntStats, Dirent, Stats } from 'node:fs';
import { ClosedError, errnoOf } from '../errors.js';
import { type FileSystem, isDenied } from '../file-system.js';
import type { FileSignature } from '../types.js';

/** Deeper than any folder of Chromium; the limit makes sure that a walk ends. */
const MAX_DEPTH = 32;

/** A regular file that a walk found. */
export interface WalkedFile {
  /** Relative to the root of the walk, `/` between names. */
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly signature: FileSignature;
}

/**
 * Finds every regular file at or below `path`, which is relative to `root`. Symbolic links are never followed. Files that
 * disappear meanwhile are left out, because a browser may be running.
 *
 * @param passOver called for a folder that may not be read, which is then skipped; by default such a folder is an error
 */
export async function* walkFiles(
  fs: FileSystem,
  root: string,
  path: string,
  passOver?: (path: string) => void,
  depth = 0,
): AsyncGenerator<WalkedFile> {
  const stats = await bigStatsIfPresent(fs, path === '' ? root : `${root}/${path}`);
  if (stats?.isFile() === true) {
    const signature = signatureOf(stats);
    yield { path, size: signature.size, modifiedMs: Number(stats.mtimeNs) / 1e6, signature };
  }
  if (stats?.isDirectory() !== true || depth > MAX_DEPTH) return;
  const reading = readFolder(fs, path === '' ? root : `${root}/${path}`);
  const entries = passOver === undefined ? await reading : await unlessDenied(reading, () => passOver(path));
  for (const entry of entries ?? []) {
    yield* walkFiles(fs, root, path === '' ? entry.name : `${path}/${entry.name}`, passOver, depth + 1);
  }
}

/** The entries of a folder, sorted by name; an empty list when it is missing or no folder. */
export async function readFolder(fs: FileSystem, path: string): Promise<Dirent[]> {
  try {
    const entries = await fs.promises.readdir(path, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The result of `work`; if access is denied, most likely to `lost+found`, calls `denied` and returns `undefined`. */
export async function unlessDenied<T>(
  work: Promise<T>,
  denied: () => void = () => undefined,
): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!isDenied(error)) throw error;
    denied();
    return undefined;
  }
}

/** The result of `lstat`; `undefined` when nothing has this name. */
export async function lstatIfPresent(fs: FileSystem, path: string): Promise<Stats | undefined> {
  try {
    return await fs.promises.lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function bigStatsIfPresent(fs: FileSystem, path: string): Promise<BigIntStats | undefined> {
  try {
    return await fs.promises.lstat(path, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The signature that shows that a file is unchanged without reading it. */
export function signatureOf(stats: Pick<BigIntStats, 'size' | 'mtimeNs' | 'ino'>): FileSignature {
  return { size: Number(stats.size), mtimeNs: String(stats.mtimeNs), inode: String(stats.ino) };
}

export function sameSignature(a: FileSignature | undefined, b: FileSignature | undefined): boolean {
  return a?.size === b?.size && a?.mtimeNs === b?.mtimeNs && a?.inode === b?.inode;
}

/** Whether anything has this name. */
export async function exists(fs: FileSystem, path: string): Promise<boolean> {
  return (await lstatIfPresent(fs, path)) !== undefined;
}

/** Whether an error means that the name does not exist (or that a folder in its path is a file). */
export function isMissing(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Throws the signal's reason when it has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw signal.reason instanceof Error ? signal.reason : new ClosedError('the operation was aborted');
}
