import type { Clock } from '../../clock.js';
import type { Fence, SessionStore } from '../../stores/session-store.js';
import type { TaskRunner } from '../../task.js';
import type { ManifestFolder } from '../catalog/manifest-folder.js';
import type { SignatureCache } from '../hashing/tree-hasher.js';
import type { ProblemListener } from '../repository.js';
import type { SnapshotShelf } from '../shelf/shelf.js';
import type { StoreMemory } from '../store-calls/remembering-store.js';

/** What a ShelfRepository is made of. */
export interface ShelfRepositoryParts {
  /** The store of the shelf; writing throws unless the session is ours. */
  readonly store: SessionStore;
  /** The same store without that check, because any process may record a verification. */
  readonly recordStore: SessionStore;
  readonly shelf: SnapshotShelf;
  readonly clientId: string;
  readonly runner: TaskRunner;
  readonly clock?: Clock | undefined;
  /** Share one cache with the other repositories of the session, so that a file is hashed only once. */
  readonly signatures?: SignatureCache | undefined;
  readonly onProblem?: ProblemListener | undefined;
  readonly memory?: StoreMemory | undefined;
  readonly manifests?: ManifestFolder | undefined;
  /** See `RepositoryOptions`. */
  readonly fence?: (() => number | undefined) | undefined;
  /** Replaces the random half of new ids; for tests. */
  readonly randomness?: (() => Uint8Array | string) | undefined;
}

/** The right to list a snapshot, where the store compares it in the very put. */
export function fenceOf({ store, clientId, fence }: ShelfRepositoryParts): Fence | undefined {
  const generation = store.capabilities.fencedPut === true ? fence?.() : undefined;
  return generation === undefined ? undefined : { name: clientId, generation };
}
