import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { assertBytes, bytesAt, bytesOf, type Chapter, keysOf, rejectsWith, streamOf } from './harness.js';

/** A failed or aborted `put` leaves the old value; a store that is down never looks like a missing session. */
export const failures: Chapter = (test, expects) => {
  for (const announced of [99, 101]) {
    test(`refuses 100 bytes announced as ${announced}, and keeps the old value`, async (store) => {
      await store.put('shop/note', bytesOf(5));
      await rejectsWith('STORE', store.put('shop/note', bytesOf(100), { size: announced }));
      await rejectsWith('STORE', store.put('shop/note', streamOf(bytesOf(100), 10), { size: announced }));
      await rejectsWith('STORE', store.put('shop/none', streamOf(bytesOf(100), 10), { size: announced }));
      assertBytes(await bytesAt(store, 'shop/note'), bytesOf(5));
      assert.deepEqual(await keysOf(store), ['shop/note']);
    });
  }

  test('keeps the old value when the source fails', async (store) => {
    await store.put('shop/note', bytesOf(5));
    const cause = new Error('the source failed');
    const error = await rejectsWith('STORE', store.put('shop/note', failing(cause)));
    assert.equal(error.cause, cause);
    await assert.rejects(store.put('shop/none', failing(cause)));
    const ended = streamOf(bytesOf(10));
    ended.destroy();
    await rejectsWith('STORE', store.put('shop/note', ended));
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(5));
    assert.deepEqual(await keysOf(store), ['shop/note']);
  });

  test('keeps the old value when it is aborted, and rejects with the reason', async (store) => {
    await store.put('shop/note', bytesOf(5));
    const controller = new AbortController();
    const reason = new Error('changed our mind');
    async function* stalled() {
      yield bytesOf(100);
      controller.abort(reason);
      await new Promise(() => undefined);
    }
    const body = Readable.from(stalled(), { objectMode: false });
    await assert.rejects(
      store.put('shop/note', body, { signal: controller.signal }),
      (error) => error === reason,
    );
    assert.ok(body.destroyed, 'the source must be let go');
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(5));
  });

  test('does nothing under a signal that was aborted before', async (store) => {
    await store.put('shop/note', bytesOf(5));
    const reason = new Error('changed our mind');
    const options = { signal: AbortSignal.abort(reason) };
    const isReason = (error: unknown) => error === reason;
    const body = streamOf(bytesOf(10));
    await assert.rejects(store.put('shop/note', body, options), isReason);
    assert.ok(body.destroyed, 'the source must be let go');
    await assert.rejects(store.put('shop/note', bytesOf(6), options), isReason);
    await assert.rejects(store.get('shop/note', options), isReason);
    await assert.rejects(store.head('shop/note', options), isReason);
    await assert.rejects(store.delete('shop/note', options), isReason);
    await assert.rejects(async () => {
      for await (const _ of store.list('', options)) assert.fail('listed something');
    }, isReason);
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(5));
  });

  const { maxObjectBytes } = expects;
  if (maxObjectBytes !== undefined) {
    test(`refuses what is larger than ${maxObjectBytes} bytes, and keeps the old value`, async (store) => {
      await store.put('shop/note', bytesOf(maxObjectBytes));
      const error = await rejectsWith('STORE', store.put('shop/note', bytesOf(maxObjectBytes + 1)));
      assert.equal(error.retryable, false);
      await rejectsWith('STORE', store.put('shop/note', streamOf(bytesOf(maxObjectBytes + 1))));
      assertBytes(await bytesAt(store, 'shop/note'), bytesOf(maxObjectBytes));
    });
  }

  if (expects.breakDown) {
    test('throws when it is down: what it cannot see is not missing', async (store, { breakDown }) => {
      assert.ok(breakDown !== undefined, 'the fixture has no breakDown');
      await store.put('shop/note', bytesOf(5));
      await breakDown();
      for (const key of ['shop/note', 'shop/none']) {
        await rejectsWith('STORE', store.get(key));
        await rejectsWith('STORE', store.head(key));
        await rejectsWith('STORE', store.delete(key));
        await rejectsWith('STORE', store.put(key, bytesOf(1)));
      }
      await rejectsWith('STORE', keysOf(store, 'shop/'));
      await rejectsWith('STORE', keysOf(store));
    });
  }
};

function failing(error: Error): Readable {
  async function* halves() {
    yield bytesOf(1000);
    throw error;
  }
  return Readable.from(halves(), { objectMode: false });
}
