import { type Clock, systemClock } from '../../clock.js';
import type { FileSystem } from '../../file-system.js';
import type { SessionStore } from '../../stores/session-store.js';
import type { TaskRunner } from '../../task.js';
import type { ManifestFolder } from '../catalog/manifest-folder.js';
import type { SignatureCache } from '../hashing/tree-hasher.js';
import type { ProblemListener, SnapshotRepository } from '../repository.js';
import { ObjectShelf, type ObjectShelfOptions } from '../shelf/object-shelf.js';
import type { SnapshotShelf } from '../shelf/shelf.js';
import { ZipShelf } from '../shelf/zip-shelf.js';
import type { StoreMemory } from '../store-calls/remembering-store.js';
import { checkWrites } from '../store-calls/write-checked-store.js';
import type { ZipCompression } from '../zip/zip-writer.js';
import { ShelfRepository } from './shelf-repository.js';

export type RepositoryFormat = SaveFormat | BackupFormat;

/** One object per content, and a manifest per snapshot; see {@link ObjectShelf}. */
export interface SaveFormat {
  readonly kind: 'save';
}

/** One zip per snapshot; see {@link ZipShelf}. */
export interface BackupFormat {
  readonly kind: 'backup';
  /** Absolute path of a folder for zips that are being written or were downloaded; created when needed. */
  readonly stagingDirectory: string;
  /** Default `fast`: tables are stored, not deflated. */
  readonly compression?: ZipCompression;
}

export interface RepositoryOptions {
  readonly store: SessionStore;
  /** The store's name in listings and messages, unique in the session. Default: the store's own name. */
  readonly storeName?: string;
  readonly clientId: string;
  readonly runner: TaskRunner;
  readonly fs: FileSystem;
  readonly clock?: Clock;
  /** Share one cache with the other repositories of the session, so that a file is hashed only once. */
  readonly signatures?: SignatureCache;
  readonly onProblem?: ProblemListener;
  /**
   * Called before every put and delete, except for verification records, which any process may write. Throws
   * unless the session is ours. Default: it is always ours.
   */
  readonly assertMayWrite?: () => void;
  /** What this process remembers of the store. Default: nothing, so that every reading asks the store. */
  readonly memory?: StoreMemory;
  /** Keeps the manifests beyond the process. Default: every process reads them. */
  readonly manifests?: ManifestFolder;
  /**
   * The fencing number of the ownership. Where the store keeps fences, a snapshot is listed in one step with the look
   * whether a later owner has listed one. Default: none.
   */
  readonly fence?: () => number | undefined;
  /** Called with the fencing number of a put that the store refused because of a later owner. */
  readonly onFencedOff?: (generation: number) => void;
  /** Replaces the random half of new ids; for tests. */
  readonly randomness?: () => Uint8Array | string;
}

/**
 * Opens the repository of one client id in a store.
 *
 * @example
 * const saves = openRepository({ kind: 'save' }, { store, clientId: 'shop', runner, fs: systemFileSystem });
 * const result = await saves.create(tree, context);
 * console.log('skipped' in result ? result.skipped : result.snapshot.id);
 */
export function openRepository(format: RepositoryFormat, options: RepositoryOptions): SnapshotRepository {
  const store = checkWrites(options.store, options);
  const parts = { ...options, store, clock: options.clock ?? systemClock };
  return new ShelfRepository({ ...parts, recordStore: options.store, shelf: shelfOf(format, parts) });
}

function shelfOf(
  format: RepositoryFormat,
  parts: ObjectShelfOptions & Pick<RepositoryOptions, 'assertMayWrite'>,
): SnapshotShelf {
  if (format.kind === 'save') return new ObjectShelf(parts);
  const { stagingDirectory, compression } = format;
  return new ZipShelf({ ...parts, stagingDirectory, compression });
}
