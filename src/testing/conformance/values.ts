import assert from 'node:assert/strict';
import { assertBytes, bytesAt, bytesOf, type Chapter, keysOf, readAll, streamOf } from './harness.js';

/** A stored value comes back unchanged; a missing one is `undefined`. */
export const values: Chapter = (test, expects) => {
  test('declares what it can do', async (store) => {
    await store.head('shop/none'); // a store may have to ask its server first
    assert.equal(typeof store.name, 'string');
    assert.equal(store.capabilities.conditionalPut, expects.conditionalPut ?? true);
    assert.equal(store.capabilities.maxObjectBytes, expects.maxObjectBytes);
    for (const capability of ['conditionalDelete', 'fencedPut', 'serverTime'] as const) {
      assert.equal(store.capabilities[capability] ?? false, expects[capability] ?? false, capability);
    }
    assert.equal(store.serverTime !== undefined, expects.serverTime ?? false, 'serverTime()');
    assert.equal(store.deleteMany !== undefined, expects.deleteMany ?? false, 'deleteMany');
    assert.equal(store.putFile !== undefined, expects.putFile ?? false, 'putFile');
    assert.equal(store.localPath !== undefined, expects.localPath ?? false, 'localPath');
  });

  test('answers undefined, false and nothing for what is missing', async (store) => {
    assert.equal(await store.get('shop/none'), undefined);
    assert.equal(await store.head('shop/none'), undefined);
    assert.equal(await store.delete('shop/none'), false);
    assert.deepEqual(await keysOf(store), []);
  });

  for (const size of [0, 1, 1000, 300_013]) {
    test(`gives back ${size} bytes as they were put, from a buffer and from a stream`, async (store) => {
      const bytes = bytesOf(size);
      assert.equal((await store.put('shop/buffer', bytes)).size, size);
      assert.equal((await store.put('shop/stream', streamOf(bytes))).size, size);
      assert.equal((await store.put('shop/sized', streamOf(bytes), { size })).size, size);
      for (const key of ['shop/buffer', 'shop/stream', 'shop/sized'])
        assertBytes(await bytesAt(store, key), bytes);
    });
  }

  test('tells the same of an object in put, head, get and list', async (store) => {
    const put = await store.put('shop/note', bytesOf(10));
    assert.equal(put.key, 'shop/note');
    const head = await store.head('shop/note');
    assert.ok(head !== undefined && !Number.isNaN(head.modifiedAt.getTime()));
    assert.deepEqual({ modifiedAt: head.modifiedAt, ...put }, head);
    const got = await store.get('shop/note');
    assert.deepEqual(got?.info, head);
    got?.body.destroy();
    for await (const listed of store.list('shop/')) assert.deepEqual(listed, head);
  });

  test('replaces a value, and changes its version with it, also for a value of the same length', async (store) => {
    const versions = new Set<string>();
    for (let round = 0; round < 20; round++) {
      versions.add((await store.put('shop/note', bytesOf(64, round))).version);
      assertBytes(await bytesAt(store, 'shop/note'), bytesOf(64, round));
    }
    assert.equal(versions.size, 20);
  });

  test('keeps a copy: the caller may use its buffer again', async (store) => {
    const bytes = bytesOf(100);
    await store.put('shop/note', bytes);
    bytes.fill(0);
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(100));
    (await bytesAt(store, 'shop/note'))?.fill(0);
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(100));
  });

  test('lets go of a body that is not read', async (store) => {
    await store.put('shop/note', bytesOf(300_000));
    const unread = await store.get('shop/note');
    unread?.body.destroy();
    const begun = await store.get('shop/note');
    for await (const _ of begun?.body ?? []) break;
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(300_000));
  });

  test('never shows a mix of two values', async (store) => {
    const [old, fresh] = [bytesOf(300_000, 1), bytesOf(200_000, 2)];
    await store.put('shop/note', old);
    const before = await store.get('shop/note');
    const putting = store.put('shop/note', streamOf(fresh));
    putting.catch(() => undefined); // awaited below
    assert.ok(before !== undefined);
    assertBytes(await readAll(before.body), before.info.size === old.length ? old : fresh);
    for (let round = 0; round < 10; round++) {
      const seen = await bytesAt(store, 'shop/note');
      assertBytes(seen, seen?.length === old.length ? old : fresh);
    }
    await putting;
    assertBytes(await bytesAt(store, 'shop/note'), fresh);
  });

  test('ends with one whole value when several are put at once', async (store) => {
    const all = Array.from({ length: 8 }, (_, index) => bytesOf(50_000 + index, index));
    await Promise.all(all.map((bytes) => store.put('shop/note', streamOf(bytes))));
    const seen = await bytesAt(store, 'shop/note');
    const expected = all.find(({ length }) => length === seen?.length);
    assert.ok(expected !== undefined, 'not one of the values that were put');
    assertBytes(seen, expected);
  });

  test('deletes once, leaves the neighbours, and can be put again', async (store) => {
    for (const key of ['shop/a', 'shop/ab', 'shop/a.b', 'shop/sub/a', 'shopping/a'])
      await store.put(key, bytesOf(3));
    const won = (await Promise.all([store.delete('shop/a'), store.delete('shop/a')])).filter(Boolean);
    if (expects.conditionalDelete) assert.equal(won.length, 1);
    else assert.ok(won.length > 0, 'neither delete says that there was something');
    assert.equal(await store.delete('shop/a'), false);
    assert.equal(await store.get('shop/a'), undefined);
    assert.equal(await store.head('shop/a'), undefined);
    assert.deepEqual(await keysOf(store), ['shop/a.b', 'shop/ab', 'shop/sub/a', 'shopping/a']);
    await store.put('shop/a', bytesOf(7));
    assertBytes(await bytesAt(store, 'shop/a'), bytesOf(7));
  });

  test('survives puts and deletes of neighbours at once', async (store) => {
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        await store.put(`shop/deep/er/${index % 4}`, bytesOf(10, index));
        await store.delete(`shop/deep/er/${index % 4}`);
      }),
    );
    await store.put('shop/deep/er/0', bytesOf(5));
    assertBytes(await bytesAt(store, 'shop/deep/er/0'), bytesOf(5));
  });

  test('closes twice without complaint', async (store) => {
    await store.close?.();
    await store.close?.();
  });
};
