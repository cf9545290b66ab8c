import type { Readable } from 'node:stream';
import type { ObjectInfo, PutOptions, StoreCallOptions } from '../../stores/session-store.js';
import type { CapturedTree, SnapshotFile, SnapshotManifest } from '../../types.js';
import type { CatalogContents, CatalogEntry } from '../catalog/entries.js';
import type { ManifestPlace } from '../catalog/manifest-place.js';
import type { SweepResult } from '../repository.js';
import type { PutSnapshot } from '../store-calls/put-under-new-id.js';
import type { SnapshotTail } from '../tail/snapshot-tail.js';

/** A snapshot that is to be put. */
export interface NewOnShelf {
  readonly tree: CapturedTree;
  readonly manifest: SnapshotManifest;
  /** The key under which it gets listed. */
  readonly key: string;
  /** The snapshots that are there, newest first: what they have need not be put again. */
  readonly entries: readonly CatalogEntry[];
}

/**
 * The format of a repository: how a snapshot is laid into a store, and how it is taken out again with every byte
 * checked. The repository does the rest: it decides whether there is something to put, and under which id.
 */
export interface SnapshotShelf extends ManifestPlace {
  /** Paths that the format needs for itself, so that no file of a profile may have them. */
  readonly reservedPaths: readonly string[];
  /** What the database has gained since the newest snapshot. Exists only in formats that keep it. */
  readonly tail?: SnapshotTail;
  /** The key under which a new snapshot gets listed. */
  keyOf(manifest: SnapshotManifest): string;
  /**
   * Puts a snapshot, checks what the store kept, and only then lets it be listed under `key`.
   *
   * @param options `ifAbsent` is meant for the object at `key`
   * @throws SnapshotCorruptError when the stored copy is not what was written; it is not listed then
   */
  put(snapshot: NewOnShelf, options: PutOptions): Promise<PutSnapshot>;
  /**
   * Puts again what a listed snapshot of these files has lost, as far as this can be seen without reading all of it.
   *
   * @param entries the listed snapshots
   */
  mend(
    tree: CapturedTree,
    files: readonly SnapshotFile[],
    entries: readonly CatalogEntry[],
    options: StoreCallOptions,
  ): Promise<void>;
  /** Whether `mend` would have nothing to put. */
  isWhole(
    files: readonly SnapshotFile[],
    entries: readonly CatalogEntry[],
    options: StoreCallOptions,
  ): Promise<boolean>;
  /** Writes the snapshot's files into an empty folder. Returns the manifest they were compared with. */
  restore(entry: CatalogEntry, directory: string, options: StoreCallOptions): Promise<SnapshotManifest>;
  /** Compares every stored byte of the snapshot; throws naming what is missing or damaged. */
  check(entry: CatalogEntry, options: StoreCallOptions): Promise<void>;
  /** The whole snapshot as one file, unchecked. Exists only where a snapshot is one object. */
  open?(entry: CatalogEntry, options: StoreCallOptions): Promise<Readable>;
  /** Bytes that each snapshot takes, by its id; what several share counts for the oldest. */
  storedBytes(entries: readonly CatalogEntry[]): ReadonlyMap<string, number>;
  /** The time since which this process has compared every byte of the snapshot; `undefined` if it has not. */
  provenAt(entry: CatalogEntry): string | undefined;
  /** The objects that none of these snapshots needs. Exists only where a snapshot is more than one object. */
  unneeded?(contents: CatalogContents, options: StoreCallOptions): Promise<readonly ObjectInfo[]>;
  /** Removes what a killed process left on this machine. Exists only where the format needs a folder of its own. */
  removeLeftovers?(): Promise<SweepResult>;
}
