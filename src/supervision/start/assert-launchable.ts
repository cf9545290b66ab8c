import { join } from 'node:path';
import { isPermanent } from '../../busy.js';
import { plainFileSystem } from '../../disk-gate/gated-file-system.js';
import { errnoOf, StartFailedError } from '../../errors.js';
import { PRIVATE_FILE_MODE, systemFileSystem } from '../../file-system.js';
import { assertAccessible } from '../../profile/assert-accessible.js';
import type { SessionContext } from '../context/session-context.js';

/**
 * Checks what a browser needs of the disk, since the browser's own error messages are misleading.
 *
 * @throws StartFailedError that names the folder; a retry does not help
 */
export async function assertLaunchable(context: SessionContext): Promise<void> {
  const { fs, profileDir } = context;
  await assertAccessible(profileDir, { fs });
  // The browser's temporary folder is on the real disk, even when the profile uses an injected file system.
  if (plainFileSystem(fs) === systemFileSystem) await assertTemporaryFolder(context);
}

/**
 * Checks the temporary folder, in which Chromium creates its lock's socket. If it can't, Chromium reports that the
 * browser is already running (puppeteer 24 passes that on), which is misleading.
 *
 * @throws StartFailedError that names the folder and TMPDIR; a retry does not help
 */
async function assertTemporaryFolder({
  fs,
  driver,
  random,
}: Pick<SessionContext, 'fs' | 'driver' | 'random'>): Promise<void> {
  const { platform, env } = process;
  if (platform !== 'linux') return; // elsewhere, the system chooses the folder
  const { TMPDIR } = driver.client.options?.puppeteer?.env ?? env;
  const folder = TMPDIR || '/tmp';
  const probe = join(folder, `.wwebjs-persistent-session-${process.pid}-${Math.floor(random() * 2 ** 32)}`);
  try {
    await fs.promises.writeFile(probe, '', { mode: PRIVATE_FILE_MODE, flag: 'wx' });
    await fs.promises.rm(probe, { force: true });
  } catch (error) {
    const code = errnoOf(error) ?? '';
    // A full disk is temporary, and so is a lack of file handles.
    if (code !== 'ENOENT' && !isPermanent(code)) return;
    throw new StartFailedError(
      `TMPDIR: '${folder}' can't be written (${code}); Chromium needs a folder for temporary files. Make it, with the ` +
        'right to write for this user, or set TMPDIR to another one. Everything is kept; call initialize() again then',
      { operation: 'initialize', cause: error, retryable: false },
    );
  }
}
