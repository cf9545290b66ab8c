import type { Readable } from 'node:stream';
import type { Clock } from '../../clock.js';
import {
  errnoOf,
  isSessionError,
  SnapshotCorruptError,
  SnapshotNotFoundError,
  SnapshotUnsafeError,
  StoreError,
} from '../../errors.js';
import { type FileSystem, PRIVATE_FILE_MODE, writeAll } from '../../file-system.js';
import type {
  ObjectInfo,
  PutOptions,
  PutResult,
  SessionStore,
  StoreCallOptions,
} from '../../stores/session-store.js';
import type { TaskRunner } from '../../task.js';
import type { SnapshotManifest } from '../../types.js';
import type { CatalogEntry } from '../catalog/entries.js';
import type { ReadManifest } from '../catalog/manifest-place.js';
import { discardFolder } from '../hashing/checked-file.js';
import { DEFAULT_LIMITS } from '../manifest/limits.js';
import { findSnapshotId, isSnapshotId } from '../manifest/snapshot-id.js';
import type { SweepResult } from '../repository.js';
import type { PutSnapshot } from '../store-calls/put-under-new-id.js';
import { objectBytes, readStart, withdrawObject } from '../store-calls/store-bytes.js';
import { putZip } from '../zip/put-zip.js';
import { readZipEnd } from '../zip/zip-end.js';
import { MANIFEST_NAME, readManifestAtHead } from '../zip/zip-head.js';
import { extractZipTask, verifyZipTask } from '../zip/zip-reader.js';
import { withZipSource, type ZipFile } from '../zip/zip-source.js';
import type { ZipCompression } from '../zip/zip-writer.js';
import type { NewOnShelf, SnapshotShelf } from './shelf.js';
import { Staging } from './staging.js';

/** Codes of the errors for a zip that is not the one that was written. */
const DAMAGED: ReadonlySet<string> = new Set(['SNAPSHOT_CORRUPT', 'SNAPSHOT_UNSAFE']);

export interface ZipShelfOptions {
  readonly store: SessionStore;
  readonly clientId: string;
  readonly runner: TaskRunner;
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly stagingDirectory: string;
  readonly compression?: ZipCompression | undefined;
  /** Throws unless the session is ours at this moment. */
  readonly assertMayWrite?: (() => void) | undefined;
}

/**
 * Backups: one ordinary zip per snapshot, `<clientId>/<clientId>_<id>_run<run>.zip`, which anybody can unpack into a
 * user-data-dir. The zip alone is enough: its first entry is the manifest, and a copy under any name ending in
 * `.zip` is found.
 */
export class ZipShelf implements SnapshotShelf {
  readonly kind = 'backup';
  readonly prefix: string;
  readonly reservedPaths = [MANIFEST_NAME];
  readonly #options: ZipShelfOptions;
  readonly #staging: Staging;
  /** Zips that this process compared byte by byte, with the version that was read and the time. */
  readonly #proven = new Map<string, { readonly version: string; readonly at: string }>();

  constructor(options: ZipShelfOptions) {
    this.#options = options;
    this.prefix = `${options.clientId}/`;
    this.#staging = new Staging(options.fs, options.stagingDirectory);
  }

  /**
   * The id in a zip's name, else the name itself, because a person may have renamed it. Files in subfolders are not
   * backups.
   */
  idOf(key: string): string | undefined {
    const name = key.slice(this.prefix.length);
    if (!name.endsWith('.zip') || name.includes('/')) return undefined;
    return findSnapshotId(name) ?? name;
  }

  keyOf({ clientId, id, run }: SnapshotManifest): string {
    return `${this.prefix}${clientId}_${id}_run${run}.zip`;
  }

  /** Anywhere: a person may have renamed the zip. */
  isPlaceOf(): boolean {
    return true;
  }

  /** A zip without an id in its name was put there by somebody. */
  isOurs(id: string): boolean {
    return isSnapshotId(id);
  }

