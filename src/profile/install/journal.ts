import path from 'node:path';
import { type FileSystem, syncFolder } from '../../file-system.js';
import { readOwnJson, temporaryOf, writeOwnFile } from '../../own-file.js';
import { ESSENTIAL_PARTS } from '../essential-files.js';
import type { SideFolder } from '../side-folder.js';
import { isMissing } from '../walk.js';

/** A replacement that is under way: written before the first rename, removed after the last. */
export interface InstallJournal {
  readonly format: 1;
  /** `folder`: the profile is renamed as a whole. `parts`: its essential parts, one after the other. */
  readonly mode: 'folder' | 'parts';
  /** Where the old profile goes: a name below the quarantine. */
  readonly quarantine: string;
  /** Where the new profile comes from: a name below staging; absent when there is no replacement. */
  readonly staged?: string;
  /** Parts (or `''`, the folder itself) that were there before. */
  readonly old: readonly string[];
  /** Parts (or `''`) that are to be there afterwards. */
  readonly new: readonly string[];
}

const NAME = /^[\w.-]{1,100}$/;

export async function writeJournal(fs: FileSystem, side: SideFolder, journal: InstallJournal): Promise<void> {
  await writeOwnFile(fs, side.journal, JSON.stringify(journal));
}

/** Reads the journal; `undefined` when there is none. One that is not ours, or leads elsewhere, counts as none. */
export async function readJournal(fs: FileSystem, side: SideFolder): Promise<InstallJournal | undefined> {
  const value = await readOwnJson(fs, side.journal);
  return isJournal(value) ? value : undefined;
}

export async function removeJournal(fs: FileSystem, side: SideFolder): Promise<void> {
  await fs.promises.rm(side.journal, { force: true });
  await syncFolder(fs, path.dirname(side.journal));
}

/** One that was never finished, because the process was killed over it: nothing had been moved yet. */
export async function removeUnfinishedJournal(fs: FileSystem, side: SideFolder): Promise<void> {
  try {
    await fs.promises.rm(temporaryOf(side.journal), { force: true });
  } catch (error) {
    // `force` bears no ENOTDIR: where a file lies in the profile's place nothing can be inside it.
    if (!isMissing(error)) throw error;
  }
}

/** Paths are joined from it, so nothing in it is trusted. */
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
