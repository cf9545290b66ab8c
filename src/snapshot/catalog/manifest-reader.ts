import { type Clock, sleep, systemClock } from '../../clock.js';
import { isSessionError, SnapshotCorruptError } from '../../errors.js';
import type { ObjectInfo, SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { SnapshotManifest } from '../../types.js';
import { mapLimited } from '../concurrency.js';
import type { ProblemListener } from '../repository.js';
import { isDamage, isReadFault, listedButMissing } from '../store-calls/read-faults.js';
import { listAll } from '../store-calls/store-bytes.js';
import type { CatalogEntry, DamagedEntry } from './entries.js';
import type { ManifestFolder } from './manifest-folder.js';
import type { ManifestPlace, ReadManifest } from './manifest-place.js';

/** When a remote store that delivers older snapshots and not the newest is asked for that again, ms after the failure. */
const NEWEST_AGAIN_MS = [2_000, 5_000] as const;

/** What the object of a snapshot holds: its manifest, or the reason why it can't be read. */
export type Found = CatalogEntry | DamagedEntry;

export interface ManifestReaderOptions {
  readonly store: SessionStore;
  readonly clientId: string;
  readonly place: ManifestPlace;
  readonly onProblem?: ProblemListener | undefined;
  readonly manifests?: ManifestFolder | undefined;
  /** Default: the real one. */
  readonly clock?: Clock | undefined;
}

/** Reads the manifests of a store, each once per version of its object. */
export class ManifestReader {
  readonly #options: ManifestReaderOptions;
  readonly #cache = new Map<string, { readonly version: string; readonly found: Found }>();
  /** Keys of objects that their store does not deliver, and that were already reported. */
  readonly #withheld = new Set<string>();
  /** Keys of objects that the store itself must deliver the next time. */
  readonly #doubted = new Set<string>();
  /** The objects for which manifests were last kept on the disk. */
  #kept: string | undefined;

  constructor(options: ManifestReaderOptions) {
    this.#options = options;
  }

  /** All listed objects that hold a snapshot. */
  async listed(options: StoreCallOptions): Promise<readonly ObjectInfo[]> {
    const { store, place } = this.#options;
    return (await listAll(store, place.prefix, options)).filter(({ key }) => place.idOf(key) !== undefined);
  }

  /** What all listed objects hold. A fault of the store throws, but not one that concerns a single object. */
  async all(options: StoreCallOptions): Promise<readonly Found[]> {
    const infos = await this.listed(options);
    const present = new Set(infos.map(({ key }) => key));
    for (const key of this.#cache.keys()) if (!present.has(key)) this.#cache.delete(key);
    for (const key of this.#withheld) if (!present.has(key)) this.#withheld.delete(key);
    await this.#keepManifests(infos);
    const told = new Set(this.#withheld);
    const newest = this.#newestOfMany(infos);
    const first = newest && (await this.#foundWithEarlier(newest, infos, options));
    const once = await mapLimited(infos, 4, async (info) =>
      info === newest ? first : this.#foundIn(info, options),
    );
    const found = await this.#withNewestAgain(infos, once, told, options);
    const missing = infos.filter((_, index) => found[index] === undefined);
    const there = found.filter((one) => one !== undefined);
    const isCertain = missing.length === 0 || this.#options.store.localPath !== undefined; // a folder lists its files
    return isCertain ? there : [...there, ...(await this.#stillListed(missing, options))];
  }

  /** What this version of the object is known to hold. */
  known({ key, version }: ObjectInfo): Found | undefined {
    const cached = this.#cache.get(key);
    return cached?.version === version ? cached.found : undefined;
  }

  /** Call for what was just put, or read again. */
  remember(found: Found): void {
    this.#cache.set(found.info.key, { version: found.info.version, found });
  }

  /** Like {@link remember}, for what was put and compared: its manifest is kept for the next process, too. */
  async rememberPut(entry: CatalogEntry): Promise<void> {
    this.remember(entry);
    await this.#options.manifests?.write(entry.info, entry.manifest);
  }

  /** Call when the store itself has to deliver the object again. */
  forget(key: string): void {
    this.#cache.delete(key);
    this.#doubted.add(key);
  }

  /** Reads an object, whatever is known of it; `undefined` when it was deleted meanwhile. */
  async read(
    info: ObjectInfo,
    options: StoreCallOptions,
    onRead?: (read: ReadManifest) => void,
  ): Promise<Found | undefined> {
    const id = this.#idOf(info);
    try {
      const read = await this.#options.place.readManifest(info, options);
      if (read !== undefined) onRead?.(read);
      return read && this.#judge(info, read.manifest);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isDamage(error) && !isReadFault(error)) throw error;
      return { id, info, error };
    }
  }

  /**
   * Without the newest snapshot an older login would be restored, so a fault that may be over in some seconds is waited for. One
   * that was told before is not, and none where no snapshot can be read.
   */
  async #withNewestAgain(
    infos: readonly ObjectInfo[],
    found: readonly (Found | undefined)[],
    told: ReadonlySet<string>,
    options: StoreCallOptions,
  ): Promise<readonly (Found | undefined)[]> {
    const { store, clock = systemClock } = this.#options;
    const ids = infos.map((info) => this.#idOf(info));
    const index = ids.indexOf([...ids].sort().at(-1) ?? '');
    const newest = infos[index];
    let last = found[index];
    const hasOthers = found.some((one) => one !== undefined && 'manifest' in one);
    if (newest === undefined || store.localPath !== undefined || !hasOthers) return found;
    for (const pauseMs of NEWEST_AGAIN_MS) {
      if (last === undefined || told.has(newest.key) || !mayPass(last)) break;
      await sleep(clock, pauseMs, options.signal);
      last = await this.#foundIn(newest, options);
    }
    return found.map((one, at) => (at === index ? last : one));
  }

  /** The newest of several objects of a remote store whose manifests are not known, for it may carry those of the others. */
  #newestOfMany(infos: readonly ObjectInfo[]): ObjectInfo | undefined {
    if (this.#options.store.localPath !== undefined) return undefined;
    const unknown = infos.filter((info) => this.known(info) === undefined);
    if (unknown.length < 2) return undefined;
    return unknown.reduce((one, other) => (this.#idOf(one) < this.#idOf(other) ? other : one));
  }

  /** Reads an object, and takes what it carries along of those that are still listed in the same version. */
  async #foundWithEarlier(
    info: ObjectInfo,
    infos: readonly ObjectInfo[],
    options: StoreCallOptions,
  ): Promise<Found | undefined> {
    let earlier: ReadManifest['earlier'];
    const found = await this.#foundIn(info, options, (read) => {
      earlier = read.earlier;
    });
    const { place, manifests } = this.#options;
    const listed = new Map(infos.map((one) => [one.key, one]));
    for (const { manifest, version } of (await earlier?.()) ?? []) {
      const one = listed.get(place.keyOf(manifest));
      if (one?.version !== version || this.known(one) !== undefined) continue;
      this.#note(this.#judge(one, manifest));
      await manifests?.write(one, manifest);
    }
    return found;
  }

  #judge(info: ObjectInfo, manifest: SnapshotManifest): Found {
    const { place, clientId } = this.#options;
    const isAtHome = manifest.clientId === clientId && manifest.kind === place.kind;
    if (isAtHome && place.isPlaceOf(manifest, info.key)) return { manifest, info };
    const problem = isAtHome
      ? `the manifest of ${manifest.id} lies under another id's name`
      : `it is a ${manifest.kind} of another client id, or in a wrong place`;
    return { id: this.#idOf(info), info, error: new SnapshotCorruptError(problem), misplaced: manifest };
  }

  async #keepManifests(present: readonly ObjectInfo[]): Promise<void> {
    const keys = present.map(({ key, version }) => `${key}\n${version}`).join('\n');
    if (keys === this.#kept) return;
    this.#kept = keys;
    await this.#options.manifests?.keep(present);
  }

  async #foundIn(
    info: ObjectInfo,
    options: StoreCallOptions,
    onRead?: (read: ReadManifest) => void,
  ): Promise<Found | undefined> {
    const known = this.known(info);
    if (known !== undefined) return known;
    const { manifests } = this.#options;
    const kept = this.#doubted.has(info.key) ? undefined : await manifests?.read(info);
    if (kept !== undefined) {
      const found = this.#judge(info, kept);
      this.#note(found);
      return found;
    }
    let found = await this.read(info, options, onRead);
    // A fault may be over in a moment. One that was reported before is not asked for twice.
    if (found && isWithheld(found) && !this.#withheld.has(info.key)) {
      found = await this.read(info, options, onRead);
    }
    if (found !== undefined) this.#note(found);
    if (found && 'manifest' in found) {
      this.#doubted.delete(info.key);
      await manifests?.write(info, found.manifest);
    }
    return found;
  }

  // What can't be read now may be readable at the next listing, so it is not remembered.
  #note(found: Found): void {
    const { key } = found.info;
    const isTold = isWithheld(found) && this.#withheld.has(key);
    if (isWithheld(found)) this.#withheld.add(key);
    else {
      this.#withheld.delete(key);
      this.remember(found);
    }
    if ('error' in found && !isTold) this.#options.onProblem?.(found.id, found.error);
  }

  /** An object that a store lists and has not was deleted meanwhile, unless it stays in the listing. */
  async #stillListed(
    missing: readonly ObjectInfo[],
    options: StoreCallOptions,
  ): Promise<readonly DamagedEntry[]> {
    const versions = new Map((await this.listed(options)).map(({ key, version }) => [key, version]));
    const still = missing
      .filter(({ key, version }) => versions.get(key) === version)
      .map((info) => ({ id: this.#idOf(info), info, error: listedButMissing(this.#options.store, info) }));
    for (const entry of still) this.#note(entry);
    return still;
  }

  #idOf({ key }: ObjectInfo): string {
    return this.#options.place.idOf(key) ?? key;
  }
}

/** Whether the store does not deliver the object at the moment, which says nothing about its bytes. */
export function isWithheld(found: Found): boolean {
  return 'error' in found && isReadFault(found.error);
}

/** Whether it may be delivered in a moment: the store has not refused it for good. */
function mayPass(found: Found): boolean {
  return 'error' in found && isWithheld(found) && isSessionError(found.error) && found.error.retryable;
}
