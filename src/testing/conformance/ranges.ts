import assert from 'node:assert/strict';
import { assertBytes, bytesAt, bytesOf, type Chapter, readAll, rejectsWith } from './harness.js';

const SIZE = 300_013;
const FAR = 1_000_000_000;

/** Parts of a value, from `offset` on, and what is right for each. */
const PARTS: readonly (readonly [what: string, offset: number, length: number, bytes: number])[] = [
  ['its start', 0, 1000, 1000],
  ['its middle', 100_001, 70_000, 70_000],
  ['one byte', 299_999, 1, 1],
  ['its end, and what would lie behind it', 300_000, 1000, 13],
  ['what lies right behind its end', SIZE, 10, 0],
  ['what lies far behind its end', FAR, 10, 0],
  ['nothing', 5, 0, 0],
  ['everything', 0, FAR, SIZE],
];

/** `get` of a part, and of one version only. */
export const ranges: Chapter = (test, expects) => {
  if (!expects.ranges) {
    test('ignores ranges, and says so by leaving them out of its answer', async (store) => {
      await store.put('shop/note', bytesOf(1000));
      const found = await store.get('shop/note', { range: { offset: 10, length: 5 } });
      assert.ok(found !== undefined, 'the object is missing');
      assert.equal(found.range, undefined);
      assertBytes(await readAll(found.body), bytesOf(1000));
    });
    return;
  }

  for (const [what, offset, length, bytes] of PARTS) {
    test(`gives ${what}`, async (store) => {
      await store.put('shop/note', bytesOf(SIZE));
      const range = { offset, length };
      const found = await store.get('shop/note', { range });
      assert.ok(found !== undefined, 'the object is missing');
      assert.deepEqual(found.range, range, 'the answer must repeat the range');
      assert.deepEqual(found.info, await store.head('shop/note'), 'the size is that of the whole object');
      const body = await readAll(found.body);
      assertBytes(body, bytesOf(SIZE).subarray(offset, offset + bytes));
    });
  }

  test('gives nothing of an empty object, and undefined for what is missing', async (store) => {
    await store.put('shop/empty', bytesOf(0));
    assertBytes(await bytesAt(store, 'shop/empty', { range: { offset: 0, length: 10 } }), bytesOf(0));
    assert.equal(await store.get('shop/none', { range: { offset: 0, length: 10 } }), undefined);
    assert.equal(await store.get('shop/none', { ifVersion: 'x' }), undefined);
  });

  test('refuses what is no range', async (store) => {
    await store.put('shop/note', bytesOf(10));
    for (const range of [
      { offset: -1, length: 5 },
      { offset: 0, length: -5 },
      { offset: 0.5, length: 5 },
      { offset: 0, length: Number.NaN },
      { offset: 0, length: Number.POSITIVE_INFINITY },
    ]) {
      const error = await rejectsWith('STORE', store.get('shop/note', { range }));
      assert.equal(error.retryable, false, JSON.stringify(range));
    }
  });

  test('gives one version, or a conflict: parts of two values are never mixed', async (store) => {
    await store.put('shop/note', bytesOf(1000, 1));
    const { version: ifVersion } = (await store.head('shop/note')) ?? assert.fail('the object is missing');
    const range = { offset: 500, length: 500 };
    assertBytes(await bytesAt(store, 'shop/note', { ifVersion }), bytesOf(1000, 1));
    assertBytes(await bytesAt(store, 'shop/note', { ifVersion, range }), bytesOf(1000, 1).subarray(500));
    await store.put('shop/note', bytesOf(1000, 2));
    await rejectsWith('STORE_CONFLICT', store.get('shop/note', { ifVersion }));
    await rejectsWith('STORE_CONFLICT', store.get('shop/note', { ifVersion, range }));
    await store.delete('shop/note');
    assert.equal(await store.get('shop/note', { ifVersion, range }), undefined);
  });

  test('lets go of a part that is not read', async (store) => {
    await store.put('shop/note', bytesOf(SIZE));
    (await store.get('shop/note', { range: { offset: 10, length: 200_000 } }))?.body.destroy();
    const begun = await store.get('shop/note', { range: { offset: 10, length: 200_000 } });
    for await (const _ of begun?.body ?? []) break;
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(SIZE));
  });
};
