import { join } from 'node:path';
import { isPermanent } from '../../busy.js';
import { plainFileSystem } from '../../disk-gate/gated-file-system.js';
import { errnoOf, StartFailedError } from '../../errors.js';
import { PRIVATE_FILE_MODE, systemFileSystem } from '../../file-system.js';
import { assertAccessible } from '../../profile/assert-accessible.js';
import type { SessionContext } from '../context/session-context.js';

/**
 * What a browser needs of the disk, and says nothing sensible about where it is not so.
 *
 * @throws StartFailedError that names the folder; trying again is no use
 */
export async function assertLaunchable(context: SessionContext): Promise<void> {
  const { fs, profileDir } = context;
  await assertAccessible(profileDir, { fs });
  // The browser's folder for temporary files is on the real disk, whatever holds the profile.
  if (plainFileSystem(fs) === systemFileSystem) await assertTemporaryFolder(context);
}

/**
 * Chromium puts its lock's socket into the folder for temporary files. Where it can't, it says that the browser is already
 * running (puppeteer 24 passes that on), and nobody would look there.
 *
 * @throws StartFailedError that names the folder and TMPDIR; trying again is no use
 */
async function assertTemporaryFolder({
  fs,
  driver,
  random,
}: Pick<SessionContext, 'fs' | 'driver' | 'random'>): Promise<void> {
  const { platform, env } = process;
  if (platform !== 'linux') return; // elsewhere the system decides where it is
  const { TMPDIR } = driver.client.options?.puppeteer?.env ?? env;
  const folder = TMPDIR || '/tmp';
  const probe = join(folder, `.wwebjs-persistent-session-${process.pid}-${Math.floor(random() * 2 ** 32)}`);
  try {
    await fs.promises.writeFile(probe, '', { mode: PRIVATE_FILE_MODE, flag: 'wx' });
    await fs.promises.rm(probe, { force: true });
  } catch (error) {
    const code = errnoOf(error) ?? '';
    // A full disk passes by itself, and so does a machine that is short of open files.
    if (code !== 'ENOENT' && !isPermanent(code)) return;
    throw new StartFailedError(
      `TMPDIR: '${folder}' can't be written (${code}); Chromium needs a folder for temporary files. Make it, with the ` +
        'right to write for this user, or set TMPDIR to another one. Everything is kept; call initialize() again then',
      { operation: 'initialize', cause: error, retryable: false },
    );
  }
}
