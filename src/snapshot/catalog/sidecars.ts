import type { SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import { mapLimited } from '../concurrency.js';
import { isSnapshotId } from '../manifest/snapshot-id.js';
import type { Hold, Revocation } from '../repository.js';
import { deleteObject, listAll, putBytes, readStart } from '../store-calls/store-bytes.js';
import { isReadFault } from './read-faults.js';

const MAX_RECORD_BYTES = 4096;

/** The objects `revoked/<lineage>.json`: one for each pairing that the phone or the bot has logged out. */
export class RevocationMarkers {
  readonly #store: SessionStore;
  readonly #prefix: string;

  constructor(store: SessionStore, clientId: string) {
    this.#store = store;
    this.#prefix = `${clientId}/revoked/`;
  }

  /** The first marker of a lineage is kept, because a later cause only follows from the first. */
  async put(lineage: string, { cause, at }: Revocation, options: StoreCallOptions): Promise<void> {
    if ((await this.lineages(options)).has(lineage)) return;
    const marker = { format: 1, lineage, cause, at };
    await putBytes(this.#store, `${this.#prefix}${lineage}.json`, toJson(marker), options);
  }

  /** Only the names count: a torn marker still revokes. */
  async lineages(options: StoreCallOptions): Promise<ReadonlySet<string>> {
    const markers = await listAll(this.#store, this.#prefix, options);
    return new Set(markers.map(({ key }) => baseName(key)));
  }
}

export interface HeldLineages {
  readonly held: ReadonlySet<string>;
  readonly heldElsewhere: ReadonlySet<string>;
  /** Those that a `clear()` has ended. */
  readonly cleared: ReadonlySet<string>;
}

/** Ends the name of a marker that holds nowhere but at other places. */
const ELSEWHERE = '.elsewhere';
/** Ends the name of a marker of a login that `clear()` has deleted. */
const CLEARED = '.cleared';
/** By then no put is under way any more that a server could still finish, ms. */
const CLEARED_LASTS_MS = 30 * 24 * 60 * 60 * 1000;

/** Whether a key is that of a marker which outlives a `clear()`. */
export function isClearedMark(key: string): boolean {
  return key.includes('/held/') && key.endsWith(`${CLEARED}.json`);
}

/**
 * `held/<lineage>.json`: the pairings whose profile was removed, that a later login has replaced where they were, or that
 * live on under another client id, until a person brings one back.
 * `held/<lineage>.elsewhere.json`: those that no other place takes for its own.
 * `held/<lineage>.cleared.json`: those that a `clear()` has deleted. A put that the server finishes later brings none back.
 */
export class HoldMarkers {
  readonly #store: SessionStore;
  readonly #prefix: string;

  constructor(store: SessionStore, clientId: string) {
    this.#store = store;
    this.#prefix = `${clientId}/held/`;
  }

  async put(lineage: string, { cause, at }: Hold, options: StoreCallOptions): Promise<void> {
    const isEverywhere = cause === 'removed' || cause === 'superseded' || cause === 'moved';
    const name = isEverywhere ? lineage : `${lineage}${ELSEWHERE}`;
    if ((await this.#names(options)).includes(name)) return;
    const marker = { format: 1, lineage, cause, at };
    await putBytes(this.#store, this.#key(name), toJson(marker), options);
  }

  async remove(lineage: string, options: StoreCallOptions): Promise<void> {
    for (const name of [lineage, `${lineage}${ELSEWHERE}`]) {
      await deleteObject(this.#store, this.#key(name), options);
    }
  }

  async putCleared(lineage: string, at: string, options: StoreCallOptions): Promise<void> {
    if ((await this.lineages(options)).cleared.has(lineage)) return;
    const marker = { format: 1, lineage, cause: 'cleared', at };
    await putBytes(this.#store, this.#key(`${lineage}${CLEARED}`), toJson(marker), options);
  }

  async removeCleared(lineage: string, options: StoreCallOptions): Promise<void> {
    await deleteObject(this.#store, this.#key(`${lineage}${CLEARED}`), options);
  }

  /** Deletes the markers of old `clear()` calls, by the store's own times. Returns their number. */
  async sweepCleared(now: number, options: StoreCallOptions): Promise<number> {
    const markers = await listAll(this.#store, this.#prefix, options);
    const old = markers
      .filter(({ key }) => isClearedMark(key))
      .filter(({ modifiedAt }) => modifiedAt.getTime() < now - CLEARED_LASTS_MS);
    for (const { key } of old) await deleteObject(this.#store, key, options);
    return old.length;
  }

  /** The name alone decides, as with {@link RevocationMarkers}. */
  async lineages(options: StoreCallOptions): Promise<HeldLineages> {
    const names = await this.#names(options);
    const ending = (end: string) =>
      new Set(names.filter((name) => name.endsWith(end)).map((name) => name.slice(0, -end.length)));
    return {
      held: new Set(names.filter((name) => !name.endsWith(ELSEWHERE) && !name.endsWith(CLEARED))),
      heldElsewhere: ending(ELSEWHERE),
      cleared: ending(CLEARED),
    };
  }

  async #names(options: StoreCallOptions): Promise<readonly string[]> {
    const markers = await listAll(this.#store, this.#prefix, options);
    return markers.map(({ key }) => baseName(key));
  }

  #key(name: string): string {
    return `${this.#prefix}${name}.json`;
  }
}

/**
 * The objects `verified/<id>.json`: when every byte of a snapshot was last compared. They are only informative:
 * losing one loses no data.
 */
export class VerificationRecords {
  readonly #store: SessionStore;
  readonly #prefix: string;
  readonly #known = new Map<string, { readonly version: string; readonly at: string | undefined }>();

  constructor(store: SessionStore, clientId: string) {
    this.#store = store;
    this.#prefix = `${clientId}/verified/`;
  }

  async put(id: string, at: string, options: StoreCallOptions): Promise<void> {
    const { version } = await putBytes(this.#store, this.#key(id), toJson({ format: 1, id, at }), options);
    this.#known.set(id, { version, at });
  }

  /** The time of the last verification for each id. */
  async all(options: StoreCallOptions): Promise<ReadonlyMap<string, string>> {
    const records = await listAll(this.#store, this.#prefix, options);
    const changed = records.filter(({ key, version }) => this.#known.get(baseName(key))?.version !== version);
    await mapLimited(changed, 4, async ({ key, version }) => {
      try {
        const bytes = await readStart(this.#store, key, MAX_RECORD_BYTES, options);
        this.#known.set(baseName(key), { version, at: readTime(bytes) });
      } catch (error) {
        options.signal?.throwIfAborted();
        if (!isReadFault(error)) throw error;
        this.#known.delete(baseName(key)); // it is only informative, and is read again with the next listing
      }
    });
    const present = new Set(records.map(({ key }) => baseName(key)));
    for (const id of this.#known.keys()) if (!present.has(id)) this.#known.delete(id);
    const times = [...this.#known].map(([id, { at }]) => [id, at] as const);
    return new Map(times.filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
  }

  /**
   * Removes the records of snapshots that no longer exist, when a process was killed between the two deletions.
   * Returns their number.
   */
  async removeOthers(ids: ReadonlySet<string>, options: StoreCallOptions): Promise<number> {
    const records = await listAll(this.#store, this.#prefix, options);
    const stale = records.map(({ key }) => baseName(key)).filter((id) => isSnapshotId(id) && !ids.has(id));
    for (const id of stale) await this.remove(id, options);
    return stale.length;
  }

  async remove(id: string, options: StoreCallOptions): Promise<void> {
    if (isSnapshotId(id)) await deleteObject(this.#store, this.#key(id), options);
    this.#known.delete(id);
  }

  #key(id: string): string {
    return `${this.#prefix}${id}.json`;
  }
}

function baseName(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1).replace(/\.json$/, '');
}

function toJson(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

function readTime(bytes: Buffer | undefined): string | undefined {
  try {
    const record: unknown = JSON.parse(bytes?.toString('utf8') ?? '');
    if (typeof record !== 'object' || record === null) return undefined;
    const { at } = record as { at?: unknown };
    return typeof at === 'string' && !Number.isNaN(Date.parse(at)) ? at : undefined;
  } catch {
    return undefined;
  }
}
