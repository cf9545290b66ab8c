import { ESSENTIAL_PATHS, type ProfileLayout } from './essential-files.js';

/** Which layout a list of files has, as that of a manifest. Of two that lie side by side nothing is said: `none`. */
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
