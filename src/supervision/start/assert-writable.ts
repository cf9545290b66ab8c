import { dirname } from 'node:path';
import { isPassingFault, isShortage } from '../../busy.js';
import { withDeadline } from '../../clock.js';
import { isUnanswered } from '../../disk-gate/gated-file-system.js';
import { ConfigurationError, describeError, errnoOf, isSessionError, StoreError } from '../../errors.js';
import { type FileSystem, makeFolders } from '../../file-system.js';
import { tryToWrite } from '../../own-file.js';
import { resolveLinks } from '../../profile/links.js';
import { resolveSideFolder } from '../../profile/side-folder.js';
import type { SessionContext } from '../context/session-context.js';

/** A disk that answers at all does so within this time, ms. */
export const DISK_DEADLINE_MS = 30_000;
/** What a start waits for the folder of the backups: together with what it waits for stores no more than 5 s. */
const SOON_MS = 150;

/** Codes that mean a wrong option: the path is invalid, or is not a folder. Any other refusal may be temporary. */
const WRONG_PATH: ReadonlySet<string | undefined> = new Set([
  'EEXIST',
  'EINVAL',
  'ELOOP',
  'ENAMETOOLONG',
  'ENOTDIR',
]);

/**
 * Reports an unusable folder at once and by the option's name. Without this check, the session would fail minutes later.
 *
 * @throws ConfigurationError when a required folder can't be written, or backupPath can't be a folder; StoreError when
 * the disk of a required one fails for a moment; TimeoutError when it hangs
 */
export async function assertWritable(context: SessionContext): Promise<void> {
  const { options, clock } = context;
  const backups = options.backupStore === undefined && assertBackupPath(context);
  const needed = Promise.all([
    assertFolder(context, 'sessionPath', options.sessionPath),
    assertProfileFolder(context),
    backups,
  ]);
  await withDeadline(clock, DISK_DEADLINE_MS, 'writing into sessionPath and the profile folder', needed);
}

// If the profile is a link, its quarantine lies beside the link's target.
async function assertProfileFolder(context: SessionContext): Promise<void> {
  const { fs, profileDir } = context;
  const name = "the client's profile folder";
  await assertFolder(context, name, dirname(profileDir));
  const side = await resolveSideFolder(profileDir, { fs });
  const isLink = dirname(side.profileDir) !== (await resolveLinks(fs, dirname(profileDir)));
  if (isLink && side.placement === 'beside') await assertFolder(context, name, dirname(side.profileDir));
}

/**
 * The disk of the backups may be gone or refuse access. The session then starts without them, and its health names the
 * store.
 */
async function assertBackupPath(context: SessionContext): Promise<void> {
  const { clock, warn, options } = context;
  const look = assertFolder(context, 'backupPath', options.backupPath);
  try {
    await withDeadline(clock, SOON_MS, 'writing into backupPath', look);
  } catch (error) {
    if (!isSessionError(error)) throw error;
    const tell = (why: unknown) => warn('store-unreachable', describeError(why).message);
    if (error.code === 'TIMEOUT') look.catch(tell);
    else if (WRONG_PATH.has(errnoOf(error.cause))) throw error;
    else tell(error);
  }
}

async function assertFolder({ fs }: SessionContext, name: string, folder: string): Promise<void> {
  try {
    // Creates a link's target, too, which is missing on a new volume.
    await makeFolders(fs, await resolveLinks(fs, folder));
    await tryToWrite(fs, folder);
  } catch (error) {
    if (isUnanswered(error)) throw error;
    const code = errnoOf(error);
    // A full disk is no wrong option: the login may still be restored from existing snapshots.
    if (isShortage(code)) return;
    if (code === 'EEXIST' && (await isFolder(fs, folder))) return; // another session is checking it at the same moment
    // Nor is one that fails for a moment. One that is mounted read-only stays so until somebody mounts it anew.
    if (isPassingFault(error) && code !== 'EROFS') {
      throw new StoreError(`${name}: '${folder}' can't be written just now (${code})`, {
        operation: 'initialize',
        cause: error,
      });
    }
    throw new ConfigurationError(
      `${name}: '${folder}' can't be written (${code ?? 'unknown error'}); expected a folder that this process may create files in`,
      { operation: 'initialize', cause: error },
    );
  }
}

async function isFolder(fs: FileSystem, path: string): Promise<boolean> {
  return fs.promises.stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
