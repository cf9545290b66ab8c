import { describe, expect, it } from 'vitest';
import { ClosedError } from '../../../src/errors.js';
import { deleteObjects } from '../../../src/snapshot/store-calls/delete-objects.js';
import { readStart } from '../../../src/snapshot/store-calls/store-bytes.js';
import { putVerified, readBackUnlessVerified } from '../../../src/snapshot/store-calls/verified-put.js';
import type { PutOptions } from '../../../src/stores/session-store.js';
import { bytesOf, digestOf } from '../../../src/testing/conformance/harness.js';
import { MemoryStore } from '../../../src/testing/memory-store.js';
import { TinyStore } from '../support/memory-store.js';

const KEY = 'shop/state';
const BYTES = bytesOf(50_000);

describe('a put that is known to be kept', () => {
  it('believes a store that compares', async () => {
    const calls: string[] = [];
    const store = new MemoryStore();
    const get = store.get.bind(store);
    store.get = (...given) => {
      calls.push('get');
      return get(...given);
    };
    expect(await putVerified(store, KEY, BYTES)).toMatchObject({
      key: KEY,
      size: 50_000,
      verifiedBy: 'server',
    });
    expect(calls).toEqual([]);
  });

  it('reads back from any other', async () => {
    const store = new TinyStore();
    expect(await putVerified(store, KEY, BYTES)).toMatchObject({ key: KEY, verifiedBy: 'readback' });
    expect(store.delivered).toBe(50_000);
    const put = await store.put(KEY, BYTES);
    expect((await readBackUnlessVerified(store, put, digestOf(BYTES))).verifiedBy).toBe('readback');
  });

  it('takes away what was not kept, and says so', async () => {
    const store = new TinyStore();
    store.onCall = (call) => call === 'put:after' && store.rot(KEY, 40_000);
    const error = await putVerified(store, KEY, BYTES).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SNAPSHOT_CORRUPT', retryable: true });
    expect(store.keys()).toEqual([]);
  });

  it('takes away nothing that came after it', async () => {
    const store = new Overwritten();
    const error = await putVerified(store, KEY, BYTES).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'STORE_CONFLICT' });
    expect((await store.head(KEY))?.size).toBe(9);
  });

  it('passes its conditions and its signal on', async () => {
    const store = new MemoryStore();
    await putVerified(store, KEY, BYTES, { ifAbsent: true });
    await expect(putVerified(store, KEY, BYTES, { ifAbsent: true })).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
    });
    const signal = AbortSignal.abort(new ClosedError('stopping'));
    await expect(putVerified(store, KEY, BYTES, { signal })).rejects.toThrow('stopping');
  });
});

describe('the start of an object', () => {
  it('is all that is asked for', async () => {
    const store = new TinyStore();
    store.set(KEY, BYTES);
    expect(await readStart(store, KEY, 100)).toEqual(BYTES.subarray(0, 100));
    expect(store.delivered).toBe(100);
  });
});

describe('deleting many objects', () => {
  const keys = Array.from({ length: 2_500 }, (_, index) => `shop/${index}`);

  it('is one call for each thousand', async () => {
    const store = new MemoryStore();
    await store.put('shop/2400', BYTES);
    const calls: number[] = [];
    const deleteMany = store.deleteMany.bind(store);
    store.deleteMany = (some, options) => {
      calls.push(some.length);
      return deleteMany(some, options);
    };
    expect(await deleteObjects(store, keys)).toEqual(keys.map((key) => ({ key })));
    expect(calls).toEqual([1000, 1000, 500]);
    expect(await store.head('shop/2400')).toBeUndefined();
  });

  it('works with a store that deletes one by one', async () => {
    const store = new TinyStore();
    store.set('shop/7', BYTES);
    expect(await deleteObjects(store, ['shop/7', 'shop/8'])).toEqual([{ key: 'shop/7' }, { key: 'shop/8' }]);
    expect(store.keys()).toEqual([]);
  });
});

/** Without a digest of its own; somebody else puts another value right after each put. */
class Overwritten extends MemoryStore {
  override async put(key: string, body: Buffer, { digest: _, ...options }: PutOptions = {}) {
    const put = await super.put(key, body, options);
    await super.put(key, Buffer.from('successor'));
    return put;
  }
}
