import { isSessionError, SnapshotCorruptError } from '../../errors.js';
import type { StoreCallOptions } from '../../stores/session-store.js';
import type { SnapshotManifest } from '../../types.js';
import type { SnapshotCatalog } from '../catalog/catalog.js';
import type { CatalogEntry } from '../catalog/entries.js';
import type { ProblemListener } from '../repository.js';
import type { SnapshotTail } from '../tail/snapshot-tail.js';
import type { FencedCallOptions } from '../tail/tail-object.js';
import type { NewTail, RestoredTail, Tail, TailInfo, TailPut } from '../tail.js';

/** The name of the tail in warnings, in place of a snapshot's id. */
const NAME = 'tail.json';

export interface RepositoryTailParts {
  readonly catalog: SnapshotCatalog;
  /** Absent in a format that keeps none. */
  readonly tail: SnapshotTail | undefined;
  readonly onProblem?: ProblemListener | undefined;
}

/** The tail of a repository's newest save: which save it belongs to, and whether it does. */
export class RepositoryTail {
  readonly #parts: RepositoryTailParts;

  constructor(parts: RepositoryTailParts) {
    this.#parts = parts;
  }

  async put(added: NewTail, { fence, ...options }: FencedCallOptions): Promise<TailPut> {
    const { tail } = this.#parts;
    const manifest = tail && (await this.#saveOf(tail, added.snapshot, options));
    if (tail === undefined || manifest === undefined)
      return { kind: 'refused', because: 'its save is not the newest one any more' };
    return tail.put(manifest, added, { ...options, fence });
  }

  /** @returns `undefined` when there is none, or it can't be read, or the save that it names is not the newest one */
  async info(options: StoreCallOptions): Promise<TailInfo | undefined> {
    const found = await this.#parts.tail?.find(options);
    if (found === undefined || !('tail' in found.content)) return undefined;
    const { tail } = found.content;
    const { entries } = await this.#parts.catalog.read(options);
    if (!isOf(tail, entries[0]?.manifest)) return undefined;
    const { snapshot, lineage, run, at } = tail;
    return { snapshot, lineage, run, at };
  }

  /**
   * Puts the tail of a save in place of that save's files.
   *
   * @returns `undefined` when the save has none
   * @throws SnapshotCorruptError when it has one that is of no use, and the directory is as it was
   */
  async restore(
    manifest: SnapshotManifest,
    directory: string,
    options: StoreCallOptions,
  ): Promise<RestoredTail | undefined> {
    const found = await this.#parts.tail?.find(options);
    if (found === undefined) return undefined;
    if ('error' in found.content) throw found.content.error;
    const { tail } = found.content;
    if (isOf(tail, manifest)) return this.#parts.tail?.restore(tail, manifest, directory, options);
    // Of an older save it is done with; of another login it says nothing here.
    if (tail.lineage !== manifest.lineage || tail.snapshot < manifest.id) return undefined;
    throw new SnapshotCorruptError(`the tail belongs to ${tail.snapshot}, not to ${manifest.id}`);
  }

  /** Looks at every byte of the tail of a save; what is wrong with it is told, and the next put has all of it again. */
  async check({ manifest }: CatalogEntry, options: StoreCallOptions): Promise<void> {
    const { tail, onProblem } = this.#parts;
    const found = await tail?.find(options);
    if (tail === undefined || found === undefined) return;
    try {
      if ('error' in found.content) throw found.content.error;
      if (isOf(found.content.tail, manifest)) await tail.check(found.content.tail, options);
    } catch (error) {
      if (!isSessionError(error) || error.code !== 'SNAPSHOT_CORRUPT') throw error;
      tail.forget();
      onProblem?.(NAME, error);
    }
  }

  /** The manifest of this save, if it is the newest one. What this process has put a tail for need not be looked up. */
  async #saveOf(
    tail: SnapshotTail,
    id: string,
    options: StoreCallOptions,
  ): Promise<SnapshotManifest | undefined> {
    if (tail.manifest?.id === id) return tail.manifest;
    const { entries } = await this.#parts.catalog.read(options);
    const newest = entries[0]?.manifest;
    return newest?.id === id ? newest : undefined;
  }
}

function isOf(tail: Tail, manifest: SnapshotManifest | undefined): boolean {
  return tail.snapshot === manifest?.id && tail.contentDigest === manifest.contentDigest;
}
