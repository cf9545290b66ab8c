import { defineTask } from '../../task.js';
import { ChangedMeanwhile } from '../capture/retry.js';
import { isMissing, lstatIfPresent } from '../walk.js';
import { keepLogs } from './keep-logs.js';
import { FOLLOWED_FOLDER, type KeptBase, NewBaseNeeded } from './kept-base.js';
import { readGrownLog } from './log-chain.js';
import {
  assertSameDatabase,
  type FollowPlaces,
  followedLogs,
  type KeptLog,
  proveLogs,
} from './prove-logs.js';

/**
 * With more bytes of logs than this, a new base is due at once. The next save renews the base long before; until then a
 * restore may take a few seconds longer (docs/chromium-facts.md F6.3).
 */
const MOST_LOGS_BYTES = 128 * 1024 * 1024;

/** A file that a base lacks to be the database of now. Its first `size` bytes never change. */
export interface TailFile {
  /** Relative to the profile, `/` between names. */
  readonly path: string;
  readonly size: number;
  /** Absolute path. */
  readonly source: string;
  /** Of a log, lower-case hex; absent for a blob, which has not been read. */
  readonly sha256?: string;
}

/** What the logs of a base say now. */
export type TailReading =
  /** Nothing was written since the last reading, or another attempt may find more. */
  | { readonly kind: 'same' }
  /** The base can't be followed any more; the next copy is a new one. */
  | { readonly kind: 'broken'; readonly because: string }
  | {
      readonly kind: 'read';
      /** The logs of the base, and the blobs that they name. */
      readonly files: readonly TailFile[];
      /** The base with what is known of it now. */
      readonly base: KeptBase;
      /** What the next reading is given. */
      readonly logs: readonly KeptLog[];
    };

export interface TailInput {
  readonly profileDir: string;
  readonly base: KeptBase;
  /** The logs at the last reading; default: there was none. */
  readonly last?: readonly KeptLog[];
}

/**
 * Reads what has been written since a base was kept, without copying it: logs only grow, and a blob never changes under its
 * name. Nothing is read while no log has grown, and of the newest one only what it has gained.
 */
export const readTailTask = defineTask<TailInput, TailReading>(
  'profile:read-tail',
  async ({ profileDir, base, last }, { fs, signal }) => {
    const places: FollowPlaces = { fs, profileDir, signal };
    try {
      await assertSameDatabase(places, base);
      await keepLogs(fs, { from: `${profileDir}/${FOLLOWED_FOLDER}`, to: base.folder });
      const kept = await followedLogs(places, base, MOST_LOGS_BYTES);
      if (last !== undefined && areSame(kept, last)) return { kind: 'same' };
      const proven = await proveLogs(places, base, kept, (name) =>
        readGrownLog(fs, `${base.folder}/${name}`, signal),
      );
      await assertSameDatabase(places, base);
      const logs = [...proven.logs].map(([name, { size, sha256 }]) => ({ name, size, sha256 }));
      const named = new Map([...proven.logs.values()].flatMap(({ blobs = [] }) => [...blobs]));
      return {
        kind: 'read',
        files: [
          ...logs.map(({ name, size, sha256 }) => ({
            path: `${FOLLOWED_FOLDER}/${name}`,
            size,
            sha256,
            source: `${base.folder}/${name}`,
          })),
          ...(await presentBlobs(places, named)),
        ],
        base: proven.base,
        logs: logs.map(({ name, size }) => ({ name, size })),
      };
    } catch (error) {
      if (error instanceof NewBaseNeeded) return { kind: 'broken', because: error.message };
      if (error instanceof ChangedMeanwhile) return { kind: 'same' };
      if (isMissing(error))
        return { kind: 'broken', because: 'a file of the base or of the database is gone' };
      throw error;
    }
  },
);

/** The blobs that are there with the size that their record tells. One that was deleted meanwhile is needed by no record. */
async function presentBlobs(
  { fs, profileDir }: FollowPlaces,
  named: ReadonlyMap<string, number>,
): Promise<readonly TailFile[]> {
  const blobs: TailFile[] = [];
  for (const [path, size] of named) {
    const source = `${profileDir}/${path}`;
    const stats = await lstatIfPresent(fs, source);
    if (stats?.isFile() === true && stats.size === size) blobs.push({ path, size, source });
  }
  return blobs;
}

function areSame(now: readonly KeptLog[], before: readonly KeptLog[]): boolean {
  return (
    now.length === before.length &&
    now.every(({ name, size }, index) => name === before[index]?.name && size === before[index]?.size)
  );
}
