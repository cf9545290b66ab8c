import type { Readable } from 'node:stream';
import { type Clock, systemClock } from '../../clock.js';
import { SnapshotCorruptError } from '../../errors.js';
import { Mutex } from '../../mutex.js';
import type { SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type {
  CapturedFile,
  CapturedTree,
  SnapshotContext,
  SnapshotInfo,
  SnapshotKind,
  SnapshotManifest,
} from '../../types.js';
import { SnapshotCatalog } from '../catalog/catalog.js';
import type { CatalogEntry } from '../catalog/entries.js';
import { sameAsNewest } from '../catalog/same-as-newest.js';
import { hashTree, SignatureCache } from '../hashing/tree-hasher.js';
import { assertWithinLimits, DEFAULT_LIMITS } from '../manifest/limits.js';
import { buildManifest } from '../manifest/manifest.js';
import { assertSafePaths } from '../manifest/safe-path.js';
import type {
  CreateResult,
  Hold,
  LineageHold,
  PlaceLogin,
  RemoveResult,
  Revocation,
  SnapshotRepository,
  SweepOptions,
  SweepResult,
  UnreadableSnapshot,
} from '../repository.js';
import type { SnapshotShelf } from '../shelf/shelf.js';
import { putUnderNewId } from '../store-calls/put-under-new-id.js';
import { sweepTemporariesOf } from '../store-calls/store-leftovers.js';
import type { NewTail, RestoredTail, TailInfo, TailPut } from '../tail.js';
import { clearClient } from './clear-client.js';
import { RepositoryTail } from './repository-tail.js';
import { fenceOf, type ShelfRepositoryParts } from './shelf-repository-parts.js';
import { sumOf } from './sum-of.js';
import { sweepAll } from './sweep-unneeded.js';

/** How long a list of the snapshots may be remembered, ms: somebody may have changed the store by hand. */
const LIST_AGE_MS = 600_000;
/** What decides about a deletion is no older than this, ms. */
const DELETION_AGE_MS = 5_000;

/** The snapshots of one client id in one store, whatever the format: a {@link SnapshotShelf} knows that. */
export class ShelfRepository implements SnapshotRepository {
  readonly kind: SnapshotKind;
  readonly store: SessionStore;
  readonly open?: (id: string, options?: StoreCallOptions) => Promise<Readable>;
  readonly #parts: ShelfRepositoryParts;
  readonly #shelf: SnapshotShelf;
  readonly #catalog: SnapshotCatalog;
  readonly #tail: RepositoryTail;
  readonly #signatures: SignatureCache;
  readonly #clock: Clock;
  /** Writes take turns: a sweep must not run while a snapshot is put whose manifest is not there yet. */
  readonly #turns = new Mutex();

  constructor(parts: ShelfRepositoryParts) {
    const { shelf, store } = parts;
    this.kind = shelf.kind;
    this.store = store;
    this.#parts = parts;
    this.#shelf = shelf;
    this.#clock = parts.clock ?? systemClock;
    this.#signatures = parts.signatures ?? new SignatureCache();
    this.#catalog = new SnapshotCatalog({ ...parts, place: shelf });
    this.#tail = new RepositoryTail({ ...parts, catalog: this.#catalog, tail: shelf.tail });
    const { open } = shelf;
    if (open !== undefined) {
      this.open = async (id, options = {}) =>
        open.call(shelf, await this.#catalog.find(id, options), options);
    }
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
        // After any failure the next snapshot reads all files again.
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

  lookAgain(maxAgeMs = 0): void {
    this.#parts.memory?.forgetOlderThan(maxAgeMs);
  }

  async list(options: StoreCallOptions = {}): Promise<readonly SnapshotInfo[]> {
    this.lookAgain(LIST_AGE_MS);
    return this.#list(options);
  }

  async #list(options: StoreCallOptions): Promise<readonly SnapshotInfo[]> {
    const { entries } = await this.#catalog.read(options);
    const provenAt = (entry: CatalogEntry) => this.#shelf.provenAt(entry);
    return this.#catalog.infos(entries, this.#shelf.storedBytes(entries), provenAt, options);
  }

  async manifest(id: string, options: StoreCallOptions = {}): Promise<SnapshotManifest> {
    return (await this.#catalog.find(id, options)).manifest;
  }

  async restore(id: string, directory: string, options: StoreCallOptions = {}): Promise<SnapshotManifest> {
    return this.#shelf.restore(await this.#catalog.find(id, options), directory, options);
  }

  putTail(tail: NewTail, options: StoreCallOptions = {}): Promise<TailPut> {
    return this.#turns.runExclusive(() => this.#tail.put(tail, { ...options, fence: fenceOf(this.#parts) }));
  }

  tail(options: StoreCallOptions = {}): Promise<TailInfo | undefined> {
    return this.#tail.info(options);
  }

  async restoreTail(
    id: string,
    directory: string,
    options: StoreCallOptions = {},
  ): Promise<RestoredTail | undefined> {
    return this.#tail.restore(await this.manifest(id, options), directory, options);
  }

  async verify(id: string, options: StoreCallOptions = {}): Promise<SnapshotInfo> {
    const at = new Date(this.#clock.now()).toISOString();
    const entry = await this.#catalog.findAnew(id, options);
    await this.#shelf.check(entry, options);
    await this.#tail.check(entry, options);
    await this.#catalog.marks.markVerified(id, at, options);
    return this.#info(id, options);
  }

  remove(ids: readonly string[], options: StoreCallOptions = {}): Promise<RemoveResult> {
    return this.#turns.runExclusive(() => {
      this.lookAgain(DELETION_AGE_MS);
      return this.#catalog.remove(ids, options);
    });
  }

  unreadable(options: StoreCallOptions = {}): Promise<readonly UnreadableSnapshot[]> {
    return this.#catalog.unreadable(options);
  }

  removeUnreadable(keys: readonly string[], options: StoreCallOptions = {}): Promise<RemoveResult> {
    return this.#turns.runExclusive(() => {
      this.lookAgain(DELETION_AGE_MS);
      return this.#catalog.removeUnreadable(keys, options);
    });
  }

  sweep({ atOnce = false, ...options }: SweepOptions = {}): Promise<SweepResult> {
    return this.#turns.runExclusive(async () => {
      const leftovers = await this.#shelf.removeLeftovers?.();
      this.lookAgain(DELETION_AGE_MS);
      const swept = await sweepAll({ ...this.#swept, now: this.#clock.now(), atOnce }, options);
      return sumOf([leftovers, swept]);
    });
  }

  async removeLeftovers(): Promise<SweepResult> {
    const shelf = this.#shelf;
    const leftovers =
      shelf.removeLeftovers && (await this.#turns.runExclusive(async () => shelf.removeLeftovers?.()));
    return sumOf([leftovers, await sweepTemporariesOf(this.store)]);
  }

  revoke(lineage: string, revocation: Revocation, options: StoreCallOptions = {}): Promise<void> {
    return this.#catalog.marks.revoke(lineage, revocation, options);
  }

  async revokedLineages(options: StoreCallOptions = {}): Promise<ReadonlySet<string>> {
    return (await this.#catalog.marks.lineages(options)).revoked;
  }

  hold(lineage: string, hold: Hold, options: StoreCallOptions = {}): Promise<void> {
    return this.#catalog.marks.hold(lineage, hold, options);
  }

  async heldLineages(options: StoreCallOptions = {}): Promise<ReadonlySet<string>> {
    const holds = await this.holds(options);
    return new Set(holds.filter(({ isOver }) => !isOver).map(({ lineage }) => lineage));
  }

  holds(options: StoreCallOptions = {}): Promise<readonly LineageHold[]> {
    return this.#catalog.holds(options);
  }

  release(lineage: string, options: StoreCallOptions = {}): Promise<void> {
    return this.#catalog.marks.release(lineage, options);
  }

  markCleared(lineage: string, at: string, options: StoreCallOptions = {}): Promise<void> {
    return this.#catalog.marks.markCleared(lineage, at, options);
  }

  unmarkCleared(lineage: string, options: StoreCallOptions = {}): Promise<void> {
    return this.#catalog.marks.unmarkCleared(lineage, options);
  }

  async clearedLineages(options: StoreCallOptions = {}): Promise<ReadonlySet<string>> {
    return (await this.#catalog.marks.lineages(options)).cleared;
  }

  putPlaceLogin(login: PlaceLogin, options: StoreCallOptions = {}): Promise<void> {
    return this.#catalog.marks.putPlaceLogin(login, options);
  }

  placeLogins(options: StoreCallOptions = {}): Promise<readonly PlaceLogin[]> {
    return this.#catalog.marks.placeLogins(options);
  }

  clear(options: StoreCallOptions = {}): Promise<void> {
    return this.#turns.runExclusive(async () => {
      this.#signatures.clear();
      this.lookAgain();
      await clearClient({ ...this.#swept, clientId: this.#parts.clientId }, options);
      await this.#parts.manifests?.keep([]);
    });
  }

  get #swept() {
    return { store: this.store, catalog: this.#catalog, shelf: this.#shelf };
  }

  async #create(
    tree: CapturedTree,
    context: SnapshotContext,
    options: StoreCallOptions,
  ): Promise<CreateResult> {
    const shelf = this.#shelf;
    const { runner, randomness } = this.#parts;
    assertSafePaths([...shelf.reservedPaths, ...tree.files.map(({ path }) => path)]);
    assertWithinLimits(tree.files, DEFAULT_LIMITS);
    const files = await hashTree(tree, runner, this.#signatures, options.signal);
    const { entries } = await this.#catalog.readDelivered(options);
    const same = sameAsNewest(entries, files, context);
    if (same !== undefined) {
      // Even when nothing changed, because the newest snapshot may have lost something.
      await shelf.mend(tree, files, entries, options);
      this.#signatures.remember(tree, files);
      return { skipped: 'unchanged', snapshot: await this.#info(same.id, options) };
    }
    const { manifest, info, bytesWritten } = await putUnderNewId(this.store, options, {
      manifest: () => buildManifest(this.kind, context, files, randomness?.()),
      key: (candidate) => shelf.keyOf(candidate),
      fence: fenceOf(this.#parts),
      put: (candidate, key, putOptions) => shelf.put({ tree, manifest: candidate, key, entries }, putOptions),
    });
    await this.#catalog.remember({ manifest, info: { ...info, modifiedAt: info.modifiedAt ?? new Date(0) } });
    await this.#lookForMarks(options);
    this.#signatures.remember(tree, files);
    return { snapshot: await this.#info(manifest.id, options), bytesWritten };
  }

  async #unchanged(
    files: readonly CapturedFile[],
    context: SnapshotContext,
    options: StoreCallOptions,
  ): Promise<SnapshotInfo | undefined> {
    const known = this.#signatures.lookUpAll(files);
    if (known === undefined) return undefined;
    const { entries } = await this.#catalog.read(options);
    const same = sameAsNewest(entries, known, context);
    if (same === undefined || !(await this.#shelf.isWhole(known, entries, options))) return undefined;
    return this.#info(same.id, options);
  }

  /** Another bot on this client id may have marked the login, as one that is not in use any more. */
  async #lookForMarks(options: StoreCallOptions): Promise<void> {
    if (this.#parts.memory === undefined) return; // the store is asked anyway
    const isChanged = await this.#catalog.marks.isChanged(options).catch(() => true);
    if (isChanged) this.lookAgain();
  }

  async #info(id: string, options: StoreCallOptions): Promise<SnapshotInfo> {
    const info = (await this.#list(options)).find((candidate) => candidate.id === id);
    if (info === undefined)
      throw new SnapshotCorruptError(`snapshot ${id} is not in ${this.store.name} any more`);
    return info;
  }
}