  /**
   * Streams the zip into the store while it is written, so that it never lies on a disk of ours. The copy in a local
   * store is then read back, and every file compared with the manifest; of a remote one the size is compared.
   */
  async put({ tree, manifest, key }: NewOnShelf, options: PutOptions): Promise<PutSnapshot> {
    const { store, clock, compression = 'fast' } = this.#options;
    const at = new Date(clock.now()).toISOString();
    const content = { directory: tree.directory, manifest, compression };
    const { info, size } = await putZip(this.#options, key, content, options);
    try {
      await this.#assertKept(info, manifest, size, options);
    } catch (error) {
      // The zip is not known to be whole, so it must not be listed.
      await withdrawObject(store, key);
      throw error;
    }
    this.#proven.set(key, { version: info.version, at });
    return { manifest, info, bytesWritten: info.size };
  }

  /** A zip is whole, or damaged in a way that only a reading shows. */
  async mend(): Promise<void> {}

  async isWhole(): Promise<boolean> {
    return true;
  }

  /** Read without the rest of the zip. */
  async readManifest({ key }: ObjectInfo, options: StoreCallOptions): Promise<ReadManifest | undefined> {
    const manifest = await this.#manifestIn(key, options);
    return manifest && { manifest };
  }

  async #manifestIn(key: string, options: StoreCallOptions): Promise<SnapshotManifest | undefined> {
    const { store, fs } = this.#options;
    const local = store.localPath?.(key);
    if (local === undefined) return readManifestAtHead((bytes) => readStart(store, key, bytes, options));
    try {
      return await withZipSource(fs, { path: local, store: store.name }, async (zip) => {
        const manifest = await readManifestAtHead((bytes) => zip.read(0, bytes));
        // A copy made by hand may have been cut off; an object put by a store never is.
        await readZipEnd(zip, DEFAULT_LIMITS);
        return manifest;
      });
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async check({ info }: CatalogEntry, options: StoreCallOptions): Promise<void> {
    const { runner } = this.#options;
    await this.#withLocalZip(info, options, (zip) => runner.run(verifyZipTask, zip, options));
  }

  async restore(
    { manifest: { id }, info }: CatalogEntry,
    directory: string,
    options: StoreCallOptions,
  ): Promise<SnapshotManifest> {
    const { runner, fs } = this.#options;
    const manifest = await this.#withLocalZip(info, options, (zip) =>
      runner.run(extractZipTask, { ...zip, directory }, options),
    );
    if (manifest.id === id) return manifest;
    await discardFolder(fs, directory);
    throw new SnapshotCorruptError(`the zip of ${id} was replaced by another while it was read`);
  }

  async open({ manifest: { id }, info }: CatalogEntry, options: StoreCallOptions): Promise<Readable> {
    const stored = await this.#options.store.get(info.key, options);
    if (stored === undefined) throw new SnapshotNotFoundError(`the zip of ${id} was removed meanwhile`);
    return stored.body;
  }

  storedBytes(entries: readonly CatalogEntry[]): ReadonlyMap<string, number> {
    return new Map(entries.map(({ manifest, info }) => [manifest.id, info.size]));
  }

  provenAt({ info }: CatalogEntry): string | undefined {
    const proven = this.#proven.get(info.key);
    return proven?.version === info.version ? proven.at : undefined;
  }

  /** Zips that a crash left in the staging folder. */
  removeLeftovers(): Promise<SweepResult> {
    return this.#staging.sweep();
  }

  async #assertKept(
    info: PutResult,
    manifest: SnapshotManifest,
    size: number | undefined,
    { signal }: StoreCallOptions,
  ): Promise<void> {
    const { store, runner } = this.#options;
    const changed = (cause?: unknown) =>
      new SnapshotCorruptError(`${store.name} did not keep the zip as it was written`, {
        retryable: true,
        cause,
      });
    if (info.size !== size) throw changed();
    const path = store.localPath?.(info.key);
    if (path === undefined) return;
    try {
      const kept = await runner.run(verifyZipTask, { path, store: store.name }, signal ? { signal } : {});
      if (kept.id !== manifest.id) throw changed();
    } catch (error) {
      const isChanged = errnoOf(error) === 'ENOENT' || DAMAGED.has(isSessionError(error) ? error.code : '');
      throw isChanged ? changed(error) : error;
    }
  }

  async #withLocalZip<Result>(
    info: PutResult,
    options: StoreCallOptions,
    work: (zip: ZipFile) => Promise<Result>,
  ): Promise<Result> {
    const { store, fs } = this.#options;
    const local = store.localPath?.(info.key);
    if (local !== undefined) {
      return work({ path: local, store: store.name }).catch((error) =>
        rejectVanished(error, local, info.key),
      );
    }
    const { maxZipBytes } = DEFAULT_LIMITS;
    if (info.size > maxZipBytes) {
      throw new SnapshotUnsafeError(
        `${info.key} has ${info.size} bytes; at most ${maxZipBytes} are accepted`,
      );
    }
    return this.#staging.withFile(async (path) => {
      const handle = await fs.promises.open(path, 'wx', PRIVATE_FILE_MODE);
      try {
        let received = 0;
        for await (const chunk of objectBytes(store, info.key, info.key, options)) {
          received += chunk.length;
          if (received > info.size)
            throw new StoreError(`${store.name} sent more of ${info.key} than it lists`);
          await writeAll(handle, chunk);
        }
      } finally {
        await handle.close();
      }
      return work({ path });
    });
  }
}

function rejectVanished(error: unknown, path: string, key: string): never {
  const vanished = errnoOf(error) === 'ENOENT' && (error as NodeJS.ErrnoException).path === path;
  throw vanished ? new SnapshotNotFoundError(`${key} is gone`, { cause: error }) : error;
}
