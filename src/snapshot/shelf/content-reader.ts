import { join } from 'node:path';
import type { FileSystem } from '../../file-system.js';
import type { SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { TaskRunner } from '../../task.js';
import type { SnapshotFile } from '../../types.js';
import { mapLimited } from '../concurrency.js';
import { discardFolder, prepareEmptyFolder, syncFolders, writeChecked } from '../hashing/checked-file.js';
import { copyAndHashTask, type FileHash, fileBytes, hashBytes, hashFilesTask } from '../hashing/hashing.js';
import type { PackedContent } from '../packs/pack-runs.js';
import type { PackedPlace } from '../packs/places.js';
import { readPacked } from '../packs/read-packs.js';
import { isDamage } from '../store-calls/read-faults.js';
import { objectBytes } from '../store-calls/store-bytes.js';
import type { ObjectKeys } from './stock.js';

const CONCURRENCY = 3;

export interface ContentReaderParts {
  readonly store: SessionStore;
  readonly runner: TaskRunner;
  readonly fs: FileSystem;
  readonly keys: ObjectKeys;
}

export type Places = ReadonlyMap<string, PackedPlace>;

/**
 * Reads contents: out of packs what lies there, the rest out of objects of their own. In a restore such an object also makes
 * good for a pack that is damaged; a save has put it for that. An empty content is stored nowhere.
 */
export class ContentReader {
  readonly #parts: ContentReaderParts;

  constructor(parts: ContentReaderParts) {
    this.#parts = parts;
  }

  /** What is found in place of each of these contents, in packs for those with a place; `undefined` for one that is missing. */
  async hash(
    files: readonly SnapshotFile[],
    places: Places,
    options: StoreCallOptions,
  ): Promise<readonly (FileHash | undefined)[]> {
    const { store, keys } = this.#parts;
    const found = new Map<string, FileHash | undefined>();
    const consume = async ({ sha256 }: PackedContent, bytes: AsyncIterable<Uint8Array>) => {
      found.set(sha256, await unlessDamaged(() => hashBytes(bytes)));
    };
    await readPacked(packedOf(files, places), { store, keyOf: keys.ofPack, consume }, options);
    const others = files.filter(({ sha256 }) => !places.has(sha256));
    const alone = await this.#hashAlone(others, options);
    for (const [index, { sha256 }] of others.entries()) found.set(sha256, alone[index]);
    return files.map(({ sha256 }) => found.get(sha256));
  }

  async #hashAlone(
    files: readonly SnapshotFile[],
    options: StoreCallOptions,
  ): Promise<readonly (FileHash | undefined)[]> {
    const { store, runner, keys } = this.#parts;
    const { localPath } = store;
    const stored = files.filter(({ size }) => size > 0);
    const hashStored = async () => {
      if (stored.length === 0) return [];
      if (localPath !== undefined) {
        const paths = stored.map(({ sha256 }) => localPath.call(store, keys.ofContent(sha256)));
        return runner.run(hashFilesTask, { paths }, options);
      }
      return mapLimited(stored, CONCURRENCY, (file) =>
        unlessDamaged(() => hashBytes(this.#alone(file, options))),
      );
    };
    const hashes = await hashStored();
    const found = new Map(stored.map((file, index) => [file, hashes[index]]));
    const nothing = await hashBytes(NOTHING);
    return files.map((file) => (file.size === 0 ? nothing : found.get(file)));
  }

  /** Writes these files into an empty folder, and compares each with its SHA-256 while writing. */
  async restore(
    files: readonly SnapshotFile[],
    places: Places,
    directory: string,
    options: StoreCallOptions,
  ): Promise<void> {
    const { store, fs, runner, keys } = this.#parts;
    const { localPath } = store;
    const packed = packedOf(files, places);
    if (localPath !== undefined && packed.length === 0) {
      const sources = files.map((file) => ({
        ...file,
        from: localPath.call(store, keys.ofContent(file.sha256)),
      }));
      await runner.run(copyAndHashTask, { directory, files: sources, store: store.name }, options);
      return;
    }
    await prepareEmptyFolder(fs, directory);
    try {
      await this.#writeAll(files, packed, directory, options);
      const paths = files.map(({ path }) => path);
      await syncFolders(fs, directory, paths);
    } catch (error) {
      await discardFolder(fs, directory);
      throw error;
    }
  }

  async #writeAll(
    files: readonly SnapshotFile[],
    packed: readonly PackedContent[],
    directory: string,
    options: StoreCallOptions,
  ): Promise<void> {
    const { store, fs, keys } = this.#parts;
    const damages = new Map<string, unknown>();
    const written = new Set<string>();
    const consume = async (file: PackedContent, bytes: AsyncIterable<Uint8Array>) => {
      try {
        await writeChecked(fs, directory, file, bytes, options.signal);
        written.add(file.path);
      } catch (error) {
        if (!isDamage(error)) throw error;
        damages.set(file.path, error);
        await fs.promises.rm(join(directory, ...file.path.split('/')), { force: true });
      }
    };
    await readPacked(packed, { store, keyOf: keys.ofPack, consume }, options);
    const firsts = new Map(onePerContent(files).map((file) => [file.sha256, file]));
    const rest = [...firsts.values()].filter(({ path }) => !written.has(path));
    await mapLimited(rest, CONCURRENCY, async (file) => {
      const bytes = file.size === 0 ? NOTHING : this.#alone(file, options);
      try {
        await writeChecked(fs, directory, file, bytes, options.signal);
      } catch (error) {
        throw isDamage(error) ? (damages.get(file.path) ?? error) : error;
      }
    });
    const again = files.filter((file) => firsts.get(file.sha256)?.path !== file.path);
    await mapLimited(again, CONCURRENCY, (file) => {
      const first = firsts.get(file.sha256)?.path ?? file.path;
      const bytes = fileBytes(fs, join(directory, ...first.split('/')), options.signal);
      return writeChecked(fs, directory, file, bytes, options.signal);
    });
  }

  #alone({ sha256, path }: SnapshotFile, options: StoreCallOptions): AsyncIterable<Uint8Array> {
    const { store, keys } = this.#parts;
    return objectBytes(store, keys.ofContent(sha256), path, options);
  }
}

/** One file for each content: the first one. */
export function onePerContent(files: readonly SnapshotFile[]): readonly SnapshotFile[] {
  const firsts = new Map<string, SnapshotFile>();
  for (const file of files) if (!firsts.has(file.sha256)) firsts.set(file.sha256, file);
  return [...firsts.values()];
}

function packedOf(files: readonly SnapshotFile[], places: Places): readonly PackedContent[] {
  return onePerContent(files).flatMap((file) => {
    const place = places.get(file.sha256);
    return place === undefined ? [] : [{ ...file, place }];
  });
}

const NOTHING: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
};

async function unlessDamaged(read: () => Promise<FileHash>): Promise<FileHash | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}
