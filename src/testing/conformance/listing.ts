import assert from 'node:assert/strict';
import { bytesOf, type Chapter, keysOf } from './harness.js';

const AT_ONCE = 50;

/** `list` finds every object below a prefix, and nothing else. */
export const listing: Chapter = (test) => {
  test('lists by prefix, also one that ends within a name', async (store) => {
    const keys = ['bot', 'shop/a', 'shop/b/c', 'shop/b/d', 'shop2/a'];
    for (const key of keys) await store.put(key, bytesOf(1));
    assert.deepEqual(await keysOf(store, ''), keys);
    assert.deepEqual(await keysOf(store, 'shop/'), ['shop/a', 'shop/b/c', 'shop/b/d']);
    assert.deepEqual(await keysOf(store, 'shop'), ['shop/a', 'shop/b/c', 'shop/b/d', 'shop2/a']);
    assert.deepEqual(await keysOf(store, 'shop/b/d'), ['shop/b/d']);
    assert.deepEqual(await keysOf(store, 'none/'), []);
    assert.deepEqual(await keysOf(store, 'bot/'), []);
  });

  test('lists many objects, each once', async (store) => {
    const keys = Array.from(
      { length: 120 },
      (_, index) => `shop/objects/${index % 7}/${1000 + index}`,
    ).sort();
    await Promise.all(keys.map((key) => store.put(key, bytesOf(5))));
    assert.deepEqual(await keysOf(store, 'shop/'), keys);
  });

  test('lists more than 1,000 objects, each once, as pages of a server are that long', async (store) => {
    const keys = Array.from({ length: 1_100 }, (_, index) => `shop/objects/${1000 + index}`);
    for (let from = 0; from < keys.length; from += AT_ONCE) {
      await Promise.all(keys.slice(from, from + AT_ONCE).map((key) => store.put(key, bytesOf(1))));
    }
    await store.put('shop2/a', bytesOf(1));
    assert.deepEqual(await keysOf(store, 'shop/'), keys);
    assert.deepEqual(await keysOf(store, 'shop/objects/20'), keys.slice(1_000));
  });

  test('lists nothing of a put that is under way or has failed', async (store) => {
    async function* halves() {
      yield bytesOf(1000);
      assert.deepEqual(await keysOf(store), []);
      throw new Error('the source failed');
    }
    const { Readable } = await import('node:stream');
    await assert.rejects(store.put('shop/note', Readable.from(halves(), { objectMode: false })));
    assert.deepEqual(await keysOf(store), []);
  });

  test('may be left before its end', async (store) => {
    for (const key of ['a', 'b', 'c']) await store.put(key, bytesOf(1));
    for await (const _ of store.list('')) break;
    assert.deepEqual(await keysOf(store), ['a', 'b', 'c']);
  });

  test('lets objects be deleted while they are listed', async (store) => {
    for (let index = 0; index < 10; index++) await store.put(`shop/${index}`, bytesOf(1));
    for await (const { key } of store.list('shop/')) await store.delete(key);
    assert.deepEqual(await keysOf(store), []);
  });
};
