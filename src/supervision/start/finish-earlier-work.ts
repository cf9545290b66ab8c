import type { StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import { holdForFormerOwners } from '../login/former-owners.js';
import type { Revoker } from '../login/revoker.js';
import type { SessionClearing } from '../prune/session-clearing.js';
import type { RemovedProfile } from '../watch/removed-profile.js';

export interface EarlierWorkParts {
  readonly clearing: SessionClearing;
  readonly removed: RemovedProfile;
  readonly revoker: Revoker;
  readonly snapshots: SessionSnapshots;
}

/** Finishes, at a start, what earlier processes could not: an interrupted `clear()`, and marks in stores that were down. */
export async function finishEarlierWork(
  context: SessionContext,
  { clearing, removed, revoker, snapshots }: EarlierWorkParts,
  { isFirst, patience }: { readonly isFirst: boolean; readonly patience: StorePatience },
): Promise<void> {
  if (isFirst) await clearing.resume();
  await revoker.repeat(patience);
  await removed.repeat(patience);
  await snapshots.places.share(patience);
  await holdForFormerOwners(context);
}
