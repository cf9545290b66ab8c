import { withDeadline } from '../../clock.js';
import { deviceOf, diskSpace } from '../../platform.js';
import type { SessionStore } from '../../stores/session-store.js';
import type { SessionContext } from '../context/session-context.js';

/** Free bytes on the profile's disk; `Infinity` when unknown, since the write itself will then tell. */
export async function freeBytesOfProfile({ fs, profileDir }: SessionContext): Promise<number> {
  const space = await diskSpace(fs, profileDir).catch(() => undefined);
  return space?.freeBytes ?? Number.POSITIVE_INFINITY;
}

const PATIENCE_MS = 2_000;

/**
 * Whether a store keeps plain files on the profile's disk, so that deleting some frees space there. `true` also for a
 * local store whose disk has no known number; the caller sees whether deleting helped.
 */
export async function sharesDiskOfProfile(
  { fs, profileDir, clientId, clock }: SessionContext,
  store: SessionStore,
): Promise<boolean> {
  if (store.localPath === undefined) return false;
  const devices = Promise.all([deviceOf(fs, profileDir), deviceOf(fs, store.localPath(clientId))]);
  // A mount that hangs is not the profile's disk.
  const found = await withDeadline(clock, PATIENCE_MS, 'looking for the disk', devices).catch(
    () => undefined,
  );
  if (found === undefined) return false;
  const [own, stores] = found;
  return own === undefined || stores === undefined || own === stores;
}
