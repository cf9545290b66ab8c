import { errnoOf } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import type { CapturedFile, CapturedTree } from '../../types.js';
import { isNoLink } from '../capture/copy-file.js';
import { DamageError } from '../leveldb/damage.js';
import { readDatabase } from '../leveldb/database.js';
import { isTablePath } from '../sound-tables.js';
import { isMissing, readFolder } from '../walk.js';
import { keepLogs, logNumberOf } from './keep-logs.js';
import { baseBytes, FOLLOWED_FOLDER, type FollowInput, type KeptBase, nameOf } from './kept-base.js';
import { logsLimit } from './prove-logs.js';

interface Place {
  readonly fs: FileSystem;
  readonly profileDir: string;
}

/** Empties the folder for a base, and links the logs of now, so that none vanishes while the database is copied. */
export async function prepareForBase({ fs, profileDir }: Place, { folder }: FollowInput): Promise<boolean> {
  try {
    for (const { name } of await readFolder(fs, folder))
      await fs.promises.rm(`${folder}/${name}`, { force: true });
    await keepLogs(fs, { from: `${profileDir}/${FOLLOWED_FOLDER}`, to: folder });
    return true;
  } catch (error) {
    if (isNoLink(error) || isMissing(error) || isNoSpace(error)) return false;
    throw error;
  }
}

/**
 * Keeps the database of a checked copy as a base, by hard links to its files.
 *
 * @returns `undefined` where the disk does not allow it, or a log vanished before it was linked
 */
export async function makeBase(
  place: Place,
  { folder, roomBytes }: FollowInput,
  tree: CapturedTree,
): Promise<KeptBase | undefined> {
  const { fs, profileDir } = place;
  try {
    const database = await readDatabase(fs, `${tree.directory}/${FOLLOWED_FOLDER}`);
    const { logNumber, prevLogNumber, lastSequence } = database.version;
    const files = tree.files.filter(({ path }) => path.startsWith(`${FOLLOWED_FOLDER}/`));
    const isLog = ({ path }: CapturedFile) => logNumberOf(nameOf(path)) !== undefined;
    const kept = { files: files.filter((file) => !isLog(file)) };
    if (prevLogNumber !== 0 || baseBytes(kept) + logsLimit(kept) > roomBytes) return undefined;
    await keepLogs(fs, { from: `${profileDir}/${FOLLOWED_FOLDER}`, to: folder });
    for (const log of files.filter(isLog)) {
      if (!(await isSource(fs, `${folder}/${nameOf(log.path)}`, log))) return undefined;
    }
    for (const file of kept.files) {
      const copy = `${tree.directory}/${file.path}`;
      // Where the tables were copied, a second copy of them would be no help.
      if (isTablePath(file.path) && !(await isSource(fs, copy, file))) return undefined;
      await fs.promises.link(copy, `${folder}/${nameOf(file.path)}`);
    }
    return { folder, ...kept, logNumber, lastSequence, completeLogs: new Map(), reached: lastSequence + 1 };
  } catch (error) {
    if (error instanceof DamageError || isNoLink(error) || isMissing(error) || isNoSpace(error))
      return undefined;
    throw error;
  }
}

/** Whether it is a link to the file of the live profile, not a copy of it. */
async function isSource(fs: FileSystem, path: string, { source }: CapturedFile): Promise<boolean> {
  return String((await fs.promises.lstat(path, { bigint: true })).ino) === source.inode;
}

function isNoSpace(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}
