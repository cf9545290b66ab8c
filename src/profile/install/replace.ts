import path from 'node:path';
import { type FileSystem, PRIVATE_FOLDER_MODE, syncFolder } from '../../file-system.js';
import type { SideFolder } from '../side-folder.js';
import { exists } from '../walk.js';
import type { InstallJournal } from './journal.js';

/** Below an entry of the quarantine: the old profile, or its parts under their paths. */
export const QUARANTINED_PROFILE = 'profile';

/**
 * Carries a journal out, from wherever it stands: each step is a rename that is done only if it is not done yet, so a
 * crash at any point is cured by calling it again.
 */
export async function rollForward(fs: FileSystem, side: SideFolder, journal: InstallJournal): Promise<void> {
  for (const part of new Set([...journal.old, ...journal.new])) {
    const at = placesOf(side, journal, part);
    const oldIsAside = !journal.old.includes(part) || (await exists(fs, at.aside));
    if (!oldIsAside && (await exists(fs, at.live))) await move(fs, at.live, at.aside);
    if (!journal.new.includes(part) || !(await exists(fs, at.staged))) continue;
    if (await exists(fs, at.live)) await clearTheWay(fs, at.live, at.inTheWay);
    await move(fs, at.staged, at.live);
  }
}

/** Undoes a journal: new parts go back to staging, old ones return. */
export async function rollBack(fs: FileSystem, side: SideFolder, journal: InstallJournal): Promise<void> {
  for (const part of new Set([...journal.old, ...journal.new])) {
    const at = placesOf(side, journal, part);
    const oldIsAside = journal.old.includes(part) && (await exists(fs, at.aside));
    const newIsLive =
      journal.new.includes(part) &&
      !(await exists(fs, at.staged)) &&
      (oldIsAside || !journal.old.includes(part)) &&
      (await exists(fs, at.live));
    if (newIsLive) await move(fs, at.live, at.staged);
    if (oldIsAside) await move(fs, at.aside, at.live);
  }
}

/** Whether every new part is still there, staged or live, so that going forward ends in a whole profile. */
export async function canRollForward(
  fs: FileSystem,
  side: SideFolder,
  journal: InstallJournal,
): Promise<boolean> {
  for (const part of journal.new) {
    const at = placesOf(side, journal, part);
    if (await exists(fs, at.staged)) continue;
    const oldIsAside = !journal.old.includes(part) || (await exists(fs, at.aside));
    if (!oldIsAside || !(await exists(fs, at.live))) return false;
  }
  return true;
}

function placesOf(side: SideFolder, journal: InstallJournal, part: string) {
  return {
    live: path.join(side.profileDir, part),
    aside: path.join(side.quarantine, journal.quarantine, QUARANTINED_PROFILE, part),
    inTheWay: path.join(side.quarantine, journal.quarantine, 'in-the-way', part),
    staged: path.join(side.staging, journal.staged ?? '', part),
  };
}

/** A browser that was started between a crash and the recovery has begun a profile of its own: it goes aside too. */
async function clearTheWay(fs: FileSystem, from: string, to: string): Promise<void> {
  await fs.promises.rm(to, { recursive: true, force: true });
  await move(fs, from, to);
}

async function move(fs: FileSystem, from: string, to: string): Promise<void> {
  await fs.promises.mkdir(path.dirname(to), { recursive: true, mode: PRIVATE_FOLDER_MODE });
  await fs.promises.rename(from, to);
  await syncFolder(fs, path.dirname(to));
  await syncFolder(fs, path.dirname(from));
}
