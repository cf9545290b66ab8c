import { isSessionError, SessionError } from '../../errors.js';
import type { PutOptions, SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { SnapshotManifest } from '../../types.js';
import { headObject } from './store-bytes.js';

const ATTEMPTS = 5;

/** How one format creates a new snapshot and puts it. */
export interface NewSnapshot {
  /** Returns a new manifest, whose id differs from call to call. */
  readonly manifest: () => SnapshotManifest;
  readonly key: (manifest: SnapshotManifest) => string;
  /** Returns the number of bytes put. */
  readonly put: (manifest: SnapshotManifest, key: string, options: PutOptions) => Promise<number>;
}

/** Puts a snapshot under an unused id: an existing snapshot is never overwritten. */
export async function putUnderNewId(
  store: SessionStore,
  options: StoreCallOptions,
  snapshot: NewSnapshot,
): Promise<{ readonly manifest: SnapshotManifest; readonly bytesWritten: number }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const manifest = snapshot.manifest();
    const key = snapshot.key(manifest);
    try {
      if ((await headObject(store, key, options)) !== undefined) continue;
      const conditional = store.capabilities.conditionalPut ? { ifAbsent: true } : {};
      const bytesWritten = await snapshot.put(manifest, key, { ...options, ...conditional });
      return { manifest, bytesWritten };
    } catch (error) {
      if (!isSessionError(error) || error.code !== 'STORE_CONFLICT') throw error;
    }
  }
  throw new SessionError('INTERNAL', `no free snapshot id was found in ${ATTEMPTS} attempts`, {
    retryable: true,
  });
}
