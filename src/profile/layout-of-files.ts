import { ESSENTIAL_PATHS, type ProfileLayout } from './essential-files.js';

/** The layout of a list of files, such as that of a manifest. `none` also if a half exists in both layouts. */
export function layoutOfFiles(files: readonly { readonly path: string }[]): ProfileLayout {
  const has = (start: string) => files.some(({ path }) => path.startsWith(start));
  const half = (levelDb: string, sqlite: string) => {
    const [isLevelDb, isSqlite] = [has(`${levelDb}/`), has(sqlite)];
    if (isLevelDb === isSqlite) return 'none';
    return isLevelDb ? 'leveldb' : 'sqlite';
  };
  const { indexedDbLevelDb, indexedDbSqlite, localStorageLevelDb, localStorageSqlite } = ESSENTIAL_PATHS;
  return {
    indexedDb: half(indexedDbLevelDb, `${indexedDbSqlite}/`),
    localStorage: half(localStorageLevelDb, localStorageSqlite),
  };
}
