import type { Readable } from 'node:stream';
import type { SkipReason } from './events.js';
import type { SnapshotInfo } from './types.js';

/** What a save or a backup came to. */
export type SaveResult = { readonly snapshot: SnapshotInfo } | { readonly skipped: SkipReason };

/** What `verify()` found. */
export interface VerifyReport {
  readonly sound: readonly SnapshotInfo[];
  readonly corrupt: readonly {
    readonly snapshot: SnapshotInfo;
    readonly error: { readonly code: string; readonly message: string };
  }[];
  /** Those that their stores could not deliver: nobody knows how they are. */
  readonly unread: readonly {
    readonly snapshot: SnapshotInfo;
    readonly error: { readonly code: string; readonly message: string };
  }[];
}

/** What `prune()` did. */
export interface PruneResult {
  /** Ids of the snapshots that retention no longer keeps. */
  readonly removedSnapshots: readonly string[];
  /** Bytes freed in all: snapshots, caches, leftovers, old quarantines. */
  readonly freedBytes: number;
  /** Files removed from the profile's caches. */
  readonly cacheFiles: number;
}

/** A backup to be copied elsewhere. */
export interface OpenBackup {
  readonly snapshot: SnapshotInfo;
  /** The zip. Read it to the end or destroy it. */
  readonly body: Readable;
}
