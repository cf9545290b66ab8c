import assert from 'node:assert/strict';
import { isSessionError } from '../../errors.js';
import type { PutOptions, PutResult } from '../../stores/session-store.js';
import {
  assertBytes,
  bytesAt,
  bytesOf,
  type Chapter,
  digestOf,
  keysOf,
  rejectsWith,
  streamOf,
} from './harness.js';

/** A store that says that it compares digests refuses every other byte. */
export const digests: Chapter = (test, { verifiedBy }) => {
  test('says nothing of a put without a digest', async (store) => {
    assert.equal((await store.put('shop/note', bytesOf(100))).verifiedBy, undefined);
  });

  if (verifiedBy === undefined) {
    test('takes a digest, and never says that it has compared it', async (store) => {
      const right = await store.put('shop/note', bytesOf(100), { digest: digestOf(bytesOf(100)) });
      assert.equal(right.verifiedBy, undefined);
      assertBytes(await bytesAt(store, 'shop/note'), bytesOf(100));
      const wrong = await store
        .put('shop/note', bytesOf(100), { digest: digestOf(bytesOf(99)) })
        .catch((error: unknown): Partial<PutResult> => {
          assert.ok(isSessionError(error) && error.code === 'STORE', String(error));
          return {};
        });
      assert.equal(wrong.verifiedBy, undefined);
    });
    return;
  }

  for (const size of [0, 1, 300_013]) {
    test(`compares ${size} bytes with their digest, from a buffer and from a stream`, async (store) => {
      const bytes = bytesOf(size);
      const digest = digestOf(bytes);
      const put = (body: Parameters<typeof store.put>[1], options: PutOptions) =>
        store.put('shop/note', body, options);
      assert.equal((await put(bytes, { digest })).verifiedBy, verifiedBy);
      assert.equal((await put(bytes, { digest: { sha256: digest.sha256 } })).verifiedBy, verifiedBy);
      assert.equal((await put(streamOf(bytes), { digest, size })).verifiedBy, verifiedBy);
      // A server that wants the MD5, or the length, before the bytes can't have it here; the caller then reads back.
      for (const known of [{ digest }, { digest: { sha256: digest.sha256 }, size }]) {
        const told = (await put(streamOf(bytes), known)).verifiedBy;
        assert.ok(told === verifiedBy || told === undefined, `verified by ${told}`);
      }
      assertBytes(await bytesAt(store, 'shop/note'), bytes);
    });
  }

  test('refuses bytes of another digest, and stores nothing', async (store) => {
    const bytes = bytesOf(20_000);
    const others = digestOf(bytesOf(20_000, 1));
    await store.put('shop/note', bytesOf(5));
    for (const key of ['shop/note', 'shop/none']) {
      for (const digest of [others, { sha256: others.sha256 }, { ...others, md5: digestOf(bytes).md5 }]) {
        const error = await rejectsWith('STORE', store.put(key, bytes, { digest }));
        assert.equal(error.retryable, true, 'the bytes may come whole the next time');
      }
      const body = streamOf(bytes);
      await rejectsWith('STORE', store.put(key, body, { digest: others, size: bytes.length }));
      assert.ok(body.destroyed, 'the source must be let go');
      await rejectsWith('STORE', store.put(key, streamOf(bytes), { digest: others }));
    }
    assertBytes(await bytesAt(store, 'shop/note'), bytesOf(5));
    assert.deepEqual(await keysOf(store), ['shop/note']);
  });

  test('refuses what is no digest', async (store) => {
    const { sha256, md5 } = digestOf(bytesOf(5));
    for (const digest of [
      { sha256: '' },
      { sha256: sha256.toUpperCase() },
      { sha256: md5 },
      { sha256, md5: sha256 },
    ]) {
      const error = await rejectsWith('STORE', store.put('shop/note', bytesOf(5), { digest }));
      assert.equal(error.retryable, false, JSON.stringify(digest));
    }
    assert.deepEqual(await keysOf(store), []);
  });
};
