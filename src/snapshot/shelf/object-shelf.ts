import type { Clock } from '../../clock.js';
import type { FileSystem } from '../../file-system.js';
import type { ObjectInfo, PutOptions, SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { TaskRunner } from '../../task.js';
import type { CapturedTree, SnapshotFile, SnapshotManifest } from '../../types.js';
import { earlierLine, readEarlier, splitEarlier } from '../catalog/earlier-manifests.js';
import type { CatalogContents, CatalogEntry, DamagedEntry } from '../catalog/entries.js';
import type { ReadManifest } from '../catalog/manifest-place.js';
import { DEFAULT_LIMITS } from '../manifest/limits.js';
import { parseManifest, serializeManifest, withPacks } from '../manifest/manifest.js';
import { NewerFormatError } from '../manifest/manifest-fields.js';
import { type GrownFile, grownFiles } from '../packs/grown-files.js';
import type { OlderContent } from '../packs/pack-plan.js';
import type { PackedContent } from '../packs/pack-runs.js';
import { type PackedPlace, packsOf, placesOf, placesOfAll } from '../packs/places.js';
import { inSparsePacks, MovingAllowance, PackUse } from '../packs/sparse-packs.js';
import type { PutSnapshot } from '../store-calls/put-under-new-id.js';
import { isDamage } from '../store-calls/read-faults.js';
import { readStart } from '../store-calls/store-bytes.js';
import { putVerified } from '../store-calls/verified-put.js';
import { SnapshotTail } from '../tail/snapshot-tail.js';
import type { FoundTail } from '../tail/tail-object.js';
import { ContentObjects, type Listed, type StoredContents } from './content-objects.js';
import { onePerContent } from './content-reader.js';
import type { NewOnShelf, SnapshotShelf } from './shelf.js';
import { copyOf, ObjectKeys } from './stock.js';

export interface ObjectShelfOptions {
  readonly store: SessionStore;
  readonly clientId: string;
  readonly runner: TaskRunner;
  readonly fs: FileSystem;
  readonly clock: Clock;
}

/** Copying a store's folder never takes longer than this, ms. */
const COPYING_MS = 3_600_000;

/**
 * Saves: each content once, alone or in a pack (see {@link ContentObjects}), and `snapshots/<id>.json` with the manifest,
 * which is put last and tells where its contents lie. Files that have not changed since the last save are neither read nor
 * written.
 */
export class ObjectShelf implements SnapshotShelf {
  readonly kind = 'save';
  readonly prefix: string;
  readonly reservedPaths = [];
  readonly tail: SnapshotTail;
  readonly #store: SessionStore;
  readonly #runner: TaskRunner;
  readonly #objects: ContentObjects;
  readonly #allowance = new MovingAllowance();

  constructor(options: ObjectShelfOptions) {
    this.prefix = `${options.clientId}/snapshots/`;
    this.#store = options.store;
    this.#runner = options.runner;
    this.#objects = new ContentObjects(options);
    this.tail = new SnapshotTail({ ...options, keyOf: new ObjectKeys(options.clientId).ofPack });
  }

  idOf(key: string): string | undefined {
    return key.endsWith('.json') ? key.slice(this.prefix.length, -'.json'.length) : undefined;
  }

  keyOf({ id }: SnapshotManifest): string {
    return `${this.prefix}${id}.json`;
  }

  isPlaceOf(manifest: SnapshotManifest, key: string): boolean {
    return key === this.keyOf(manifest);
  }

  isOurs(): boolean {
    return true;
  }

  async readManifest({ key }: ObjectInfo, options: StoreCallOptions): Promise<ReadManifest | undefined> {
    const bytes = await readStart(this.#store, key, DEFAULT_LIMITS.maxManifestBytes + 1, options);
    if (bytes === undefined) return undefined;
    const { own, earlier } = splitEarlier(bytes);
    return {
      manifest: parseManifest(own),
      ...(earlier.length > 0 && { earlier: () => readEarlier(earlier) }),
    };
  }

  async put({ tree, manifest, key, entries }: NewOnShelf, options: PutOptions): Promise<PutSnapshot> {
    const call = options.signal === undefined ? {} : { signal: options.signal };
    const { bytesPut, places } = await this.#putLacking({ tree, files: manifest.files, entries }, true, call);
    const complete = withPacks(manifest, packsOf(manifest.files, places));
    const earlier = this.#store.localPath === undefined ? await earlierLine(entries) : new Uint8Array();
    const written = Buffer.concat([serializeManifest(complete), earlier]);
    const info = await putVerified(this.#store, key, written, options);
    this.#objects.told();
    this.tail.release();
    return { manifest: complete, info, bytesWritten: bytesPut + written.length };
  }

  async mend(
    tree: CapturedTree,
    files: readonly SnapshotFile[],
    entries: readonly CatalogEntry[],
    options: StoreCallOptions,
  ): Promise<void> {
    await this.#putLacking({ tree, files, entries }, false, options);
  }

  async isWhole(
    files: readonly SnapshotFile[],
    entries: readonly CatalogEntry[],
    options: StoreCallOptions,
  ): Promise<boolean> {
    const stock = await this.#objects.stock(options);
    const { fresh, lost } = await this.#objects.lacking(files, stock, this.#listedIn(entries), options);
    return fresh.length + lost.length === 0;
  }

  async restore(
    { manifest }: CatalogEntry,
    directory: string,
    options: StoreCallOptions,
  ): Promise<SnapshotManifest> {
    await this.#objects.restore(manifest.files, placesOf(manifest), directory, options);
    return manifest;
  }

  check({ manifest }: CatalogEntry, options: StoreCallOptions): Promise<void> {
    return this.#objects.check(manifest.files, placesOf(manifest), options);
  }

  /**
   * Bytes of each manifest, and of the objects and packs that its snapshot was the first to need; their sum is what is
   * stored.
   */
  storedBytes(entries: readonly CatalogEntry[]): ReadonlyMap<string, number> {
    const seen = new Set<string>();
    const added = new Map<string, number>();
    for (const { manifest, info } of [...entries].reverse()) {
      let bytes = info.size;
      const packs = manifest.packs?.map(({ sha256, size }) => ({ name: `pack ${sha256}`, size })) ?? [];
      const alone = aloneIn(manifest).map(({ sha256, size }) => ({ name: sha256, size }));
      for (const { name, size } of [...packs, ...alone]) {
        if (!seen.has(name)) bytes += size;
        seen.add(name);
      }
      added.set(manifest.id, bytes);
    }
    return added;
  }

  provenAt({ manifest }: CatalogEntry): string | undefined {
    return this.#objects.provenAt(manifest.files, placesOf(manifest));
  }

  async unneeded(
    { entries, damaged }: CatalogContents,
    options: StoreCallOptions,
  ): Promise<readonly ObjectInfo[]> {
    const found = await this.tail.find(options);
    const tail = found && neededBy(found, entries[0]?.manifest);
    const manifests = [
      ...entries.map(({ manifest }) => manifest),
      ...damaged.map(({ misplaced }) => misplaced),
    ];
    const contents = new Set(
      manifests.flatMap((manifest) => manifest?.files.map(({ sha256 }) => sha256) ?? []),
    );
    const packs = new Set(
      manifests.flatMap((manifest) => manifest?.packs?.map(({ sha256 }) => sha256) ?? []),
    );
    for (const pack of tail?.packs ?? []) packs.add(pack);
    const keptUntil = Math.max(lastNeedOf(damaged), tail?.keptUntil ?? Number.NEGATIVE_INFINITY);
    const unneeded = await this.#objects.unneeded({ contents, packs }, keptUntil, options);
    return found === undefined || tail !== undefined ? unneeded : [...unneeded, found];
  }

  /**
   * Puts what the store lacks of these files, and tells in which packs they then lie.
   *
   * @param isNew whether a manifest will tell where they lie now; then some may be put again to leave a sparse pack
   */
  async #putLacking(
    { tree, files, entries }: CapturedFiles,
    isNew: boolean,
    options: StoreCallOptions,
  ): Promise<StoredContents> {
    const stock = await this.#objects.stock(options);
    const inTail = this.#store.localPath === undefined ? this.tail.contents() : [];
    this.#objects.adopt(inTail, stock);
    const listed = this.#listedIn(entries, inTail);
    const { fresh, lost } = await this.#objects.lacking(files, stock, listed, options);
    const isLacking = new Set([...fresh, ...lost].map(({ sha256 }) => sha256));
    const packed = onePerContent(files).flatMap((file) => {
      const place = isLacking.has(file.sha256)
        ? undefined
        : copyOf(file, listed.places.get(file.sha256), stock)?.place;
      return place === undefined ? [] : [{ ...file, place }];
    });
    const olderOf = olderContents(entries, inTail, (file) => {
      const copy = copyOf(file, listed.places.get(file.sha256), stock);
      return copy?.place && this.#objects.isTrusted(file.sha256, copy) ? copy.place : undefined;
    });
    const grown = await this.#grown(tree, fresh, packed, olderOf, options);
    const kept = grown.map((file) => file.kept);
    const moved = isNew ? inSparsePacks(packed, kept, this.#allowance.bytes) : [];
    const whole = fresh.filter(({ path }) => !grown.some((file) => file.path === path));
    const put = await this.#objects.add(
      tree,
      { fresh: [...whole, ...grown, ...moved], lost },
      stock,
      options,
    );
    const bytesMoved = moved.reduce((sum, { size }) => sum + size, 0);
    this.#allowance.spend(bytesMoved);
    this.#allowance.earn(put.bytesPut - bytesMoved);
    const stay = packed.filter((content) => !moved.includes(content));
    return { ...put, places: new Map([...stay.map(placeEntry), ...put.places]) };
  }

  #listedIn(entries: readonly CatalogEntry[], inTail: readonly PackedContent[] = []): Listed {
    const manifests = entries.map(({ manifest }) => manifest);
    const contents = new Set(manifests.flatMap(({ files }) => files.map(({ sha256 }) => sha256)));
    const untold = [...this.#objects.untold, ...inTail.map(placeEntry)];
    return { contents, places: new Map([...untold, ...placesOfAll(manifests)]) };
  }

  async #grown(
    tree: CapturedTree,
    fresh: readonly SnapshotFile[],
    packed: readonly PackedContent[],
    olderOf: (file: SnapshotFile) => OlderContent | undefined,
    options: StoreCallOptions,
  ): Promise<readonly GrownFile[]> {
    if (this.#store.localPath !== undefined) return []; // nothing is put there into packs
    const older = fresh.flatMap((file) => olderOf(file)?.place ?? []);
    const use = new PackUse([...packed.map(({ place }) => place), older]);
    return grownFiles(tree, fresh, olderOf, use.isSparse, this.#runner, options);
  }
}

/** Finds the last content of a file, if it lies in packs that may be built upon. */
function olderContents(
  entries: readonly CatalogEntry[],
  inTail: readonly SnapshotFile[],
  placeOf: (file: SnapshotFile) => PackedPlace | undefined,
): (file: SnapshotFile) => OlderContent | undefined {
  const last = new Map<string, SnapshotFile>(inTail.map((file) => [file.path, file]));
  for (const { manifest } of entries) {
    for (const file of manifest.files) if (!last.has(file.path)) last.set(file.path, file);
  }
  return ({ path }) => {
    const file = last.get(path);
    const place = file && placeOf(file);
    return place && { sha256: file.sha256, size: file.size, place };
  };
}

/** Files of a capture, and the snapshots that are there. */
type CapturedFiles = Pick<NewOnShelf, 'tree' | 'entries'> & { readonly files: readonly SnapshotFile[] };

function placeEntry({ sha256, place }: PackedContent): readonly [string, PackedPlace] {
  return [sha256, place];
}

/** The files of a snapshot that lie in no pack. */
function aloneIn(manifest: SnapshotManifest): readonly SnapshotFile[] {
  const places = placesOf(manifest);
  return manifest.files.filter(({ sha256 }) => !places.has(sha256));
}

/**
 * What a tail needs beside its save; `undefined` for one that nobody needs. One that can't be read, although it is not
 * damaged, may need whatever is as old as it is.
 */
function neededBy(
  { content, modifiedAt }: FoundTail,
  newest: SnapshotManifest | undefined,
): { readonly packs: readonly string[]; readonly keptUntil?: number } | undefined {
  if ('error' in content) {
    const isNewer = content.error instanceof NewerFormatError;
    if (isDamage(content.error) && !isNewer) return undefined;
    return { packs: [], keptUntil: modifiedAt.getTime() + COPYING_MS };
  }
  const { snapshot, contentDigest, packs } = content.tail;
  const isCurrent = snapshot === newest?.id && contentDigest === newest.contentDigest;
  return isCurrent ? { packs: packs.map(({ sha256 }) => sha256) } : undefined;
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
