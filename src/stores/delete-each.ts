import { isSessionError, isStoreError, StoreError } from '../errors.js';
import { throwIfAborted } from './body.js';
import type { DeleteResult, SessionStore, StoreCallOptions } from './session-store.js';
import { isStandstill } from './watched/deadline.js';

/** Remote servers answer this many at once without being flooded, and a local disk gains nothing from more. */
const AT_ONCE = 8;

type Deleter = Pick<SessionStore, 'name' | 'delete'>;

/**
 * Deletes objects by one call each, and answers as `SessionStore.deleteMany` does: a failure is the result of its key.
 * A store that does not answer is not waited for with every further key.
 *
 * @throws the reason of the signal, or the error of a session that is no longer ours
 */
export async function deleteEach(
  store: Deleter,
  keys: readonly string[],
  options: StoreCallOptions = {},
): Promise<readonly DeleteResult[]> {
  const results: DeleteResult[] = [];
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    const some = keys.slice(from, from + AT_ONCE);
    const answers = await Promise.all(some.map((key) => deleteOne(store, key, options)));
    results.push(...answers);
    const silent = answers.find(({ error }) => isStandstill(error));
    if (silent?.error === undefined) continue;
    const { error } = silent;
    return [...results, ...keys.slice(from + AT_ONCE).map((key) => ({ key, error }))];
  }
  return results;
}

async function deleteOne(store: Deleter, key: string, options: StoreCallOptions): Promise<DeleteResult> {
  try {
    await store.delete(key, options);
    return { key };
  } catch (error) {
    throwIfAborted(options.signal);
    if (isStoreError(error)) return { key, error };
    if (isSessionError(error)) throw error;
    return { key, error: new StoreError(`${store.name} could not delete ${key}`, { cause: error }) };
  }
}
