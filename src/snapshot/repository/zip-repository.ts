import type { Readable } from 'node:stream';
import { type Clock, systemClock } from '../../clock.js';
import { SnapshotCorruptError, SnapshotNotFoundError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import { Mutex } from '../../mutex.js';
import type { SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { TaskRunner } from '../../task.js';
import type {
  CapturedFile,
  CapturedTree,
  SnapshotContext,
  SnapshotInfo,
  SnapshotManifest,
} from '../../types.js';
import { type CatalogEntry, SnapshotCatalog } from '../catalog/catalog.js';
import { sameAsNewest } from '../catalog/same-as-newest.js';
import { discardFolder } from '../hashing/checked-file.js';
import { hashTree, SignatureCache } from '../hashing/tree-hasher.js';
import { assertWithinLimits, DEFAULT_LIMITS } from '../manifest/limits.js';
import { buildManifest } from '../manifest/manifest.js';
import { assertSafePaths } from '../manifest/safe-path.js';
import { findSnapshotId, isSnapshotId } from '../manifest/snapshot-id.js';
import type {
  CreateResult,
  ProblemListener,
  RemoveResult,
  SnapshotRepository,
  SweepResult,
  UnreadableSnapshot,
} from '../repository.js';
import { ZipShelf } from '../shelf/zip-shelf.js';
import { guardStore } from '../store-calls/guarded-store.js';
import { putUnderNewId } from '../store-calls/put-under-new-id.js';
import { deleteObject, listAll } from '../store-calls/store-bytes.js';
import { sweepTemporariesOf } from '../store-calls/store-leftovers.js';
import { MANIFEST_NAME } from '../zip/zip-head.js';
import type { ZipCompression } from '../zip/zip-writer.js';
import { MarkingRepository } from './marking-repository.js';

export interface ZipRepositoryOptions {
  readonly store: SessionStore;
  /** The store's name in listings and messages, unique in the session. Default: the store's own name. */
  readonly storeName?: string;
  readonly clientId: string;
  readonly runner: TaskRunner;
  readonly fs: FileSystem;
  /** Absolute path of a folder for zips that are being written or were downloaded; created when needed. */
  readonly stagingDirectory: string;
  /** Default `fast`: tables are stored, not deflated. */
  readonly compression?: ZipCompression;
  readonly clock?: Clock;
  /** Share one cache with the other repositories of the session, so that a file is hashed only once. */
  readonly signatures?: SignatureCache;
  readonly onProblem?: ProblemListener;
  /**
   * Called before every put and delete, except for verification records, which any process may write. Throws
   * unless the session is ours. Default: it is always ours.
   */
  readonly assertMayWrite?: () => void;
  /** Replaces the random half of new ids; for tests. */
  readonly randomness?: () => Uint8Array | string;
}

/**
 * Backups: one ordinary zip per snapshot, `<clientId>/<clientId>_<id>_run<run>.zip`, which anybody can unpack into a
 * user-data-dir. The zip alone is enough: its first entry is the manifest, and a copy under any name ending in
 * `.zip` is found.
 *
 * @example
 * const backups = new ZipRepository({ store, clientId: 'shop', runner, fs, stagingDirectory: '/data/staging' });
 * await backups.create(tree, context); // shop/shop_20261123T051409123Z-1a2b3c4d_run3.zip
 */
export class ZipRepository extends MarkingRepository implements SnapshotRepository {
  readonly kind = 'backup';
  readonly store: SessionStore;
  readonly #options: ZipRepositoryOptions;
  protected readonly catalog: SnapshotCatalog;
  readonly #zips: ZipShelf;
  readonly #signatures: SignatureCache;
  readonly #clock: Clock;
  readonly #turns = new Mutex();
  readonly #prefix: string;
  /** Zips that this process compared byte by byte, with the version that was read and the time. */
  readonly #proven = new Map<string, { readonly version: string; readonly at: string }>();

  constructor(options: ZipRepositoryOptions) {
    super();
    const { clientId } = options;
    const store = guardStore(options.store, options);
    this.store = store;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#signatures = options.signatures ?? new SignatureCache();
    this.#zips = new ZipShelf({ ...options, store });
    this.#prefix = `${clientId}/`;
    this.catalog = new SnapshotCatalog({
      store,
      recordStore: options.store,
      clientId,
      kind: this.kind,
      prefix: this.#prefix,
      idOf: (key) => zipName(key.slice(this.#prefix.length)),
      load: (info, callOptions) => this.#zips.manifestOf(info, callOptions),
      onProblem: options.onProblem,
    });
  }

  create(
    tree: CapturedTree,
    context: SnapshotContext,
    options: StoreCallOptions = {},
  ): Promise<CreateResult> {
    return this.#turns.runExclusive(async () => {
      try {
        return await this.#create(tree, context, options);
      } catch (error) {
        // After any failure the next backup reads all files again.
        this.#signatures.clear();
        throw error;
      }
    });
  }

  unchanged(
    files: readonly CapturedFile[],
    context: SnapshotContext,
    options: StoreCallOptions = {},
  ): Promise<SnapshotInfo | undefined> {
    return this.#turns.runExclusive(() => this.#unchanged(files, context, options));
  }

  async list(options: StoreCallOptions = {}): Promise<readonly SnapshotInfo[]> {
    const { entries } = await this.catalog.read(options);
    const sizes = new Map(entries.map(({ manifest, info }) => [manifest.id, info.size]));
    return this.catalog.infos(entries, sizes, (entry) => this.#provenAt(entry), options);
  }

  async manifest(id: string, options: StoreCallOptions = {}): Promise<SnapshotManifest> {
    return (await this.catalog.find(id, options)).manifest;
  }

  async restore(id: string, directory: string, options: StoreCallOptions = {}): Promise<SnapshotManifest> {
    const { info } = await this.catalog.find(id, options);
    const manifest = await this.#zips.extract(info, directory, options);
    if (manifest.id === id) return manifest;
    await discardFolder(this.#options.fs, directory);
    throw new SnapshotCorruptError(`the zip of ${id} was replaced by another while it was read`);
  }

  async verify(id: string, options: StoreCallOptions = {}): Promise<SnapshotInfo> {
    const at = new Date(this.#clock.now()).toISOString();
    const { info } = await this.catalog.findAnew(id, options);
    await this.#zips.check(info, options);
    await this.catalog.markVerified(id, at, options);
    return this.#info(id, options);
  }

  async open(id: string, options: StoreCallOptions = {}): Promise<Readable> {
    const { info } = await this.catalog.find(id, options);
    const stored = await this.store.get(info.key, options);
    if (stored === undefined) throw new SnapshotNotFoundError(`the zip of ${id} was removed meanwhile`);
    return stored.body;
  }

  remove(ids: readonly string[], options: StoreCallOptions = {}): Promise<RemoveResult> {
    return this.#turns.runExclusive(() => this.catalog.remove(ids, options));
  }

  /** Lists only zips with an id in their names: any other zip was put there by somebody and is not ours. */
  async unreadable(options: StoreCallOptions = {}): Promise<readonly UnreadableSnapshot[]> {
    return (await this.catalog.unreadable(options)).filter(({ id }) => isSnapshotId(id));
  }

  removeUnreadable(keys: readonly string[], options: StoreCallOptions = {}): Promise<RemoveResult> {
    return this.#turns.runExclusive(() => this.catalog.removeUnreadable(keys, options));
  }

  sweep(options: StoreCallOptions = {}): Promise<SweepResult> {
    return this.#turns.runExclusive(async () => {
      const swept = await this.#zips.sweep();
      return { ...swept, files: swept.files + (await this.catalog.sweepRecords(options)) };
    });
  }

  async removeLeftovers(): Promise<SweepResult> {
    const zips = await this.#turns.runExclusive(() => this.#zips.sweep());
    const temporaries = await sweepTemporariesOf(this.store);
    return {
      freedBytes: zips.freedBytes + temporaries.freedBytes,
      files: zips.files + temporaries.files,
    };
  }

  clear(options: StoreCallOptions = {}): Promise<void> {
    return this.#turns.runExclusive(async () => {
      this.#signatures.clear();
      for (const { key } of await listAll(this.store, this.#prefix, options)) {
        await deleteObject(this.store, key, options);
      }
    });
  }

  async #create(
    tree: CapturedTree,
    context: SnapshotContext,
    options: StoreCallOptions,
  ): Promise<CreateResult> {
    assertSafePaths([MANIFEST_NAME, ...tree.files.map(({ path }) => path)]);
    assertWithinLimits(tree.files, DEFAULT_LIMITS);
    const files = await hashTree(tree, this.#options.runner, this.#signatures, options.signal);
    const { entries } = await this.catalog.read(options);
    const same = sameAsNewest(entries, files, context);
    if (same !== undefined) {
      this.#signatures.remember(tree, files);
      return { skipped: 'unchanged', snapshot: await this.#info(same.id, options) };
    }
    const at = new Date(this.#clock.now()).toISOString();
    const { manifest, key, info } = await putUnderNewId(this.store, options, {
      manifest: () => buildManifest(this.kind, context, files, this.#options.randomness?.()),
      key: ({ id, run }) => `${this.#prefix}${context.clientId}_${id}_run${run}.zip`,
      put: (candidate, candidateKey, putOptions) => this.#zips.add(tree, candidate, candidateKey, putOptions),
    });
    this.#proven.set(key, { version: info.version, at });
    this.#signatures.remember(tree, files);
    return { snapshot: await this.#info(manifest.id, options), bytesWritten: info.size };
  }

  async #unchanged(
    files: readonly CapturedFile[],
    context: SnapshotContext,
    options: StoreCallOptions,
  ): Promise<SnapshotInfo | undefined> {
    const known = this.#signatures.lookUpAll(files);
    if (known === undefined) return undefined;
    const { entries } = await this.catalog.read(options);
    const same = sameAsNewest(entries, known, context);
    return same && this.#info(same.id, options);
  }

  async #info(id: string, options: StoreCallOptions): Promise<SnapshotInfo> {
    const info = (await this.list(options)).find((candidate) => candidate.id === id);
    if (info === undefined)
      throw new SnapshotCorruptError(`snapshot ${id} is not in ${this.store.name} any more`);
    return info;
  }

  #provenAt({ info }: CatalogEntry): string | undefined {
    const proven = this.#proven.get(info.key);
    return proven?.version === info.version ? proven.at : undefined;
  }
}

/**
 * The id in a zip's name, else the name itself, because a person may have renamed it. Files in subfolders are not
 * backups.
 */
function zipName(name: string): string | undefined {
  if (!name.endsWith('.zip') || name.includes('/')) return undefined;
  return findSnapshotId(name) ?? name;
}
