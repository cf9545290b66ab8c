import { join } from 'node:path';
import { QUARANTINED_PROFILE } from '../../profile/install/replace.js';
import type { SnapshotInfo } from '../../types.js';
import { StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';

/**
 * Tells that a later login was restored over the profile of an earlier one, and how to go back: a person may have put that
 * profile there, and would look for it.
 *
 * @param what the login (lineage) that the profile had before, what was restored, and where the profile is now
 */
export async function tellReplaced(
  { clock, warn }: SessionContext,
  snapshots: SessionSnapshots,
  what: { readonly before: string; readonly info: SnapshotInfo; readonly quarantined: string },
): Promise<void> {
  const { before, info, quarantined } = what;
  const located = await snapshots.list(StorePatience.brief(clock)).catch(() => []);
  const last = located.find((one) => one.info.lineage === before);
  const wayBack =
    last === undefined
      ? `importSession(${JSON.stringify(join(quarantined, QUARANTINED_PROFILE))})`
      : `restore('${last.info.id}')`;
  warn(
    'profile-replaced',
    'the profile held an earlier login of this place, which has ended or which a later one has replaced: the later one was ' +
      `restored (${info.id}), and the profile was moved to ${quarantined}. If somebody had put it there on purpose, call ${wayBack}`,
  );
}
