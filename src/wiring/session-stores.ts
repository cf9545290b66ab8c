import { join } from 'node:path';
import type { FileSystem } from '../file-system.js';
import type { ResolvedOptions } from '../options.js';
import { BackupDirStore } from '../stores/backup-dir-store.js';
import { FileSystemStore } from '../stores/file-system-store.js';
import { guardForeignStores } from '../stores/foreign-store.js';
import type { SessionStore } from '../stores/session-store.js';
import { uniqueStoreNames } from '../stores/unique-names.js';

/** The stores of a session. */
export interface SessionStores {
  readonly saves: SessionStore;
  readonly backups: readonly SessionStore[];
  /** Their names in listings and messages, each unique. */
  readonly names: ReadonlyMap<SessionStore, string>;
  /**
   * The store that tells who owns the session among machines: the first that is away from this machine and keeps the
   * conditions of a put. Absent where all are folders, which the lease beside them protects.
   */
  readonly shared: { readonly store: SessionStore; readonly given: SessionStore } | undefined;
}

export function createStores(
  {
    store,
    backupStore,
    sessionPath,
    backupPath,
  }: Pick<ResolvedOptions, 'store' | 'backupStore' | 'sessionPath' | 'backupPath'>,
  fs: FileSystem,
): SessionStores {
  const guard = guardForeignStores();
  const saves = store ? guard(store) : new FileSystemStore(join(sessionPath, 'store'), { fs });
  const backups = backupStore?.map(guard) ?? [new BackupDirStore(backupPath, { fs })];
  const given = [store, ...(backupStore ?? [])].find(
    (one) => one !== undefined && one.localPath === undefined && one.capabilities.conditionalPut,
  );
  return {
    saves,
    backups,
    names: uniqueStoreNames([saves, ...backups]),
    shared: given && { store: guard(given), given },
  };
}
