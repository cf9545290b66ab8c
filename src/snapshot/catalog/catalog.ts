import { describeError, isSessionError, SnapshotCorruptError, SnapshotNotFoundError } from '../../errors.js';
import { isDenied } from '../../file-system.js';
import type { ObjectInfo, SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { SnapshotInfo, SnapshotManifest } from '../../types.js';
import { mapLimited } from '../concurrency.js';
import { NewerFormatError } from '../manifest/manifest-fields.js';
import { findSnapshotId, timeOfId } from '../manifest/snapshot-id.js';
import {
  newestFirst,
  type ProblemListener,
  type RemoveResult,
  snapshotInfo,
  type UnreadableSnapshot,
} from '../repository.js';
import { SessionMarks } from '../state/session-marks.js';
import { deleteObject, listAll } from '../store-calls/store-bytes.js';
import type { ManifestPlace } from './manifest-place.js';

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

export interface CatalogOptions {
  readonly store: SessionStore;
  /** The same store without the write check, because any process may record a verification. */
  readonly recordStore: SessionStore;
  readonly clientId: string;
  readonly place: ManifestPlace;
  readonly onProblem?: ProblemListener | undefined;
}

/** The content of a repository: manifests (read once per version of their object), and the marks of their logins. */
export class SnapshotCatalog {
  readonly #options: CatalogOptions;
  readonly marks: SessionMarks;
  readonly #cache = new Map<
    string,
    { readonly version: string; readonly found: CatalogEntry | DamagedEntry }
  >();

  /** Keys of objects that this process may not read, and that were already reported. */
  readonly #denied = new Set<string>();

  constructor(options: CatalogOptions) {
    this.#options = options;
    this.marks = new SessionMarks({
      ...options,
      lineages: async (call) => (await this.read(call)).entries.map(({ manifest }) => manifest.lineage),
      onDamage: (key, error) => options.onProblem?.(key.slice(key.lastIndexOf('/') + 1), error),
    });
  }

  /** A fault of the store throws: it does not mean an empty catalog. */
  async read(options: StoreCallOptions): Promise<CatalogContents> {
    const { store, place } = this.#options;
    const listed = await listAll(store, place.prefix, options);
    const infos = listed.filter(({ key }) => place.idOf(key) !== undefined);
    const present = new Set(infos.map(({ key }) => key));
    for (const key of this.#cache.keys()) if (!present.has(key)) this.#cache.delete(key);
    for (const key of this.#denied) if (!present.has(key)) this.#denied.delete(key);
    const found = await mapLimited(infos, 4, (info) => this.#entryOf(info, options));
    assertNotAllDenied(found);
    const byId = new Map<string, CatalogEntry>();
    const damaged: DamagedEntry[] = [];
    for (const entry of found) {
      if (entry === undefined) continue;
      if ('error' in entry) damaged.push(entry);
      else if (!byId.has(entry.manifest.id)) byId.set(entry.manifest.id, entry);
    }
    const entries = [...byId.values()].sort((a, b) => newestFirst(a.manifest, b.manifest));
    return { entries, damaged };
  }

  /** Call after a snapshot was put and its stored copy compared, so that its manifest need not be read again. */
  remember(entry: CatalogEntry): void {
    this.#cache.set(entry.info.key, { version: entry.info.version, found: entry });
  }

  /** @throws SnapshotNotFoundError, or the reason why the snapshot can't be read */
  async find(id: string, options: StoreCallOptions): Promise<CatalogEntry> {
    const { entries, damaged } = await this.read(options);
    const entry = entries.find(({ manifest }) => manifest.id === id);
    if (entry !== undefined) return entry;
    const broken = damaged.find((candidate) => candidate.id === id);
    if (broken !== undefined) throw broken.error;
    throw new SnapshotNotFoundError(
      `no snapshot ${JSON.stringify(id.slice(0, 64))} in ${this.#options.store.name}`,
    );
  }

  /** Like `find`, but reads the manifest again from the store, because a damaged object keeps its version. */
  async findAnew(id: string, options: StoreCallOptions): Promise<CatalogEntry> {
    const { info } = await this.find(id, options);
    this.#cache.delete(info.key);
    return this.find(id, options);
  }

  /** The listing that users see. `verifiedAt` also returns verifications of this process that were not recorded. */
  async infos(
    entries: readonly CatalogEntry[],
    storedBytes: ReadonlyMap<string, number>,
    verifiedAt: (entry: CatalogEntry) => string | undefined,
    options: StoreCallOptions,
  ): Promise<readonly SnapshotInfo[]> {
    const { revoked, held, heldElsewhere, cleared } = await this.marks.lineages(options);
    const recorded = await this.marks.verifiedAt(options);
    const kept = entries.filter(({ manifest }) => !cleared.has(manifest.lineage));
    return kept.map((entry) =>
      snapshotInfo(entry.manifest, {
        store: this.#options.store.name,
        storedBytes: storedBytes.get(entry.manifest.id) ?? 0,
        revoked: revoked.has(entry.manifest.lineage),
        held: held.has(entry.manifest.lineage),
        heldElsewhere: heldElsewhere.has(entry.manifest.lineage),
        verifiedAt: latest(recorded.get(entry.manifest.id), verifiedAt(entry)),
      }),
    );
  }

  /** Deletes the objects of these snapshots, whole or damaged. */
  async remove(ids: readonly string[], options: StoreCallOptions): Promise<RemoveResult> {
    const { store, place } = this.#options;
    const removed = new Set<string>();
    let freedBytes = 0;
    for (const info of await listAll(store, place.prefix, options)) {
      const name = place.idOf(info.key);
      if (name === undefined) continue;
      const known = this.#cache.get(info.key)?.found;
      const id = known !== undefined && 'manifest' in known ? known.manifest.id : name;
      if (!ids.includes(id) || !(await deleteObject(store, info.key, options))) continue;
      removed.add(id);
      freedBytes += info.size;
    }
    return { removed: [...removed], freedBytes };
  }

  /** The snapshots that can't be read, without those that are only in a wrong place. */
  async unreadable(options: StoreCallOptions): Promise<readonly UnreadableSnapshot[]> {
    const { damaged } = await this.read(options);
    return damaged
      .filter(({ misplaced, error }) => misplaced === undefined && isDamage(error))
      .filter(({ id }) => this.#options.place.isOurs(id))
      .map(({ id, info, error }) => ({
        key: info.key,
        id,
        createdAt: timeOfId(findSnapshotId(id) ?? '') ?? info.modifiedAt.toISOString(),
        storedBytes: info.size,
        problem: describeError(error).message,
        isNewer: error instanceof NewerFormatError,
      }));
  }

  /** Deletes those of the given objects that are unchanged since they could not be read, and still can't be read. */
  async removeUnreadable(keys: readonly string[], options: StoreCallOptions): Promise<RemoveResult> {
    const { store, place } = this.#options;
    const removed: string[] = [];
    let freedBytes = 0;
    for (const info of await listAll(store, place.prefix, options)) {
      const known = this.#cache.get(info.key);
      if (!keys.includes(info.key) || known?.version !== info.version) continue;
      // The first failure may have been temporary, on the disk or the network, so its cached result is not enough
      // to delete.
      const found = await this.#load(info, options);
      if (found === undefined) continue;
      this.#cache.set(info.key, { version: info.version, found });
      if (!('error' in found) || found.misplaced !== undefined) continue;
      if (!isSameProblem(found, known.found)) continue; // the caller knew another problem
      if (!(await deleteObject(store, info.key, options))) continue;
      removed.push(found.id);
      freedBytes += info.size;
    }
    return { removed, freedBytes };
  }

  /** Deletes the verification times of snapshots that no longer exist. Returns their number. */
  async sweepRecords(options: StoreCallOptions): Promise<number> {
    const { entries, damaged } = await this.read(options);
    const present = [...entries.map(({ manifest }) => manifest.id), ...damaged.map(({ id }) => id)];
    return this.marks.sweepVerified(new Set(present), options);
  }

  /** Deletes what came back of logins that `clear()` has ended, and the markers that have become useless. */
  async sweepCleared(now: number, options: StoreCallOptions): Promise<{ freedBytes: number; files: number }> {
    const { cleared } = await this.marks.lineages(options);
    if (cleared.size === 0) return { freedBytes: 0, files: 0 };
    const { entries } = await this.read(options);
    const ids = entries.map(({ manifest }) => manifest).filter(({ lineage }) => cleared.has(lineage));
    const { removed, freedBytes } = await this.remove(
      ids.map(({ id }) => id),
      options,
    );
    return { freedBytes, files: removed.length + (await this.marks.sweepCleared(now, options)) };
  }

  async #entryOf(
    info: ObjectInfo,
    options: StoreCallOptions,
  ): Promise<CatalogEntry | DamagedEntry | undefined> {
    const cached = this.#cache.get(info.key);
    if (cached !== undefined && cached.version === info.version) return cached.found;
    const found = await this.#load(info, options);
    if (found === undefined) return undefined;
    const mayNot = isDeniedEntry(found);
    if (!mayNot) this.#cache.set(info.key, { version: info.version, found }); // a denied one may be readable later
    const isTold = mayNot && this.#denied.has(info.key);
    if (mayNot) this.#denied.add(info.key);
    if ('error' in found && !isTold) this.#options.onProblem?.(found.id, found.error);
    return found;
  }

  async #load(info: ObjectInfo, options: StoreCallOptions): Promise<CatalogEntry | DamagedEntry | undefined> {
    const { place, clientId } = this.#options;
    const id = place.idOf(info.key) ?? info.key;
    try {
      const manifest = await place.readManifest(info, options);
      if (manifest === undefined) return undefined;
      const isAtHome = manifest.clientId === clientId && manifest.kind === place.kind;
      if (isAtHome && place.isPlaceOf(manifest, info.key)) return { manifest, info };
      const problem = isAtHome
        ? `the manifest of ${manifest.id} lies under another id's name`
        : `it is a ${manifest.kind} of another client id, or in a wrong place`;
      return { id, info, error: new SnapshotCorruptError(problem), misplaced: manifest };
    } catch (error) {
      if (!isDamage(error) && !isDeniedObject(error)) throw error;
      return { id, info, error };
    }
  }
}

function isSameProblem(found: DamagedEntry, known: CatalogEntry | DamagedEntry): boolean {
  return 'error' in known && describeError(found.error).message === describeError(known.error).message;
}

/**
 * When only some files are denied to this process, somebody else put them there, so they are skipped. When all
 * files are denied, the store itself can't be read.
 */
function assertNotAllDenied(found: readonly (CatalogEntry | DamagedEntry | undefined)[]): void {
  const denied = found.find((entry) => entry !== undefined && isDeniedEntry(entry));
  if (denied === undefined || !('error' in denied)) return;
  if (!found.some((entry) => entry !== undefined && !isDeniedEntry(entry))) throw denied.error;
}

function isDeniedEntry(entry: CatalogEntry | DamagedEntry): boolean {
  return 'error' in entry && isDeniedObject(entry.error);
}

/** Whether the system denies reading a file of a local store. Trying again does not help. */
export function isDeniedObject(error: unknown): boolean {
  return isSessionError(error) && error.code === 'STORE' && isDenied(error.cause);
}

/** Whether an error is about the snapshot's bytes, and not about the store that should deliver them. */
export function isDamage(error: unknown): boolean {
  return isSessionError(error) && (error.code === 'SNAPSHOT_CORRUPT' || error.code === 'SNAPSHOT_UNSAFE');
}

function latest(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}
