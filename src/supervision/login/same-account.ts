import { accountId } from '../../client/page-probe.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SessionContext } from '../context/session-context.js';
import { isMarkOf } from './account-mark.js';

/**
 * Whether both snapshots are known to be of one account. Two marks of one account differ where it was paired anew; then it
 * is known only if this process has been ready with one of the two.
 */
export async function isSameAccount(
  { driver }: SessionContext,
  one: LocatedSnapshot,
  other: LocatedSnapshot,
): Promise<boolean> {
  const [mark, otherMark] = [await accountOf(one), await accountOf(other)];
  if (mark === undefined || otherMark === undefined) return false;
  if (mark === otherMark) return true;
  const id = accountId(driver);
  return id !== undefined && (await isMarkOf(mark, id)) && (await isMarkOf(otherMark, id));
}

async function accountOf({ info, repository }: LocatedSnapshot): Promise<string | undefined> {
  const manifest = await repository.manifest(info.id).catch(() => undefined);
  return manifest?.account;
}
