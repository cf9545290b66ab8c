import type { FileSystem } from '../file-system.js';
import { BackupDirStore } from './backup-dir-store.js';
import { FileSystemStore } from './file-system-store.js';
import type { SessionStore } from './session-store.js';

/** The data that another thread needs to open the same local store. Can be sent by structured cloning. */
export interface LocalStoreSpec {
  readonly name: string;
  readonly root: string;
  readonly platform: NodeJS.Platform;
}

const METHODS = [
  ...(['put', 'putFile', 'get', 'head', 'list', 'delete', 'deleteMany'] as const),
  ...(['localPath', 'sweepTemporaries'] as const),
];

/**
 * How to open this store in another thread. `undefined` for a store of another kind, for one with a file system or
 * clock other than the real ones, and for one with a derived class or replaced methods, because these can't be sent.
 */
export function localStoreSpec(store: SessionStore): LocalStoreSpec | undefined {
  if (!(store instanceof FileSystemStore)) return undefined;
  if (store.constructor !== FileSystemStore && store.constructor !== BackupDirStore) return undefined;
  if (METHODS.some((method) => store[method] !== FileSystemStore.prototype[method])) return undefined;
  const place = store.realPlace();
  return place && { name: store.name, ...place };
}

/** Opens the same store with the file system of this thread. */
export function openLocalStore({ root, name, platform }: LocalStoreSpec, fs: FileSystem): SessionStore {
  return new FileSystemStore(root, { name, platform, fs });
}
