import { once } from 'node:events';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { isSessionError, StoreError } from '../../src/errors.js';
import { guardForeignStores } from '../../src/stores/foreign-store.js';
import type { SessionStore } from '../../src/stores/session-store.js';
import { WatchedStore } from '../../src/stores/watched-store.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { rejections } from '../support/rejections.js';

const KEY = 'shop/one';
const error = new TypeError('undefined is not a function');

function fail(): never {
  throw error;
}

function guarded(parts: Record<string, unknown> = {}): SessionStore {
  return guardForeignStores()(Object.assign(new MemoryStore({ name: 'own' }), parts) as SessionStore);
}

async function collect(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const CALLS: Readonly<Record<string, (store: SessionStore) => Promise<unknown>>> = {
  put: (store) => store.put(KEY, Buffer.from('bytes')),
  get: (store) => store.get(KEY),
  head: (store) => store.head(KEY),
  list: (store) => collect(store.list('shop/')),
  delete: (store) => store.delete(KEY),
  deleteMany: async (store) => store.deleteMany?.([KEY]),
  serverTime: async (store) => store.serverTime?.(),
};

describe('a store of the bot’s own', () => {
  it('is itself where it keeps to the contract', async () => {
    const store = guarded();
    await store.put(KEY, Buffer.from('bytes'));
    expect(await store.head(KEY)).toMatchObject({ key: KEY, size: 5 });
    const found = await store.get(KEY);
    expect(Buffer.concat((await found?.body.toArray()) ?? []).toString()).toBe('bytes');
    expect(await collect(store.list('shop/'))).toMatchObject([{ key: KEY }]);
    expect(await store.delete(KEY)).toBe(true);
    expect(await store.delete(KEY)).toBe(false);
    expect(await store.get(KEY)).toBeUndefined();
    expect([store.name, store.putFile, store.localPath]).toEqual(['own', undefined, undefined]);
  });

  it('tells its notices', () => {
    const listeners: ((notice: string) => void)[] = [];
    const store = guarded({ onNotice: (listener: (notice: string) => void) => listeners.push(listener) });
    const told: string[] = [];
    new WatchedStore(store, { clock: systemClock, onNotice: (notice) => told.push(notice) });
    for (const listener of listeners) listener('the bucket ignores conditions');
    expect(told).toEqual(['the bucket ignores conditions']);
  });

  it('is guarded once, also where it is given twice', () => {
    const guard = guardForeignStores();
    const store = new MemoryStore();
    expect(guard(store)).toBe(guard(store));
  });

  describe.each(Object.entries(CALLS))('%s()', (method, call) => {
    it.each<[string, unknown]>([
      ['throws at once', fail],
      ['rejects', () => Promise.reject(error)],
    ])(
      'fails with a StoreError that names the store and keeps the cause where it %s',
      async (_name, broken) => {
        const failed = await call(guarded({ [method]: broken })).catch((reason: unknown) => reason);
        expect(failed).toBeInstanceOf(StoreError);
        expect(failed).toMatchObject({ code: 'STORE', cause: error });
        expect(String(failed)).toContain(`the store own failed in ${method}()`);
      },
    );

    it('passes on an error of this library as it is', async () => {
      const own = new StoreError('the bucket is gone', { retryable: false });
      await expect(call(guarded({ [method]: () => Promise.reject(own) }))).rejects.toBe(own);
    });
  });

  it.each<[string, unknown, string]>([
    ['put', () => undefined, 'put'],
    ['put', async () => ({ key: KEY, size: '5', version: '1' }), 'put'],
    ['get', async () => ({ body: Readable.from([]) }), 'get'],
    ['get', async () => ({ info: {}, body: Buffer.from('bytes') }), 'get'],
    ['get', async () => null, 'get'],
    ['head', async () => 'yes', 'head'],
    ['head', async () => ({ key: KEY, size: 1, version: '1', modifiedAt: 'yesterday' }), 'head'],
    ['put', async () => ({ key: KEY, size: 5, version: '1', verifiedBy: 'me' }), 'put'],
    ['deleteMany', async () => undefined, 'deleteMany'],
    ['deleteMany', async () => [], 'deleteMany'],
    ['deleteMany', async () => [{ key: 'shop/other' }], 'deleteMany'],
    ['serverTime', async () => new Date(), 'serverTime'],
    ['list', () => undefined, 'list'],
    ['list', () => [undefined], 'list'],
    ['list', () => 7, 'list'],
  ])(
    '%s() that answers rubbish fails with a StoreError: it is never taken for a missing object',
    async (method, broken) => {
      const failed = await CALLS[method]?.(guarded({ [method]: broken })).catch((reason: unknown) => reason);
      expect(isSessionError(failed) && failed.code).toBe('STORE');
      expect(String(failed)).toContain('violates the contract of SessionStore');
    },
  );

  it('may answer at once, and list with a plain array or a promise of one', async () => {
    const info = { key: KEY, size: 1, version: '1', modifiedAt: new Date(0) };
    const store = guarded({ head: () => info, list: async () => [info], delete: () => 1 });
    expect(await store.head(KEY)).toBe(info);
    expect(await collect(store.list(''))).toEqual([info]);
    expect(await store.delete(KEY)).toBe(false);
  });

  it('tells of an aborted call as aborted, whatever the store throws then', async () => {
    const abort = new AbortController();
    const reason = new Error('given up');
    const put = () => {
      abort.abort(reason);
      fail();
    };
    const putting = guarded({ put }).put(KEY, Buffer.from(''), { signal: abort.signal });
    await expect(putting).rejects.toBe(reason);
  });

  it('ends no process by a stream that fails while nobody listens', async () => {
    const heard = rejections();
    const body = new Readable({ read: () => undefined });
    const info = { key: KEY, size: 1, version: '1', modifiedAt: new Date(0) };
    await guarded({ get: async () => ({ info, body }) }).get(KEY);
    body.destroy(new Error('connection reset'));
    const source = new Readable({ read: () => undefined });
    const putting = guarded({ put: () => Promise.reject(error) }).put(KEY, source);
    source.destroy(new Error('the file is gone'));
    await expect(putting).rejects.toThrow('failed in put()');
    if (!source.closed) await once(source, 'close');
    expect(await heard()).toEqual([]);
  });

  it('is never called with what it does not declare, because it would ignore it', async () => {
    const called: string[] = [];
    const note = (call: string) => async () => {
      called.push(call);
      return call === 'delete' || { key: KEY, size: 1, version: '1' };
    };
    const store = guarded({
      capabilities: { conditionalPut: true },
      ...{ put: note('put'), putFile: note('putFile'), delete: note('delete') },
    });
    const fence = { name: 'shop', generation: 1 };
    const source = Readable.from([Buffer.from('x')]);
    for (const call of [
      () => store.put(KEY, Buffer.from('x'), { fence }),
      () => store.put(KEY, source, { fence }),
      () => store.putFile?.(KEY, '/file', { fence }),
      () => store.delete(KEY, { ifVersion: '1' }),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'STORE', retryable: false });
    }
    expect(source.destroyed).toBe(true);
    expect(called).toEqual([]);
    await store.put(KEY, Buffer.from('x'), { ifVersion: '1' });
    await store.delete(KEY);
    expect(called).toEqual(['put', 'delete']);
  });

  it('may give the part that was asked for, and no other', async () => {
    const range = { offset: 1, length: 3 };
    const store = guarded();
    await store.put(KEY, Buffer.from('bytes'));
    const found = await store.get(KEY, { range });
    expect(found?.range).toEqual(range);
    expect(Buffer.concat((await found?.body.toArray()) ?? []).toString()).toBe('yte');
    const info = await store.head(KEY);
    const body = Readable.from([Buffer.from('ytes')]);
    const other = guarded({ get: async () => ({ info, body, range: { offset: 1, length: 4 } }) });
    await expect(other.get(KEY, { range })).rejects.toThrow('violates the contract of SessionStore');
    expect(body.destroyed).toBe(true);
  });

  it('tells what became of each key, with a StoreError for whatever it gives', async () => {
    const known = new StoreError('locked');
    const answers = [{ key: 'a' }, { key: 'b', error: known }, { key: 'c', error }];
    const results = await guarded({ deleteMany: async () => answers }).deleteMany?.(['a', 'b', 'c']);
    expect(results?.[0]).toEqual({ key: 'a' });
    expect(results?.[1]?.error).toBe(known);
    expect(results?.[2]?.error).toMatchObject({ code: 'STORE', cause: error });
  });
});
