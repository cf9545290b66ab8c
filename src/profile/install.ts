import path from 'node:path';
import { errnoOf, SessionError } from '../errors.js';
import { type FileSystem, makeFolders, syncFolder } from '../file-system.js';
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
  /** Chromium's user-data-dir. No browser may use it, and it need not exist. */
  readonly profileDir: string;
  /** A complete, verified profile in a folder that `createStagingFolder` made; it is moved, not copied. */
  readonly stagedDir: string;
  /** Why the old profile is replaced, for example `corrupt`; stored beside it. */
  readonly reason: string;
  /** The snapshot of which the old profile is a rejected copy, if it is one; stored beside it. */
  readonly copyOf?: string | undefined;
  /** Whether all files of the staged profile are already flushed to the disk. Default false: they are flushed first. */
  readonly isDurable?: boolean;
  readonly fs: FileSystem;
}

/**
 * Replaces the profile by a staged one, and moves the old one to quarantine. A profile that is a symbolic link stays one.
 * After a crash at any point, `recoverInstall` makes the profile the complete old or new one (docs/invariants.md I2).
 *
 * @returns where the old profile is now; `undefined` when there was none
 * @throws {@link SessionError} when `stagedDir` is not in the staging folder; system errors after the work is undone
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
  // A mount point that was not recognized can't be renamed, but its contents can.
  const inside = sideFolder(side.profileDir, 'inside');
  const staged = path.join(inside.staging, path.basename(stagedDir));
  await removeLink(fs, inside.staging);
  await makeFolders(fs, inside.staging);
  await moveAcross(fs, stagedDir, staged);
  return replaceParts({ ...options, stagedDir: staged }, inside);
}

/**
 * Moves the profile to quarantine without a replacement, and stores the reason beside it. If the profile is a symbolic
 * link, the link then leads to an empty folder.
 *
 * @returns where the profile is now; `undefined` when there was none
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

/** If the work renames the target of a symbolic link, makes an empty folder in its place, even if the work fails. */
async function whileLinked<Result>(
  { fs, profileDir }: Pick<Replacement, 'fs' | 'profileDir'>,
  work: () => Promise<Result>,
): Promise<Result> {
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    // If there is a journal, nothing is done: the next start continues the work. It also repeats a step that fails here.
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
 * Finishes or undoes a replacement that a crash has interrupted, and makes a folder where a symbolic link leads to nothing.
 * Call this at every start before anything reads the profile. Does nothing when there is nothing to do.
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
      // An unreadable journal is useless. It is removed, because staging is never cleaned while there is a journal.
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

/** Completes the replacement; `false` if parts are missing, or the profile is a mount point, which can't be renamed. */
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
 * Resolves with `undoneBy` when a rename failed and everything was undone. After a thrown error the state is not known: the
 * new profile may be in place, so that only the cleaning up has failed.
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
  await makeFolders(fs, side.root);
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
  // After a replacement in parts, the staging folder remains; anything left in it is no part of the login.
  if (stagedDir !== undefined) await fs.promises.rm(stagedDir, { recursive: true, force: true });
  return { quarantined: old.length > 0 ? aside : undefined };
}

/** An empty folder is no profile: in quarantine it would only displace a real one. */
async function removeIfEmpty(fs: FileSystem, folder: string): Promise<void> {
  if ((await readFolder(fs, folder)).length > 0) return;
  // Fails if it is missing, a file, a mount point, or not empty any more. Then it stays.
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

/** Moves a folder to another file system by copying, because a rename is not possible there. */
async function moveAcross(fs: FileSystem, from: string, to: string): Promise<void> {
  await copyTree(fs, from, to);
  await syncTree(fs, to);
  await syncFolder(fs, path.dirname(to));
  await fs.promises.rm(from, { recursive: true, force: true });
}
