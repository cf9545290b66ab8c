import { errnoOf } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import type { SoundLog } from '../follow/kept-base.js';
import { DamageError } from '../leveldb/damage.js';
import { type Database, liveLogs, readDatabase } from '../leveldb/database.js';
import { readGrowingLog } from '../leveldb/growing-log.js';
import { scanLog } from '../leveldb/log-file.js';
import type { LogScan } from '../leveldb/log-reader.js';
import { type OpenFile, readAtOf } from '../leveldb/read-at.js';
import { checkTable, FOOTER_BYTES, parseFooter } from '../leveldb/table.js';
import { Windows } from '../leveldb/window.js';
import { type SequenceSpan, spanOfBatch } from '../leveldb/write-batch.js';
import { isMissing, lstatIfPresent, throwIfAborted } from '../walk.js';
import { inParallel } from './in-parallel.js';
import { type LogSpan, sequenceProblem } from './log-sequence.js';
import { corrupt, type Problem, suspect } from './problem.js';

/**
 * The quick check also reads the logs of a database if they have no more bytes than this. That is nearly always the case,
 * because Chromium starts a new log at 4 MB (LevelDB's write buffer). At 1 GB/s it takes about 4 ms.
 */
export const QUICK_LOG_BYTES = 4 * 1024 * 1024 + 256 * 1024;
const TABLES_AT_ONCE = 8;

