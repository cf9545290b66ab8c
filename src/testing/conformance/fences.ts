import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import type { SessionStore } from '../../stores/session-store.js';
import { assertBytes, bytesAt, bytesOf, type Chapter, keysOf, rejectsWith } from './harness.js';

/** Before this time no store had this contract, ms since 1970. */
const NOT_BEFORE = Date.UTC(2020, 0, 1);
/** The finest that every database stores is well below; some round, ms. */
const ROUNDING_MS = 1_000;

/** `fence`: an owner that was followed by another one writes nothing more. And `serverTime`. */
export const fences: Chapter = (test, expects) => {
  if (expects.fencedPut) {
    test('refuses a put of an owner that was followed by another one', async (store) => {
      await put(store, 'shop/a', 1, 1);
      await put(store, 'shop/a', 1, 2);
      await put(store, 'shop/b', 2, 3);
      await rejectsWith('LEASE_LOST', put(store, 'shop/a', 1, 4));
      await rejectsWith('LEASE_LOST', put(store, 'shop/new', 1, 4));
      assertBytes(await bytesAt(store, 'shop/a'), bytesOf(5, 2));
      await put(store, 'shop/a', 2, 5);
      assertBytes(await bytesAt(store, 'shop/a'), bytesOf(5, 5));
      assert.deepEqual(await keysOf(store), ['shop/a', 'shop/b']);
    });

    test('knows a generation even when everything that was put with it is deleted', async (store) => {
      await put(store, 'shop/a', 7, 1);
      await store.delete('shop/a');
      await rejectsWith('LEASE_LOST', put(store, 'shop/a', 6, 2));
      await put(store, 'shop/a', 7, 3);
    });

    test('lets a generation begin once, and only above all others', async (store) => {
      const begin = (generation: number, salt: number) =>
        store.put('shop/a', bytesOf(5, salt), { fence: { name: 'shop', generation, isNew: true } });
      await begin(3, 1);
      await rejectsWith('LEASE_LOST', begin(3, 2));
      await rejectsWith('LEASE_LOST', begin(2, 3));
      await put(store, 'shop/a', 3, 4);
      await store.delete('shop/a');
      await rejectsWith('LEASE_LOST', begin(3, 5));
      await begin(4, 6);
      await rejectsWith('LEASE_LOST', put(store, 'shop/a', 3, 7));
      assertBytes(await bytesAt(store, 'shop/a'), bytesOf(5, 6));
    });

    test('keeps the generations of each name apart, and asks nothing of other puts', async (store) => {
      await put(store, 'shop/a', 9, 1);
      await store.put('bakery/a', bytesOf(5), { fence: { name: 'bakery', generation: 1 } });
      await store.put('shop/a', bytesOf(5, 2));
      assertBytes(await bytesAt(store, 'shop/a'), bytesOf(5, 2));
    });

    test('looks at the end of a write: who was paused in its midst overwrites nobody', async (store) => {
      async function* paused() {
        yield bytesOf(5);
        await put(store, 'shop/a', 2, 2);
      }
      const body = Readable.from(paused(), { objectMode: false });
      const old = store.put('shop/a', body, { fence: { name: 'shop', generation: 1 } });
      await rejectsWith('LEASE_LOST', old);
      assertBytes(await bytesAt(store, 'shop/a'), bytesOf(5, 2));
    });

    if (expects.conditionalPut !== false) {
      test('learns no generation from a put that fails', async (store) => {
        await put(store, 'shop/a', 1, 1);
        const options = { fence: { name: 'shop', generation: 9 }, ifAbsent: true };
        await rejectsWith('STORE_CONFLICT', store.put('shop/a', bytesOf(5, 2), options));
        await put(store, 'shop/a', 2, 3);
        assertBytes(await bytesAt(store, 'shop/a'), bytesOf(5, 3));
      });
    }

    test('refuses what is no fence', async (store) => {
      for (const fence of [
        { name: '', generation: 1 },
        { name: 'shop', generation: 0 },
        { name: 'shop', generation: 1.5 },
        { name: 'shop', generation: Number.NaN },
      ]) {
        const error = await rejectsWith('STORE', store.put('shop/a', bytesOf(5), { fence }));
        assert.equal(error.retryable, false, JSON.stringify(fence));
      }
      assert.deepEqual(await keysOf(store), []);
    });
  }

  if (expects.serverTime) {
    test('tells the time of the server, by which objects are stamped, too', async (store) => {
      const before = await timeOf(store);
      assert.ok(before > NOT_BEFORE, 'milliseconds since 1970');
      await store.put('shop/note', bytesOf(5));
      const after = await timeOf(store);
      assert.ok(after >= before, 'it goes forward');
      const stamp = (await store.head('shop/note'))?.modifiedAt.getTime() ?? Number.NaN;
      assert.ok(stamp >= before - ROUNDING_MS && stamp <= after + ROUNDING_MS, 'modifiedAt is of this clock');
    });
  }
};

async function put(store: SessionStore, key: string, generation: number, salt: number): Promise<void> {
  await store.put(key, bytesOf(5, salt), { fence: { name: 'shop', generation } });
}

async function timeOf(store: SessionStore): Promise<number> {
  assert.ok(store.serverTime !== undefined, 'the store has no serverTime');
  return store.serverTime();
}
