import { type Clock, sleep } from '../../clock.js';
import { isSessionError } from '../../errors.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import { isStoreFault } from './restore-search.js';

/** When a snapshot that a folder of this machine could not deliver is read again, ms after the failure. */
const FROM_FOLDER_MS = [0] as const;
/** The same for a store that is reached over a network, where a fault may last for some seconds. */
const FROM_AWAY_MS = [0, 2_000, 5_000] as const;

type Failure = { readonly error: unknown } | undefined;

/**
 * Attempts to restore a snapshot, again and again for a while if its store fails to deliver it: the fault may be temporary,
 * and the next candidate is an older login.
 *
 * @returns the last failure; `undefined` if the snapshot was restored
 */
export async function patientAttempts(
  { repository }: LocatedSnapshot,
  clock: Clock,
  signal: AbortSignal,
  attempt: () => Promise<Failure>,
): Promise<Failure> {
  let failure = await attempt();
  const isAway = repository.store.localPath === undefined;
  for (const [index, pauseMs] of (isAway ? FROM_AWAY_MS : FROM_FOLDER_MS).entries()) {
    if (failure === undefined || !isStoreFault(failure.error)) return failure;
    // What the server has refused for good is tried once more all the same.
    if (index > 0 && isSessionError(failure.error) && !failure.error.retryable) return failure;
    if (pauseMs > 0) await sleep(clock, pauseMs, signal);
    failure = await attempt();
  }
  return failure;
}
