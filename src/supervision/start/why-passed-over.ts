import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';

/** Why none of the listed snapshots was restored, and what brings one back; `undefined` when none is listed. */
export async function whyPassedOver(
  { record }: Pick<SessionContext, 'record'>,
  snapshots: SessionSnapshots,
): Promise<string | undefined> {
  const { ours, others } = await snapshots.sorted();
  if (ours.length + others.length === 0) return undefined;
  const { revokedLineages } = record.current;
  const isRevoked = ({ info }: LocatedSnapshot) => info.revoked || revokedLineages.includes(info.lineage);
  const alive = ours.filter((located) => !isRevoked(located));
  const revoked = ours.length - alive.length;
  const reasons = [
    revoked > 0 && `${revoked} of a login that was logged out`,
    alive.length > 0 &&
      `${alive.length} of a login that WhatsApp rejected, that a later one replaced, or that clear() was to delete`,
    others.length > 0 && `${others.length} of another profile`,
  ].filter((part) => part !== false);
  const [newest] = alive;
  const call =
    newest === undefined
      ? 'restore(id) brings one'
      : `restore('${newest.info.id}') brings the newest of these`;
  return `snapshots were skipped: ${reasons.join(', ')}; ${call} back all the same`;
}
