import type { ObjectInfo, StoreCallOptions } from '../../stores/session-store.js';
import type { SnapshotKind, SnapshotManifest } from '../../types.js';
import type { EarlierManifest } from './earlier-manifests.js';

/** What the object of a snapshot tells. */
export interface ReadManifest {
  readonly manifest: SnapshotManifest;
  /** The manifests of earlier snapshots that it carries along; absent where it carries none. */
  readonly earlier?: () => Promise<readonly EarlierManifest[]>;
}

/** Where a format keeps its manifests, and how it reads them. */
export interface ManifestPlace {
  readonly kind: SnapshotKind;
  /** The prefix of the objects that hold manifests. */
  readonly prefix: string;
  /** Id (or name) of the snapshot in an object; `undefined` for objects that are not snapshots. */
  idOf(key: string): string | undefined;
  /** Reads the manifest out of an object; `undefined` when it was deleted meanwhile. */
  readManifest(info: ObjectInfo, options: StoreCallOptions): Promise<ReadManifest | undefined>;
  /** The key under which this library puts the snapshot. */
  keyOf(manifest: SnapshotManifest): string;
  /** Whether an object is where this snapshot belongs. */
  isPlaceOf(manifest: SnapshotManifest, key: string): boolean;
  /** Whether an unreadable object with this id (or name) was written by this library, and not by a person. */
  isOurs(id: string): boolean;
}
