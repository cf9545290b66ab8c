import type { FileSystem } from '../file-system.js';
import { BackupDirStore } from './backup-dir-store.js';
import { FileSystemStore } from './file-system-store.js';
import type { SessionStore } from './session-store.js';

/** What is needed to open the same local store in another thread; structured-clonable. */
export interface LocalStoreSpec {
  readonly name: string;
  readonly root: string;
  readonly platform: NodeJS.Platform;
}

const METHODS = ['put', 'putFile', 'get', 'head', 'list', 'delete', 'localPath', 'sweepTemporaries'] as const;

/**
 * How to open this store in another thread; `undefined` for a store of another kind, one over another file system or
 * clock than the real ones, and one that somebody has extended: none of that can be taken along.
 */
export function localStoreSpec(store: SessionStore): LocalStoreSpec | undefined {
  if (!(store instanceof FileSystemStore)) return undefined;
  if (store.constructor !== FileSystemStore && store.constructor !== BackupDirStore) return undefined;
  if (METHODS.some((method) => store[method] !== FileSystemStore.prototype[method])) return undefined;
  const place = store.realPlace();
  return place && { name: store.name, ...place };
}

/** The same store over the file system of this thread. */
export function openLocalStore({ root, name, platform }: LocalStoreSpec, fs: FileSystem): SessionStore {
  return new FileSystemStore(root, { name, platform, fs });
}
