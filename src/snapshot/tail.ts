import type { PackedFiles, SnapshotFile } from '../types.js';

/** A file of which a tail has the bytes from `from` on. Those before are the ones of the snapshot's file with this path. */
export interface TailEntry extends SnapshotFile {
  readonly from: number;
}

/**
 * What the database of a session has gained since a save was listed: the logs that are new or longer, and new blobs. It is
 * one small object that is overwritten, and packs.
 */
export interface Tail {
  readonly format: 1;
  readonly clientId: string;
  /** The id of the save that it belongs to, and the digest of that save's files. */
  readonly snapshot: string;
  readonly contentDigest: string;
  readonly lineage: string;
  readonly run: number;
  /** When the logs were read, ISO 8601. */
  readonly at: string;
  readonly files: readonly TailEntry[];
  readonly packs: readonly PackedFiles[];
}

/** What others need to know of a tail. */
export type TailInfo = Pick<Tail, 'snapshot' | 'lineage' | 'run' | 'at'>;

/** A file of the live profile, for a tail. Its first `size` bytes never change. */
export interface TailSource {
  /** Relative to the profile. */
  readonly path: string;
  readonly size: number;
  /** Absolute path. */
  readonly source: string;
  /** Lower-case hex; absent for a file that never changes under its name and has not been read. */
  readonly sha256?: string;
}

/** What the database has now: the logs of the save and those since, and the blobs that they name. */
export interface NewTail {
  readonly snapshot: string;
  readonly at: string;
  readonly files: readonly TailSource[];
}

/** The result of `putTail`. */
export type TailPut =
  | { readonly kind: 'put' /** Bytes put into the store. */; readonly bytesWritten: number }
  /** The store has all of it. */
  | { readonly kind: 'unchanged' }
  /** The logs were taken away meanwhile, because the database is being copied anew. */
  | { readonly kind: 'interrupted' }
  /** It can't be the continuation of that save: another save is needed. */
  | { readonly kind: 'refused'; readonly because: string };

/** The result of `restoreTail`. */
export interface RestoredTail extends TailInfo {
  /** The files that are now in place of those of the snapshot, or beside them. */
  readonly files: readonly SnapshotFile[];
}

/** Far more than two minutes of any page; what is longer becomes a save. */
export const TAIL_LIMITS = { maxFiles: 2_000, maxPieces: 4_000, maxBytes: 256 * 1024 * 1024 };
