import assert from 'node:assert/strict';
import type { SessionStore } from '../../stores/session-store.js';
import { assertBytes, bytesAt, bytesOf, type Chapter, keysOf, rejectsWith } from './harness.js';

/** The most that the library gives to one `deleteMany`. */
const MOST = 1_000;

/** `delete` of one version, and `deleteMany`. */
export const deletes: Chapter = (test, expects) => {
  if (expects.conditionalDelete) {
    test('deletes only the version that is meant', async (store) => {
      const first = await store.put('shop/note', bytesOf(5, 1));
      const second = await store.put('shop/note', bytesOf(5, 2));
      await rejectsWith('STORE_CONFLICT', store.delete('shop/note', { ifVersion: first.version }));
      assertBytes(await bytesAt(store, 'shop/note'), bytesOf(5, 2));
      assert.equal(await store.delete('shop/note', { ifVersion: second.version }), true);
      assert.equal(await store.delete('shop/note', { ifVersion: second.version }), false);
      await store.put('shop/note', bytesOf(5, 3));
      await rejectsWith('STORE_CONFLICT', store.delete('shop/note', { ifVersion: second.version }));
      assertBytes(await bytesAt(store, 'shop/note'), bytesOf(5, 3));
    });

    test('has one winner of a conditional put and deletes of the same version', async (store) => {
      for (let round = 0; round < 10; round++) {
        const { version: ifVersion } = await store.put('shop/note', bytesOf(5, 1));
        const [put, ...deleted] = await Promise.allSettled([
          expects.conditionalPut === false
            ? Promise.reject(new Error('not offered'))
            : store.put('shop/note', bytesOf(5, 2), { ifVersion }),
          store.delete('shop/note', { ifVersion }),
          store.delete('shop/note', { ifVersion }),
        ]);
        const won = deleted.filter((result) => result.status === 'fulfilled' && result.value);
        assert.equal(won.length + (put.status === 'fulfilled' ? 1 : 0), 1);
        const left = await bytesAt(store, 'shop/note');
        if (put.status === 'fulfilled') assertBytes(left, bytesOf(5, 2));
        else assert.equal(left, undefined);
      }
    });
  }

  if (!expects.deleteMany) return;

  test('deleteMany deletes what is there, and is content with what is not', async (store) => {
    for (const key of ['shop/a', 'shop/b/c', 'shop/ab', 'shopping/a']) await store.put(key, bytesOf(3));
    const keys = ['shop/none', 'shop/a', 'none/at/all', 'shop/b/c'];
    assert.deepEqual(
      await manyOf(store)(keys),
      keys.map((key) => ({ key })),
    );
    assert.deepEqual(await keysOf(store), ['shop/ab', 'shopping/a']);
    assert.deepEqual(
      await manyOf(store)(keys),
      keys.map((key) => ({ key })),
      'again',
    );
    assert.deepEqual(await manyOf(store)([]), []);
  });

  test(`deleteMany takes ${MOST} keys at once`, async (store) => {
    const keys = Array.from({ length: MOST }, (_, index) => `shop/objects/${1000 + index}`);
    for (const key of [keys[0], keys[500], keys[MOST - 1]]) await store.put(key ?? '', bytesOf(1));
    const results = await manyOf(store)(keys);
    assert.deepEqual(
      results.map(({ key }) => key),
      keys,
      'a result for each key, in their order',
    );
    assert.ok(results.every(({ error }) => error === undefined));
    assert.deepEqual(await keysOf(store), []);
  });

  test('deleteMany answers for a dangerous key with an error, and does the rest', async (store) => {
    for (const key of ['shop/a', 'shop/b']) await store.put(key, bytesOf(3));
    const results = await manyOf(store)(['shop/a', '../etc/passwd', 'shop/b']);
    assert.deepEqual(
      results.map(({ key, error }) => [key, error?.code, error?.retryable]),
      [
        ['shop/a', undefined, undefined],
        ['../etc/passwd', 'STORE', false],
        ['shop/b', undefined, undefined],
      ],
    );
    assert.deepEqual(await keysOf(store), []);
  });

  test('deleteMany does nothing under a signal that was aborted before', async (store) => {
    await store.put('shop/note', bytesOf(5));
    const reason = new Error('changed our mind');
    await assert.rejects(
      manyOf(store)(['shop/note'], { signal: AbortSignal.abort(reason) }),
      (error) => error === reason,
    );
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(5));
  });

  if (expects.breakDown) {
    test('deleteMany deletes nothing silently when the store is down', async (store, { breakDown }) => {
      assert.ok(breakDown !== undefined, 'the fixture has no breakDown');
      await store.put('shop/note', bytesOf(5));
      await breakDown();
      const outcome = await manyOf(store)(['shop/note', 'shop/none']).catch((error: unknown) => error);
      if (!Array.isArray(outcome)) await rejectsWith('STORE', Promise.reject(outcome));
      else assert.ok(outcome.every(({ error }) => error !== undefined));
    });
  }
};

function manyOf(store: SessionStore): NonNullable<SessionStore['deleteMany']> {
  assert.ok(store.deleteMany !== undefined, 'the store has no deleteMany');
  return store.deleteMany.bind(store);
}
