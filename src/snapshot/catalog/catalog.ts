import { describeError, isSessionError, SnapshotCorruptError, SnapshotNotFoundError } from '../../errors.js';
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
import { deleteAll } from '../store-calls/delete-objects.js';
import { deleteObject, listAll } from '../store-calls/store-bytes.js';
import type { CatalogContents, CatalogEntry, DamagedEntry } from './catalog-entry.js';
import { assertNotAllDenied, isDeniedEntry, isDeniedObject } from './denied-objects.js';
import type { ManifestFolder } from './manifest-folder.js';
import type { ManifestPlace } from './manifest-place.js';

export interface CatalogOptions {
  readonly store: SessionStore;
  /** The same store without the write check, because any process may record a verification. */
  readonly recordStore: SessionStore;
  readonly clientId: string;
  readonly place: ManifestPlace;
  readonly onProblem?: ProblemListener | undefined;
  /** Keeps the manifests beyond the process; default: they are read anew. */
  readonly manifests?: ManifestFolder | undefined;
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
  /** The objects for which manifests were last kept on the disk. */
  #keptManifests: string | undefined;

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
    await this.#forgetManifests(infos);
    const entries = [...byId.values()].sort((a, b) => newestFirst(a.manifest, b.manifest));
    return { entries, damaged };
  }

  /** Call after a snapshot was put and its stored copy compared, so that its manifest need not be read again. */
  async remember(entry: CatalogEntry): Promise<void> {
    this.#cache.set(entry.info.key, { version: entry.info.version, found: entry });
    await this.#options.manifests?.write(entry.info, entry.manifest);
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
    const found = await this.#load(info, options);
    if (found !== undefined) this.#keep(info, found);
    else this.#cache.delete(info.key);
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
    const wanted = (await listAll(store, place.prefix, options)).filter((info) => {
      const name = place.idOf(info.key);
      if (name === undefined) return false;
      const known = this.#cache.get(info.key)?.found;
      const id = known !== undefined && 'manifest' in known ? known.manifest.id : name;
      if (ids.includes(id)) removed.add(id);
      return ids.includes(id);
    });
    const { freedBytes } = await deleteAll(store, wanted, options);
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
    const kept = await this.#options.manifests?.read(info);
    const found = kept === undefined ? await this.#load(info, options) : this.#judge(info, kept);
    if (found === undefined) return undefined;
    const mayNot = isDeniedEntry(found);
    this.#keep(info, found);
    if (kept === undefined && 'manifest' in found) await this.#options.manifests?.write(info, found.manifest);
    const isTold = mayNot && this.#denied.has(info.key);
    if (mayNot) this.#denied.add(info.key);
    if ('error' in found && !isTold) this.#options.onProblem?.(found.id, found.error);
    return found;
  }

  /** Call with each result of a reading: one that is denied now may be readable later. */
  #keep(info: ObjectInfo, found: CatalogEntry | DamagedEntry): void {
    if (!isDeniedEntry(found)) this.#cache.set(info.key, { version: info.version, found });
  }

  async #forgetManifests(present: readonly ObjectInfo[]): Promise<void> {
    const keys = present.map(({ key, version }) => `${key}\n${version}`).join('\n');
    if (keys === this.#keptManifests) return;
    this.#keptManifests = keys;
    await this.#options.manifests?.keep(present);
  }

  async #load(info: ObjectInfo, options: StoreCallOptions): Promise<CatalogEntry | DamagedEntry | undefined> {
    const { place } = this.#options;
    const id = place.idOf(info.key) ?? info.key;
    try {
      const manifest = await place.readManifest(info, options);
      return manifest && this.#judge(info, manifest);
    } catch (error) {
      if (!isDamage(error) && !isDeniedObject(error)) throw error;
      return { id, info, error };
    }
  }

  #judge(info: ObjectInfo, manifest: SnapshotManifest): CatalogEntry | DamagedEntry {
    const { place, clientId } = this.#options;
    const isAtHome = manifest.clientId === clientId && manifest.kind === place.kind;
    if (isAtHome && place.isPlaceOf(manifest, info.key)) return { manifest, info };
    const problem = isAtHome
      ? `the manifest of ${manifest.id} lies under another id's name`
      : `it is a ${manifest.kind} of another client id, or in a wrong place`;
    const id = place.idOf(info.key) ?? info.key;
    return { id, info, error: new SnapshotCorruptError(problem), misplaced: manifest };
  }
}

function isSameProblem(found: DamagedEntry, known: CatalogEntry | DamagedEntry): boolean {
  return 'error' in known && describeError(found.error).message === describeError(known.error).message;
}

/** Whether an error is about the snapshot's bytes, and not about the store that should deliver them. */
export function isDamage(error: unknown): boolean {
  return isSessionError(error) && (error.code === 'SNAPSHOT_CORRUPT' || error.code === 'SNAPSHOT_UNSAFE');
}

function latest(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}
