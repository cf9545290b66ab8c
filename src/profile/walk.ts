import type { BigIntStats, Dirent, Stats } from 'node:fs';
import { ClosedError, errnoOf } from '../errors.js';
import { type FileSystem, isDenied } from '../file-system.js';
import type { FileSignature } from '../types.js';

/** Deeper than anything Chromium makes; a bound, so that a walk always ends. */
const MAX_DEPTH = 32;

/** A regular file met on a walk. */
export interface WalkedFile {
  /** Relative to the root of the walk, `/` between names. */
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly signature: FileSignature;
}

/**
 * Every regular file at or below `path`, which is relative to `root`. Symbolic links are never followed; what
 * vanishes meanwhile is left out, since the browser may be at work.
 *
 * @param passOver called for a folder that may not be read, which is then passed over; default: that is an error
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

/** The entries of a folder in the order of their names; none when it is missing or no folder. */
export async function readFolder(fs: FileSystem, path: string): Promise<Dirent[]> {
  try {
    const entries = await fs.promises.readdir(path, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** `undefined` where this process may not look, of which `denied` is told: most likely it is `lost+found`. */
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

/** `lstat`, or `undefined` where nothing has this name. */
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

/** What tells an unchanged file without reading it. */
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

/** Whether an error says that the name is not there (or that a folder on the way to it is a file). */
export function isMissing(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Throws the signal's reason when it has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw signal.reason instanceof Error ? signal.reason : new ClosedError('the operation was aborted');
}
