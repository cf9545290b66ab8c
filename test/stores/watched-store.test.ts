import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { isStandstill } from '../../src/stores/watched/deadline.js';
import { ListingBound, MAX_LISTED } from '../../src/stores/watched/listing-bound.js';
import { WatchedStore } from '../../src/stores/watched-store.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { IllStore } from '../support/ill-store.js';

function setUp() {
  const clock = new ManualClock();
  const ill = new IllStore('s3', clock);
  const onLatePut = vi.fn();
  const onNotice = vi.fn();
  return { clock, ill, onLatePut, onNotice, store: new WatchedStore(ill, { clock, onLatePut, onNotice }) };
}

/** When `work` ended, ms of the clock, and with what. */
async function ended(clock: ManualClock, work: Promise<unknown>): Promise<{ ms: number; error: unknown }> {
  const from = clock.monotonic();
  let end: { ms: number; error: unknown } | undefined;
  work.then(
    () => {
      end = { ms: clock.monotonic() - from, error: undefined };
    },
    (error: unknown) => {
      end = { ms: clock.monotonic() - from, error };
    },
  );
  for (let step = 0; step < 200 && end === undefined; step++) await clock.advance(1000);
  return end ?? { ms: Number.POSITIVE_INFINITY, error: undefined };
}

async function keysOf(store: WatchedStore, prefix = ''): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

