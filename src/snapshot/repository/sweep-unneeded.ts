import type { SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { SnapshotCatalog } from '../catalog/catalog.js';
import type { SweepResult } from '../repository.js';
import type { SnapshotShelf } from '../shelf/shelf.js';
import { deleteAll } from '../store-calls/delete-objects.js';
import { sumOf } from './sum-of.js';

export interface UnneededParts {
  readonly store: SessionStore;
  readonly catalog: SnapshotCatalog;
  readonly shelf: SnapshotShelf;
  /** The wall clock, ms since 1970. */
  readonly now: number;
  readonly atOnce: boolean;
}

/**
 * Deletes what no snapshot needs. From a folder it goes at once: every process that writes into it asks the same lease. Of
 * a remote store, another machine may have the session without our lease knowing it, so there it goes an hour later.
 */
async function sweepUnneeded(
  { store, catalog, shelf, now, atOnce }: UnneededParts,
  options: StoreCallOptions,
): Promise<SweepResult> {
  const unneeded = (await shelf.unneeded?.(await catalog.read(options), options)) ?? [];
  const isFolder = store.localPath !== undefined;
  const doomed = atOnce || isFolder ? unneeded : await catalog.marks.doom(unneeded, now, options);
  return deleteAll(store, doomed, options);
}

/** Removes what nobody needs, what came back of cleared logins, and records of what is gone. */
export async function sweepAll(parts: UnneededParts, options: StoreCallOptions): Promise<SweepResult> {
  const { catalog, now } = parts;
  const cleared = await catalog.sweepCleared(now, options);
  const unneeded = await sweepUnneeded(parts, options);
  return sumOf([cleared, unneeded, { freedBytes: 0, files: await catalog.sweepRecords(options) }]);
}
