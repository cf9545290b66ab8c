import { isSessionError, SessionError } from '../../errors.js';
import type {
  Fence,
  PutOptions,
  PutResult,
  SessionStore,
  StoreCallOptions,
} from '../../stores/session-store.js';
import type { SnapshotManifest } from '../../types.js';
import { headObject } from './store-bytes.js';

const ATTEMPTS = 5;

/** A snapshot that was put and checked: the object that lists it, and the bytes put in all. */
export interface PutSnapshot {
  /** As it was put: it may tell more than the one that was given, such as where its files lie. */
  readonly manifest: SnapshotManifest;
  readonly info: PutResult;
  readonly bytesWritten: number;
}

/** How one format creates a new snapshot and puts it. */
export interface NewSnapshot {
  /** Returns a new manifest, whose id differs from call to call. */
  readonly manifest: () => SnapshotManifest;
  readonly key: (manifest: SnapshotManifest) => string;
  readonly put: (manifest: SnapshotManifest, key: string, options: PutOptions) => Promise<PutSnapshot>;
  /** The right to list it; only for a store that keeps fences. */
  readonly fence?: Fence | undefined;
}

/** Puts a snapshot under an unused id: an existing snapshot is never overwritten. */
export async function putUnderNewId(
  store: SessionStore,
  options: StoreCallOptions,
  snapshot: NewSnapshot,
): Promise<PutSnapshot> {
  const { conditionalPut } = store.capabilities;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const manifest = snapshot.manifest();
    const key = snapshot.key(manifest);
    try {
      if (!conditionalPut && (await headObject(store, key, options)) !== undefined) continue;
      const { fence } = snapshot;
      const conditions = { ...options, ...(conditionalPut && { ifAbsent: true }), ...(fence && { fence }) };
      return await snapshot.put(manifest, key, conditions);
    } catch (error) {
      if (!isSessionError(error) || error.code !== 'STORE_CONFLICT') throw error;
    }
  }
  throw new SessionError('INTERNAL', `no free snapshot id was found in ${ATTEMPTS} attempts`, {
    retryable: true,
  });
}
