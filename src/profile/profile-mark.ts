import { join } from 'node:path';
import type { FileSystem } from '../file-system.js';
import { ESSENTIAL_PATHS } from './essential-files.js';
import { isMissing, lstatIfPresent } from './walk.js';

/** Tells a profile on the disk from one that has taken its place, and knows it again under another name. */
export interface ProfileMark {
  /** Inode of its folder `Default`. */
  readonly ino: number;
  /** When that folder was made, ms since 1970; 0 where the file system does not tell. */
  readonly birthtimeMs: number;
}

/** @returns `undefined` where there is no profile */
export async function profileMark(fs: FileSystem, profileDir: string): Promise<ProfileMark | undefined> {
  try {
    const { ino, birthtimeMs } = await fs.promises.stat(join(profileDir, 'Default'));
    return { ino, birthtimeMs };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Tells the databases that a browser has open from others whose files were written into the same folders: LevelDB writes its
 * file `CURRENT` only when it opens a database.
 */
export async function databasesMark(fs: FileSystem, profileDir: string): Promise<string> {
  const folders = [ESSENTIAL_PATHS.indexedDbLevelDb, ESSENTIAL_PATHS.localStorageLevelDb];
  const marks = folders.map(async (folder) => {
    const found = await lstatIfPresent(fs, join(profileDir, folder, 'CURRENT'));
    return found === undefined ? 'none' : [found.ino, found.mtimeMs, found.size].join();
  });
  return (await Promise.all(marks)).join(' ');
}

/**
 * Whether this is the very folder that has another name now. Without its time of birth, a new folder may have got the inode
 * of one that was deleted.
 */
export function isRenamed(was: ProfileMark, is: ProfileMark): boolean {
  return was.birthtimeMs > 0 && isSameMark(was, is);
}

/**
 * Whether it is still the folder that it was under this name; `undefined` where the file system does not tell: without times of
 * birth a new folder may have got the inode, and a network share may give the same folder another one.
 */
export function isSameFolder(was: ProfileMark, is: ProfileMark): boolean | undefined {
  if (was.birthtimeMs <= 0 || is.birthtimeMs <= 0) return undefined;
  if (was.birthtimeMs !== is.birthtimeMs) return false;
  return was.ino === is.ino ? true : undefined;
}

export function isSameMark(a: ProfileMark, b: ProfileMark): boolean {
  return a.ino === b.ino && a.birthtimeMs === b.birthtimeMs;
}

/** Reads a mark from a file. */
export function profileMarkIn(value: unknown): ProfileMark | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { ino, birthtimeMs } = value as Record<string, unknown>;
  return typeof ino === 'number' && typeof birthtimeMs === 'number' ? { ino, birthtimeMs } : undefined;
}
