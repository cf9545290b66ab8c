import { describe, expect, it } from 'vitest';
import { LeaseLostError, StoreError } from '../../src/errors.js';
import { deleteEach } from '../../src/stores/delete-each.js';
import { standstill } from '../../src/stores/watched/deadline.js';

const KEYS = Array.from({ length: 20 }, (_, index) => `shop/${index}`);

/** A store whose delete of these keys fails. */
function storeOf(failures: Record<string, Error>) {
  const asked: string[] = [];
  const remove = async (key: string) => {
    asked.push(key);
    const failure = failures[key];
    if (failure !== undefined) throw failure;
    return false;
  };
  return { asked, name: 'own', delete: remove };
}

describe('deleting one by one', () => {
  it('answers for each key, in their order', async () => {
    const store = storeOf({});
    expect(await deleteEach(store, KEYS)).toEqual(KEYS.map((key) => ({ key })));
    expect(store.asked).toEqual(KEYS);
  });

  it('goes on after a failure, and keeps its cause', async () => {
    const known = new StoreError('locked');
    const foreign = new TypeError('undefined is not a function');
    const results = await deleteEach(storeOf({ 'shop/3': known, 'shop/12': foreign }), KEYS);
    expect(results).toHaveLength(KEYS.length);
    expect(results[3]).toEqual({ key: 'shop/3', error: known });
    expect(results[12]?.error).toMatchObject({ code: 'STORE', cause: foreign });
    expect(results.filter(({ error }) => error !== undefined)).toHaveLength(2);
  });

  it('does not ask a store that does not answer for every further key', async () => {
    const silent = standstill('own', 'delete shop/3', 10_000);
    const store = storeOf({ 'shop/3': silent });
    const results = await deleteEach(store, KEYS);
    expect(store.asked.length).toBeLessThan(10);
    expect(results.map(({ key }) => key)).toEqual(KEYS);
    expect(results[19]).toEqual({ key: 'shop/19', error: silent });
  });

  it('ends with the signal, and with a session that is lost', async () => {
    const abort = new AbortController();
    const reason = new Error('stopping');
    const store = storeOf({});
    const stopping = {
      ...store,
      delete: async () => abort.abort(reason) ?? Promise.reject(new Error('aborted')),
    };
    await expect(deleteEach(stopping, KEYS, { signal: abort.signal })).rejects.toBe(reason);
    const lost = new LeaseLostError('lost');
    await expect(deleteEach(storeOf({ 'shop/0': lost }), KEYS)).rejects.toBe(lost);
  });
});
