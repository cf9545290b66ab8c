import type { FileSystem } from '../../file-system.js';
import type { SnapshotFile } from '../../types.js';
import { ESSENTIAL_PATHS, type EssentialFile, isBlobPath, isEssential } from '../essential-files.js';
import { isTablePath } from '../sound-tables.js';
import { throwIfAborted } from '../walk.js';
import { hashOfStart } from './hash-of-start.js';
import { type Problem, suspect } from './problem.js';

export interface Comparison {
  readonly fs: FileSystem;
  readonly profileDir: string;
  /** Whether the bytes of a file are compared, too; otherwise only whether it exists, and its size. */
  readonly comparesBytesOf: (path: string) => boolean;
  /** The essential files that exist now. */
  readonly present: readonly EssentialFile[];
  readonly reference: readonly SnapshotFile[];
  /** Hashes by path of files that were already compared. */
  readonly unchanged?: ReadonlyMap<string, string>;
  /** The log number in each LevelDB's current MANIFEST, by folder. Logs with lower numbers are already in tables. */
  readonly logNumbers: ReadonlyMap<string, number>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds what the profile has lost since the last snapshot. The structure alone can't tell, because an emptied log is
 * a sound log (docs/chromium-facts.md F1.8). Files that LevelDB itself removes (flushed logs, compacted tables,
 * dropped blobs) are no loss.
 */
export async function compareWithReference(comparison: Comparison): Promise<Problem[]> {
  const problems: Problem[] = [];
  const now = new Map(comparison.present.map((file) => [file.path, file.size]));
  const reference = comparison.reference.filter((file) => isEssential(file.path));
  for (const folder of [ESSENTIAL_PATHS.indexedDbLevelDb, ESSENTIAL_PATHS.localStorageLevelDb]) {
    problems.push(...beginsAnew(folder, comparison.present, reference));
  }
  for (const file of reference) {
    throwIfAborted(comparison.signal);
    const size = now.get(file.path);
    const problem = size === undefined ? lossOf(file, comparison) : await changeOf(file, size, comparison);
    if (problem !== undefined) problems.push(suspect(file.path, problem));
  }
  return problems;
}

/** File numbers only grow while a database exists. Lower ones mean that Chromium deleted it and created a new one. */
function beginsAnew(
  folder: string,
  present: readonly EssentialFile[],
  reference: readonly SnapshotFile[],
): Problem[] {
  const highest = (files: readonly { readonly path: string }[]) =>
    Math.max(0, ...files.map(({ path }) => (folderOf(path) === folder ? numberOf(path) : 0)));
  const before = highest(reference);
  const after = highest(present);
  if (before === 0 || after === 0 || after >= before) return [];
  return [suspect(folder, 'the database was recreated since the last snapshot: its earlier content is gone')];
}

function lossOf(file: SnapshotFile, { logNumbers, present }: Comparison): string | undefined {
  const folder = folderOf(file.path);
  if (file.path.endsWith('.log')) {
    const logNumber = logNumbers.get(folder);
    const isRetired = logNumber === undefined || numberOf(file.path) < logNumber;
    return isRetired || file.size === 0 ? undefined : 'the log is gone although no table replaced it';
  }
  // The structure check reports a missing CURRENT, table or MANIFEST; the check of named blobs reports a missing
  // blob.
  const isWholeDatabase = file.path.endsWith('/CURRENT') || file.path === ESSENTIAL_PATHS.localStorageSqlite;
  const half = file.path.startsWith(`${ESSENTIAL_PATHS.indexedDbFolder}/`) ? 'IndexedDB' : 'Local Storage';
  const siblings = present.some(({ path }) => folderOf(path) === folder);
  return isWholeDatabase && !siblings ? `${half} of the last snapshot is gone` : undefined;
}

async function changeOf(
  file: SnapshotFile,
  size: number,
  comparison: Comparison,
): Promise<string | undefined> {
  const name = file.path.slice(file.path.lastIndexOf('/') + 1);
  if (/^(?:\d+\.log|MANIFEST-\d+)$/.test(name)) {
    if (size < file.size) return `it is ${file.size - size} bytes shorter than in the last snapshot`;
    // A changed record length, or zeros after a record, look like the torn end of a log, which LevelDB drops without
    // an error.
    if (!comparison.comparesBytesOf(file.path) || (await isStillThere(file, comparison))) return undefined;
    return 'what the last snapshot had of it is changed, although such a file only grows';
  }
  if (!isTablePath(name) && !isBlobPath(file.path)) return undefined;
  if (size !== file.size)
    return `it has ${size} bytes; it had ${file.size} in the last snapshot, and never changes`;
  if (!comparison.comparesBytesOf(file.path)) return undefined;
  if (comparison.unchanged?.has(file.path) || (await isStillThere(file, comparison))) return undefined;
  return 'its contents differ from the last snapshot, although such a file never changes';
}

/** Whether the file still holds the snapshot's bytes. Also `true` when the file has been removed in the meantime. */
async function isStillThere(file: SnapshotFile, { fs, profileDir }: Comparison): Promise<boolean> {
  if (file.size === 0) return true;
  const hash = await hashOfStart(fs, `${profileDir}/${file.path}`, file.size);
  return hash === undefined || hash === file.sha256;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** The number in the name of a log, a table or a MANIFEST; 0 for any other name. */
function numberOf(path: string): number {
  const match = /\/(?:MANIFEST-)?(\d{1,15})(?:\.(?:log|ldb|sst))?$/.exec(path);
  return Number(match?.[1] ?? 0);
}
