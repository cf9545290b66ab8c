import { deleteEach } from '../../stores/delete-each.js';
import type { DeleteResult, SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import { asStoreCall } from './store-bytes.js';

/** The most that `deleteMany` takes, because S3 takes no more in one request. */
const AT_ONCE = 1_000;

/**
 * Deletes many objects in as few calls as the store allows. One that can't be deleted stops no other; its result has the
 * error.
 *
 * @returns a result for each key, in their order
 * @throws StoreError if a call failed as a whole; what was deleted before stays deleted
 */
export async function deleteObjects(
  store: SessionStore,
  keys: readonly string[],
  options: StoreCallOptions = {},
): Promise<readonly DeleteResult[]> {
  const { deleteMany } = store;
  if (deleteMany === undefined) return deleteEach(store, keys, options);
  const results: DeleteResult[] = [];
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    const some = keys.slice(from, from + AT_ONCE);
    const answers = await asStoreCall(store, `delete ${some.length} objects`, () =>
      deleteMany.call(store, some, options),
    );
    results.push(...answers);
  }
  return results;
}
