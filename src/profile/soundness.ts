import { type Clock, sleep, systemClock } from '../clock.js';
import type { FileSystem } from '../file-system.js';
import { defineTask } from '../task.js';
import type { SnapshotFile, SoundnessReport, SoundnessVerdict } from '../types.js';
import {
  ESSENTIAL_PATHS,
  type EssentialFile,
  listEssentialFiles,
  recogniseLayout,
} from './essential-files.js';
import type { SoundLog } from './follow/kept-base.js';
import { isTablePath, rememberSound, type SoundTables } from './sound-tables.js';
import { compareWithReference } from './soundness/compare-reference.js';
import { checkIndexedDb, checkLocalStorage, holdsOtherSites } from './soundness/halves.js';
import type { HalfReport, Problem } from './soundness/problem.js';
import { tableEndsOf } from './soundness/table-ends.js';
import { unchangedTables } from './soundness/unchanged-tables.js';
import { throwIfAborted } from './walk.js';

export interface CheckProfileOptions {
  readonly fs: FileSystem;
  /**
   * - `quick`: reads no whole table. Checks CURRENT, MANIFEST, each table's presence, length and footer, and the
   *   checksums of small logs; under 50 ms for 100 MB
   * - `deep`: also checks the checksum of every block of every table and log, and compares hashes with `reference`
   * - `before-launch`: `deep` for Local Storage, which a browser opens as soon as it is launched
   *   (docs/chromium-facts.md F1.12), and `quick` for IndexedDB
   * - `beside-launch`: the rest of `deep`, while a browser without a page may be running: only IndexedDB
   */
  readonly depth: CheckDepth;
  /** Files of the last snapshot, which the profile should still have. */
  readonly reference?: readonly SnapshotFile[] | undefined;
  /**
   * SHA-256 of tables, by path, that an earlier deep check found sound. They are not read again, because a table never
   * changes (docs/chromium-facts.md F1.3).
   */
  readonly soundTables?: ReadonlyMap<string, string> | undefined;
  /** Logs, by path, that were just read and found sound. They are not read again. */
  readonly soundLogs?: ReadonlyMap<string, SoundLog> | undefined;
  /**
   * Whether every file's hash was already compared with `reference` when the file was written. Then it is not hashed
   * again.
   */
  readonly isFreshCopy?: boolean | undefined;
  /**
   * Whether a browser uses the profile. Then an apparent fault is checked again before it is reported, and a quick check
   * does not open tables that an earlier one has opened, and reads of the logs only what they have gained.
   */
  readonly live?: boolean | undefined;
  readonly clock?: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** See {@link CheckProfileOptions.depth}. */
export type CheckDepth = 'quick' | 'deep' | 'before-launch' | 'beside-launch';

const LIVE_ATTEMPTS = 5;
const LIVE_PAUSE_MS = 20;

/**
 * Tells whether a start from this profile would find its login. Only reads, and never disturbs a running browser.
 * Call it *before* a launch, because a start on a damaged profile destroys the evidence
 * (docs/chromium-facts.md F1.8).
 *
 * @param profileDir Chromium's user-data-dir; need not exist
 * @throws system errors other than missing files (`EACCES`, `EIO`, ...), and the reason of `signal`
 * @example
 * const { verdict, findings } = await checkProfile('.wwebjs_auth/session', { fs, depth: 'quick' });
 * if (verdict === 'corrupt') console.log(findings[0]?.problem); // the table 000012.ldb is 812 bytes short
 */
export async function checkProfile(
  profileDir: string,
  options: CheckProfileOptions,
): Promise<SoundnessReport> {
  return (await examineProfile(profileDir, options)).report;
}

/** The result of {@link examineProfile}. */
export interface Examination {
  readonly report: SoundnessReport;
  /** SHA-256 of the sound tables, by path. A quick check adds none. */
  readonly tables: ReadonlyMap<string, string>;
  /** The essential files, with their signatures from before they were read. */
  readonly files: readonly EssentialFile[];
}

/** Like {@link checkProfile}, but also returns the sound tables and the essential files. */
export async function examineProfile(profileDir: string, options: CheckProfileOptions): Promise<Examination> {
  let found = await examineOnce(profileDir, { ...options, continuesLogs: options.live });
  const attempts = options.live === true ? LIVE_ATTEMPTS : 1;
  for (let attempt = 1; attempt < attempts && found.report.verdict !== 'sound'; attempt++) {
    await sleep(options.clock ?? systemClock, LIVE_PAUSE_MS * attempt, options.signal);
    found = await examineOnce(profileDir, options);
  }
  return found;
}

/** Input of {@link checkProfileTask}; structured-clonable. */
export interface CheckProfileInput {
  readonly profileDir: string;
  readonly depth: CheckDepth;
  readonly reference?: readonly SnapshotFile[];
  readonly isFreshCopy?: boolean;
  readonly live?: boolean;
}

/** Runs {@link checkProfile} in the worker thread. */
export const checkProfileTask = defineTask<CheckProfileInput, SoundnessReport>(
  'profile:check',
  ({ profileDir, ...input }, context) => checkProfile(profileDir, { ...input, ...context }),
);

/**
 * Runs {@link examineProfile} in the worker thread. It reports sound tables only for a profile that no browser has
 * open.
 */
export const examineProfileTask = defineTask<
  CheckProfileInput,
  { readonly report: SoundnessReport; readonly soundTables: SoundTables }
>('profile:examine', async ({ profileDir, ...input }, context) => {
  const { report, tables, files } = await examineProfile(profileDir, { ...input, ...context });
  const captured = files.map(({ path, size, signature }) => ({ path, size, source: signature }));
  return { report, soundTables: rememberSound(captured, tables) };
});

async function examineOnce(
  profileDir: string,
  options: CheckProfileOptions & { readonly continuesLogs?: boolean | undefined },
): Promise<Examination> {
  const { fs, signal, isFreshCopy = false } = options;
  throwIfAborted(signal);
  const layout = await recogniseLayout(profileDir, { fs });
  const depth = depthsOf(options.depth);
  const concerns = (path: string) => depth.localStorage !== 'none' || isOfIndexedDb(path);
  const present = (await listEssentialFiles(profileDir, { fs })).filter(({ path }) => concerns(path));
  const reference = options.reference?.filter(({ path }) => concerns(path)) ?? [];
  const size = { files: present.length, bytes: present.reduce((sum, file) => sum + file.size, 0) };
  const isDeep = (path: string) => (isOfIndexedDb(path) ? depth.indexedDb : depth.localStorage) === 'deep';
  const comparesBytesOf = (path: string) => !isFreshCopy && isDeep(path);
  const comparable = reference.filter(({ path }) => comparesBytesOf(path));
  const unchanged = await unchangedTables(fs, profileDir, { present, reference: comparable, signal });
  // A snapshot's hashes were taken from checked bytes. Where the bytes are equal, the block checksums are correct,
  // too.
  const restored = isFreshCopy ? tablesOf(reference) : [];
  const tables = new Map([...(options.soundTables ?? []), ...unchanged, ...restored]);
  const onSoundTable = (path: string, sha256: string) => tables.set(path, sha256);
  const { soundLogs } = options;
  const remembers = options.live === true;
  const tableEnds = tableEndsOf(fs);
  const knownEnds = remembers ? tableEnds.known(profileDir, present) : undefined;
  const readEnds = new Set(knownEnds?.keys());
  const onTableEnd = (path: string) => readEnds.add(path);
  const known = { soundTables: new Set(tables.keys()), soundLogs, onSoundTable, knownEnds, onTableEnd };
  const check = { fs, profileDir, ...known, continuesLogs: options.continuesLogs, signal };
  const indexedDb = await checkIndexedDb(layout.indexedDb, { ...check, depth: depth.indexedDb });
  const localStorage =
    depth.localStorage === 'none'
      ? LEFT_OUT
      : await checkLocalStorage(layout.localStorage, { ...check, depth: depth.localStorage });
  if (remembers) tableEnds.remember(profileDir, present, (path) => readEnds.has(path));

  const elsewhere = await verdictWithoutWhatsApp(fs, profileDir, indexedDb, localStorage);
  // A snapshot proves that there was a login. If nothing of it is left, it was lost, and this is not another
  // browser's profile.
  const isLoss = elsewhere === 'foreign' && reference.length > 0;
  if (elsewhere !== undefined && !isLoss) {
    return { report: { verdict: elsewhere, findings: [], ...size }, tables: new Map(), files: present };
  }

  const problems = [...(indexedDb?.problems ?? []), ...(localStorage?.problems ?? [])];
  problems.push(...missingHalves(indexedDb, localStorage));
  if (options.reference !== undefined) {
    const logNumbers = new Map([...(indexedDb?.logNumbers ?? []), ...(localStorage?.logNumbers ?? [])]);
    const comparison = { fs, profileDir, present, reference, unchanged, logNumbers, comparesBytesOf, signal };
    problems.push(...(await compareWithReference(comparison)));
  }
  const findings = problems.map(({ file, problem }) => ({ file, problem }));
  return { report: { verdict: gravest(problems), findings, ...size }, tables, files: present };
}

/** Stands for a Local Storage that is not looked at, because an earlier check found it sound. */
const LEFT_OUT: HalfReport = { problems: [], holdsWhatsApp: true, empty: false };

interface Depths {
  readonly indexedDb: 'quick' | 'deep';
  readonly localStorage: 'quick' | 'deep' | 'none';
}

function depthsOf(depth: CheckDepth): Depths {
  switch (depth) {
    case 'before-launch':
      return { indexedDb: 'quick', localStorage: 'deep' };
    case 'beside-launch':
      return { indexedDb: 'deep', localStorage: 'none' };
    default:
      return { indexedDb: depth, localStorage: depth };
  }
}

function isOfIndexedDb(path: string): boolean {
  return path.startsWith(`${ESSENTIAL_PATHS.indexedDbFolder}/`);
}

function tablesOf(files: readonly SnapshotFile[]): readonly (readonly [string, string])[] {
  return files.filter(({ path }) => isTablePath(path)).map(({ path, sha256 }) => [path, sha256]);
}

/** Returns `absent` or `foreign` when nothing points to a login of WhatsApp Web; otherwise `undefined`. */
async function verdictWithoutWhatsApp(
  fs: FileSystem,
  profileDir: string,
  indexedDb: HalfReport | undefined,
  localStorage: HalfReport | undefined,
): Promise<SoundnessVerdict | undefined> {
  if (indexedDb !== undefined && !indexedDb.empty) return undefined;
  const nothingHere = localStorage === undefined || localStorage.empty;
  const othersHere = localStorage !== undefined && localStorage.holdsWhatsApp === false;
  if (!nothingHere && !othersHere) return undefined;
  // WhatsApp's folder has no records and Local Storage holds only other sites: a page was merely opened.
  if (!nothingHere) return 'foreign';
  return (await holdsOtherSites(fs, profileDir)) ? 'foreign' : 'absent';
}

function missingHalves(indexedDb: HalfReport | undefined, localStorage: HalfReport | undefined): Problem[] {
  const problem = 'half of the login is missing: there is no';
  const missing: Problem[] = [];
  if (indexedDb === undefined) {
    missing.push({
      file: 'Default/IndexedDB',
      problem: `${problem} IndexedDB of WhatsApp Web`,
      weight: 'corrupt',
    });
  }
  if (localStorage === undefined) {
    missing.push({ file: 'Default/Local Storage', problem: `${problem} Local Storage`, weight: 'corrupt' });
  }
  return missing;
}

function gravest(problems: readonly Problem[]): SoundnessVerdict {
  if (problems.some(({ weight }) => weight === 'corrupt')) return 'corrupt';
  return problems.length > 0 ? 'suspect' : 'sound';
}
