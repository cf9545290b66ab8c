import type { Clock } from '../../clock.js';
import type { FileSystem } from '../../file-system.js';
import type { ObjectInfo, PutOptions, SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { TaskRunner } from '../../task.js';
import type { CapturedTree, SnapshotFile, SnapshotManifest } from '../../types.js';
import type { CatalogContents, CatalogEntry, DamagedEntry } from '../catalog/entries.js';
import { DEFAULT_LIMITS } from '../manifest/limits.js';
import { parseManifest, serializeManifest } from '../manifest/manifest.js';
import type { SweepResult } from '../repository.js';
import type { PutSnapshot } from '../store-calls/put-under-new-id.js';
import { readStart } from '../store-calls/store-bytes.js';
import { putVerified } from '../store-calls/verified-put.js';
import { ContentObjects } from './content-objects.js';
import type { SnapshotShelf } from './shelf.js';

export interface ObjectShelfOptions {
  readonly store: SessionStore;
  readonly clientId: string;
  readonly runner: TaskRunner;
  readonly fs: FileSystem;
  readonly clock: Clock;
}

/** Copying a store's folder never takes longer than this. */
const COPYING_MS = 3_600_000;

/**
 * Saves: one object `objects/ab/<sha256>` per content, and `snapshots/<id>.json` with the manifest, which is put
 * last. Files that have not changed since the last save are neither read nor written.
 */
export class ObjectShelf implements SnapshotShelf {
  readonly kind = 'save';
  readonly prefix: string;
  readonly reservedPaths = [];
  readonly #store: SessionStore;
  readonly #objects: ContentObjects;

  constructor(options: ObjectShelfOptions) {
    this.prefix = `${options.clientId}/snapshots/`;
    this.#store = options.store;
    this.#objects = new ContentObjects(options);
  }

  idOf(key: string): string | undefined {
    return key.endsWith('.json') ? key.slice(this.prefix.length, -'.json'.length) : undefined;
  }

  keyOf({ id }: SnapshotManifest): string {
    return `${this.prefix}${id}.json`;
  }

  isPlaceOf(manifest: SnapshotManifest, key: string): boolean {
    return key === this.keyOf(manifest);
  }

  isOurs(): boolean {
    return true;
  }

  async readManifest({ key }: ObjectInfo, options: StoreCallOptions): Promise<SnapshotManifest | undefined> {
    const bytes = await readStart(this.#store, key, DEFAULT_LIMITS.maxManifestBytes + 1, options);
    return bytes && parseManifest(bytes);
  }

  async put(
    tree: CapturedTree,
    manifest: SnapshotManifest,
    key: string,
    options: PutOptions,
  ): Promise<PutSnapshot> {
    const call = options.signal === undefined ? {} : { signal: options.signal };
    const bytesOfObjects = await this.#putLacking(tree, manifest.files, call);
    const written = serializeManifest(manifest);
    const info = await putVerified(this.#store, key, written, options);
    return { info, bytesWritten: bytesOfObjects + written.length };
  }

  async mend(tree: CapturedTree, files: readonly SnapshotFile[], options: StoreCallOptions): Promise<void> {
    await this.#putLacking(tree, files, options);
  }

  async isWhole(files: readonly SnapshotFile[], options: StoreCallOptions): Promise<boolean> {
    const stock = await this.#objects.stock(options);
    return (await this.#objects.lacking(files, stock, options)).length === 0;
  }

  async restore(
    { manifest }: CatalogEntry,
    directory: string,
    options: StoreCallOptions,
  ): Promise<SnapshotManifest> {
    await this.#objects.restore(manifest.files, directory, options);
    return manifest;
  }

  check({ manifest }: CatalogEntry, options: StoreCallOptions): Promise<void> {
    return this.#objects.check(manifest.files, options);
  }

  /** Bytes of each manifest and of the objects that its snapshot was the first to need; their sum is what is stored. */
  storedBytes(entries: readonly CatalogEntry[]): ReadonlyMap<string, number> {
    const seen = new Set<string>();
    const added = new Map<string, number>();
    for (const { manifest, info } of [...entries].reverse()) {
      let bytes = info.size;
      for (const { sha256, size } of manifest.files) {
        if (!seen.has(sha256)) bytes += size;
        seen.add(sha256);
      }
      added.set(manifest.id, bytes);
    }
    return added;
  }

  provenAt({ manifest }: CatalogEntry): string | undefined {
    return this.#objects.provenAt(manifest.files);
  }

  sweep({ entries, damaged }: CatalogContents, options: StoreCallOptions): Promise<SweepResult> {
    const manifests = [
      ...entries.map(({ manifest }) => manifest),
      ...damaged.map(({ misplaced }) => misplaced),
    ];
    const needed = manifests.flatMap((manifest) => manifest?.files.map(({ sha256 }) => sha256) ?? []);
    return this.#objects.sweep(new Set(needed), lastNeedOf(damaged), options);
  }

  async #putLacking(
    tree: CapturedTree,
    files: readonly SnapshotFile[],
    options: StoreCallOptions,
  ): Promise<number> {
    const stock = await this.#objects.stock(options);
    const lacking = await this.#objects.lacking(files, stock, options);
    return lacking.length === 0 ? 0 : this.#objects.add(tree, lacking, stock, options);
  }
}

/**
 * An unreadable manifest may need any object that existed when it was put, because the manifest is put last; it
 * can't need an object that was put later. The times are the store's own, ms since 1970, plus an hour for a folder
 * that was copied without keeping them.
 */
function lastNeedOf(damaged: readonly DamagedEntry[]): number {
  const times = damaged
    .filter(({ misplaced }) => misplaced === undefined)
    .map(({ info }) => info.modifiedAt.getTime() + COPYING_MS);
  return Math.max(Number.NEGATIVE_INFINITY, ...times);
}
