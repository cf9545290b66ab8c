import type { FileSystem } from '../file-system.js';
import type { FileSignature } from '../types.js';
import { lstatIfPresent, walkFiles } from './walk.js';

/** How Chromium stores one half of the login (docs/chromium-facts.md F1.2). `none`: that half does not exist. */
export type DatabaseLayout = 'leveldb' | 'sqlite' | 'none';

/** The layout of each half. They can differ, because each has its own Chromium flag. */
export interface ProfileLayout {
  readonly indexedDb: DatabaseLayout;
  readonly localStorage: DatabaseLayout;
}

/** Where the two halves of the login lie, relative to the profile (docs/chromium-facts.md F1.1 and F1.2). */
export const ESSENTIAL_PATHS = {
  indexedDbFolder: 'Default/IndexedDB',
  indexedDbLevelDb: 'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.leveldb',
  indexedDbBlobs: 'Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.blob',
  indexedDbSqlite: 'Default/IndexedDB/https_web.whatsapp.com_0',
  localStorageLevelDb: 'Default/Local Storage/leveldb',
  localStorageSqlite: 'Default/LocalStorage',
} as const;

/**
 * The files and folders that are moved one by one when a profile can't be renamed as a whole. Together they contain every
 * essential path. The `-shm` index is included because it must not outlive its database.
 */
export const ESSENTIAL_PARTS: readonly string[] = [
  ESSENTIAL_PATHS.indexedDbLevelDb,
  ESSENTIAL_PATHS.indexedDbBlobs,
  ESSENTIAL_PATHS.indexedDbSqlite,
  ESSENTIAL_PATHS.localStorageLevelDb,
  ESSENTIAL_PATHS.localStorageSqlite,
  `${ESSENTIAL_PATHS.localStorageSqlite}-wal`,
  `${ESSENTIAL_PATHS.localStorageSqlite}-journal`,
  `${ESSENTIAL_PATHS.localStorageSqlite}-shm`,
];

const FOLDERS = [
  ESSENTIAL_PATHS.indexedDbLevelDb,
  ESSENTIAL_PATHS.indexedDbBlobs,
  ESSENTIAL_PATHS.indexedDbSqlite,
  ESSENTIAL_PATHS.localStorageLevelDb,
];

/**
 * Files that each start creates again and that the login does not need (docs/chromium-facts.md F1.1). SQLite's `-shm` is
 * an index of its `-wal`.
 */
const REMADE_AT_EACH_START = /^(?:LOCK|LOG|LOG\.old|.*\.dbtmp|.*-shm)$/;

/**
 * Whether a file of the profile belongs to the login.
 *
 * @param path relative to the profile, `/` between names
 * @example
 * isEssential('Default/Local Storage/leveldb/CURRENT'); // true
 * isEssential('Default/Cache/Cache_Data/index');        // false
 */
export function isEssential(path: string): boolean {
  const names = path.split('/');
  if (names.some((name) => name === '' || name === '.' || name === '..' || name.includes('\\'))) return false;
  if (REMADE_AT_EACH_START.test(names[names.length - 1] ?? '')) return false;
  const file = ESSENTIAL_PATHS.localStorageSqlite;
  if (path === file || path === `${file}-wal` || path === `${file}-journal`) return true;
  return FOLDERS.some((folder) => path.startsWith(`${folder}/`));
}

/** Whether the path is that of a blob: a file that holds a large value of IndexedDB. */
export function isBlobPath(path: string): boolean {
  return path.startsWith(`${ESSENTIAL_PATHS.indexedDbBlobs}/`);
}

/** One essential file on disk. */
export interface EssentialFile {
  /** Relative to the profile, `/` between names. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly signature: FileSignature;
}

/** Lists the existing essential files, sorted by path. Files that disappear meanwhile are left out. */
export async function listEssentialFiles(
  profileDir: string,
  options: { readonly fs: FileSystem },
): Promise<EssentialFile[]> {
  const found: EssentialFile[] = [];
  for (const part of ESSENTIAL_PARTS) {
    for await (const file of walkFiles(options.fs, profileDir, part)) {
      if (isEssential(file.path)) found.push(file);
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Detects the layout of each half. If both layouts exist, the one that was written last counts. */
export async function recogniseLayout(
  profileDir: string,
  options: { readonly fs: FileSystem },
): Promise<ProfileLayout> {
  const { fs } = options;
  const { indexedDbLevelDb, indexedDbSqlite, localStorageLevelDb, localStorageSqlite } = ESSENTIAL_PATHS;
  return {
    indexedDb: await recogniseHalf(fs, profileDir, [indexedDbLevelDb], [indexedDbSqlite]),
    localStorage: await recogniseHalf(
      fs,
      profileDir,
      [localStorageLevelDb],
      [localStorageSqlite, `${localStorageSqlite}-wal`],
    ),
  };
}

async function recogniseHalf(
  fs: FileSystem,
  profileDir: string,
  levelDb: readonly string[],
  sqlite: readonly string[],
): Promise<DatabaseLayout> {
  const levelDbWritten = await lastWritten(fs, profileDir, levelDb);
  const sqliteWritten = await lastWritten(fs, profileDir, sqlite);
  if (levelDbWritten === undefined) return sqliteWritten === undefined ? 'none' : 'sqlite';
  return sqliteWritten !== undefined && sqliteWritten > levelDbWritten ? 'sqlite' : 'leveldb';
}

/** The newest time (ms) of any file below the paths; `undefined` when none of the paths exists. */
async function lastWritten(
  fs: FileSystem,
  profileDir: string,
  paths: readonly string[],
): Promise<number | undefined> {
  let newest: number | undefined;
  for (const path of paths) {
    const stats = await lstatIfPresent(fs, `${profileDir}/${path}`);
    if (stats === undefined) continue;
    newest = Math.max(newest ?? 0, stats.isDirectory() ? 0 : stats.mtimeMs);
    for await (const file of walkFiles(fs, profileDir, path)) {
      newest = Math.max(newest, file.modifiedMs);
    }
  }
  return newest;
}
