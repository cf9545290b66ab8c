import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import { isMarkOf } from './account-mark.js';

/** So many earlier logins are compared with the account that is ready; each comparison takes 40 ms of a core. */
const MAX_COMPARED = 10;

/**
 * Call at `ready`, before it is noted, for a profile without a record that nobody has scanned for: whether it has replaced a
 * login of another account, or of another device of the same one, that would have been restored here. An image or a repository
 * may hold such a profile, so nobody can tell it from one that a person has put there on purpose.
 *
 * @param login the id of the account that is ready, and the newest snapshot of another pairing of it
 * @returns what to tell, with the lineage that the profile has got; `undefined` when nothing
 */
export async function whatItReplaced(
  context: Pick<SessionContext, 'clearNote'>,
  snapshots: SessionSnapshots,
  { account, otherPairing }: { readonly account: string; readonly otherPairing: LocatedSnapshot | undefined },
  patience: StorePatience,
): Promise<((lineage: string) => string) | undefined> {
  if (otherPairing !== undefined) return besideOtherPairing(otherPairing);
  const [last] = await snapshots.candidates(undefined, { patience }).catch(() => []);
  if (last === undefined || snapshots.isMoved(last.info) || (await isOf(last, account)) !== false)
    return undefined;
  const { id, lineage: before, createdAt } = last.info;
  const ended = await howItEnded(context, snapshots, account, patience);
  return (lineage) =>
    `the profile that lies here has no record, and is of another account (login ${lineage}) than the last login of this place ` +
    `(${before}, saved ${createdAt}): it is used, and a new series of snapshots begins.${ended} If it was put there by ` +
    `mistake, as by an image or a repository that holds it, restore('${id}') brings the last login back, and the next ` +
    'deployment needs to leave that profile out';
}

function besideOtherPairing({ info }: LocatedSnapshot): (lineage: string) => string {
  return (lineage) =>
    `the profile that lies here has no record, and is of another pairing (login ${lineage}) than the last login of this place ` +
    `(${info.lineage}, saved ${info.createdAt}), but of the same account: it is used, and a new series of snapshots begins. ` +
    `If it was put there by mistake, as by an image or a repository that holds it, restore('${info.id}') brings the last login ` +
    'back, and the next deployment needs to leave that profile out';
}

/** How an earlier login of this account has ended here, as far as the snapshots and the note of a `clear()` tell. */
async function howItEnded(
  { clearNote }: Pick<SessionContext, 'clearNote'>,
  snapshots: SessionSnapshots,
  account: string,
  patience: StorePatience,
): Promise<string> {
  const { ours } = await snapshots.sorted(patience).catch(() => ({ ours: [] }));
  const newest = new Map(
    [...ours].reverse().map((located): [string, LocatedSnapshot] => [located.info.lineage, located]),
  );
  for (const located of [...newest.values()].reverse().slice(0, MAX_COMPARED)) {
    if ((await isOf(located, account)) !== true) continue;
    const how = located.info.revoked ? 'was logged out' : 'was replaced by a later one';
    return ` An earlier login of its account ${how} here.`;
  }
  const clearedAt = (await clearNote.read())?.clearedAt;
  return clearedAt === undefined
    ? ''
    : ` A clear() of ${clearedAt} has ended every login of this place before it.`;
}

/** Whether the snapshot is of this account; `undefined` where it does not tell. */
async function isOf({ info, repository }: LocatedSnapshot, account: string): Promise<boolean | undefined> {
  const mark = (await repository.manifest(info.id).catch(() => undefined))?.account;
  return mark === undefined ? undefined : isMarkOf(mark, account);
}
