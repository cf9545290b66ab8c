import { dirname, join } from 'node:path';
import { withDeadline } from '../clock.js';
import { ConfigurationError, errnoOf, isSessionError } from '../errors.js';
import { PRIVATE_FILE_MODE, PRIVATE_FOLDER_MODE } from '../file-system.js';
import { resolveLinks } from '../profile/links.js';
import { resolveSideFolder } from '../profile/side-folder.js';
import type { SessionContext } from './session-context.js';

/** Together with what the start waits for stores otherwise no more than it may, ms. */
const PATIENCE_MS = 2_000;

/**
 * Tells at once, and by the option's name, what would else fail minutes later.
 *
 * @throws ConfigurationError when a folder that the session needs can't be written.
 */
export async function assertWritable(context: SessionContext): Promise<void> {
  const { options, profileDir } = context;
  const backupPath =
    options.backupStore === undefined && assertFolder(context, 'backupPath', options.backupPath);
  await assertFolder(context, 'sessionPath', options.sessionPath);
  const name = "the client's profile folder";
  await assertFolder(context, name, dirname(profileDir));
  // Where the profile is a link, it is put aside beside what that leads to.
  const { fs } = context;
  const side = await resolveSideFolder(profileDir, { fs });
  const isLink = dirname(side.profileDir) !== (await resolveLinks(fs, dirname(profileDir)));
  if (isLink && side.placement === 'beside') await assertFolder(context, name, dirname(side.profileDir));
  await unlessItHangs(context, 'backupPath', backupPath);
}

/** Backups may lie on a network share that is gone: the session starts without them, and its health names the store. */
async function unlessItHangs(
  { clock, warn }: SessionContext,
  name: string,
  look: Promise<void> | false,
): Promise<void> {
  if (look === false) return;
  try {
    await withDeadline(clock, PATIENCE_MS, name, look);
  } catch (error) {
    if (!isSessionError(error) || error.code !== 'TIMEOUT') throw error;
    warn(
      'store-unreachable',
      `${name} does not answer: no file could be written there within ${PATIENCE_MS} ms`,
    );
  }
}

async function assertFolder({ fs }: SessionContext, name: string, folder: string): Promise<void> {
  // Always the same name: one that a killed process left goes with the next start.
  const probe = join(folder, '.write-probe');
  try {
    // What a link leads to, also where that is not there yet: on a volume that is new.
    await fs.promises.mkdir(await resolveLinks(fs, folder), { recursive: true, mode: PRIVATE_FOLDER_MODE });
    await fs.promises.writeFile(probe, '', { mode: PRIVATE_FILE_MODE });
    await fs.promises.rm(probe, { force: true });
  } catch (error) {
    const code = errnoOf(error);
    // A full disk is no wrong option: the login may still be restored from what is there.
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EMFILE' || code === 'ENFILE') return;
    throw new ConfigurationError(
      `${name}: '${folder}' can't be written (${code ?? 'unknown error'}); expected a folder that this process may create files in`,
      { operation: 'initialize', cause: error },
    );
  }
}
