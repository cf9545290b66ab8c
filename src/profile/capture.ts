import type { Clock } from '../clock.js';
import { ProfileUnsoundError, SessionError } from '../errors.js';
import { type FileSystem, makeFolders } from '../file-system.js';
import type { CapturedFile, CapturedTree, CaptureMode } from '../types.js';
import { leaveOutUnnamed, type TakenBlobs, takeBlobs } from './capture/capture-blobs.js';
import { captureLevelDb, type TakenTables } from './capture/capture-leveldb.js';
import { captureSqlite, findSqliteDatabases } from './capture/capture-sqlite.js';
import type { CapturePlaces } from './capture/copy-file.js';
import { ChangedMeanwhile, untilConsistent } from './capture/retry.js';
import { ESSENTIAL_PATHS, recogniseLayout } from './essential-files.js';
import { captureFollowed, type FollowedDatabase } from './follow/capture-followed.js';
import { type KeptBase, NewBaseNeeded } from './follow/kept-base.js';
import { type MissingBlob, missingAmong } from './missing-blobs.js';
import { readBlobNames } from './soundness/named-blobs.js';
import { checkProfile } from './soundness.js';
import { exists, readFolder } from './walk.js';

export interface CaptureOptions {
  /** Chromium's user-data-dir. It is only read. */
  readonly profileDir: string;
  /** A new or empty folder. If it is on the profile's file system, tables are hard-linked instead of copied. */
  readonly targetDir: string;
  readonly fs: FileSystem;
  readonly clock: Clock;
  /** `hot`: a browser may be running. `cold`: it was closed properly, so that retries can't repair anything. */
  readonly mode: CaptureMode;
  readonly signal?: AbortSignal | undefined;
  /** Whether tables are hard-linked if the file system allows it. False: nothing is shared with the original. Default true. */
  readonly links?: boolean | undefined;
  /** An earlier copy of IndexedDB whose logs since are kept; the copy is put together from them. Default none. */
  readonly base?: KeptBase | undefined;
  /** Attempts for each database. Default 12 hot, 3 cold (for the locks of Windows). */
  readonly maxAttempts?: number | undefined;
}

/** A copy of a profile, and facts about the copying. */
export interface CapturedProfile extends CapturedTree {
  /** Number of attempts for the database that needed most. */
  readonly attempts: number;
  /** Blobs that the copied database names but that the profile itself does not have any more. */
  readonly missingBlobs: readonly MissingBlob[];
  /** Of a copy that follows a base: what was found out of it. */
  readonly followed?: FollowedDatabase | undefined;
}

const DEFAULT_ATTEMPTS: Readonly<Record<CaptureMode, number>> = { hot: 12, cold: 3 };

/**
 * Copies the essential files as they were at one moment, even while a browser writes them (docs/chromium-facts.md F1.4).
 * Each database is consistent in itself; the moments of the two are milliseconds apart. Don't write to the copied files:
 * tables are hard links to the live ones.
 *
 * @returns the copy
 * @throws {@link ProfileUnsoundError} when an essential part is missing or damaged, or changed during every attempt;
 *   `NewBaseNeeded` when `base` can't be followed; `targetDir` is then removed. System errors (`ENOSPC`, `EACCES`, ...) pass through.
 */
export async function captureProfile(options: CaptureOptions): Promise<CapturedProfile> {
  const { fs, targetDir } = options;
  await makeFolders(fs, targetDir);
  if ((await readFolder(fs, targetDir)).length > 0) {
    throw new SessionError('INTERNAL', 'a capture needs an empty folder');
  }
  try {
    return await capture(options);
  } catch (error) {
    await fs.promises.rm(targetDir, { recursive: true, force: true });
    throw error;
  }
}

