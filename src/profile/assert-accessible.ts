import { errnoOf, StartFailedError } from '../errors.js';
import type { FileSystem } from '../file-system.js';
import { ESSENTIAL_PATHS } from './essential-files.js';

/** The rights of `fs.constants` to read, write and enter a folder. */
const ALL_RIGHTS = 4 | 2 | 1;
/** Folders that a start writes to at once. Only these are checked, because checking every file would take too long. */
const FOLDERS = ['', 'Default', ESSENTIAL_PATHS.indexedDbLevelDb, ESSENTIAL_PATHS.localStorageLevelDb];

/**
 * Checks that this user may use the profile's folders. If another user made them (for example a container that once ran as
 * root), Chromium can't open them, and wrongly reports that the browser is already running.
 *
 * @throws StartFailedError that names the folder; a retry can't help
 */
export async function assertAccessible(
  profileDir: string,
  { fs, platform = process.platform }: { readonly fs: FileSystem; readonly platform?: NodeJS.Platform },
): Promise<void> {
  if (platform === 'win32') return; // its rights don't depend on users and modes
  for (const part of FOLDERS) {
    const folder = part === '' ? profileDir : `${profileDir}/${part}`;
    try {
      // If a file is in the place of the folder, restoring the profile moves it away.
      if ((await fs.promises.stat(folder)).isDirectory()) await fs.promises.access(folder, ALL_RIGHTS);
    } catch (error) {
      const code = errnoOf(error) ?? '';
      if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) continue; // it is missing, or the code that needs it reports the error
      throw new StartFailedError(
        `the profile can't be used: '${folder}' may not be read and written (${code}). Most likely another user, for ` +
          'example root, has started this bot before: give the folder and all in it to the user that runs the bot ' +
          '(chown -R), or mount it writable. Everything is kept; call initialize() again then',
        { operation: 'initialize', cause: error, retryable: false },
      );
    }
  }
}
