import type { FileSystem } from '../../src/file-system.js';
import { openRepository } from '../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../src/snapshot/repository.js';
import type { SessionStore } from '../../src/stores/session-store.js';
import { inlineTaskRunner } from '../../src/task.js';
import { memoryFileSystem } from './fake-stage.js';

/** The marks of a client id in a store, as another process changes them. */
export function marksIn(
  store: SessionStore,
  clientId: string,
  fs: FileSystem = memoryFileSystem(),
): Pick<SnapshotRepository, 'hold' | 'revoke' | 'markCleared' | 'clearedLineages'> {
  return openRepository({ kind: 'save' }, { store, clientId, runner: inlineTaskRunner(fs), fs });
}
