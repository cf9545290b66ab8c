import { makeFolders } from '../../file-system.js';
import type { CapturedFile } from '../../types.js';
import { type CapturePlaces, copyGrowing } from '../capture/copy-file.js';
import { isMissing, readFolder, throwIfAborted } from '../walk.js';
import { keepLogs } from './keep-logs.js';
import { FOLLOWED_FOLDER, type KeptBase, NewBaseNeeded, nameOf, type SoundLog } from './kept-base.js';
import { readSoundLog } from './log-chain.js';
import { assertSameDatabase, followedLogs, logsLimit, proveLogs } from './prove-logs.js';

/** The database as a base and its logs make it. */
export interface FollowedDatabase {
  readonly files: readonly CapturedFile[];
  /** All its logs, by path; each was read. */
  readonly soundLogs: ReadonlyMap<string, SoundLog>;
  /** The base with what is known of it now. */
  readonly base: KeptBase;
}

/**
 * Makes one attempt to put a copy of the database together from a base and every log since. Only the newest log is copied;
 * all else is linked. The order of the steps makes it consistent:
 *
 * 1. CURRENT and the MANIFEST are the ones of the base.
 * 2. Every log that is there is linked. From here on none can vanish.
 * 3. The newest one is copied up to its present length, which is the moment of the copy.
 * 4. The numbers of all changes follow one another without a gap, from the base to the newest.
 * 5. CURRENT again: it is replaced when the database is opened anew with another MANIFEST, or is made anew.
 *
 * @throws NewBaseNeeded when the base can't be followed; {@link ChangedMeanwhile} when another attempt may succeed
 */
export async function captureFollowed(places: CapturePlaces, base: KeptBase): Promise<FollowedDatabase> {
  try {
    return await attempt(places, base);
  } catch (error) {
    // Nothing that is kept can vanish, so another attempt would find the same.
    if (isMissing(error)) throw new NewBaseNeeded('a file of the base or of the database is gone');
    throw error;
  }
}

async function attempt(places: CapturePlaces, base: KeptBase): Promise<FollowedDatabase> {
  const { fs, profileDir, targetDir, signal } = places;
  await assertSameDatabase(places, base);
  await keepLogs(fs, { from: `${profileDir}/${FOLLOWED_FOLDER}`, to: base.folder });
  const kept = await followedLogs(places, base, logsLimit(base));
  await prepareTarget(places);
  const files: CapturedFile[] = [];
  for (const file of base.files) {
    throwIfAborted(signal);
    await fs.promises.link(`${base.folder}/${nameOf(file.path)}`, `${targetDir}/${file.path}`);
    files.push(file);
  }
  let newest: CapturedFile | undefined;
  const proven = await proveLogs(places, base, kept, async (name) => {
    const path = `${FOLLOWED_FOLDER}/${name}`;
    const copied = await copyGrowing(places, `${base.folder}/${name}`, path);
    const log = await readSoundLog(fs, `${targetDir}/${path}`, { isComplete: false, signal });
    newest = { ...copied, sha256: log.sha256 };
    return log;
  });
  for (const [name, log] of proven.base.completeLogs) {
    const path = `${FOLLOWED_FOLDER}/${name}`;
    await fs.promises.link(`${base.folder}/${name}`, `${targetDir}/${path}`);
    files.push({ path, size: log.size, source: log.signature, sha256: log.sha256 });
  }
  if (newest !== undefined) files.push(newest);
  await assertSameDatabase(places, base);
  const soundLogs = new Map([...proven.logs].map(([name, log]) => [`${FOLLOWED_FOLDER}/${name}`, log]));
  return { files, soundLogs, base: proven.base };
}

/** Removes all files of an earlier attempt. */
async function prepareTarget({ fs, targetDir }: CapturePlaces): Promise<void> {
  const target = `${targetDir}/${FOLLOWED_FOLDER}`;
  await makeFolders(fs, target);
  for (const { name } of await readFolder(fs, target))
    await fs.promises.rm(`${target}/${name}`, { force: true });
}
