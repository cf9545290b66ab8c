import type { SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { SnapshotCatalog } from '../catalog/catalog.js';
import type { SnapshotShelf } from '../shelf/shelf.js';
import { isStateKey } from '../state/state-object.js';
import { deleteObject, listAll } from '../store-calls/store-bytes.js';

export interface ClearedClient {
  readonly store: SessionStore;
  readonly clientId: string;
  readonly catalog: SnapshotCatalog;
  readonly shelf: SnapshotShelf;
}

/** Deletes every key of a client id in a store, but for what must outlive a `clear()`. */
export async function clearClient(client: ClearedClient, options: StoreCallOptions): Promise<void> {
  const { store, clientId, catalog, shelf } = client;
  if (await holdsOthers(client, options)) return removeOurs(client, options);
  // Manifests are deleted first, so that an interruption never leaves a snapshot without its objects.
  for (const prefix of new Set([shelf.prefix, `${clientId}/`])) {
    for (const { key } of await listAll(store, prefix, options)) {
      if (!isStateKey(clientId, key)) await deleteObject(store, key, options);
    }
  }
  await catalog.marks.clear(options);
}

/** Whether snapshots of another client id lie here: a disk that folds case gives `Anna` and `anna` one folder. */
async function holdsOthers(
  { catalog, clientId }: ClearedClient,
  options: StoreCallOptions,
): Promise<boolean> {
  const { damaged } = await catalog.readDelivered(options);
  return damaged.some(({ misplaced }) => misplaced !== undefined && misplaced.clientId !== clientId);
}

/** Deletes the client's snapshots, and only what no other one needs. */
async function removeOurs({ catalog, shelf }: ClearedClient, options: StoreCallOptions): Promise<void> {
  const { entries } = await catalog.readDelivered(options);
  const ids = entries.map(({ manifest }) => manifest.id);
  await catalog.remove(ids, options);
  await shelf.sweep?.(await catalog.readDelivered(options), options);
}
