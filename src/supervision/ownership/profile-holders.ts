import { type Clock, orAborted, withDeadline } from '../../clock.js';
import { isSessionError, ProfileLockedError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import { profilesInUse } from '../browser/profiles-in-use.js';

/**
 * How a session of this process responds to another one that wants its profile.
 *
 * - `keeps`: it is up or starting, and its bot still uses it
 * - `yields`: it has lost its connection, or its bot was told so and makes a new client. The new session takes over
 * - `leaving`: it is being closed, or uses the profile only for a moment. The new session waits
 */
export type Stance = 'keeps' | 'yields' | 'leaving';

/** A profile, by a path that is the same however it was spelled. */
export interface ProfilePlace {
  readonly fs: FileSystem;
  /** Absolute, links resolved. */
  readonly realPath: string;
}

export interface ProfileHolder {
  stance(): Stance;
  /** Ends the session permanently. Resolves when it is stopped. */
  retire(): Promise<void>;
}

interface Entry {
  readonly holder: ProfileHolder;
  /** Resolves when the profile and its leases are free. */
  readonly left: Promise<void>;
}

/** The longest time of a stop, ms: with a running save, a browser that hangs and a store that hangs. */
export const PATIENCE_MS = 150_000;
/** Limit for the sessions that get the profile first; each costs one round. */
const MAX_ROUNDS = 20;

/** Registers a session as the holder of a profile. The returned function ends that (idempotent). */
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
 * Waits for a session of this process that is leaving the profile, and retires one that is no longer needed. Returns
 * at once when no session holds the profile or one keeps it; in the latter case, claiming the profile fails.
 *
 * @param options `mayRetire`: whether a session that yields is retired; otherwise it counts as one that keeps the
 * profile. Default true.
 * @throws ProfileLockedError when the session has not left in time
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
