import { type Clock, orAborted, withDeadline } from '../../clock.js';
import { isSessionError, ProfileLockedError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import { profilesInUse } from '../browser/profiles-in-use.js';

/**
 * How a session of this process stands to another one that wants its profile.
 *
 * - `keeps`: it is up, or comes up, and its bot has not let go of it
 * - `yields`: it has lost its connection, or its bot has been told so and makes a new client: the new one takes over
 * - `leaving`: it is being closed, or works on the profile for a moment: the new one waits
 */
export type Stance = 'keeps' | 'yields' | 'leaving';

/** A profile, whichever way its path is spelled. */
export interface ProfilePlace {
  readonly fs: FileSystem;
  /** Absolute, links resolved. */
  readonly realPath: string;
}

export interface ProfileHolder {
  stance(): Stance;
  /** Ends the session for good. Resolves when it is stopped. */
  retire(): Promise<void>;
}

interface Entry {
  readonly holder: ProfileHolder;
  /** Resolves when the profile and its leases are free. */
  readonly left: Promise<void>;
}

/** As long as a stop takes at the utmost: a save under way, a browser that hangs, a store that hangs. */
const PATIENCE_MS = 150_000;
/** Each round is another session that came first. */
const MAX_ROUNDS = 20;

/** Makes a session known to those that come after it; the returned function ends that (idempotent). */
export function holdProfile({ fs, realPath }: ProfilePlace, holder: ProfileHolder): () => void {
  const holders = profilesInUse<Entry>('holders', fs);
  let leave: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const entry = { holder, left };
  holders.set(realPath, entry);
  return () => {
    if (holders.get(realPath) === entry) holders.delete(realPath);
    leave();
  };
}

/**
 * Waits for a session of this process that leaves the profile, and has one retire that is of no use any more. Returns at
 * once where nobody is, or somebody keeps it: claiming the profile then says so.
 *
 * @param options `mayRetire`: whether one that yields retires; else it counts as one that keeps it. Default true.
 * @throws ProfileLockedError when it has not left in time
 */
export async function makeWay(
  { fs, realPath }: ProfilePlace,
  {
    clock,
    signal,
    mayRetire = true,
  }: {
    readonly clock: Clock;
    readonly signal?: AbortSignal | undefined;
    readonly mayRetire?: boolean;
  },
): Promise<void> {
  const holders = profilesInUse<Entry>('holders', fs);
  const latest = clock.monotonic() + PATIENCE_MS;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const entry = holders.get(realPath);
    const stance = entry?.holder.stance();
    if (entry === undefined || stance === 'keeps' || (stance === 'yields' && !mayRetire)) return;
    const leaving = stance === 'yields' ? entry.holder.retire().then(() => entry.left) : entry.left;
    const inTime = withDeadline(clock, Math.max(1, latest - clock.monotonic()), 'the other session', leaving);
    try {
      await (signal === undefined ? inTime : orAborted(inTime, signal));
    } catch (error) {
      signal?.throwIfAborted();
      throw stillThere(realPath, error);
    }
  }
}

function stillThere(realPath: string, cause: unknown): ProfileLockedError {
  const isLate = isSessionError(cause) && cause.code === 'TIMEOUT';
  return new ProfileLockedError(
    `another session of this process (pid ${process.pid}) ` +
      (isLate
        ? `is still being closed after ${PATIENCE_MS / 1000} s; try again later`
        : 'could not be closed; destroy() that one first') +
      `: ${realPath}`,
    { pid: process.pid, cause },
  );
}
