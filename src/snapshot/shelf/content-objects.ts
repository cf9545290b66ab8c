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
import { assertSame } from '../hashing/checked-file.js';
import { capturedPath } from '../hashing/tree-hasher.js';
import { type NewContent, newBytesOf, planPacks } from '../packs/pack-plan.js';
import type { PackedPlace } from '../packs/places.js';
import { putPack } from '../packs/put-pack.js';
import { listAll, putLocalFile, withdrawObject } from '../store-calls/store-bytes.js';
import type { TailContent } from '../tail/snapshot-tail.js';
import { ContentReader, onePerContent, type Places } from './content-reader.js';
import { judgeContents, type WrongFile } from './judge-contents.js';
import { Proofs } from './proofs.js';
import { ALONE, type Copy, copyOf, ObjectKeys, packsIn, readStock, type Stock, whereIn } from './stock.js';

const CONCURRENCY = 3;

export interface ContentObjectsOptions {
  readonly store: SessionStore;
  readonly clientId: string;
  readonly runner: TaskRunner;
  readonly fs: FileSystem;
  readonly clock: Clock;
}

/** What the listed snapshots say of their contents. */
export interface Listed {
  /** By SHA-256. */
  readonly contents: ReadonlySet<string>;
  /** Where those lie that have no object of their own. */
  readonly places: Places;
}

/** What of a capture is not, or not soundly, in the store. */
export interface Lacking {
  /** Contents that no listed snapshot has. */
  readonly fresh: readonly NewContent[];
  /** Contents that listed snapshots have and that were lost or damaged. */
  readonly lost: readonly SnapshotFile[];
}

/** What a put has made of the capture. */
export interface StoredContents {
  readonly bytesPut: number;
  /** Where the contents of the capture lie; those that have objects of their own are left out. */
  readonly places: Places;
}

/**
 * The contents of all saves, each once: in an object of its own, `objects/ab/<sha256>`, or together with others in a pack,
 * `objects/packs/<sha256>.pack`. Only a store without a folder of this machine gets packs, because each of its calls takes
 * time and money; one that was copied into a folder can be read all the same.
 *
 * An object's name tells which bytes it must have, so a damaged object is always recognised, and replaced. What was damaged
 * or lost in a pack is put as an object of its own, which makes good for the pack in all its snapshots.
 */
export class ContentObjects {
  readonly #options: ContentObjectsOptions;
  readonly #keys: ObjectKeys;
  readonly #reader: ContentReader;
  readonly #proofs = new Proofs();
  readonly #untold = new Map<string, PackedPlace>();

  constructor(options: ContentObjectsOptions) {
    this.#options = options;
    this.#keys = new ObjectKeys(options.clientId);
    this.#reader = new ContentReader({ ...options, keys: this.#keys });
  }

