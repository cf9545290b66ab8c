import { join } from 'node:path';
import { SnapshotCorruptError } from '../../errors.js';
import { type FileSystem, makeFolders, syncFolder } from '../../file-system.js';
import { proveRestoredTask } from '../../profile/follow/prove-restored.js';
import { exists } from '../../profile/walk.js';
import type { SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { TaskRunner } from '../../task.js';
import type { PackedFiles, SnapshotFile, SnapshotManifest } from '../../types.js';
import { assertSame, discardFolder } from '../hashing/checked-file.js';
import { hashFilesTask } from '../hashing/hashing.js';
import { DEFAULT_LIMITS } from '../manifest/limits.js';
import { type PackedPlace, placesOf } from '../packs/places.js';
import type { NewTail, RestoredTail, Tail, TailPut } from '../tail.js';
import { TAIL_LIMITS } from '../tail.js';
import { NotGrownError, putTailPack } from './put-tail-pack.js';
import { checkPacks, writeTailFiles } from './read-tail-packs.js';
import { type FencedCallOptions, type FoundTail, TailObject } from './tail-object.js';
import { newBytesOf, type PlacedEntry, planTail, type TailMember } from './tail-plan.js';

/** One put takes no more new bytes than this; more of them are worth a save. */
const MOST_NEW_BYTES = DEFAULT_LIMITS.maxPackBytes / 2;
/** Where the files of a tail are put together, in the folder of the restored profile. */
const WORK_FOLDER = '.tail';

export interface SnapshotTailOptions {
  readonly store: SessionStore;
  readonly clientId: string;
  readonly runner: TaskRunner;
  readonly fs: FileSystem;
  /** The key of a pack. */
  readonly keyOf: (pack: string) => string;
}

/** A file that lies in packs as a whole. */
export interface TailContent extends SnapshotFile {
  readonly place: PackedPlace;
  /** What the save has of it; absent for a file that it has not. */
  readonly older?: { readonly sha256: string; readonly place: PackedPlace };
  /** When its bytes were compared, or those that the save has not, ISO 8601. */
  readonly at: string;
}

/** The tail of the newest save of a client id: what its database has gained since. */
export class SnapshotTail {
  readonly #options: SnapshotTailOptions;
  readonly #object: TailObject;
  /** The save that this process puts a tail for, and the files of that tail by path. */
  #current:
    | {
        readonly manifest: SnapshotManifest;
        readonly entries: ReadonlyMap<string, PlacedEntry>;
        readonly at: string;
      }
    | undefined;

  constructor(options: SnapshotTailOptions) {
    this.#options = options;
    this.#object = new TailObject(options.store, options.clientId);
  }

  /** The manifest of the save that this process puts a tail for. */
  get manifest(): SnapshotManifest | undefined {
    return this.#current?.manifest;
  }

  /** The object that holds the tail, and what it says. */
  find(options: StoreCallOptions): Promise<FoundTail | undefined> {
    return this.#object.find(options);
  }

  /** Call when another save was listed. */
  release(): void {
    this.#current = undefined;
  }

  /** Call after any doubt: the next put has everything since the save in it. */
  forget(): void {
    this.#current = undefined;
    this.#object.forget();
  }

  /** The files of the tail that lie in packs as a whole, so that the next save need not put them again. */
  contents(): readonly TailContent[] {
    if (this.#current === undefined) return [];
    const { manifest, entries, at } = this.#current;
    const listed = new Map(manifest.files.map((file) => [file.path, file.sha256]));
    const places = placesOf(manifest);
    return [...entries.values()].flatMap(({ path, size, sha256, from, place }) => {
      const content = { path, size, sha256, at };
      if (from === 0) return place.length === 0 ? [] : [{ ...content, place }];
      const saved = listed.get(path) ?? '';
      const before = places.get(saved);
      if (before === undefined) return []; // it has an object of its own, which nothing is built upon
      return [{ ...content, place: [...before, ...place], older: { sha256: saved, place: before } }];
    });
  }

  /**
   * Puts what is new: one pack, then the object that tells of it.
   *
   * @param manifest the save that the tail belongs to
   * @throws LeaseLostError when another process has put something with a later right
   */
  async put(
    manifest: SnapshotManifest,
    { at, files }: NewTail,
    { fence, ...options }: FencedCallOptions,
  ): Promise<TailPut> {
    const current = this.#current?.manifest.id === manifest.id ? this.#current : undefined;
    const { entries, members } = planTail(files, manifest.files, current?.entries ?? new Map());
    const newBytes = newBytesOf(members);
    if (newBytes === 0) return { kind: 'unchanged' };
    if (newBytes > Math.min(MOST_NEW_BYTES, this.#options.store.capabilities.maxObjectBytes ?? Infinity)) {
      return { kind: 'refused', because: `${newBytes} bytes are new, which is too much for a tail` };
    }
    let added: readonly PlacedEntry[] | undefined;
    try {
      added = await this.#putPresent(members, options);
    } catch (error) {
      if (error instanceof NotGrownError) return { kind: 'refused', because: error.message };
      throw error;
    }
    if (added === undefined) return { kind: 'interrupted' };
    const all = [...entries, ...added].sort((a, b) => (a.path < b.path ? -1 : 1));
    const tail = this.#tailOf(manifest, all, at);
    if (isTooLong(tail)) return { kind: 'refused', because: 'the tail has become too long' };
    const bytes = await this.#object.put(tail, { ...options, fence });
    this.#current = { manifest, entries: new Map(all.map((entry) => [entry.path, entry])), at };
    return { kind: 'put', bytesWritten: newBytes + bytes };
  }

  /**
   * Puts these files. A blob may be deleted meanwhile, with its record: then the others are put. Nothing is put without a
   * log.
   */
  async #putPresent(
    members: readonly TailMember[],
    options: StoreCallOptions,
  ): Promise<readonly PlacedEntry[] | undefined> {
    try {
      return await putTailPack(this.#options, members, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      const { fs } = this.#options;
      const isThere = await Promise.all(members.map(({ source }) => exists(fs, source)));
      const present = members.filter((_, index) => isThere[index]);
      const isLogGone = members.some(({ sha256 }, index) => sha256 !== undefined && !isThere[index]);
      if (isLogGone) return undefined;
      if (present.length === members.length) throw error;
      return this.#putPresent(present, options); // fewer each time
    }
  }

  /** Compares every byte of the packs. @throws SnapshotCorruptError */
  check(tail: Tail, options: StoreCallOptions): Promise<void> {
    return checkPacks(this.#options, tail, options);
  }

  /**
   * Puts the files of a tail in place of those of its restored save, or beside them. They are put together in a folder of
   * their own, compared with their SHA-256, and proven to be the unbroken continuation of the save, before anything of it is
   * replaced.
   *
   * @throws SnapshotCorruptError when anything is wrong with the tail; the restored save is then as it was
   */
  async restore(
    tail: Tail,
    manifest: SnapshotManifest,
    directory: string,
    options: StoreCallOptions,
  ): Promise<RestoredTail> {
    assertContinues(tail, manifest);
    const { fs, runner } = this.#options;
    const target = join(directory, WORK_FOLDER);
    try {
      await makeFolders(fs, target);
      await writeTailFiles(this.#options, tail, { directory, target }, options);
      const sources = tail.files.map(({ path }) => join(target, ...path.split('/')));
      const hashes = await runner.run(hashFilesTask, { paths: sources }, options);
      for (const [index, file] of tail.files.entries()) assertSame(file, hashes[index]);
      const newer = tail.files.map(({ path }, index) => ({ path, source: sources[index] ?? '' }));
      const problem = await runner.run(proveRestoredTask, { profileDir: directory, newer }, options);
      if (problem !== undefined)
        throw new SnapshotCorruptError(`the tail does not continue its save: ${problem}`);
      await this.#replace(directory, newer);
    } finally {
      await discardFolder(fs, target);
    }
    const { snapshot, lineage, run, at } = tail;
    const files = tail.files.map(({ path, size, sha256 }) => ({ path, size, sha256 }));
    return { snapshot, lineage, run, at, files };
  }

  async #replace(
    directory: string,
    files: readonly { readonly path: string; readonly source: string }[],
  ): Promise<void> {
    const { fs } = this.#options;
    const folders = new Set<string>();
    for (const { path, source } of files) {
      const to = join(directory, ...path.split('/'));
      const folder = join(to, '..');
      await makeFolders(fs, folder);
      await fs.promises.rm(to, { force: true });
      await fs.promises.rename(source, to);
      folders.add(folder);
    }
    for (const folder of folders) await syncFolder(fs, folder);
  }

  #tailOf(manifest: SnapshotManifest, entries: readonly PlacedEntry[], at: string): Tail {
    return {
      format: 1,
      clientId: this.#options.clientId,
      snapshot: manifest.id,
      contentDigest: manifest.contentDigest,
      lineage: manifest.lineage,
      run: manifest.run,
      at,
      files: entries.map(({ path, size, sha256, from }) => ({ path, size, sha256, from })),
      packs: packsOfEntries(entries),
    };
  }
}

function packsOfEntries(entries: readonly PlacedEntry[]): readonly PackedFiles[] {
  const packs = new Map<
    string,
    { sha256: string; size: number; pieces: [number, number, number, number][] }
  >();
  for (const [index, { from, place }] of entries.entries()) {
    let position = from;
    for (const { pack, packSize, at, length } of place) {
      const entry = packs.get(pack) ?? { sha256: pack, size: packSize, pieces: [] };
      packs.set(pack, entry);
      entry.pieces.push([index, position, at, length]);
      position += length;
    }
  }
  return [...packs.values()];
}

function isTooLong({ files, packs }: Tail): boolean {
  const pieces = packs.reduce((sum, pack) => sum + pack.pieces.length, 0);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return (
    files.length > TAIL_LIMITS.maxFiles || pieces > TAIL_LIMITS.maxPieces || bytes > TAIL_LIMITS.maxBytes
  );
}

/** @throws SnapshotCorruptError when it needs more of a file than the save has */
function assertContinues({ files }: Tail, manifest: SnapshotManifest): void {
  const sizes = new Map(manifest.files.map(({ path, size }) => [path, size]));
  for (const { path, from } of files) {
    if (from > (sizes.get(path) ?? 0))
      throw new SnapshotCorruptError(`the tail needs more of ${path} than its save has`);
  }
}
