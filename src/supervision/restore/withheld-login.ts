import { describeError, StoreError } from '../../errors.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots, WithheldSnapshot } from '../context/session-snapshots.js';
import { endedLineages, type SessionRecord } from '../record/session-record.js';

const NO_QR =
  'no QR is shown while a store that may have the login does not answer (take one that is gone for good out of the options)';

/**
 * The snapshot that may hold the login and that its store lists, but can't deliver at the moment. If any snapshot was tried,
 * every one that can't be read counts. If none may be restored, such as after a logout, only one that is newer than all
 * readable snapshots counts.
 *
 * @param tried the snapshots that could be tried, and of which none was sound
 */
export async function withheldLogin(
  { record }: Pick<SessionContext, 'record'>,
  snapshots: SessionSnapshots,
  tried: readonly LocatedSnapshot[],
  patience?: StorePatience,
): Promise<WithheldSnapshot | undefined> {
  if (isKnownToHaveEnded(record.current)) return undefined;
  const withheld = await snapshots.withheld(patience);
  if (withheld.length === 0 || tried.length > 0) return withheld[0];
  const listed = (await snapshots.list(patience)).map(({ info }) => info.createdAt);
  return withheld.find(({ createdAt }) => listed.every((one) => one < createdAt));
}

/** @throws StoreError when there is a {@link withheldLogin}: a QR would cost a scan that may not be necessary */
export async function assertNoneWithheld(...given: Parameters<typeof withheldLogin>): Promise<void> {
  const found = await withheldLogin(...given);
  if (found === undefined) return;
  const { id, repository, error } = found;
  throw new StoreError(
    `${repository.store.name} lists the snapshot ${id} and can't deliver it: ${describeError(error).message}`,
    { cause: error },
  );
}

/** @throws StoreError when a store could not be listed: it may have the login, unless the last login here is known to have ended */
export function assertNoneSilent(
  { record }: Pick<SessionContext, 'record'>,
  snapshots: SessionSnapshots,
): void {
  const [silent] = snapshots.silence;
  if (silent === undefined || isKnownToHaveEnded(record.current)) return;
  const { repository, error } = silent;
  throw whyNoQr(
    new Error(`${repository.store.name} can't be listed: ${describeError(error).message}`, { cause: error }),
  );
}

/** The error of a start that goes on without a QR, because the login may lie in a store that does not deliver it. */
export function whyNoQr(error: Error): StoreError {
  if (error instanceof StoreError && error.message.startsWith(NO_QR)) return error;
  return new StoreError(`${NO_QR}: ${describeError(error).message}`, { cause: error });
}

/** Whether the last login of this place has ended, so that no store can have it. */
export function isKnownToHaveEnded(record: SessionRecord): boolean {
  return !record.loggedIn && endedLineages(record).length > 0;
}
