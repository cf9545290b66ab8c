import path from 'node:path';
import { errnoOf, SessionError } from '../errors.js';
import { type FileSystem, PRIVATE_FOLDER_MODE, syncFolder } from '../file-system.js';
import { removeLink } from '../real-folder.js';
import { ESSENTIAL_PARTS } from './essential-files.js';
import { copyTree } from './install/copy-tree.js';
import { syncTree } from './install/durable.js';
import {
  type InstallJournal,
  readJournal,
  removeJournal,
  removeUnfinishedJournal,
  writeJournal,
} from './install/journal.js';
import { canRollForward, rollBack, rollForward } from './install/replace.js';
import { fillDanglingLink, resolveLinks } from './links.js';
import { beginQuarantine, type QuarantineReason } from './quarantine.js';
import {
  bothSideFolders,
  type NameSource,
  resolveSideFolder,
  type SideFolder,
  sideFolder,
  uniqueName,
} from './side-folder.js';
import { exists, lstatIfPresent, readFolder } from './walk.js';

export interface InstallOptions extends NameSource {
  /** Chromium's user-data-dir; no browser may use it. Need not exist. */
  readonly profileDir: string;
  /** A whole, verified profile in a folder of `createStagingFolder`; it is moved, not copied. */
  readonly stagedDir: string;
  /** Why the old profile goes, for example `corrupt`; kept beside it. */
  readonly reason: string;
  /** The snapshot that the old profile is a rejected copy of, if it is; kept beside it. */
  readonly copyOf?: string | undefined;
  /** Whether every file of the staged profile is on the disk already. Default false: each is flushed first. */
  readonly isDurable?: boolean;
  readonly fs: FileSystem;
}

/**
 * Replaces the profile by a staged one, and puts the old one into quarantine. A profile that is a symbolic link stays one.
 * After a crash at any point `recoverInstall` leaves the old or the new one, whole (docs/invariants.md I2).
 *
 * @returns where the old profile lies now; `undefined` when there was none
 * @throws {@link SessionError} when `stagedDir` is not in the staging folder; system errors, after undoing
 */
export async function installProfile(
  options: InstallOptions,
): Promise<{ readonly quarantined: string | undefined }> {
  return whileLinked(options, () => install(options));
}

async function install(options: InstallOptions): Promise<Replaced> {
  const { fs, profileDir, stagedDir } = options;
  const side = await resolveSideFolder(profileDir, { fs });
  await recoverInstall(profileDir, { fs });
  const from = await sideFolderOfStaged(fs, side, stagedDir);
  if (options.isDurable !== true) await syncTree(fs, stagedDir);
  if (side.placement === 'inside') return replaceParts(options, from);
  const outcome = await replace(options, from, 'folder');
  if (!('undoneBy' in outcome)) return outcome;
  if (!isUnrenamable(outcome.undoneBy)) throw outcome.undoneBy;
  // A mount point that no list showed can't be renamed, but what is in it can.
  const inside = sideFolder(side.profileDir, 'inside');
  const staged = path.join(inside.staging, path.basename(stagedDir));
  await removeLink(fs, inside.staging);
  await fs.promises.mkdir(inside.staging, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  await moveAcross(fs, stagedDir, staged);
  return replaceParts({ ...options, stagedDir: staged }, inside);
}

/**
 * Puts the profile aside without a replacement, with the reason beside it. Where the profile is a symbolic link, that
 * leads to an empty folder afterwards.
 *
 * @returns where it lies now; `undefined` when there was none
 */
export async function quarantineProfile(
  profileDir: string,
  reason: string,
  options: NameSource & { readonly fs: FileSystem; readonly copyOf?: string | undefined },
): Promise<string | undefined> {
  return whileLinked({ ...options, profileDir }, () => putAside({ ...options, profileDir, reason }));
}

async function putAside(work: Replacement): Promise<string | undefined> {
  const { fs, profileDir } = work;
  await recoverInstall(profileDir, { fs });
  const side = await resolveSideFolder(profileDir, { fs });
  if (side.placement === 'inside') return (await replaceParts(work, side)).quarantined;
  const outcome = await replace(work, side, 'folder');
  if (!('undoneBy' in outcome)) return outcome.quarantined;
  if (!isUnrenamable(outcome.undoneBy)) throw outcome.undoneBy;
  return (await replaceParts(work, sideFolder(side.profileDir, 'inside'))).quarantined;
}

/** What a rename took away from under a link is an empty folder afterwards, whether the work failed or not. */
async function whileLinked<Result>(
  { fs, profileDir }: Pick<Replacement, 'fs' | 'profileDir'>,
  work: () => Promise<Result>,
): Promise<Result> {
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    // Not under a journal: the next start goes on with it. What fails here as well, that one does again.
    await fillUnlessUnfinished(fs, profileDir).catch(() => undefined);
    throw error;
  }
  await fillDanglingLink(fs, profileDir);
  return result;
}

async function fillUnlessUnfinished(fs: FileSystem, profileDir: string): Promise<void> {
  const sides = bothSideFolders(await resolveLinks(fs, profileDir));
  for (const { journal } of sides) if (await exists(fs, journal)) return;
  await fillDanglingLink(fs, profileDir);
}

