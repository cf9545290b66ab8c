import { dirname, join } from 'node:path';
import { ConfigurationError, errnoOf } from '../errors.js';
import { PRIVATE_FILE_MODE, PRIVATE_FOLDER_MODE } from '../file-system.js';
import { resolveLinks } from '../profile/links.js';
import { resolveSideFolder } from '../profile/side-folder.js';
import type { SessionContext } from './session-context.js';

/**
 * Tells at once, and by the option's name, what would else fail minutes later.
 *
 * @throws ConfigurationError when a folder that the session needs can't be written.
 */
export async function assertWritable(context: SessionContext): Promise<void> {
  const { options, profileDir } = context;
  await assertFolder(context, 'sessionPath', options.sessionPath);
  if (options.backupStore === undefined) await assertFolder(context, 'backupPath', options.backupPath);
  const name = "the client's profile folder";
  await assertFolder(context, name, dirname(profileDir));
  // Where the profile is a link, it is put aside beside what that leads to.
  const { fs } = context;
  const side = await resolveSideFolder(profileDir, { fs });
  const isLink = dirname(side.profileDir) !== (await resolveLinks(fs, dirname(profileDir)));
  if (isLink && side.placement === 'beside') await assertFolder(context, name, dirname(side.profileDir));
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
