import { beforeEach, describe, expect, it } from 'vitest';
import { RememberingStore } from '../../../src/snapshot/store-calls/remembering-store.js';
import type { ObjectInfo } from '../../../src/stores/session-store.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { CountingStore } from '../../support/counting-store.js';

const VALUE = Buffer.from('value');

describe('a store whose contents the owner of the session remembers', () => {
  let clock: ManualClock;
  let inner: CountingStore;
  let period: string | undefined;
  let store: RememberingStore;

  beforeEach(async () => {
    clock = new ManualClock();
    inner = new CountingStore({ clock });
    period = 'first';
    store = new RememberingStore(inner, { prefix: 'shop/', clock, period: () => period });
    for (const key of ['shop/a/1', 'shop/b/1', 'other/1']) await inner.put(key, VALUE);
    inner.reset();
  });

  const keys = async (prefix: string) => {
    const found: string[] = [];
    for await (const { key } of store.list(prefix)) found.push(key);
    return found.sort();
  };

  it('lists everything of the session once, and then answers every listing of it', async () => {
    expect(await keys('shop/a/')).toEqual(['shop/a/1']);
    expect(await keys('shop/')).toEqual(['shop/a/1', 'shop/b/1']);
    expect(await keys('shop/c/')).toEqual([]);
    expect(inner.told).toEqual(['list shop/ 0']);
  });

  it('lists it once for all that need it at the same time', async () => {
    expect(await Promise.all([keys('shop/a/'), keys('shop/b/')])).toEqual([['shop/a/1'], ['shop/b/1']]);
    expect(inner.lists).toBe(1);
  });

  it('does not join a listing that began before a doubt', async () => {
    const first = store.list('shop/c/').next();
    await inner.put('shop/c/1', VALUE); // by a person
    store.forget();
    expect(await keys('shop/c/')).toEqual(['shop/c/1']);
    await first;
  });

  it('lets one who waits for a listing go, and lists on for the others', async () => {
    const abort = new AbortController();
    const waiting = store.list('shop/', { signal: abort.signal }).next();
    const other = keys('shop/a/');
    abort.abort(new Error('no time'));
    await expect(waiting).rejects.toThrow('no time');
    expect(await other).toEqual(['shop/a/1']);
  });

  it('knows what it puts and deletes itself', async () => {
    await keys('shop/');
    const { version } = await store.put('shop/a/2', VALUE);
    await store.delete('shop/b/1');
    expect(await keys('shop/')).toEqual(['shop/a/1', 'shop/a/2']);
    const infos: ObjectInfo[] = [];
    for await (const info of store.list('shop/a/2')) infos.push(info);
    expect(infos.map((info) => info.version)).toEqual([version]);
    expect(inner.lists).toBe(1);
  });

  it('knows what was put and deleted while it was listing', async () => {
    const listing = store.list('shop/');
    const first = listing.next();
    await store.put('shop/a/0', VALUE);
    await store.delete('shop/b/1');
    await first;
    for await (const _ of listing);
    expect(await keys('shop/')).toEqual(['shop/a/0', 'shop/a/1']);
    expect(inner.lists).toBe(1);
  });

  it('asks for every listing of other keys, and while the session is not owned', async () => {
    for (let time = 0; time < 2; time++) expect(await keys('other/')).toEqual(['other/1']);
    period = undefined;
    for (let time = 0; time < 2; time++) expect(await keys('shop/a/')).toEqual(['shop/a/1']);
    expect(inner.told).toEqual([
      ...['list other/ 0', 'list other/ 0'],
      ...['list shop/a/ 0', 'list shop/a/ 0'],
    ]);
  });

  it.each(['second', undefined])(
    'knows nothing any more once the session was owned anew (%s)',
    async (next) => {
      await keys('shop/');
      await inner.put('shop/c/1', VALUE); // by another owner
      period = next;
      expect(await keys('shop/c/')).toEqual(['shop/c/1']);
      period = 'first';
      expect(await keys('shop/c/')).toEqual(['shop/c/1']);
    },
  );

  it('does not keep a listing during which the ownership changed', async () => {
    const listing = store.list('shop/');
    const first = listing.next();
    period = 'second';
    await first;
    await inner.put('shop/c/1', VALUE);
    expect(await keys('shop/c/')).toEqual(['shop/c/1']);
  });

  it.each([
    ['a put', () => store.put('shop/c/1', VALUE)],
    ['a delete', () => store.delete('shop/a/1')],
    ['a put that met a conflict', () => store.put('shop/a/1', VALUE, { ifAbsent: true })],
  ])(
    'knows nothing any more after %s that failed: it may have been done all the same',
    async (what, change) => {
      await keys('shop/');
      inner.setDown(!what.includes('conflict'));
      await expect(change()).rejects.toThrow();
      inner.setDown(false);
      await inner.put('shop/c/1', VALUE); // the answer was lost, the value was not
      expect(await keys('shop/c/')).toEqual(['shop/c/1']);
    },
  );

  it('asks again for what was asked too long ago', async () => {
    await keys('shop/');
    await inner.put('shop/c/1', VALUE); // by a person
    await clock.advance(1000);
    store.forgetOlderThan(1001);
    expect(await keys('shop/c/')).toEqual([]);
    store.forgetOlderThan(1000);
    expect(await keys('shop/c/')).toEqual(['shop/c/1']);
  });

  it('keeps nothing of a listing that failed', async () => {
    inner.setDown(true);
    await expect(keys('shop/')).rejects.toThrow('down');
    inner.setDown(false);
    expect(await keys('shop/')).toHaveLength(2);
  });

  it('takes what a server tells without its time for old', async () => {
    await keys('shop/');
    const put = inner.put.bind(inner);
    inner.put = async (...given) => ({ ...(await put(...given)), modifiedAt: undefined as unknown as Date });
    await store.put('shop/a/2', VALUE);
    for await (const info of store.list('shop/a/2')) expect(info.modifiedAt.getTime()).toBe(0);
  });
});
