import { pause } from '../../busy.js';
import { plainFileSystem } from '../../disk-gate/gated-file-system.js';
import { StoreError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import { Mutex } from '../../mutex.js';
import { throwIfAborted } from '../body.js';
import type { Disk } from './disk.js';
import { pathOf } from './folders.js';
import { breakLock, createLock, LockWatch, lockPathOf, readLock, removeLock } from './lock-file.js';

/** How long a writer waits for the lock: long enough to see it become stale and to break it. */
export const LOCK_WAIT_MS = 20_000;
const FIRST_DELAY_MS = 2;
const LONGEST_DELAY_MS = 50;
/** Limits the wait even if the injected clock stands still. */
const MAX_TRIES = 20_000;

/** Releasing is tried again, because a lock that a live process leaves behind blocks the key until it is stale. */
const RELEASE_TRIES = 3;

/** Throws if another process has taken the lock. */
type AssertHeld = () => Promise<void>;

/**
 * Runs `work` while no other work for the same key runs on this disk, in this process or another one.
 *
 * @throws StoreError (retryable) if the lock can't be acquired within 20 s.
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
        throw new StoreError(`the lock of "${key}" was lost: this process was suspended for too long`);
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
  const watch = new LockWatch(disk);
  const deadline = disk.clock.monotonic() + LOCK_WAIT_MS;
  let delayMs = FIRST_DELAY_MS;
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    throwIfAborted(signal);
    const id = await createLock(disk, path);
    if (id !== undefined) {
      watch.forget(path);
      return id;
    }
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

/** Never fails, because the value (or the error) is already final; a lock that can't be removed becomes stale. */
async function release(disk: Disk, path: string, id: string): Promise<void> {
  for (let attempt = 1; attempt <= RELEASE_TRIES; attempt++) {
    try {
      if ((await readLock(disk, path))?.id === id) await removeLock(disk, path);
      return;
    } catch {
      // try again
    }
  }
}

/** The queues of this process; only locks of other processes are waited for by polling. */
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
