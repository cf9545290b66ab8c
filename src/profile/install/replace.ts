import path from 'node:path';
import { type FileSystem, makeFolders, syncFolder } from '../../file-system.js';
import type { SideFolder } from '../side-folder.js';
import { exists } from '../walk.js';
import type { InstallJournal } from './journal.js';

/** The folder inside a quarantine entry that holds the old profile, or its parts under their paths. */
export const QUARANTINED_PROFILE = 'profile';

/**
 * Does the remaining steps of a journal. Each step is a rename that is skipped if it is already done, so after a crash at
 * any point this function can simply be called again.
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

/** Undoes a journal: new parts go back to staging, and the old parts come back. */
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

/** Whether every new part still exists, in staging or in place, so that finishing gives a complete profile. */
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

/** Moves away the new profile that a browser has made if it was started between a crash and the recovery. */
async function clearTheWay(fs: FileSystem, from: string, to: string): Promise<void> {
  await fs.promises.rm(to, { recursive: true, force: true });
  await move(fs, from, to);
}

async function move(fs: FileSystem, from: string, to: string): Promise<void> {
  await makeFolders(fs, path.dirname(to));
  await fs.promises.rename(from, to);
  await syncFolder(fs, path.dirname(to));
  await syncFolder(fs, path.dirname(from));
}
