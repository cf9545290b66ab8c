import type { ObjectInfo } from '../../stores/session-store.js';
import type { SnapshotManifest } from '../../types.js';

/** One snapshot of a catalog: its manifest and the object that holds it. */
export interface CatalogEntry {
  readonly manifest: SnapshotManifest;
  readonly info: ObjectInfo;
}

/** A snapshot that exists but can't be read. */
export interface DamagedEntry {
  /** Its id, or its file name where the id is unknown. */
  readonly id: string;
  readonly info: ObjectInfo;
  readonly error: unknown;
  /** The manifest of a readable snapshot in a wrong place: a copy made by hand, from another client id. */
  readonly misplaced?: SnapshotManifest;
}

/** The whole snapshots newest first, and those that can't be read. */
export interface CatalogContents {
  readonly entries: readonly CatalogEntry[];
  readonly damaged: readonly DamagedEntry[];
}
