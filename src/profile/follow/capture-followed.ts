import { makeFolders } from '../../file-system.js';
import type { CapturedFile } from '../../types.js';
import { type CapturePlaces, copyGrowing, readSignature } from '../capture/copy-file.js';
import { ChangedMeanwhile } from '../capture/retry.js';
import { parseManifest } from '../leveldb/version-edit.js';
import { isMissing, readFolder, sameSignature, signatureOf, throwIfAborted } from '../walk.js';
import { keepLogs, logNamesIn, logNumberOf } from './keep-logs.js';
import {
  baseBytes,
  type CompleteLog,
  FOLLOWED_FOLDER,
  fileOf,
  type KeptBase,
  NewBaseNeeded,
  nameOf,
  type SoundLog,
} from './kept-base.js';
import { LogChain, readSoundLog } from './log-chain.js';

/**
 * When the logs are longer than this share of the base, a new base is due. A new one costs up to as many stored bytes as the
 * database has, so that in all about 2.4 bytes are stored for each that is written (docs/chromium-facts.md F6.1); longer
 * logs would store less, and make a restore wait longer until Chromium has replayed them.
 */
const LOGS_SHARE = 0.5;
/** A small base is not renewed at every log. */
const LEAST_LOGS_BYTES = 12 * 1024 * 1024;
/** Chromium replays this much in 4 s on two busy cores (docs/chromium-facts.md F6.3). */
const MOST_LOGS_BYTES = 64 * 1024 * 1024;

/** How many bytes of logs a base may have before a new one is due. */
export function logsLimit(base: Pick<KeptBase, 'files'>): number {
  return Math.min(Math.max(baseBytes(base) * LOGS_SHARE, LEAST_LOGS_BYTES), MOST_LOGS_BYTES);
}

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
  const names = await followedLogs(places, base);
  await prepareTarget(places);
  const files: CapturedFile[] = [];
  for (const file of base.files) {
    throwIfAborted(signal);
    await fs.promises.link(`${base.folder}/${nameOf(file.path)}`, `${targetDir}/${file.path}`);
    files.push(file);
  }

  const chain = new LogChain(base.lastSequence);
  const soundLogs = new Map<string, SoundLog>();
  const completeLogs = new Map<string, CompleteLog>();
  const newest = names.at(-1);
  for (const name of names) {
    throwIfAborted(signal);
    const path = `${FOLLOWED_FOLDER}/${name}`;
    const kept = `${base.folder}/${name}`;
    if (name === newest) {
      const copied = await copyGrowing(places, kept, path);
      const log = await readSoundLog(fs, `${targetDir}/${path}`, { isComplete: false, signal });
      files.push({ ...copied, sha256: log.sha256 });
      soundLogs.set(path, log);
    } else {
      const log = await completeLog(places, base, name);
      await fs.promises.link(kept, `${targetDir}/${path}`);
      files.push({ path, size: log.size, source: log.signature, sha256: log.sha256 });
      completeLogs.set(name, log);
      soundLogs.set(path, log);
    }
    chain.add(name, soundLogs.get(path)?.span);
  }
  if (!chain.reachesBase) throw new NewBaseNeeded('its logs end before what its MANIFEST knows of');
  if (chain.end < base.reached) throw new NewBaseNeeded('the database has fewer changes than it had');
  const isNewestEmpty =
    newest !== undefined && soundLogs.get(`${FOLLOWED_FOLDER}/${newest}`)?.span === undefined;
  if (isNewestEmpty) await assertNothingFlushedBeyond(places, base, chain.end);
  await assertSameDatabase(places, base);
  return { files, soundLogs, base: { ...base, completeLogs, reached: chain.end } };
}

/** Whether the live database still has the CURRENT and the MANIFEST that the base was copied from. */
export async function isSameDatabase(places: CapturePlaces, base: KeptBase): Promise<boolean> {
  const current = fileOf(base, 'CURRENT');
  if (!sameSignature(await readSignature(places, current.path), current.source)) return false;
  const manifest = fileOf(base, 'MANIFEST-');
  const now = await readSignature(places, manifest.path);
  return now.inode === manifest.source.inode && now.size >= manifest.size;
}

async function assertSameDatabase(places: CapturePlaces, base: KeptBase): Promise<void> {
  if (!(await isSameDatabase(places, base)))
    throw new NewBaseNeeded('the database was opened again or recreated');
}

/** The names of the logs that belong to the base, by rising number. The last one is still written. */
async function followedLogs(places: CapturePlaces, base: KeptBase): Promise<readonly string[]> {
  const { fs, profileDir } = places;
  const names = (await logNamesIn(fs, base.folder)).filter(
    (name) => (logNumberOf(name) ?? 0) >= base.logNumber,
  );
  const newest = names.at(-1);
  if (newest === undefined) throw new NewBaseNeeded('none of its logs is kept');
  const live = await fs.promises.lstat(`${profileDir}/${FOLLOWED_FOLDER}/${newest}`, { bigint: true });
  const stats = await Promise.all(
    names.map((name) => fs.promises.lstat(`${base.folder}/${name}`, { bigint: true })),
  );
  if (stats.at(-1)?.ino !== live.ino) throw new NewBaseNeeded(`${newest} is another file than it was`);
  const bytes = stats.reduce((sum, { size }) => sum + Number(size), 0);
  if (bytes > logsLimit(base)) throw new NewBaseNeeded('its logs have become long');
  return names;
}

async function completeLog(
  { fs, signal }: CapturePlaces,
  base: KeptBase,
  name: string,
): Promise<CompleteLog> {
  const path = `${base.folder}/${name}`;
  const signature = signatureOf(await fs.promises.lstat(path, { bigint: true }));
  const known = base.completeLogs.get(name);
  if (known !== undefined && sameSignature(known.signature, signature)) return known;
  const log = await readSoundLog(fs, path, { isComplete: true, signal });
  if (log.size !== signature.size)
    throw new ChangedMeanwhile(name, 'the log grew although a newer one is there');
  return { ...log, signature };
}

/**
 * An empty newest log does not show what came before it: a log that was missed may have been the last one with changes. So
 * the current MANIFEST must not have a higher sequence number than the logs.
 */
async function assertNothingFlushedBeyond(places: CapturePlaces, base: KeptBase, end: number): Promise<void> {
  const { fs, profileDir } = places;
  const { path } = fileOf(base, 'MANIFEST-');
  const { lastSequence } = parseManifest(await fs.promises.readFile(`${profileDir}/${path}`));
  if (lastSequence >= end) throw new ChangedMeanwhile(path, 'it has a higher sequence number than the logs');
}

/** Removes all files of an earlier attempt. */
async function prepareTarget({ fs, targetDir }: CapturePlaces): Promise<void> {
  const target = `${targetDir}/${FOLLOWED_FOLDER}`;
  await makeFolders(fs, target);
  for (const { name } of await readFolder(fs, target))
    await fs.promises.rm(`${target}/${name}`, { force: true });
}
