import { FileSystemStore, type FileSystemStoreOptions } from './file-system-store.js';

/**
 * A folder of backups for people: ordinary zips that anybody can copy and open, at `<root>/<clientId>/<name>.zip`,
 * with small `.json` markers beside them. Everything else, including modes and atomicity, is as in
 * {@link FileSystemStore}.
 *
 * @example
 * const session = new PersistentSession(client, { backupStore: new BackupDirStore('/mnt/nas/whatsapp') });
 */
export class BackupDirStore extends FileSystemStore {
  constructor(root: string, options: FileSystemStoreOptions = {}) {
    super(root, { name: 'backup-dir', ...options });
  }
}
