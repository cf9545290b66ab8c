import type { ObjectInfo, SessionStore } from '../../stores/session-store.js';
import { ofEach } from './lease-checks.js';
import { LEASES, PROCESSES, processKey, readLeaseAt } from './lease-objects.js';

/** A process that has shown no sign of life for this long is dead, however its machine was suspended, ms. */
const DEAD_FOR_MS = 24 * 3_600_000;
/** How many objects are removed at once. The rest is left for the next time. */
const MOST_REMOVED = 100;
/** A longer listing is given up. */
const MOST_LISTED = 20_000;

/**
 * Removes the objects of processes that were killed long ago, by the store's own stamps: that of this process, which was
 * put a moment ago, tells the time. One that a lease still names is left, because it tells that its owner is dead.
 * Resolves to how many were removed.
 *
 * @throws StoreError when the store fails
 */
export async function sweepProcesses(
  store: SessionStore,
  ownToken: string,
  signal: AbortSignal,
): Promise<number> {
  const processes = await listed(store, PROCESSES, signal);
  const own = processes?.find(({ key }) => key === processKey(ownToken));
  if (processes === undefined || own === undefined) return 0;
  const now = own.modifiedAt.getTime();
  const dead = processes.filter(({ modifiedAt }) => now - modifiedAt.getTime() >= DEAD_FOR_MS);
  if (dead.length === 0) return 0;
  const named = await namedByLeases(store, signal);
  if (named === undefined) return 0;
  const removed = dead.filter(({ key }) => !named.has(key)).slice(0, MOST_REMOVED);
  await ofEach(removed, async ({ key, version }) => {
    const sameVersion = store.capabilities.conditionalDelete === true ? { ifVersion: version } : {};
    await store.delete(key, { ...sameVersion, signal });
  });
  return removed.length;
}

/** The keys of the processes that have leases; `undefined` where a lease can't be read, which may name any. */
async function namedByLeases(
  store: SessionStore,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const leases = await listed(store, LEASES, signal);
  if (leases === undefined) return undefined;
  const named = new Set<string>();
  let areAllRead = true;
  await ofEach(leases, async ({ key }) => {
    const seen = await readLeaseAt(store, key, signal);
    if (seen === undefined) return;
    if (seen.record === undefined) areAllRead = false;
    else named.add(processKey(seen.record.process));
  });
  return areAllRead ? named : undefined;
}

async function listed(
  store: SessionStore,
  prefix: string,
  signal: AbortSignal,
): Promise<readonly ObjectInfo[] | undefined> {
  const found: ObjectInfo[] = [];
  for await (const info of store.list(prefix, { signal })) {
    found.push(info);
    if (found.length > MOST_LISTED) return undefined;
  }
  return found;
}
