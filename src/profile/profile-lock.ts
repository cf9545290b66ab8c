import path from 'node:path';
import { errnoOf } from '../errors.js';
import type { FileSystem } from '../file-system.js';

/**
 * Who holds a profile, by Chromium's `SingletonLock` (docs/chromium-facts.md F1.6).
 * - `none`: nobody
 * - `live`: a process with this pid runs on this host (the caller must find out which process it is)
 * - `dead`: no process with this pid runs; Chromium itself removes such a lock
 * - `other-host`: the lock is from another machine or an earlier container; Chromium refuses to start
 * - `unreadable`: there is something that is no lock of Chromium
 */
export type ProfileLock =
  | { readonly kind: 'none' }
  | { readonly kind: 'live' | 'dead' | 'other-host'; readonly host: string; readonly pid: number }
  | { readonly kind: 'unreadable' };

export interface ReadLockOptions {
  readonly fs: FileSystem;
  /** This machine's name, as Chromium sees it: `os.hostname()`. */
  readonly hostname: string;
  readonly isAlive: (pid: number) => boolean;
}

const LOCK_FILES = ['SingletonLock', 'SingletonCookie', 'SingletonSocket'];

/** Reads and classifies the lock; changes nothing. */
export async function readProfileLock(profileDir: string, options: ReadLockOptions): Promise<ProfileLock> {
  let target: string;
  try {
    target = await options.fs.promises.readlink(`${profileDir}/SingletonLock`);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'none' };
    // EINVAL (UNKNOWN on Windows) means that it is no symbolic link.
    if (code === 'EINVAL' || code === 'UNKNOWN') return { kind: 'unreadable' };
    throw error;
  }
  const match = /^(.*)-(\d{1,10})$/s.exec(target);
  if (match === null) return { kind: 'unreadable' };
  const host = match[1] ?? '';
  const pid = Number(match[2]);
  if (host !== options.hostname) return { kind: 'other-host', host, pid };
  return { kind: options.isAlive(pid) ? 'live' : 'dead', host, pid };
}

/**
 * Removes Chromium's locks, and the folder of its socket, which a killed browser leaves in the folder for temporary files.
 * The caller must be sure that no live browser has the profile: otherwise this leads to a false logout and endangers the
 * data (docs/chromium-facts.md F1.6).
 *
 * @returns the names that were removed
 */
export async function removeProfileLocks(
  profileDir: string,
  options: { readonly fs: FileSystem },
): Promise<string[]> {
  const removed: string[] = [];
  await removeSocketFolder(profileDir, options.fs);
  for (const name of LOCK_FILES) {
    try {
      await options.fs.promises.unlink(`${profileDir}/${name}`);
      removed.push(name);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
    }
  }
  return removed;
}

/**
 * Removes the socket's folder only if its cookie equals the profile's, which is how Chromium recognizes the socket of a
 * profile (process_singleton_posix.cc). Every kill leaves such a folder, and nothing else removes it. Never rejects: a
 * folder that stays does not prevent a start.
 */
async function removeSocketFolder(profileDir: string, { promises }: FileSystem): Promise<void> {
  try {
    const folder = path.dirname(await promises.readlink(`${profileDir}/SingletonSocket`));
    const cookie = await promises.readlink(`${profileDir}/SingletonCookie`);
    if (folder === profileDir || cookie !== (await promises.readlink(`${folder}/SingletonCookie`))) return;
    await promises.unlink(`${folder}/SingletonSocket`);
    await promises.unlink(`${folder}/SingletonCookie`);
    await promises.rmdir(folder);
  } catch {
    // already gone, or not accessible for us
  }
}
