import path from 'node:path';
import { type FileSystem, syncFolder } from '../../file-system.js';
import { readOwnJson, temporaryOf, writeOwnFile } from '../../own-file.js';
import { ESSENTIAL_PARTS } from '../essential-files.js';
import type { SideFolder } from '../side-folder.js';
import { isMissing } from '../walk.js';

/** Describes a replacement in progress: written before the first rename, removed after the last one. */
export interface InstallJournal {
  readonly format: 1;
  /** `folder`: the profile is renamed as a whole. `parts`: its essential parts, one after the other. */
  readonly mode: 'folder' | 'parts';
  /** Where the old profile is moved to: a name in the quarantine folder. */
  readonly quarantine: string;
  /** Where the new profile comes from: a name in the staging folder; absent when there is no new profile. */
  readonly staged?: string;
  /** Parts (or `''` for the whole folder) that existed before. */
  readonly old: readonly string[];
  /** Parts (or `''` for the whole folder) that will exist afterwards. */
  readonly new: readonly string[];
}

const NAME = /^[\w.-]{1,100}$/;

export async function writeJournal(fs: FileSystem, side: SideFolder, journal: InstallJournal): Promise<void> {
  await writeOwnFile(fs, side.journal, JSON.stringify(journal));
}

/** Reads the journal; `undefined` when there is none, and when it is not ours or names paths outside its folders. */
export async function readJournal(fs: FileSystem, side: SideFolder): Promise<InstallJournal | undefined> {
  const value = await readOwnJson(fs, side.journal);
  return isJournal(value) ? value : undefined;
}

export async function removeJournal(fs: FileSystem, side: SideFolder): Promise<void> {
  await fs.promises.rm(side.journal, { force: true });
  await syncFolder(fs, path.dirname(side.journal));
}

/** Removes a journal whose writing was interrupted by a kill; at that time nothing had been moved yet. */
export async function removeUnfinishedJournal(fs: FileSystem, side: SideFolder): Promise<void> {
  try {
    await fs.promises.rm(temporaryOf(side.journal), { force: true });
  } catch (error) {
    // `force` does not ignore ENOTDIR, which comes if the profile is a file; then nothing can be inside it.
    if (!isMissing(error)) throw error;
  }
}

/** Checks every value strictly, because paths are built from them. */
function isJournal(value: unknown): value is InstallJournal {
  if (typeof value !== 'object' || value === null) return false;
  const journal = value as Partial<Record<keyof InstallJournal, unknown>>;
  const { mode, staged } = journal;
  return (
    journal.format === 1 &&
    (mode === 'folder' || mode === 'parts') &&
    isName(journal.quarantine) &&
    (staged === undefined || isName(staged)) &&
    areParts(journal.old, mode) &&
    areParts(journal.new, mode)
  );
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value) && value !== '.' && value !== '..';
}

function areParts(value: unknown, mode: 'folder' | 'parts'): boolean {
  const known = mode === 'folder' ? [''] : ESSENTIAL_PARTS;
  return Array.isArray(value) && value.every((part) => known.includes(part as string));
}