export interface LevelDbCheck {
  readonly fs: FileSystem;
  readonly profileDir: string;
  /** Folder of the database, relative to the profile. */
  readonly folder: string;
  readonly depth: 'quick' | 'deep';
  /** Paths, relative to the profile, of tables that are known to be sound: only their length and footer are checked. */
  readonly soundTables?: ReadonlySet<string> | undefined;
  /** Sizes of tables, by path relative to the profile, whose end was read before. A quick check does not open them. */
  readonly knownEnds?: ReadonlyMap<string, number> | undefined;
  /** Called for every table whose end a quick check has read. */
  readonly onTableEnd?: ((path: string) => void) | undefined;
  /** Called for every table whose blocks were read and found sound, with the SHA-256 of its bytes. */
  readonly onSoundTable?: ((path: string, sha256: string) => void) | undefined;
  /** Logs, by path relative to the profile, that were just read and found sound. They are not read again. */
  readonly soundLogs?: ReadonlyMap<string, SoundLog> | undefined;
  /** What to look for in the records of the live logs that are read. */
  readonly isWanted?: (record: Uint8Array) => boolean;
  /** Whether a quick check may read of a log only what was added since the last one. */
  readonly continuesLogs?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LevelDbReport {
  readonly problems: readonly Problem[];
  /** Absent when CURRENT or the MANIFEST could not be read. */
  readonly database?: Database;
  /** Number of records in the live logs; `undefined` when the logs were too large for a quick check. */
  readonly logRecords?: number;
  /** Whether a log that was read has a record that {@link LevelDbCheck.isWanted}. */
  readonly isInLogs: boolean;
}

/** Checks the structure of one LevelDB, because Chromium does not report damage (docs/chromium-facts.md F1.8). */
export async function checkLevelDb(check: LevelDbCheck): Promise<LevelDbReport> {
  const { fs, profileDir, folder } = check;
  const stats = await lstatIfPresent(fs, `${profileDir}/${folder}`);
  if (stats === undefined) return failed(corrupt(folder, 'the folder is missing'));
  if (!stats.isDirectory()) return failed(corrupt(folder, 'there is a file where the folder should be'));

  let database: Database;
  try {
    database = await readDatabase(fs, `${profileDir}/${folder}`);
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    return failed(corrupt(pathOf(check, error.file ?? 'CURRENT'), nameOf(error)));
  }
  const logs = await checkLogs(check, database);
  const problems = [
    ...missingLogs(check, database),
    ...logs.problems,
    ...(await checkTables(check, database)),
  ];
  const { records, isInLogs } = logs;
  return { problems, database, isInLogs, ...(records !== undefined && { logRecords: records }) };
}

function failed(problem: Problem): LevelDbReport {
  return { problems: [problem], isInLogs: false };
}

/**
 * Finds a missing log. A log is created before the MANIFEST names it, and deleted only after the MANIFEST names a newer one.
 * So a missing log was deleted by somebody else. If there are also tables that the MANIFEST has never named, and no log that
 * they could come from, the MANIFEST itself has lost its newest part. If the named log exists, nothing is lost: then a
 * killed compaction has left such tables, and after a flush in between they can be older than that log (seen in 2 of 5
 * kills under 4 MB/s).
 */
function missingLogs(check: LevelDbCheck, { manifest, version, files }: Database): Problem[] {
  const named = version.logNumber;
  if (named > 0 && files.logs.some(({ number }) => number === named)) return [];
  const unheardOf = [...files.tables.keys()].filter((number) => !version.everNamed.has(number));
  const oldest = Math.min(...unheardOf);
  if (unheardOf.length > 0 && !files.logs.some(({ number }) => number >= named && number < oldest)) {
    const problem = `it has lost its newest part: ${unheardOf.length} tables in the folder are not in it`;
    return [corrupt(pathOf(check, manifest), problem)];
  }
  if (named === 0) return [];
  return [suspect(pathOf(check, `${padded(named)}.log`), 'the log is missing: the newest records are lost')];
}

async function checkLogs(
  check: LevelDbCheck,
  { version, files }: Database,
): Promise<{ problems: Problem[]; records: number | undefined; isInLogs: boolean }> {
  const logs = liveLogs(version, files.logs);
  const sizes = await Promise.all(logs.map((log) => lstatIfPresent(check.fs, absolute(check, log.name))));
  const bytes = sizes.reduce((sum, stats) => sum + (stats?.size ?? 0), 0);
  if (check.depth === 'quick' && bytes > QUICK_LOG_BYTES)
    return { problems: [], records: undefined, isInLogs: false };
  const problems: Problem[] = [];
  const spans: LogSpan[] = [];
  let records = 0;
  let numbered = 0;
  let isInLogs = false;
  for (const [index, log] of logs.entries()) {
    throwIfAborted(check.signal);
    const known = check.soundLogs?.get(pathOf(check, log.name));
    if (known !== undefined) {
      records += known.records;
      numbered += known.records;
      if (known.span) spans.push({ ...known.span, name: log.name, ending: 'clean' });
      continue;
    }
    const { scan, notes } = await readLog(check, log.name);
    const { span } = notes;
    numbered += notes.numbered;
    isInLogs ||= notes.isWantedThere;
    const size = sizes[index]?.size ?? 0;
    records += scan?.records ?? 0;
    if (scan && span) spans.push({ ...span, name: log.name, ending: scan.ending });
    const problem = judgeLog(scan, size, log.number === logs[logs.length - 1]?.number);
    if (problem !== undefined) problems.push({ ...problem, file: pathOf(check, log.name) });
  }
  // Damaged logs, and records that are too large to be passed on, make gaps in the numbers that mean nothing.
  const tellsNumbers = check.depth === 'deep' && problems.length === 0 && numbered === records;
  const foreign = tellsNumbers ? sequenceProblem(spans, version.lastSequence) : undefined;
  if (foreign !== undefined) problems.push(suspect(pathOf(check, foreign.name), foreign.problem));
  return { problems, records, isInLogs };
}

/** What is noted of a log while it is read. */
interface LogNotes {
  readonly isWantedThere: boolean;
  /** Number of records whose changes are numbered. */
  readonly numbered: number;
  readonly span: SequenceSpan | undefined;
}

async function readLog(
  { fs, profileDir, folder, depth, isWanted, continuesLogs, signal }: LevelDbCheck,
  name: string,
): Promise<{ readonly scan: LogScan | undefined; readonly notes: LogNotes }> {
  const path = `${profileDir}/${folder}/${name}`;
  const begin = () => ({ isWantedThere: false, numbered: 0, span: undefined as SequenceSpan | undefined });
  const noteRecord = (notes: ReturnType<typeof begin>, record: Uint8Array) => {
    notes.isWantedThere ||= isWanted?.(record) === true;
    const batch = depth === 'deep' ? spanOfBatch(record) : undefined;
    if (batch === undefined) return;
    notes.numbered++;
    notes.span = { first: notes.span?.first ?? batch.first, end: batch.end };
  };
  const onRecord = depth === 'deep' || isWanted !== undefined ? noteRecord : undefined;
  if (depth === 'quick' && continuesLogs === true) {
    const reader = {
      name: 'quick',
      begin,
      copy: (notes: ReturnType<typeof begin>) => ({ ...notes }),
      onRecord,
    };
    const reading = await readGrowingLog(fs, path, reader, signal);
    return { scan: reading?.scan, notes: reading?.state ?? begin() };
  }
  const notes = begin();
  const tell = onRecord && ((record: Uint8Array) => onRecord(notes, record));
  return { scan: await scanLog(fs, path, { onRecord: tell, signal }), notes };
}

function judgeLog(
  scan: LogScan | undefined,
  size: number,
  isNewest: boolean,
): Omit<Problem, 'file'> | undefined {
  if (scan === undefined) return { weight: 'suspect', problem: 'the log vanished while it was read' };
  if (scan.damage) {
    return {
      weight: 'corrupt',
      problem: `the log is damaged at byte ${scan.damage.offset}: ${scan.damage.problem}`,
    };
  }
  if (scan.ending === 'zeros' && scan.records === 0) {
    return { weight: 'corrupt', problem: `all ${size} bytes of the log are zeros` };
  }
  // A kill can only cut off the newest log: an older one was complete before the next one began.
  if (scan.ending === 'torn' && !isNewest) return { weight: 'suspect', problem: 'an older log is cut off' };
  return undefined;
}

async function checkTables(check: LevelDbCheck, { version, files }: Database): Promise<Problem[]> {
  const windows = new Windows();
  const problems = await inParallel(TABLES_AT_ONCE, [...version.tables], async ([number, size]) => {
    throwIfAborted(check.signal);
    // LevelDB also accepts the old extension `.sst`.
    const name = files.tables.get(number) ?? `${padded(number)}.ldb`;
    const problem = await tableProblem(check, name, size, windows);
    return problem === undefined ? [] : [corrupt(pathOf(check, name), problem)];
  });
  return problems.flat();
}

async function tableProblem(
  check: LevelDbCheck,
  name: string,
  size: number,
  windows: Windows,
): Promise<string | undefined> {
  if (check.depth === 'quick' && check.knownEnds?.get(pathOf(check, name)) === size) return undefined;
  let file: OpenFile | undefined;
  try {
    file = await readAtOf(check.fs, absolute(check, name));
    if (file.size === 0) return `the table ${name} is empty`;
    if (file.size < size) return `the table ${name} is ${size - file.size} bytes short`;
    if (file.size > size) return `the table ${name} is ${file.size - size} bytes too long`;
    const { readAt } = file;
    const isDeep = check.depth === 'deep' && check.soundTables?.has(pathOf(check, name)) !== true;
    if (isDeep) {
      const sha256 = await windows.lend((window) => checkTable(readAt, size, window, check.signal));
      throwIfAborted(check.signal); // a table that was not completely read must not count as sound
      if (sha256 !== undefined) check.onSoundTable?.(pathOf(check, name), sha256);
    } else if (size < FOOTER_BYTES) return `the table ${name} is damaged: it is too short to be a table`;
    else {
      parseFooter(await readAt(size - FOOTER_BYTES, FOOTER_BYTES), size);
      check.onTableEnd?.(pathOf(check, name));
    }
    return undefined;
  } catch (error) {
    if (isMissing(error)) return `the table ${name} is missing`;
    if (errnoOf(error) === 'EIO') return `the table ${name} can't be read from the disk`;
    if (error instanceof DamageError) return `the table ${name} is damaged: ${error.message}`;
    throw error;
  } finally {
    await file?.close();
  }
}

function nameOf(error: DamageError): string {
  if (error.file?.startsWith('MANIFEST') === true)
    return `the list of tables (MANIFEST) is damaged: ${error.message}`;
  return `the pointer to the list of tables (CURRENT) is damaged: ${error.message}`;
}

function absolute(check: LevelDbCheck, name: string): string {
  return `${check.profileDir}/${check.folder}/${name}`;
}

function pathOf(check: LevelDbCheck, name: string): string {
  return `${check.folder}/${name}`;
}

function padded(number: number): string {
  return String(number).padStart(6, '0');
}
