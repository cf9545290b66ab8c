import { errnoOf, SnapshotCorruptError, SnapshotNotFoundError, StoreError } from '../../errors.js';
import { type FileSystem, PRIVATE_FILE_MODE, writeAll } from '../../file-system.js';
import type { ObjectInfo, PutOptions, SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { TaskRunner } from '../../task.js';
import type { CapturedTree, SnapshotManifest } from '../../types.js';
import { sameBytesTask } from '../hashing/same-bytes.js';
import { DEFAULT_LIMITS } from '../manifest/limits.js';
import type { SweepResult } from '../repository.js';
import { objectBytes, putLocalFile, readStart, withdrawObject } from '../store-calls/store-bytes.js';
import { readZipEnd } from '../zip/zip-end.js';
import { readManifestAtHead } from '../zip/zip-head.js';
import { extractZipTask, verifyZipTask } from '../zip/zip-reader.js';
import { MAX_ZIP_BYTES } from '../zip/zip-records.js';
import { withZipSource, type ZipFile } from '../zip/zip-source.js';
import { writeZipTask, type ZipCompression } from '../zip/zip-writer.js';
import { Staging } from './staging.js';

export interface ZipShelfOptions {
  readonly store: SessionStore;
  readonly runner: TaskRunner;
  readonly fs: FileSystem;
  readonly stagingDirectory: string;
  readonly compression?: ZipCompression;
}

/** Moves zips between a store and the tasks that write, check and unpack them as local files. */
export class ZipShelf {
  readonly #options: ZipShelfOptions;
  readonly #staging: Staging;

  constructor(options: ZipShelfOptions) {
    this.#options = options;
    this.#staging = new Staging(options.fs, options.stagingDirectory);
  }

  /**
   * Writes the zip to the staging folder, reads it back and compares every byte with the manifest, and only then
   * gives it to the store. The copy in a local store is then compared with the staged zip.
   */
  add(tree: CapturedTree, manifest: SnapshotManifest, key: string, options: PutOptions): Promise<ObjectInfo> {
    const { store, runner, fs, compression = 'fast' } = this.#options;
    const call = options.signal === undefined ? {} : { signal: options.signal };
    return this.#staging.withFile(async (target) => {
      const input = { directory: tree.directory, manifest, target, compression };
      const { size } = await runner.run(writeZipTask, input, call);
      await runner.run(verifyZipTask, { path: target }, call);
      const info = await putLocalFile(store, fs, key, target, { ...options, size });
      try {
        await this.#assertKept(target, info, size, call);
      } catch (error) {
        // The zip is not known to be whole, so it must not be listed.
        await withdrawObject(store, key);
        throw error;
      }
      return info;
    });
  }

  /** The manifest of a zip, read without the rest; `undefined` when the zip was deleted meanwhile. */
  async manifestOf({ key }: ObjectInfo, options: StoreCallOptions): Promise<SnapshotManifest | undefined> {
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

  /** Compares every byte with the manifest in the zip. */
  check(info: ObjectInfo, options: StoreCallOptions): Promise<SnapshotManifest> {
    return this.#withLocalZip(info, options, (zip) => this.#options.runner.run(verifyZipTask, zip, options));
  }

  /** Unpacks into an empty folder and compares every byte. */
  extract(info: ObjectInfo, directory: string, options: StoreCallOptions): Promise<SnapshotManifest> {
    return this.#withLocalZip(info, options, (zip) =>
      this.#options.runner.run(extractZipTask, { ...zip, directory }, options),
    );
  }

  /** Removes zips that a crash left in the staging folder. */
  sweep(): Promise<SweepResult> {
    return this.#staging.sweep();
  }

  async #assertKept(
    staged: string,
    info: ObjectInfo,
    size: number,
    options: StoreCallOptions,
  ): Promise<void> {
    const { store, runner } = this.#options;
    const stored = store.localPath?.(info.key);
    const isKept =
      info.size === size &&
      (stored === undefined || (await runner.run(sameBytesTask, { paths: [staged, stored] }, options)));
    if (isKept) return;
    throw new SnapshotCorruptError(`${store.name} did not keep the zip as it was written`, {
      retryable: true,
    });
  }

  async #withLocalZip<Result>(
    info: ObjectInfo,
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
    if (info.size > MAX_ZIP_BYTES) throw new SnapshotCorruptError(`${info.key} is larger than 4 GiB`);
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
