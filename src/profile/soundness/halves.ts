import type { FileSystem } from '../../file-system.js';
import { type DatabaseLayout, ESSENTIAL_PATHS } from '../essential-files.js';
import type { SoundLog } from '../follow/kept-base.js';
import { listDatabaseFiles } from '../leveldb/database.js';
import { exists, readFolder } from '../walk.js';
import { checkLevelDb, type LevelDbReport } from './check-leveldb.js';
import { checkSqliteFile, checkSqliteFolder } from './check-sqlite.js';
import { corrupt, type HalfReport, type Problem, suspect } from './problem.js';
import { recordHoldsWhatsApp, sqliteHoldsWhatsApp, tablesHoldWhatsApp } from './whatsapp-keys.js';

/** The problem of an empty or halved log, and also of a kill within 5 s (docs/chromium-facts.md F1.5 and F1.8). */
const HOLDS_NOTHING =
  'it holds nothing of WhatsApp Web: that half of the login is lost, or never reached the disk';

interface HalfCheck {
  readonly fs: FileSystem;
  readonly profileDir: string;
  readonly depth: 'quick' | 'deep';
  readonly soundTables?: ReadonlySet<string> | undefined;
  readonly soundLogs?: ReadonlyMap<string, SoundLog> | undefined;
  readonly knownEnds?: ReadonlyMap<string, number> | undefined;
  readonly onTableEnd?: ((path: string) => void) | undefined;
  readonly continuesLogs?: boolean | undefined;
  readonly onSoundTable?: ((path: string, sha256: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Checks the IndexedDB half; `undefined` when it does not exist. */
export async function checkIndexedDb(
  layout: DatabaseLayout,
  check: HalfCheck,
): Promise<HalfReport | undefined> {
  if (layout === 'none') return undefined;
  if (layout === 'sqlite') {
    const report = await checkSqliteFolder(check.fs, check.profileDir, ESSENTIAL_PATHS.indexedDbSqlite);
    return { ...report, holdsWhatsApp: true };
  }
  const folder = ESSENTIAL_PATHS.indexedDbLevelDb;
  const report = await checkLevelDb({ ...check, folder });
  const empty = isEmpty(report);
  // Chromium writes records of its own when it creates this database, so an empty one has lost everything.
  const lost = empty ? [corrupt(folder, 'the database is empty')] : [];
  return {
    problems: [...report.problems, ...lost],
    holdsWhatsApp: !empty,
    empty,
    ...logNumbersOf(folder, report),
  };
}

/** Checks the Local Storage half, which all sites share; `undefined` when it does not exist. */
export async function checkLocalStorage(
  layout: DatabaseLayout,
  check: HalfCheck,
): Promise<HalfReport | undefined> {
  if (layout === 'none') return undefined;
  if (layout === 'sqlite') {
    const report = await checkSqliteFile(check.fs, check.profileDir, ESSENTIAL_PATHS.localStorageSqlite);
    const holdsWhatsApp = await sqliteHoldsWhatsApp(check.fs, check.profileDir);
    const problems = [...report.problems];
    if (holdsWhatsApp === false && problems.length === 0) {
      problems.push(suspect(ESSENTIAL_PATHS.localStorageSqlite, HOLDS_NOTHING));
    }
    return { problems, empty: report.empty, holdsWhatsApp };
  }
  const folder = ESSENTIAL_PATHS.localStorageLevelDb;
  const report = await checkLevelDb({ ...check, folder, isWanted: recordHoldsWhatsApp });
  const holdsWhatsApp = report.isInLogs || (await heldElsewhere(check, folder, report));
  const healed = await withoutSelfHealing(check, folder, report);
  const problems: Problem[] = [...healed.problems];
  if (holdsWhatsApp === false && !healed.heals && problems.length === 0) {
    problems.push(suspect(folder, HOLDS_NOTHING));
  }
  return { problems, holdsWhatsApp, empty: isEmpty(report), ...logNumbersOf(folder, report) };
}

/** Whether IndexedDB has a folder of any other site. */
export async function holdsOtherSites(fs: FileSystem, profileDir: string): Promise<boolean> {
  const entries = await readFolder(fs, `${profileDir}/${ESSENTIAL_PATHS.indexedDbFolder}`);
  return entries.some(({ name }) => name.startsWith('http') && !name.startsWith('https_web.whatsapp.com_0'));
}

async function heldElsewhere(
  check: HalfCheck,
  folder: string,
  report: LevelDbReport,
): Promise<boolean | undefined> {
  if (report.database === undefined) return undefined;
  const inTables = await tablesHoldWhatsApp(check.fs, `${check.profileDir}/${folder}`, report.database);
  // The data may be in logs that were too large for a quick check.
  return report.logRecords === undefined && inTables === false ? undefined : inTables;
}

/**
 * A Local Storage without CURRENT still opens completely if all its data are in logs: LevelDB then makes a new MANIFEST and
 * replays every log (docs/chromium-facts.md F1.8). If there are tables, LevelDB would delete them.
 */
async function withoutSelfHealing(
  check: HalfCheck,
  folder: string,
  report: LevelDbReport,
): Promise<{ problems: readonly Problem[]; heals: boolean }> {
  const path = `${check.profileDir}/${folder}`;
  const { logs, tables } = await listDatabaseFiles(check.fs, path);
  const heals =
    report.database === undefined &&
    logs.length > 0 &&
    tables.size === 0 &&
    !(await exists(check.fs, `${path}/CURRENT`));
  if (!heals) return { problems: report.problems, heals };
  return { problems: report.problems.map((problem) => ({ ...problem, weight: 'suspect' as const })), heals };
}

function isEmpty({ database, logRecords, problems }: LevelDbReport): boolean {
  return problems.length === 0 && database?.version.tables.size === 0 && logRecords === 0;
}

function logNumbersOf(folder: string, { database }: LevelDbReport): Pick<HalfReport, 'logNumbers'> {
  return database === undefined ? {} : { logNumbers: new Map([[folder, database.version.logNumber]]) };
}
