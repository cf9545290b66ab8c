import { randomUUID } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { whileBusy } from '../../busy.js';
import type { Clock } from '../../clock.js';
import { plainFileSystem } from '../../disk-gate/gated-file-system.js';
import { errnoOf } from '../../errors.js';
import { improve, PRIVATE_FILE_MODE } from '../../file-system.js';
import { readOwnFile } from '../../own-file.js';
import { RESERVED_PREFIXES } from '../keys.js';
import { type Disk, unless } from './disk.js';
import { isProvenDead, thisWriter, type Writer } from './writer.js';

/**
 * If the holder of a lock can't be proven dead, the lock is broken after we have seen it unchanged for this long.
 * A holder needs the lock only for a few file system calls, because it has written the value before. Shorter than the
 * 10 s after which a session gives a small call up, so that the first call breaks it.
 */
export const LOCK_STALE_MS = 8_000;
/**
 * After this time a lock without a holder counts as abandoned, because its creator died before writing it. A creator
 * that was only paused notices, before it changes anything, that the lock is no longer its own.
 */
export const EMPTY_STALE_MS = 2_000;

/** The content of a lock file. */
export interface LockState {
  /** Identifies the lock: no other lock has the same id. */
  readonly id: string;
  /** Absent in an empty or truncated lock, whose creator died before writing it, or is still writing. */
  readonly holder: Writer | undefined;
}

/** The lock file that belongs to the object at `path`. */
export function lockPathOf(path: string): string {
  return join(dirname(path), RESERVED_PREFIXES.lock + basename(path));
}

/** Creates a lock file with this process as its holder and returns its id; `undefined` if there already is one. */
export async function createLock(disk: Disk, path: string): Promise<string | undefined> {
  const { host, pid } = await thisWriter();
  const { promises } = disk.fs;
  const open = () => promises.open(path, 'wx', PRIVATE_FILE_MODE);
  const handle = await unless(['EEXIST'], whileBusy(disk, open));
  if (handle === undefined) return undefined;
  const id = randomUUID();
  try {
    try {
      await handle.writeFile(`${id} ${host} ${pid}\n`);
      await improve(() => handle.chmod(PRIVATE_FILE_MODE)); // open's mode passes through the umask
    } finally {
      await handle.close();
    }
  } catch (error) {
    // An empty lock is valid, too, although it soon becomes stale; otherwise nothing could be deleted on a full disk.
    const empty = isFull(error) ? await readLock(disk, path).catch(() => undefined) : undefined;
    if (empty !== undefined) return empty.id;
    await promises.unlink(path).catch(() => undefined);
    throw error;
  }
  return id;
}

function isFull(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** The content of the lock file at `path`; `undefined` if there is none. */
export async function readLock(disk: Disk, path: string): Promise<LockState | undefined> {
  const read = () => readOwnFile(disk.fs, path);
  const text = await whileBusy(disk, read);
  const [, id, host, pid] = /^(\S+) (\S+) (\d+)\n$/.exec(text ?? '') ?? [];
  if (id !== undefined && host !== undefined) return { id, holder: { host, pid: Number(pid) } };
  const stats = await unless(['ENOENT'], disk.fs.promises.lstat(path, { bigint: true }));
  return stats && { id: `${stats.ino} ${stats.mtimeNs}`, holder: undefined };
}

/**
 * Removes an abandoned lock. Breakers take turns by a second exclusive file, and check the lock again while they have
 * it: otherwise the second of two breakers would remove the lock that the first one has just created for itself.
 *
 * @returns the path of the second file if another breaker has it; that file may be abandoned, too.
 */
export async function breakLock(disk: Disk, path: string, abandoned: LockState): Promise<string | undefined> {
  const name = RESERVED_PREFIXES.unlock + basename(path).slice(RESERVED_PREFIXES.lock.length);
  const turn = join(dirname(path), name);
  if ((await createLock(disk, turn)) === undefined) return turn;
  try {
    if ((await readLock(disk, path))?.id === abandoned.id) await removeLock(disk, path);
  } finally {
    await removeLock(disk, turn);
  }
  return undefined;
}

export async function removeLock(disk: Disk, path: string): Promise<void> {
  await unless(
    ['ENOENT'],
    whileBusy(disk, () => disk.fs.promises.unlink(path)),
  );
}

/** When a lock was first seen with this id, monotonic ms. */
interface FirstSight {
  readonly id: string;
  readonly since: number;
}

/** The locks of others that are remembered at most; the oldest are forgotten first. */
const MAX_REMEMBERED = 1_000;

/** First sights by path, for each disk and clock. */
const firstSights = new WeakMap<object, WeakMap<Clock, Map<string, FirstSight>>>();

/**
 * Watches lock files of other holders and decides when one is abandoned: its holder is proven dead, or this process has
 * seen it unchanged for {@link LOCK_STALE_MS}. Uses the local monotonic clock, because the clocks of two machines on one
 * volume may differ.
 *
 * What was seen outlives the call: whoever gives a call up sooner than a lock becomes stale would begin anew each time.
 * No two locks have the same id, so a lock that is still there has never been away.
 */
export class LockWatch {
  readonly #disk: Disk;
  readonly #seen: Map<string, FirstSight>;

  constructor(disk: Disk) {
    this.#disk = disk;
    const { promises } = plainFileSystem(disk.fs);
    const byClock = firstSights.get(promises) ?? new WeakMap<Clock, Map<string, FirstSight>>();
    firstSights.set(promises, byClock);
    this.#seen = byClock.get(disk.clock) ?? new Map<string, FirstSight>();
    byClock.set(disk.clock, this.#seen);
  }

  /** The lock at `path`, and whether it is abandoned; `undefined` if there is none. */
  async look(path: string): Promise<(LockState & { readonly abandoned: boolean }) | undefined> {
    const state = await readLock(this.#disk, path);
    if (state === undefined) {
      this.forget(path);
      return undefined;
    }
    const now = this.#disk.clock.monotonic();
    const seen = this.#seen.get(path);
    const since = seen?.id === state.id ? seen.since : now;
    this.#remember(path, { id: state.id, since });
    const staleMs = state.holder === undefined ? EMPTY_STALE_MS : LOCK_STALE_MS;
    return { ...state, abandoned: now - since >= staleMs || (await isProvenDead(state.holder)) };
  }

  /** Call when the lock of another holder is known to be gone. */
  forget(path: string): void {
    this.#seen.delete(path);
  }

  #remember(path: string, sight: FirstSight): void {
    if (this.#seen.get(path)?.id === sight.id) return;
    this.#seen.delete(path); // a new sight is the youngest
    this.#seen.set(path, sight);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MAX_REMEMBERED && oldest !== undefined) this.#seen.delete(oldest);
  }
}
