import { pause } from '../../busy.js';
import { plainFileSystem } from '../../disk-gate/gated-file-system.js';
import { StoreError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import { Mutex } from '../../mutex.js';
import { throwIfAborted } from '../body.js';
import type { Disk } from './disk.js';
import { pathOf } from './folders.js';
import { breakLock, createLock, LockWatch, lockPathOf, readLock, removeLock } from './lock-file.js';

/**
 * A lock whose holder nobody can prove dead is broken after standing unchanged for this long before our eyes.
 * A holder needs it for a few calls of the file system only: the value was written before.
 */
export const LOCK_STALE_MS = 10_000;
/** How long a writer waits for the lock: long enough to see one go stale and to break it. */
export const LOCK_WAIT_MS = 20_000;
const FIRST_DELAY_MS = 2;
const LONGEST_DELAY_MS = 50;
/** A bound also where the injected clock stands still. */
const MAX_TRIES = 20_000;

/** A lock left behind by a live process blocks the key until it is stale: worth another try. */
const RELEASE_TRIES = 3;

/** Throws when the lock was taken from us. */
type AssertHeld = () => Promise<void>;

/**
 * Runs `work` while nobody else on this disk, in this process or another, runs theirs for the same key.
 *
 * @throws StoreError (retryable) when the lock can't be had within 20 s.
 */
export async function withKeyLock<T>(
  disk: Disk,
  key: string,
  signal: AbortSignal | undefined,
  work: (assertHeld: AssertHeld) => Promise<T>,
): Promise<T> {
  const path = lockPathOf(pathOf(disk, key));
  return queued(disk, path, key, signal, async () => {
    const id = await acquire(disk, path, key, signal);
    try {
      return await work(async () => {
        if ((await readLock(disk, path))?.id === id) return;
        throw new StoreError(`the lock of "${key}" was lost: this process stood still for too long`);
      });
    } finally {
      await release(disk, path, id);
    }
  });
}

async function acquire(
  disk: Disk,
  path: string,
  key: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const watch = new LockWatch(disk, LOCK_STALE_MS);
  const deadline = disk.clock.monotonic() + LOCK_WAIT_MS;
  let delayMs = FIRST_DELAY_MS;
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    throwIfAborted(signal);
    const id = await createLock(disk, path);
    if (id !== undefined) return id;
    const lock = await watch.look(path);
    if (lock === undefined) continue;
    if (lock.abandoned) {
      const turn = await breakLock(disk, path, lock);
      if (turn === undefined) continue;
      if ((await watch.look(turn))?.abandoned) await removeLock(disk, turn);
    }
    if (disk.clock.monotonic() >= deadline) break;
    await pause(disk.clock, delayMs, signal);
    delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
  }
  throw lockedOut(key);
}

/** The value is published (or the error is on its way) by now: what fails here is left to go stale. */
async function release(disk: Disk, path: string, id: string): Promise<void> {
  for (let attempt = 1; attempt <= RELEASE_TRIES; attempt++) {
    try {
      if ((await readLock(disk, path))?.id === id) await removeLock(disk, path);
      return;
    } catch {
      // once more
    }
  }
}

/** The queues of this process, so that only strangers are waited for by looking again and again. */
const queues = new WeakMap<FileSystem, Map<string, Mutex>>();

async function queued<T>(
  disk: Disk,
  path: string,
  key: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const fs = plainFileSystem(disk.fs);
  const byPath = queues.get(fs) ?? new Map<string, Mutex>();
  queues.set(fs, byPath);
  const mutex = byPath.get(path) ?? new Mutex();
  byPath.set(path, mutex);

  const waiting = new AbortController();
  const timer = disk.clock.setTimeout(() => waiting.abort(lockedOut(key)), LOCK_WAIT_MS);
  const onAbort = () => waiting.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const stopWaiting = () => {
    disk.clock.clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  };
  try {
    return await mutex.runExclusive(
      () => {
        stopWaiting();
        return work();
      },
      { signal: waiting.signal },
    );
  } finally {
    stopWaiting();
    if (!mutex.busy) byPath.delete(path);
  }
}

function lockedOut(key: string): StoreError {
  return new StoreError(`"${key}" is locked by another writer for more than ${LOCK_WAIT_MS} ms`);
}
