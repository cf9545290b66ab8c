import type { Clock } from '../../clock.js';
import { describeError, SnapshotNotFoundError } from '../../errors.js';
import { packError } from '../../portable-error.js';
import type { SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { SnapshotInfo } from '../../types.js';
import { isBelievable } from '../capture-time.js';
import { NewerFormatError } from '../manifest/manifest-fields.js';
import { findSnapshotId, timeOfId } from '../manifest/snapshot-id.js';
import {
  type LineageHold,
  newestFirst,
  type ProblemListener,
  type RemoveResult,
  snapshotInfo,
  type UnreadableSnapshot,
} from '../repository.js';
import { SessionMarks } from '../state/session-marks.js';
import type { LineageMark } from '../state/store-state.js';
import { deleteAll } from '../store-calls/delete-objects.js';
import { isReadFault } from '../store-calls/read-faults.js';
import { deleteObject } from '../store-calls/store-bytes.js';
import type { CatalogContents, CatalogEntry, DamagedEntry } from './entries.js';
import type { ManifestFolder } from './manifest-folder.js';
import type { ManifestPlace } from './manifest-place.js';
import { isWithheld, ManifestReader } from './manifest-reader.js';

export interface CatalogOptions {
  readonly store: SessionStore;
  /** The same store without the write check, because any process may record a verification. */
  readonly recordStore: SessionStore;
  readonly clientId: string;
  readonly place: ManifestPlace;
  readonly onProblem?: ProblemListener | undefined;
  /** Keeps the manifests beyond the process; default: they are read anew. */
  readonly manifests?: ManifestFolder | undefined;
  /** Default: the real one. */
  readonly clock?: Clock | undefined;
}

/** The content of a repository: manifests (read once per version of their object), and the marks of their logins. */
export class SnapshotCatalog {
  readonly #options: CatalogOptions;
  readonly marks: SessionMarks;
  readonly #reader: ManifestReader;

  constructor(options: CatalogOptions) {
    this.#options = options;
    this.#reader = new ManifestReader(options);
    this.marks = new SessionMarks({
      ...options,
      lineages: async (call) => (await this.read(call)).entries.map(({ manifest }) => manifest.lineage),
      onDamage: (key, error) => options.onProblem?.(key.slice(key.lastIndexOf('/') + 1), error),
    });
  }

  /**
   * A fault of the store throws: it does not mean an empty catalog. So does a store that lists snapshots and delivers none
   * of them. One that it does not deliver while others can be read is passed over.
   */
  async read(options: StoreCallOptions): Promise<CatalogContents> {
    const contents = await this.readDelivered(options);
    const [fault] = contents.damaged.filter(isWithheld);
    if (fault !== undefined && contents.entries.length === 0 && contents.damaged.every(isWithheld)) {
      throw fault.error;
    }
    return contents;
  }

  /** Like `read`, also if the store delivers none of the snapshots that it lists. */
  async readDelivered(options: StoreCallOptions): Promise<CatalogContents> {
    const byId = new Map<string, CatalogEntry>();
    const damaged: DamagedEntry[] = [];
    for (const entry of await this.#reader.all(options)) {
      if ('error' in entry) damaged.push(entry);
      else if (!byId.has(entry.manifest.id)) byId.set(entry.manifest.id, entry);
    }
    const entries = [...byId.values()].sort((a, b) => newestFirst(a.manifest, b.manifest));
    return { entries, damaged };
  }

  /** Call after a snapshot was put and its stored copy compared, so that its manifest need not be read again. */
  remember(entry: CatalogEntry): Promise<void> {
    return this.#reader.rememberPut(entry);
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
    this.#reader.forget(info.key);
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
    const inForce = new Set(held.filter((mark) => !isOver(mark, entries)).map(({ lineage }) => lineage));
    const recorded = await this.marks.verifiedAt(options);
    const kept = entries.filter((entry) => !this.#hasComeBack(entry, cleared));
    return kept.map((entry) =>
      snapshotInfo(entry.manifest, {
        store: this.#options.store.name,
        storedBytes: storedBytes.get(entry.manifest.id) ?? 0,
        revoked: revoked.has(entry.manifest.lineage),
        held: inForce.has(entry.manifest.lineage),
        heldElsewhere: heldElsewhere.has(entry.manifest.lineage),
        verifiedAt: latest(recorded.get(entry.manifest.id), verifiedAt(entry)),
      }),
    );
  }

  async holds(options: StoreCallOptions): Promise<readonly LineageHold[]> {
    const { held } = await this.marks.lineages(options);
    if (held.length === 0) return [];
    const { entries } = await this.readDelivered(options);
    return held.map((mark) => ({ ...mark, isOver: isOver(mark, entries) }));
  }

  /** Deletes the objects of these snapshots, whole or damaged. */
  async remove(ids: readonly string[], options: StoreCallOptions): Promise<RemoveResult> {
    const { store, place } = this.#options;
    const removed = new Set<string>();
    const wanted = (await this.#reader.listed(options)).filter((info) => {
      const known = this.#reader.known(info);
      const id = known !== undefined && 'manifest' in known ? known.manifest.id : place.idOf(info.key);
      if (id === undefined || !ids.includes(id)) return false;
      removed.add(id);
      return true;
    });
    const { freedBytes } = await deleteAll(store, wanted, options);
    return { removed: [...removed], freedBytes };
  }

  /** The snapshots that can't be read, without those that are only in a wrong place. */
  async unreadable(options: StoreCallOptions): Promise<readonly UnreadableSnapshot[]> {
    const { damaged } = await this.read(options);
    return damaged
      .filter(({ misplaced }) => misplaced === undefined)
      .filter((entry) => isWithheld(entry) || this.#options.place.isOurs(entry.id))
      .map(({ id, info, error }) => ({
        key: info.key,
        id,
        createdAt: timeOfId(findSnapshotId(id) ?? '') ?? info.modifiedAt.toISOString(),
        storedBytes: info.size,
        problem: describeError(error).message,
        isNewer: error instanceof NewerFormatError,
        ...(isReadFault(error) && { fault: packError(error) }),
      }));
  }

  /** Deletes those of the given objects that are unchanged since they could not be read, and still can't be read. */
  async removeUnreadable(keys: readonly string[], options: StoreCallOptions): Promise<RemoveResult> {
    const { store } = this.#options;
    const removed: string[] = [];
    let freedBytes = 0;
    for (const info of await this.#reader.listed(options)) {
      const known = this.#reader.known(info);
      if (!keys.includes(info.key) || known === undefined) continue;
      // The first failure may have been temporary, on the disk or the network, so its cached result is not enough
      // to delete.
      const found = await this.#reader.read(info, options);
      if (found === undefined || isWithheld(found)) continue;
      this.#reader.remember(found);
      if (!('error' in found) || found.misplaced !== undefined) continue;
      if (!isSameProblem(found, known)) continue; // the caller knew another problem
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
    const ids = entries
      .filter((entry) => this.#hasComeBack(entry, cleared))
      .map(({ manifest }) => manifest.id);
    const { removed, freedBytes } = await this.remove(ids, options);
    return { freedBytes, files: removed.length + (await this.marks.sweepCleared(now, options)) };
  }

  /** Whether a server has put it after its login was cleared. What has another name was put there by a person. */
  #hasComeBack({ manifest, info }: CatalogEntry, cleared: ReadonlySet<string>): boolean {
    return cleared.has(manifest.lineage) && info.key === this.#options.place.keyOf(manifest);
  }
}

/** Whether a login that has moved to another client id was saved again under this one, so that it is in use here. */
function isOver({ lineage, cause, at }: LineageMark, entries: readonly CatalogEntry[]): boolean {
  if (cause !== 'moved') return false;
  return entries.some(
    ({ manifest }) =>
      manifest.lineage === lineage && manifest.createdAt > at && isBelievable(manifest, Date.parse(at)),
  );
}

function isSameProblem(found: DamagedEntry, known: CatalogEntry | DamagedEntry): boolean {
  return 'error' in known && describeError(found.error).message === describeError(known.error).message;
}

function latest(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}
