import { errnoOf, StartFailedError } from '../errors.js';
import type { FileSystem } from '../file-system.js';
import { ESSENTIAL_PATHS } from './essential-files.js';

/** `fs.constants`: read, write, and go into. */
const ALL_RIGHTS = 4 | 2 | 1;
/** Folders in which a start writes at once. Not every file: that would be a walk over all of it. */
const FOLDERS = ['', 'Default', ESSENTIAL_PATHS.indexedDbLevelDb, ESSENTIAL_PATHS.localStorageLevelDb];

/**
 * What another user (a container that once ran as root) left behind can't be opened by Chromium, which then says that the
 * browser is already running.
 *
 * @throws StartFailedError that names the folder; trying again is no use
 */
export async function assertAccessible(
  profileDir: string,
  { fs, platform = process.platform }: { readonly fs: FileSystem; readonly platform?: NodeJS.Platform },
): Promise<void> {
  if (platform === 'win32') return; // its rights are no matter of users and modes
  for (const part of FOLDERS) {
    const folder = part === '' ? profileDir : `${profileDir}/${part}`;
    try {
      // A file in its place is put aside by who restores the profile.
      if ((await fs.promises.stat(folder)).isDirectory()) await fs.promises.access(folder, ALL_RIGHTS);
    } catch (error) {
      const code = errnoOf(error) ?? '';
      if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) continue; // not there, or told by who needs it
      throw new StartFailedError(
        `the profile can't be used: '${folder}' may not be read and written (${code}). Most likely another user, for ` +
          'example root, has started this bot before: give the folder and all in it to the user that runs the bot ' +
          '(chown -R), or mount it writable. Everything is kept; call initialize() again then',
        { operation: 'initialize', cause: error, retryable: false },
      );
    }
  }
}