describe('a store that is watched', () => {
  it.each([
    ['head', 10_000, (store: WatchedStore) => store.head('a/b')],
    ['get', 10_000, (store: WatchedStore) => store.get('a/b')],
    ['delete', 10_000, (store: WatchedStore) => store.delete('a/b')],
    ['deleteMany', 10_100, async (store: WatchedStore) => store.deleteMany?.(['a/b', 'a/c'])],
    ['serverTime', 10_000, async (store: WatchedStore) => store.serverTime?.()],
    ['list', 5_000, (store: WatchedStore) => keysOf(store, 'a/')],
    ['put of few bytes', 10_000, (store: WatchedStore) => store.put('a/b', Buffer.from('x'))],
    ['put of many bytes', 60_000, (store: WatchedStore) => store.put('a/b', Buffer.alloc(100_000))],
    ['put of a stream', 60_000, (store: WatchedStore) => store.put('a/b', Readable.from([Buffer.from('x')]))],
  ])('gives up a %s that hangs after %i ms, and names itself', async (_, ms, call) => {
    const { clock, ill, store } = setUp();
    ill.fall('hangs');
    const { ms: took, error } = await ended(clock, call(store));
    expect(took).toBe(ms);
    expect(error).toMatchObject({ code: 'STORE', retryable: true, message: expect.stringContaining('s3') });
    expect(isStandstill(error)).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives nothing up that moves', async () => {
    const { clock, store } = setUp();
    const source = new Readable({ read: () => undefined });
    const putting = store.put('a/b', source);
    for (let piece = 0; piece < 10; piece++) {
      source.push(Buffer.from('piece'));
      await clock.advance(50_000);
    }
    source.push(null);
    expect((await putting).size).toBe(50);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives a local disk time to write what it was given, and a server none', async () => {
    const bytes = Buffer.alloc(10 * 1024 * 1024);
    for (const [localPath, expected] of [
      [(key: string) => `/disk/${key}`, 60_000 + 10 * 1024],
      [undefined, 60_000],
    ] as const) {
      const { clock, ill } = setUp();
      ill.put = async (_key, body) => {
        if (body instanceof Readable) for await (const _ of body);
        return new Promise(() => undefined);
      };
      const store = new WatchedStore(Object.assign(ill, localPath && { localPath }), { clock });
      expect((await ended(clock, store.put('a/b', Readable.from([bytes])))).ms).toBe(expected);
    }
  });

  it('gives a part and one version, also of a store that ignores both', async () => {
    const { clock, ill } = setUp();
    const { version } = await ill.put('a/b', Buffer.from('hello world'));
    const get = ill.get.bind(ill);
    ill.get = (key) => get(key);
    const store = new WatchedStore(ill, { clock });
    const options = { range: { offset: 6, length: 3 }, ifVersion: version };
    const found = await store.get('a/b', options);
    expect(Buffer.concat((await found?.body.toArray()) ?? []).toString()).toBe('wor');
    await ill.put('a/b', Buffer.from('hello again'));
    await expect(store.get('a/b', options)).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends a body that stands still, but not one that nobody reads', async () => {
    const { clock, ill, store } = setUp();
    const body = new Readable({ read: () => undefined });
    const info = { key: 'a', size: 9, version: '1', modifiedAt: new Date(0) };
    ill.get = async () => ({ info, body });
    const found = await store.get('a');
    await clock.advance(600_000);
    body.push(Buffer.from('first'));
    const reading = (async () => {
      const pieces: string[] = [];
      for await (const piece of found?.body ?? []) pieces.push(String(piece));
      return pieces;
    })();
    const { ms, error } = await ended(clock, reading);
    expect(ms).toBe(60_000);
    expect(isStandstill(error)).toBe(true);
    expect(body.destroyed).toBe(true);
  });

  it("ends with its caller's signal, whether or not the store heeds it", async () => {
    const { clock, ill, store } = setUp();
    ill.fall('hangs');
    const reason = new Error('no longer wanted');
    const caller = new AbortController();
    const putting = store.put('a/b', Buffer.from('x'), { signal: caller.signal });
    caller.abort(reason);
    await expect(putting).rejects.toBe(reason);
    await expect(store.head('a', { signal: caller.signal })).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
  });

  it('tells of a put that comes late', async () => {
    const { clock, ill, store, onLatePut } = setUp();
    ill.fall('hangs');
    await ended(clock, store.put('a/b', Buffer.from('x')));
    expect(onLatePut).not.toHaveBeenCalled();
    ill.recover({ answer: true });
    await clock.advance(0);
    expect(onLatePut.mock.calls).toEqual([['a/b']]);
  });

  it('turns what a store throws at once into a rejection', async () => {
    const { clock, ill, store } = setUp();
    ill.head = () => {
      throw new Error('at once');
    };
    await expect(store.head('a')).rejects.toThrow('at once');
    expect(clock.pendingTimers).toBe(0);
  });

  it('passes over keys that are not ours, and tells of them', async () => {
    const { ill, store, onNotice } = setUp();
    await ill.put('shop/a', Buffer.from('x'));
    const { list } = MemoryStore.prototype;
    ill.list = async function* (prefix) {
      for (const key of ['shop/', 'shop/a:b', 'elsewhere'])
        yield { key, size: 0, version: '', modifiedAt: new Date(0) };
      yield* list.call(ill, prefix);
    };
    expect(await keysOf(store, 'shop/')).toEqual(['shop/a']);
    expect(onNotice).toHaveBeenCalledTimes(3);
  });

  describe('whose listing never ends', () => {
    /** Ends by itself after more than any bound, so that a watch without one is seen to have none. */
    function listing(store: IllStore, keyOf: (index: number) => string, wait: () => Promise<void>): void {
      store.list = async function* () {
        for (let index = 0; index < 1_100_000; index++) {
          await wait();
          yield { key: keyOf(index), size: 1, version: 'a', modifiedAt: new Date(0) };
        }
      };
    }
    const atOnce = async () => undefined;

    it.each([
      ['one key', 1, 200],
      ['one page of 1,000', 1000, 3000],
    ])('ends when it repeats itself: %s', async (_, page, atMost) => {
      const { ill, store } = setUp();
      let told = 0;
      listing(
        ill,
        (index) => {
          told++;
          return `shop/${index % page}`;
        },
        atOnce,
      );
      const end = await keysOf(store, 'shop/').catch((error: unknown) => error);
      expect(end).toMatchObject({ code: 'STORE', retryable: false });
      expect(String(end)).toMatch(/^StoreError: s3 .*shop\/.*same keys repeatedly/);
      expect(told).toBeLessThanOrEqual(atMost);
    });

    it('ends after a million objects', () => {
      const bound = new ListingBound('s3', 'list shop/');
      for (let index = 0; index < MAX_LISTED; index++) bound.take(index);
      expect(() => bound.take('shop/one more')).toThrow(
        expect.objectContaining({
          code: 'STORE',
          retryable: false,
          message: expect.stringMatching(/^s3 .*more than 1000000 objects/),
        }),
      );
    });

    it('ends after five minutes, also where each object comes in time', async () => {
      const { clock, ill, store } = setUp();
      const slowly = () => new Promise<void>((resolve) => void clock.setTimeout(resolve, 4000));
      listing(ill, (index) => `shop/${index}`, slowly);
      const work = keysOf(store, 'shop/');
      let end: unknown;
      work.catch((error: unknown) => {
        end = error;
      });
      for (let step = 0; step < 400 && end === undefined; step++) await clock.advance(1000);
      expect(end).toMatchObject({ code: 'STORE', retryable: true, message: expect.stringContaining('s3') });
      expect(isStandstill(end)).toBe(true);
      expect(clock.pendingTimers).toBe(0);
    });
  });

  it('takes a key once that a store lists again, as one that is put while it lists', async () => {
    const { ill, store } = setUp();
    const keys = ['a/1', 'a/2', 'a/2', 'a/1', 'a/3'];
    ill.list = async function* () {
      for (const key of keys) yield { key, size: 1, version: 'a', modifiedAt: new Date(0) };
    };
    expect(await keysOf(store, 'a/')).toEqual(['a/1', 'a/2', 'a/3']);
  });

  it('of a local disk is not asked for more while two calls are stuck: each keeps a thread of the process', async () => {
    const clock = new ManualClock();
    const ill = Object.assign(new IllStore('disk', clock), { localPath: (key: string) => `/disk/${key}` });
    const store = new WatchedStore(ill, { clock });
    ill.fall('hangs');
    for (let call = 0; call < 5; call++)
      expect(isStandstill((await ended(clock, store.head('a'))).error)).toBe(true);
    expect(ill.calls).toHaveLength(2);
    ill.recover({ answer: true });
    await clock.advance(0);
    expect(await store.head('a')).toBeUndefined();
  });
});