  stock(options: StoreCallOptions): Promise<Stock> {
    return readStock(this.#options.store, this.#keys, options);
  }

  /** Where contents lie that this process has put, and that no manifest tells of: the next attempt need not put them again. */
  get untold(): Places {
    return this.#untold;
  }

  /** Call with contents that this process has put after the last save, and whose stored bytes were compared. */
  adopt(contents: readonly TailContent[], stock: Stock): void {
    this.#proofs.adopt(contents, stock);
  }

  /** Call when a manifest tells where everything lies. */
  told(): void {
    this.#untold.clear();
  }

  /**
   * The files (one per content) that must be put: absent, of a wrong size, or known to be damaged. When the store
   * is a local folder, each process reads an object once before relying on it, so that a new snapshot never
   * depends on an old object that was damaged on the disk.
   */
  async lacking(
    files: readonly SnapshotFile[],
    stock: Stock,
    { contents: named, places }: Listed,
    options: StoreCallOptions,
  ): Promise<Lacking> {
    const contents = onePerContent(files).filter(({ size }) => size > 0);
    const copy = (file: SnapshotFile) => copyOf(file, places.get(file.sha256), stock);
    if (this.#options.store.localPath !== undefined) {
      const unproven = contents.filter((file) => {
        const found = copy(file);
        return found !== undefined && !this.#proofs.isProven(file.sha256, found);
      });
      await this.#judge(unproven, stock, places, options);
    }
    const isLacking = (file: SnapshotFile) => {
      const found = copy(file);
      return found === undefined || this.#proofs.isRefuted(file.sha256, found);
    };
    const isKnown = (file: SnapshotFile) => named.has(file.sha256) || copy(file) !== undefined;
    const lacking = contents.filter(isLacking);
    return { fresh: lacking.filter((file) => !isKnown(file)), lost: lacking.filter(isKnown) };
  }

  /**
   * Puts the contents of these files. Each stored copy is compared with its SHA-256, by the store itself where it can, else
   * by reading it back.
   */
  async add(
    tree: CapturedTree,
    { fresh, lost }: Lacking,
    stock: Stock,
    options: StoreCallOptions,
  ): Promise<StoredContents> {
    const { store } = this.#options;
    const isFolder = store.localPath !== undefined;
    const plan = isFolder ? { packs: [], alone: fresh } : planPacks(fresh, store.capabilities.maxObjectBytes);
    const alone = [...lost, ...plan.alone];
    await this.#putAlone(tree, alone, stock, options);
    const places = await this.#putPacks(tree, plan.packs, stock, options);
    const inPacks = plan.packs.flat().reduce((sum, content) => sum + newBytesOf(content), 0);
    return { bytesPut: alone.reduce((sum, { size }) => sum + size, inPacks), places };
  }

  async #putPacks(
    tree: CapturedTree,
    packs: readonly (readonly NewContent[])[],
    stock: Stock,
    options: StoreCallOptions,
  ): Promise<Places> {
    const target = { ...this.#options, keyOf: this.#keys.ofPack };
    const stored = await mapLimited(packs, CONCURRENCY, async (files) => {
      const pack = await putPack(target, tree, files, options);
      for (const [sha256, place] of pack.places) this.#untold.set(sha256, place);
      return pack;
    });
    const now = this.#now();
    const after = {
      ...stock,
      packs: new Map([...stock.packs, ...stored.map((pack) => [pack.name, pack] as const)]),
    };
    const places = new Map(stored.flatMap((pack) => [...pack.places]));
    for (const content of packs.flat()) {
      const { older } = content;
      const at = older === undefined ? now : this.#proofs.atOf(older.sha256, whereIn(older.place));
      const copy = copyOf(content, places.get(content.sha256), after);
      if (at !== undefined) this.#proofs.prove(content.sha256, copy, at);
    }
    return places;
  }

  async #putAlone(
    tree: CapturedTree,
    files: readonly SnapshotFile[],
    stock: Stock,
    options: StoreCallOptions,
  ): Promise<void> {
    const { store } = this.#options;
    const put = await mapLimited(files, CONCURRENCY, async (file) => {
      const isFolder = store.localPath !== undefined && store.capabilities.conditionalPut;
      const isNew = isFolder && !stock.contents.has(file.sha256);
      return [file.sha256, await this.#put(tree, file, isNew, options)] as const;
    });
    const at = this.#now();
    const unverified: SnapshotFile[] = [];
    for (const [index, file] of files.entries()) {
      const { version, verifiedBy } = put[index]?.[1] ?? {};
      if (verifiedBy === undefined) unverified.push(file);
      else this.#proofs.prove(file.sha256, version === undefined ? undefined : { where: ALONE, version }, at);
    }
    const stored = { contents: new Map(put), packs: new Map() };
    const wrong = await this.#judge(unverified, stored, new Map(), options);
    for (const { sha256 } of wrong) await withdrawObject(store, this.#keys.ofContent(sha256), options);
    const first = wrong[0];
    if (first !== undefined) {
      throw new SnapshotCorruptError(`${store.name} did not keep ${first.path} as it was written`, {
        retryable: true,
      });
    }
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
      putLocalFile(store, fs, this.#keys.ofContent(sha256), capturedPath(tree, path), {
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
  async check(files: readonly SnapshotFile[], places: Places, options: StoreCallOptions): Promise<void> {
    const stock = await this.stock(options);
    const wrong = await this.#judge(onePerContent(files), stock, places, options);
    const first = wrong[0];
    if (first !== undefined) assertSame(first, first.found);
  }

  /** Whether a copy may be built upon: nothing of it, or beside it, was ever found damaged. */
  isTrusted(sha256: string, copy: Copy): boolean {
    return (
      !this.#proofs.isRefuted(sha256, copy) && !packsIn(copy).some((pack) => this.#proofs.isDoubtful(pack))
    );
  }

  /** Writes these files into an empty folder, and compares each with its SHA-256 while writing. */
  restore(
    files: readonly SnapshotFile[],
    places: Places,
    directory: string,
    options: StoreCallOptions,
  ): Promise<void> {
    return this.#reader.restore(files, places, directory, options);
  }

  /** The time since which this process has compared every byte of these files; `undefined` if it has not. */
  provenAt(files: readonly SnapshotFile[], places: Places): string | undefined {
    const where = (place: PackedPlace | undefined) =>
      place === undefined ? [ALONE] : [whereIn(place), ALONE];
    const stored = files.filter(({ size }) => size > 0);
    return this.#proofs.provenAt(stored.map(({ sha256 }) => [sha256, where(places.get(sha256))] as const));
  }

  /**
   * Every object that is not needed, and all foreign files among the objects.
   *
   * @param needed the contents and packs that snapshots need
   * @param keptUntil objects that were put at or before this time, ms since 1970, count as needed in any case
   */
  async unneeded(
    needed: { readonly contents: ReadonlySet<string>; readonly packs: ReadonlySet<string> },
    keptUntil: number,
    options: StoreCallOptions,
  ): Promise<readonly ObjectInfo[]> {
    const infos = await listAll(this.#options.store, this.#keys.prefix, options);
    return infos.filter(({ key, modifiedAt }) => {
      if (!(modifiedAt.getTime() > keptUntil)) return false;
      const name = this.#keys.nameOf(key);
      if (name === undefined) return true;
      return 'pack' in name ? !needed.packs.has(name.pack) : !needed.contents.has(name.content);
    });
  }

  #judge(
    files: readonly SnapshotFile[],
    stock: Stock,
    places: Places,
    options: StoreCallOptions,
  ): Promise<readonly WrongFile[]> {
    const judge = { reader: this.#reader, proofs: this.#proofs, at: this.#now() };
    return judgeContents(files, { stock, places }, judge, options);
  }

  #now(): string {
    return new Date(this.#options.clock.now()).toISOString();
  }
}