/**
 * Finishes or undoes a replacement that a crash has cut short, and makes a folder where a link dangles. To be called at
 * every start, before anything looks at the profile. Does nothing when there is nothing to do.
 *
 * @returns what was done
 */
export async function recoverInstall(
  profileDir: string,
  options: { readonly fs: FileSystem },
): Promise<'nothing' | 'completed' | 'undone'> {
  const { fs } = options;
  const real = await resolveLinks(fs, profileDir);
  let outcome: 'nothing' | 'completed' | 'undone' = 'nothing';
  for (const side of bothSideFolders(real)) {
    await removeUnfinishedJournal(fs, side);
    const journal = await readJournal(fs, side);
    if (journal === undefined) {
      // One that can't be read says nothing; left where it is, it would keep staging from ever being cleaned.
      if (await exists(fs, side.journal)) await removeJournal(fs, side);
      continue;
    }
    const isComplete = await finish(fs, side, journal);
    if (!isComplete) await rollBack(fs, side, journal);
    await removeJournal(fs, side);
    outcome = isComplete ? 'completed' : 'undone';
  }
  await fillDanglingLink(fs, profileDir);
  return outcome;
}

/** Goes forward where it can; a profile that turns out to be a mount point can't be renamed, now or ever. */
async function finish(fs: FileSystem, side: SideFolder, journal: InstallJournal): Promise<boolean> {
  if (!(await canRollForward(fs, side, journal))) return false;
  try {
    await rollForward(fs, side, journal);
    return true;
  } catch (error) {
    if (isUnrenamable(error)) return false;
    throw error;
  }
}

interface Replacement extends NameSource, QuarantineReason {
  readonly fs: FileSystem;
  readonly profileDir: string;
  readonly stagedDir?: string;
}

interface Replaced {
  readonly quarantined: string | undefined;
}

async function replaceParts(work: Replacement, side: SideFolder): Promise<Replaced> {
  const outcome = await replace(work, side, 'parts');
  if ('undoneBy' in outcome) throw outcome.undoneBy;
  return outcome;
}

/**
 * Resolves with `undoneBy` when a rename failed and everything is as it was. An error that it throws says nothing of
 * the kind: the new profile may be in place already, and only the tidying up have failed.
 */
async function replace(
  work: Replacement,
  side: SideFolder,
  mode: InstallJournal['mode'],
): Promise<Replaced | { readonly undoneBy: unknown }> {
  const { fs, stagedDir } = work;
  const parts = mode === 'folder' ? [''] : ESSENTIAL_PARTS;
  if (mode === 'folder') await removeIfEmpty(fs, side.profileDir);
  const old = await presentParts(fs, side.profileDir, parts);
  if (old.length === 0 && stagedDir === undefined) return { quarantined: undefined };
  const journal: InstallJournal = {
    format: 1,
    mode,
    quarantine: uniqueName(work),
    ...(stagedDir === undefined ? {} : { staged: path.basename(stagedDir) }),
    old,
    new: stagedDir === undefined ? [] : await presentParts(fs, stagedDir, parts),
  };
  const aside = path.join(side.quarantine, journal.quarantine);
  await fs.promises.mkdir(side.root, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  if (old.length > 0) await beginQuarantine(work, side, journal.quarantine);
  await writeJournal(fs, side, journal);
  try {
    await rollForward(fs, side, journal);
  } catch (error) {
    await rollBack(fs, side, journal);
    await removeJournal(fs, side);
    await fs.promises.rm(aside, { recursive: true, force: true });
    return { undoneBy: error };
  }
  await removeJournal(fs, side);
  // In parts, the emptied staging folder stays behind; what else was staged is no part of the login.
  if (stagedDir !== undefined) await fs.promises.rm(stagedDir, { recursive: true, force: true });
  return { quarantined: old.length > 0 ? aside : undefined };
}

/** A folder without anything in it is no profile, and must not push one out of the quarantine. */
async function removeIfEmpty(fs: FileSystem, folder: string): Promise<void> {
  if ((await readFolder(fs, folder)).length > 0) return;
  // Fails where nothing is there, at a file, at a mount point, and where something was put there meanwhile: it stays then.
  await fs.promises.rmdir(folder).catch(() => undefined);
}

async function presentParts(fs: FileSystem, root: string, parts: readonly string[]): Promise<string[]> {
  const present: string[] = [];
  for (const part of parts) if (await exists(fs, path.join(root, part))) present.push(part);
  return present;
}

async function sideFolderOfStaged(fs: FileSystem, side: SideFolder, stagedDir: string): Promise<SideFolder> {
  const real = await resolveLinks(fs, stagedDir);
  const isFolder = (await lstatIfPresent(fs, real))?.isDirectory() === true;
  if (!isFolder || path.dirname(real) !== side.staging) {
    throw new SessionError('INTERNAL', 'a profile is installed only from its own staging folder');
  }
  return side;
}

function isUnrenamable(error: unknown): boolean {
  return errnoOf(error) === 'EXDEV' || errnoOf(error) === 'EBUSY';
}

/** Moves a folder to another file system, where no rename leads. */
async function moveAcross(fs: FileSystem, from: string, to: string): Promise<void> {
  await copyTree(fs, from, to);
  await syncTree(fs, to);
  await syncFolder(fs, path.dirname(to));
  await fs.promises.rm(from, { recursive: true, force: true });
}
