import { type Clock, systemClock } from '../../clock.js';
import { SnapshotCorruptError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import { Mutex } from '../../mutex.js';
import type { SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { TaskRunner } from '../../task.js';
import type {
  CapturedFile,
  CapturedTree,
  SnapshotContext,
  SnapshotFile,
  SnapshotInfo,
  SnapshotManifest,
} from '../../types.js';
import { type CatalogEntry, type DamagedEntry, SnapshotCatalog } from '../catalog/catalog.js';
import { sameAsNewest } from '../catalog/same-as-newest.js';
import { hashTree, SignatureCache } from '../hashing/tree-hasher.js';
import { assertWithinLimits, DEFAULT_LIMITS } from '../manifest/limits.js';
import { buildManifest, parseManifest, serializeManifest } from '../manifest/manifest.js';
import { assertSafePaths } from '../manifest/safe-path.js';
import type {
  CreateResult,
  ProblemListener,
  RemoveResult,
  SnapshotRepository,
  SweepResult,
  UnreadableSnapshot,
} from '../repository.js';
import { ObjectShelf } from '../shelf/object-shelf.js';
import { guardStore } from '../store-calls/guarded-store.js';
import { putUnderNewId } from '../store-calls/put-under-new-id.js';
import { deleteObject, listAll, putBytes, readStart, withdrawObject } from '../store-calls/store-bytes.js';
import { sweepTemporariesOf } from '../store-calls/store-leftovers.js';
import { MarkingRepository } from './marking-repository.js';

export interface IncrementalRepositoryOptions {
  readonly store: SessionStore;
  /** The store's name in listings and messages, unique in the session. Default: the store's own name. */
  readonly storeName?: string;
  readonly clientId: string;
  readonly runner: TaskRunner;
  readonly fs: FileSystem;
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

/** Copying a store's folder never takes longer than this. */
const COPYING_MS = 3_600_000;

/**
 * Saves: one object `objects/ab/<sha256>` per content, and `snapshots/<id>.json` with the manifest, which is put
 * last. Files that have not changed since the last save are neither read nor written.
 *
 * @example
 * const saves = new IncrementalRepository({ store, clientId: 'shop', runner, fs: systemFileSystem });
 * const result = await saves.create(tree, context);
 * console.log('skipped' in result ? result.skipped : result.snapshot.id);
 */
export class IncrementalRepository extends MarkingRepository implements SnapshotRepository {
  readonly kind = 'save';
  readonly store: SessionStore;
  readonly #options: IncrementalRepositoryOptions;
  protected readonly catalog: SnapshotCatalog;
  readonly #objects: ObjectShelf;
  readonly #signatures: SignatureCache;
  readonly #clock: Clock;
  /** Writes take turns: a sweep must not run while a create has put its objects but not yet its manifest. */
  readonly #turns = new Mutex();
  readonly #prefix: string;

  constructor(options: IncrementalRepositoryOptions) {
    super();
    const { clientId } = options;
    const store = guardStore(options.store, options);
    this.store = store;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#signatures = options.signatures ?? new SignatureCache();
    this.#prefix = `${clientId}/snapshots/`;
    this.#objects = new ObjectShelf({ ...options, store, clock: this.#clock });
    this.catalog = new SnapshotCatalog({
      store,
      recordStore: options.store,
      clientId,
      kind: this.kind,
      prefix: this.#prefix,
      idOf: (key) => (key.endsWith('.json') ? key.slice(this.#prefix.length, -'.json'.length) : undefined),
      load: (info, callOptions) => this.#load(info.key, callOptions),
      isPlaceOf: ({ id }, key) => key === `${this.#prefix}${id}.json`,
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
        // After any failure the next save reads all files again.
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
    return this.#infos(entries, options);
  }

  async manifest(id: string, options: StoreCallOptions = {}): Promise<SnapshotManifest> {
    return (await this.catalog.find(id, options)).manifest;
  }

  async restore(id: string, directory: string, options: StoreCallOptions = {}): Promise<SnapshotManifest> {
    const { manifest } = await this.catalog.find(id, options);
    await this.#objects.restore(manifest.files, directory, options);
    return manifest;
  }

  async verify(id: string, options: StoreCallOptions = {}): Promise<SnapshotInfo> {
    const at = new Date(this.#clock.now()).toISOString();
    const { manifest } = await this.catalog.findAnew(id, options);
    await this.#objects.check(manifest.files, options);
    await this.catalog.markVerified(id, at, options);
    return this.#info(id, options);
  }

  remove(ids: readonly string[], options: StoreCallOptions = {}): Promise<RemoveResult> {
    return this.#turns.runExclusive(() => this.catalog.remove(ids, options));
  }

  unreadable(options: StoreCallOptions = {}): Promise<readonly UnreadableSnapshot[]> {
    return this.catalog.unreadable(options);
  }

  removeUnreadable(keys: readonly string[], options: StoreCallOptions = {}): Promise<RemoveResult> {
    return this.#turns.runExclusive(() => this.catalog.removeUnreadable(keys, options));
  }

  sweep(options: StoreCallOptions = {}): Promise<SweepResult> {
    return this.#turns.runExclusive(async () => {
      const { entries, damaged } = await this.catalog.read(options);
      const manifests = [
        ...entries.map(({ manifest }) => manifest),
        ...damaged.map(({ misplaced }) => misplaced),
      ];
      const needed = manifests.flatMap((manifest) => manifest?.files.map(({ sha256 }) => sha256) ?? []);
      const swept = await this.#objects.sweep(new Set(needed), lastNeedOf(damaged), options);
      return { ...swept, files: swept.files + (await this.catalog.sweepRecords(options)) };
    });
  }

  removeLeftovers(): Promise<SweepResult> {
    return sweepTemporariesOf(this.store);
  }

  clear(options: StoreCallOptions = {}): Promise<void> {
    return this.#turns.runExclusive(async () => {
      this.#signatures.clear();
      // Manifests are deleted first, so that an interruption never leaves a snapshot without its objects.
      for (const prefix of [this.#prefix, `${this.#options.clientId}/`]) {
        for (const { key } of await listAll(this.store, prefix, options)) {
          await deleteObject(this.store, key, options);
        }
      }
    });
  }

  async #create(
    tree: CapturedTree,
    context: SnapshotContext,
    options: StoreCallOptions,
  ): Promise<CreateResult> {
    assertSafePaths(tree.files.map(({ path }) => path));
    assertWithinLimits(tree.files, DEFAULT_LIMITS);
    const files = await hashTree(tree, this.#options.runner, this.#signatures, options.signal);
    const { entries } = await this.catalog.read(options);
    const stock = await this.#objects.stock(options);
    const lacking = await this.#objects.lacking(files, stock, options);
    // Missing objects are put even when nothing changed, because the newest snapshot may have lost one.
    const bytesPut = lacking.length === 0 ? 0 : await this.#objects.add(tree, lacking, stock, options);
    this.#signatures.remember(tree, files);
    const same = sameAsNewest(entries, files, context);
    if (same !== undefined) return { skipped: 'unchanged', snapshot: await this.#info(same.id, options) };
    const { id, bytes } = await this.#putManifest(context, files, options);
    return { snapshot: await this.#info(id, options), bytesWritten: bytesPut + bytes };
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
    if (same === undefined) return undefined;
    const lacking = await this.#objects.lacking(known, await this.#objects.stock(options), options);
    return lacking.length === 0 ? this.#info(same.id, options) : undefined;
  }

  async #putManifest(
    context: SnapshotContext,
    files: readonly SnapshotFile[],
    options: StoreCallOptions,
  ): Promise<{ readonly id: string; readonly bytes: number }> {
    const { manifest, key } = await putUnderNewId(this.store, options, {
      manifest: () => buildManifest(this.kind, context, files, this.#options.randomness?.()),
      key: ({ id }) => `${this.#prefix}${id}.json`,
      put: (candidate, candidateKey, putOptions) =>
        putBytes(this.store, candidateKey, serializeManifest(candidate), putOptions),
    });
    const written = serializeManifest(manifest);
    const stored = await readStart(this.store, key, written.length + 1, options);
    if (stored === undefined || Buffer.compare(stored, written) !== 0) {
      await withdrawObject(this.store, key, options);
      throw new SnapshotCorruptError(`${this.store.name} did not keep the manifest as it was written`, {
        retryable: true,
      });
    }
    return { id: manifest.id, bytes: written.length };
  }

  async #load(key: string, options: StoreCallOptions): Promise<SnapshotManifest | undefined> {
    const bytes = await readStart(this.store, key, DEFAULT_LIMITS.maxManifestBytes + 1, options);
    if (bytes === undefined) return undefined;
    return parseManifest(bytes);
  }

  async #info(id: string, options: StoreCallOptions): Promise<SnapshotInfo> {
    const { entries } = await this.catalog.read(options);
    const infos = await this.#infos(entries, options);
    const info = infos.find((candidate) => candidate.id === id);
    if (info === undefined)
      throw new SnapshotCorruptError(`snapshot ${id} is not in ${this.store.name} any more`);
    return info;
  }

  #infos(entries: readonly CatalogEntry[], options: StoreCallOptions): Promise<readonly SnapshotInfo[]> {
    return this.catalog.infos(
      entries,
      addedBytes(entries),
      ({ manifest }) => this.#objects.provenAt(manifest.files),
      options,
    );
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

/** Bytes of each manifest and of the objects that its snapshot was the first to need; their sum is what is stored. */
function addedBytes(entries: readonly CatalogEntry[]): ReadonlyMap<string, number> {
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
