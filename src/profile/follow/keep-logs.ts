import { errnoOf } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import { isMissing } from '../walk.js';

/** A log's name, for example `000012.log`. */
const LOG_NAME = /^(\d{1,15})\.log$/;

/** The number of a log; `undefined` when this is no log's name. */
export function logNumberOf(name: string): number | undefined {
  const digits = LOG_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The logs in a folder by rising number. */
export async function logNamesIn(fs: FileSystem, folder: string): Promise<string[]> {
  const names = (await fs.promises.readdir(folder)).filter((name) => logNumberOf(name) !== undefined);
  return names.sort((a, b) => (logNumberOf(a) ?? 0) - (logNumberOf(b) ?? 0));
}

/**
 * Links the database's logs into another folder, where they stay when LevelDB deletes them. A link to the log that is still
 * written shows what is added to it later. Links of an earlier call stay as they are.
 *
 * @param isKept whether a log was linked before; it is passed over
 * @returns the names of all logs in the database's folder, by rising number
 * @throws system errors; `ENOENT` when one of the folders is gone
 */
export async function keepLogs(
  fs: FileSystem,
  { from, to }: { readonly from: string; readonly to: string },
  isKept: (name: string) => boolean = () => false,
): Promise<readonly string[]> {
  const names = await logNamesIn(fs, from);
  for (const name of names) {
    if (isKept(name)) continue;
    try {
      await fs.promises.link(`${from}/${name}`, `${to}/${name}`);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') continue;
      // A log that has vanished since shows later, as a gap in the numbers of the changes.
      if (!isMissing(error) || (await isGone(fs, to))) throw error;
    }
  }
  return names;
}

async function isGone(fs: FileSystem, folder: string): Promise<boolean> {
  try {
    await fs.promises.lstat(folder);
    return false;
  } catch (error) {
    if (isMissing(error)) return true;
    throw error;
  }
}
