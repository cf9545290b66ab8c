import { type CapturePlaces, readSignature } from '../capture/copy-file.js';
import { ChangedMeanwhile } from '../capture/retry.js';
import { parseManifest } from '../leveldb/version-edit.js';
import { sameSignature, signatureOf, throwIfAborted } from '../walk.js';
import { logNamesIn, logNumberOf } from './keep-logs.js';
import {
  baseBytes,
  type CompleteLog,
  FOLLOWED_FOLDER,
  fileOf,
  type KeptBase,
  NewBaseNeeded,
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

/** The folders that a base is followed in. */
export type FollowPlaces = Pick<CapturePlaces, 'fs' | 'profileDir' | 'signal'>;

/** A log that is kept, and its length when it was looked at. */
export interface KeptLog {
  readonly name: string;
  readonly size: number;
}

/** The logs of a base, each of which was read, and the base with what is known of it now. */
export interface ProvenLogs {
  readonly logs: ReadonlyMap<string, SoundLog>;
  readonly base: KeptBase;
}

/** Whether the live database still has the CURRENT and the MANIFEST that the base was copied from. */
export async function isSameDatabase(places: FollowPlaces, base: KeptBase): Promise<boolean> {
  const current = fileOf(base, 'CURRENT');
  if (!sameSignature(await readSignature(places, current.path), current.source)) return false;
  const manifest = fileOf(base, 'MANIFEST-');
  const now = await readSignature(places, manifest.path);
  return now.inode === manifest.source.inode && now.size >= manifest.size;
}

export async function assertSameDatabase(places: FollowPlaces, base: KeptBase): Promise<void> {
  if (!(await isSameDatabase(places, base)))
    throw new NewBaseNeeded('the database was opened again or recreated');
}

/**
 * The logs that belong to the base, by rising number. The last one is still written.
 *
 * @param mostBytes with more bytes of logs a new base is due
 */
export async function followedLogs(
  { fs, profileDir }: FollowPlaces,
  base: KeptBase,
  mostBytes: number,
): Promise<readonly KeptLog[]> {
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
  const kept = names.map((name, index) => ({ name, size: Number(stats[index]?.size ?? 0) }));
  const bytes = kept.reduce((sum, { size }) => sum + size, 0);
  if (bytes > mostBytes) throw new NewBaseNeeded('its logs have become long');
  return kept;
}

/**
 * Reads the logs of a base, and proves that they are its unbroken continuation. A complete log is read once.
 *
 * @param readNewest reads the log that is still written
 * @throws NewBaseNeeded when they are not; ChangedMeanwhile when another attempt may succeed
 */
export async function proveLogs(
  places: FollowPlaces,
  base: KeptBase,
  kept: readonly KeptLog[],
  readNewest: (name: string) => Promise<SoundLog>,
): Promise<ProvenLogs> {
  const chain = new LogChain(base.lastSequence);
  const logs = new Map<string, SoundLog>();
  const completeLogs = new Map<string, CompleteLog>();
  let newest: SoundLog | undefined;
  for (const [index, { name }] of kept.entries()) {
    throwIfAborted(places.signal);
    let log: SoundLog;
    if (index === kept.length - 1) log = newest = await readNewest(name);
    else {
      const complete = await completeLog(places, base, name);
      completeLogs.set(name, complete);
      log = complete;
    }
    logs.set(name, log);
    chain.add(name, log.span);
  }
  if (!chain.reachesBase) throw new NewBaseNeeded('its logs end before what its MANIFEST knows of');
  if (chain.end < base.reached) throw new NewBaseNeeded('the database has fewer changes than it had');
  if (newest?.span === undefined) await assertNothingFlushedBeyond(places, base, chain.end);
  return { logs, base: { ...base, completeLogs, reached: chain.end } };
}

async function completeLog({ fs, signal }: FollowPlaces, base: KeptBase, name: string): Promise<CompleteLog> {
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
async function assertNothingFlushedBeyond(places: FollowPlaces, base: KeptBase, end: number): Promise<void> {
  const { fs, profileDir } = places;
  const { path } = fileOf(base, 'MANIFEST-');
  const { lastSequence } = parseManifest(await fs.promises.readFile(`${profileDir}/${path}`));
  if (lastSequence >= end) throw new ChangedMeanwhile(path, 'it has a higher sequence number than the logs');
}
