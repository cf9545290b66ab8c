import type { StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import { holdForFormerOwners } from '../login/former-owners.js';
import type { Revoker } from '../login/revoker.js';
import type { SessionClearing } from '../prune/session-clearing.js';
import type { RemovedProfile } from '../watch/removed-profile.js';

export interface PastParts {
  readonly clearing: SessionClearing;
  readonly removed: RemovedProfile;
  readonly revoker: Revoker;
}

/** Finishes, at a start, what earlier processes could not: an interrupted `clear()`, and marks in stores that were down. */
export async function settlePast(
  context: SessionContext,
  { clearing, removed, revoker }: PastParts,
  { isFirst, patience }: { readonly isFirst: boolean; readonly patience: StorePatience },
): Promise<void> {
  if (isFirst) await clearing.resume();
  await revoker.repeat(patience);
  await removed.repeat(patience);
  await holdForFormerOwners(context);
}