async function capture(options: CaptureOptions): Promise<CapturedProfile> {
  const { fs, profileDir, targetDir, signal, links } = options;
  const places: CapturePlaces = { fs, profileDir, targetDir, signal, links };
  const layout = await recogniseLayout(profileDir, { fs });
  const { indexedDbLevelDb, localStorageLevelDb, localStorageSqlite } = ESSENTIAL_PATHS;
  if (layout.indexedDb === 'none')
    throw new ProfileUnsoundError('the profile has no IndexedDB of WhatsApp Web');
  if (layout.localStorage === 'none') throw new ProfileUnsoundError('the profile has no Local Storage');

  const indexedDb =
    layout.indexedDb === 'leveldb'
      ? await captureIndexedDb(places, options, indexedDbLevelDb)
      : await captureSqliteIndexedDb(places, options);
  const localStorage =
    layout.localStorage === 'leveldb'
      ? await captureLocalStorage(places, options, localStorageLevelDb)
      : await captureSqliteDatabases(places, options, localStorageSqlite);

  const { verdict, findings } = await checkProfile(targetDir, { fs, depth: 'quick', signal });
  if (verdict !== 'sound' && verdict !== 'suspect') {
    const [first] = findings;
    const why = first === undefined ? `it is ${verdict}` : `${first.file}: ${first.problem}`;
    throw new ProfileUnsoundError(`the profile can't be captured: ${why}`);
  }
  const files = [...indexedDb.result, ...localStorage.result].sort((a, b) => (a.path < b.path ? -1 : 1));
  const attempts = Math.max(indexedDb.attempts, localStorage.attempts);
  const { missingBlobs, followed } = indexedDb;
  return { directory: targetDir, files, attempts, missingBlobs, followed };
}

interface Captured {
  readonly result: readonly CapturedFile[];
  readonly attempts: number;
}

interface CapturedIndexedDb extends Captured {
  readonly missingBlobs: readonly MissingBlob[];
  readonly followed?: FollowedDatabase | undefined;
}

async function captureIndexedDb(
  places: CapturePlaces,
  options: CaptureOptions,
  folder: string,
): Promise<CapturedIndexedDb> {
  const { fs, profileDir, targetDir, signal } = places;
  const { clock, base } = options;
  const tables: TakenTables = new Map();
  const blobs: TakenBlobs = new Map();
  let missingBlobs: readonly MissingBlob[] = [];
  let followed: FollowedDatabase | undefined;
  let hasLookedAgain = false;
  const captured = await untilConsistent(
    async (isLast) => {
      await takeBlobs(places, clock, blobs);
      const before = new Map(blobs);
      followed = base && (await captureFollowed(places, base));
      const database = followed?.files ?? (await captureLevelDb(places, folder, tables));
      await takeBlobs(places, clock, blobs);
      // Without the folder of the blobs there is none to leave out.
      const hasBlobs = await exists(fs, `${profileDir}/${ESSENTIAL_PATHS.indexedDbBlobs}`);
      const names = hasBlobs ? await readBlobNames({ fs, profileDir: targetDir, signal }) : undefined;
      await leaveOutUnnamed(places, clock, blobs, { names, before });
      missingBlobs = missingAmong(names, blobs.values());
      const [missing] = missingBlobs;
      if (missing !== undefined && !hasLookedAgain && !isLast) {
        hasLookedAgain = true; // it may have just been deleted; if it is missing twice, it was missing before
        throw new ChangedMeanwhile(missing.path, 'it is named, and not there');
      }
      return [...database, ...blobs.values()];
    },
    retryOptions(options, 'IndexedDB'),
  );
  return { ...captured, missingBlobs, followed };
}

async function captureSqliteIndexedDb(
  places: CapturePlaces,
  options: CaptureOptions,
): Promise<CapturedIndexedDb> {
  if (options.base !== undefined) throw new NewBaseNeeded('IndexedDB has another layout now');
  return {
    ...(await captureSqliteDatabases(places, options, ESSENTIAL_PATHS.indexedDbSqlite)),
    missingBlobs: [],
  };
}

function captureLocalStorage(
  places: CapturePlaces,
  options: CaptureOptions,
  folder: string,
): Promise<Captured> {
  const tables: TakenTables = new Map();
  return untilConsistent(
    () => captureLevelDb(places, folder, tables),
    retryOptions(options, 'Local Storage'),
  );
}

async function captureSqliteDatabases(
  places: CapturePlaces,
  options: CaptureOptions,
  path: string,
): Promise<Captured> {
  const result: CapturedFile[] = [];
  let attempts = 1;
  for (const database of await findSqliteDatabases(places, path)) {
    const captured = await untilConsistent(
      () => captureSqlite(places, database),
      retryOptions(options, `the database ${database}`),
    );
    result.push(...captured.result);
    attempts = Math.max(attempts, captured.attempts);
  }
  return { result, attempts };
}

function retryOptions({ clock, mode, maxAttempts, signal }: CaptureOptions, what: string) {
  return { clock, signal, what, maxAttempts: maxAttempts ?? DEFAULT_ATTEMPTS[mode] };
}
