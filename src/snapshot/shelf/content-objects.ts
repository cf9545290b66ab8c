import type { Clock } from '../../clock.js';
import { isSessionError, SnapshotCorruptError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import type {
  ObjectInfo,
  PutOptions,
  PutResult,
  SessionStore,
  StoreCallOptions,
} from '../../stores/session-store.js';
import type { TaskRunner } from '../../task.js';
import type { CapturedTree, SnapshotFile } from '../../types.js';
import { mapLimited } from '../concurrency.js';
import {
  assertSame,
  discardFolder,
  prepareEmptyFolder,
  syncFolders,
  writeChecked,
} from '../hashing/checked-file.js';
import { copyAndHashTask, type FileHash, hashBytes, hashFilesTask } from '../hashing/hashing.js';
import { capturedPath } from '../hashing/tree-hasher.js';
import { isDamage } from '../store-calls/read-faults.js';
import { listAll, objectBytes, putLocalFile, withdrawObject } from '../store-calls/store-bytes.js';

const CONCURRENCY = 3;

export interface ContentObjectsOptions {
  readonly store: SessionStore;
  readonly clientId: string;
  readonly runner: TaskRunner;
  readonly fs: FileSystem;
  readonly clock: Clock;
}

/** Objects by SHA-256, as the store lists them, or told of them when they were put. */
export type Stock = ReadonlyMap<string, Pick<ObjectInfo, 'size' | 'version'>>;

/**
 * The objects `objects/ab/<sha256>`: each content of all saves once. An object's name tells which bytes it must
 * have, so a damaged object is always recognised, and replaced.
 */
export class ContentObjects {
  readonly #options: ContentObjectsOptions;
  readonly #prefix: string;
  /** Objects whose bytes this process has compared with their names: the version that was read, and the time. */
  readonly #proven = new Map<string, { readonly version: string; readonly at: string }>();
  /** Objects whose bytes were wrong when last read. */
  readonly #refuted = new Set<string>();

  constructor(options: ContentObjectsOptions) {
    this.#options = options;
    this.#prefix = `${options.clientId}/objects/`;
  }

  async stock(options: StoreCallOptions): Promise<Stock> {
    const infos = await listAll(this.#options.store, this.#prefix, options);
    const named = infos.map((info) => [info.key.slice(info.key.lastIndexOf('/') + 1), info] as const);
    return new Map(named.filter(([sha256, info]) => info.key === this.#key(sha256)));
  }

  /**
   * The files (one per content) that must be put: absent, of a wrong size, or known to be damaged. When the store
   * is a local folder, each process reads an object once before relying on it, so that a new snapshot never
   * depends on an old object that was damaged on the disk.
   */
  async lacking(
    files: readonly SnapshotFile[],
    stock: Stock,
    options: StoreCallOptions,
  ): Promise<readonly SnapshotFile[]> {
    const contents = onePerContent(files);
    if (this.#options.store.localPath !== undefined) {
      const unproven = contents.filter(({ sha256, size }) => {
        const info = stock.get(sha256);
        return info?.size === size && this.#proven.get(sha256)?.version !== info.version;
      });
      await this.#judge(unproven, stock, options);
    }
    return contents.filter(
      ({ sha256, size }) => stock.get(sha256)?.size !== size || this.#refuted.has(sha256),
    );
  }

  /**
   * Puts the contents of these files. Each stored copy is compared with its SHA-256, by the store itself where it can, else
   * by reading it back. Returns the number of bytes put.
   */
  async add(
    tree: CapturedTree,
    files: readonly SnapshotFile[],
    stock: Stock,
    options: StoreCallOptions,
  ): Promise<number> {
    const { store } = this.#options;
    const put = await mapLimited(files, CONCURRENCY, async (file) => {
      const isNew =
        store.localPath !== undefined && store.capabilities.conditionalPut && !stock.has(file.sha256);
      return [file.sha256, await this.#put(tree, file, isNew, options)] as const;
    });
    const at = new Date(this.#options.clock.now()).toISOString();
    const unverified: SnapshotFile[] = [];
    for (const [index, file] of files.entries()) {
      const { version, verifiedBy } = put[index]?.[1] ?? {};
      if (verifiedBy === undefined) unverified.push(file);
      else this.#prove(file.sha256, version, at);
    }
    const wrong = await this.#judge(unverified, new Map(put), options);
    for (const { sha256 } of wrong) await withdrawObject(store, this.#key(sha256), options);
    const first = wrong[0];
    if (first !== undefined) {
      throw new SnapshotCorruptError(`${store.name} did not keep ${first.path} as it was written`, {
        retryable: true,
      });
    }
    return files.reduce((sum, { size }) => sum + size, 0);
  }

  /** @param isNew no object has this name, so a local store needs no lock to put it there */
  async #put(
    tree: CapturedTree,
    { path, size, sha256 }: SnapshotFile,
    isNew: boolean,
    options: StoreCallOptions,
  ): Promise<PutResult> {
    const { store, fs } = this.#options;
    const put = (conditions: PutOptions) =>
      putLocalFile(store, fs, this.#key(sha256), capturedPath(tree, path), {
        ...options,
        ...conditions,
        size,
        digest: { sha256 },
      });
    if (!isNew) return put({});
    try {
      return await put({ ifAbsent: true });
    } catch (error) {
      // Another process has put it meanwhile; that is fine, because our content is known to be right.
      if (!isSessionError(error) || error.code !== 'STORE_CONFLICT') throw error;
      return put({});
    }
  }

  /** Compares every byte of these files with its SHA-256; throws naming the first file that is missing or damaged. */
  async check(files: readonly SnapshotFile[], options: StoreCallOptions): Promise<void> {
    const stock = await this.stock(options);
    const wrong = await this.#judge(onePerContent(files), stock, options);
    const first = wrong[0];
    if (first !== undefined) assertSame(first, first.found);
  }

  /** Writes these files into an empty folder, and compares each with its SHA-256 while writing. */
  async restore(files: readonly SnapshotFile[], directory: string, options: StoreCallOptions): Promise<void> {
    const { store, fs, runner } = this.#options;
    const { localPath } = store;
    if (localPath !== undefined) {
      const sources = files.map((file) => ({ ...file, from: localPath.call(store, this.#key(file.sha256)) }));
      await runner.run(copyAndHashTask, { directory, files: sources, store: store.name }, options);
      return;
    }
    await prepareEmptyFolder(fs, directory);
    try {
      await mapLimited(files, CONCURRENCY, (file) => {
        const bytes = objectBytes(store, this.#key(file.sha256), file.path, options);
        return writeChecked(fs, directory, file, bytes, options.signal);
      });
      await syncFolders(
        fs,
        directory,
        files.map(({ path }) => path),
      );
    } catch (error) {
      await discardFolder(fs, directory);
      throw error;
    }
  }

  /** The time since which this process has compared every byte of these files; `undefined` if it has not. */
  provenAt(files: readonly SnapshotFile[]): string | undefined {
    let earliest: string | undefined;
    for (const { sha256 } of files) {
      const at = this.#refuted.has(sha256) ? undefined : this.#proven.get(sha256)?.at;
      if (at === undefined) return undefined;
      if (earliest === undefined || at < earliest) earliest = at;
    }
    return earliest;
  }

  /**
   * Every object that is not needed, and all foreign files among the objects.
   *
   * @param keptUntil objects that were put at or before this time, ms since 1970, count as needed in any case
   */
  async unneeded(
    needed: ReadonlySet<string>,
    keptUntil: number,
    options: StoreCallOptions,
  ): Promise<readonly ObjectInfo[]> {
    const infos = await listAll(this.#options.store, this.#prefix, options);
    return infos.filter(({ key, modifiedAt }) => {
      if (!(modifiedAt.getTime() > keptUntil)) return false;
      const name = key.slice(key.lastIndexOf('/') + 1);
      return !needed.has(name) || key !== this.#key(name);
    });
  }

  /** Reads objects and records whether their bytes match their names. Returns those that do not match. */
  async #judge(
    files: readonly SnapshotFile[],
    stock: Stock,
    options: StoreCallOptions,
  ): Promise<readonly (SnapshotFile & { readonly found: FileHash | undefined })[]> {
    const at = new Date(this.#options.clock.now()).toISOString();
    const hashes = await this.#hash(files, options);
    const wrong: (SnapshotFile & { readonly found: FileHash | undefined })[] = [];
    for (const [index, file] of files.entries()) {
      const found = hashes[index];
      const version = stock.get(file.sha256)?.version;
      if (found?.sha256 === file.sha256 && found.size === file.size) {
        this.#prove(file.sha256, version, at);
      } else {
        this.#refuted.add(file.sha256);
        this.#proven.delete(file.sha256);
        wrong.push({ ...file, found });
      }
    }
    return wrong;
  }

  #prove(sha256: string, version: string | undefined, at: string): void {
    this.#refuted.delete(sha256);
    if (version !== undefined) this.#proven.set(sha256, { version, at });
  }

  async #hash(
    files: readonly SnapshotFile[],
    options: StoreCallOptions,
  ): Promise<readonly (FileHash | undefined)[]> {
    const { store, runner } = this.#options;
    const { localPath } = store;
    if (files.length === 0) return [];
    if (localPath !== undefined) {
      const paths = files.map(({ sha256 }) => localPath.call(store, this.#key(sha256)));
      return runner.run(hashFilesTask, { paths }, options);
    }
    return mapLimited(files, CONCURRENCY, async ({ sha256, path }) => {
      try {
        return await hashBytes(objectBytes(store, this.#key(sha256), path, options));
      } catch (error) {
        if (isDamage(error)) return undefined;
        throw error;
      }
    });
  }

  #key(sha256: string): string {
    return `${this.#prefix}${sha256.slice(0, 2)}/${sha256}`;
  }
}

function onePerContent(files: readonly SnapshotFile[]): readonly SnapshotFile[] {
  return [...new Map(files.map((file) => [file.sha256, file])).values()];
}
