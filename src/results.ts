import type { Readable } from 'node:stream';
import type { SkipReason } from './events.js';
import type { SnapshotInfo } from './types.js';

/** The result of a save or a backup. */
export type SaveResult = { readonly snapshot: SnapshotInfo } | { readonly skipped: SkipReason };

/** The result of `verify()`. */
export interface VerifyReport {
  readonly sound: readonly SnapshotInfo[];
  readonly corrupt: readonly {
    readonly snapshot: SnapshotInfo;
    readonly error: { readonly code: string; readonly message: string };
  }[];
  /** Snapshots that could not be read from their stores, so that they may be sound or not. */
  readonly unread: readonly {
    readonly snapshot: SnapshotInfo;
    readonly error: { readonly code: string; readonly message: string };
  }[];
}

/** The result of `prune()`. */
export interface PruneResult {
  /** Ids of the snapshots that were removed by the retention rules. */
  readonly removedSnapshots: readonly string[];
  /** Total bytes freed: snapshots, caches, leftovers, old quarantines. */
  readonly freedBytes: number;
  /** Files removed from the profile's caches. */
  readonly cacheFiles: number;
}

/** A backup that can be copied to another place. */
export interface OpenBackup {
  readonly snapshot: SnapshotInfo;
  /** The zip as a stream. Read it to the end or destroy it. */
  readonly body: Readable;
}
