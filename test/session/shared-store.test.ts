import { memfs } from 'memfs';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/clock.js';
import { StoreError } from '../../src/errors.js';
import type { FileSystem } from '../../src/file-system.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { useFakeStage } from '../support/fake-stage.js';
import { IllStore } from '../support/ill-store.js';

const QUIET = { backupIntervalMs: 0, healthCheckIntervalMs: 0, sessionValidationIntervalMs: 0 };
const LEASE = '.leases/shop.json';

/** Two machines with disks of their own, and one store away from both. */
describe('a session whose saves lie in a store that machines share', () => {
  const stage = useFakeStage();

  function setup() {
    const store = new MemoryStore({ clock: stage().clock });
    const disks = new Map<string, FileSystem>();
    const machine = (name: string) => {
      const fs = disks.get(name) ?? (memfs().fs as unknown as FileSystem);
      disks.set(name, fs);
      return stage().bot({ client: { fs }, session: { ...QUIET, store, fs } });
    };
    return { store, machine };
  }

  it('is waited for by the machine that replaces the old one, and goes on there without a QR', async () => {
    const { machine } = setup();
    const old = machine('old');
    await old.logIn();
    await old.save('before the deploy');
    const next = machine('new');
    const starting = next.session.initialize();
    await next.until('a wait', () => next.session.status().waiting !== undefined);
    expect(next.session.status().waiting?.message).toMatch(/at most 300 seconds .* process \d+ on host/);
    expect(next.states).not.toContain('starting');
    await stage().clock.advance(30_000);
    await old.stop();
    await next.finish(starting);
    expect(next.state).toBe('ready');
    expect(next.payloads('restore:completed')).toHaveLength(1);
  });

  it('is waited for also while the store is away for a moment, and what was saved meanwhile is restored', async () => {
    const { store, machine } = setup();
    const old = machine('old');
    await old.logIn();
    await old.save('before the deploy');
    const next = machine('new');
    const starting = next.session.initialize();
    await next.until('a wait', () => next.session.status().waiting !== undefined);
    await stage().clock.advance(20_000);
    store.setDown(true);
    await stage().clock.advance(6000);
    store.setDown(false);
    await stage().clock.advance(20_000);
    expect([next.states.includes('starting'), old.state]).toEqual([false, 'ready']);
    const { id } = await old.save('during the deploy');
    await old.stop();
    await next.finish(starting);
    expect(next.state).toBe('ready');
    const [{ snapshot } = { snapshot: undefined }] = next.payloads('restore:completed');
    expect((snapshot?.id ?? '') >= id).toBe(true);
    expect((await next.client.readLogin())?.note).toBe('during the deploy');
  });

  it('is restored as the old machine has left it, if it is known only after the choice that it still runs', async () => {
    const { store, machine } = setup();
    const before = machine('new');
    await before.logIn();
    await before.save('long ago');
    await before.stop();
    const old = machine('old');
    await old.start();
    await old.save('when the new machine looks');
    const { get } = store;
    store.get = async (key, options) => {
      if (key === LEASE) await sleep(stage().clock, 2000);
      return get.call(store, key, options);
    };
    const next = machine('new');
    const starting = next.session.initialize();
    await next.until('a wait', () => next.session.status().waiting !== undefined);
    await stage().clock.advance(20_000);
    expect(next.states).not.toContain('starting');
    await old.save('at the very end');
    await old.stop();
    await next.finish(starting);
    expect((await next.client.readLogin())?.note).toBe('at the very end');
    expect(next.payloads('restore:completed')).toHaveLength(1);
    expect(next.payloads('restore:failed')).toHaveLength(0);
  });

  it('shows who owns it, under which number, in which store, and since when that is proven', async () => {
    const { store, machine } = setup();
    const bot = machine('one');
    expect(bot.session.status().lease).toEqual({ held: false });
    await bot.logIn();
    const { lease } = bot.session.status();
    expect(lease).toEqual({
      held: true,
      generation: 1,
      store: {
        name: 'memory',
        held: true,
        owner: expect.stringMatching(/:\d+$/),
        generation: 1,
        provenAgoMs: expect.any(Number),
      },
    });
    store.setDown(true);
    await stage().clock.advance(20_000);
    const { issues } = await bot.finish(bot.session.checkHealth());
    expect(issues.map(({ code }) => code)).toContain('store-lease-unproven');
    expect(bot.session.status().lease.store?.held).toBe(true);
    await stage().clock.advance(20_000);
    expect(bot.session.status().lease).toMatchObject({ held: true, store: { held: false, generation: 1 } });
    expect(bot.session.status().lease.store?.provenAgoMs).toBeGreaterThan(30_000);
  });

  it('lists nothing in any store that keeps fences, once another owner has written there', async () => {
    const { store } = setup();
    const clock = stage().clock;
    const second = new MemoryStore({ clock });
    const disk = memfs().fs as unknown as FileSystem;
    const bot = stage().bot({
      client: { fs: disk },
      session: { ...QUIET, store, backupStore: second, fs: disk },
    });
    await bot.logIn();
    await bot.save('first');
    await bot.finish(bot.session.backup());
    const keys = async () => {
      const found: string[] = [];
      for await (const { key } of second.list('shop/')) if (key.endsWith('.zip')) found.push(key);
      return found;
    };
    const before = await keys();
    expect(before).toHaveLength(1);
    // A successor under a lease that this store knows nothing of.
    await second.put('note', Buffer.from('x'), { fence: { name: 'shop', generation: 7 } });
    await bot.save('second');
    await expect(bot.finish(bot.session.backup())).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(await keys()).toEqual(before);
    // Nobody has the lease: its owner takes a number that the other store accepts.
    for (let round = 0; round < 4; round++) {
      await bot.finish(bot.session.backup()).catch(() => undefined);
      await clock.advance(1000);
    }
    expect(await keys()).toHaveLength(2);
    expect([bot.state, bot.payloads('lease:lost')]).toEqual(['ready', []]);
  });

  it('is waited for with an empty disk also where the first question fails once, such as for too many connections', async () => {
    const { store, machine } = setup();
    const old = machine('old');
    await old.logIn();
    const { get } = store;
    let failures = 1;
    store.get = async (key, options) => {
      if (key === LEASE && failures-- > 0) throw new StoreError('sorry, too many clients already');
      return get.call(store, key, options);
    };
    const bot = machine('next');
    const starting = bot.session.initialize();
    await bot.until('a wait', () => bot.session.status().waiting !== undefined);
    expect(bot.states).not.toContain('starting');
    await old.save('at the end');
    await old.stop();
    await bot.finish(starting);
    expect([bot.state, (await bot.client.readLogin())?.note]).toEqual(['ready', 'at the end']);
  });

  it('is refused after five minutes, if the old machine does not stop', async () => {
    const { machine } = setup();
    await machine('old').logIn();
    const refusal = await machine('new')
      .start({ limitMs: 900_000 })
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'LEASE_HELD' });
  });

  it('stops where another machine has taken it over, and writes nothing any more', async () => {
    const { store, machine } = setup();
    const bot = machine('old');
    await bot.logIn();
    await bot.save('mine');
    const found = await store.get(LEASE);
    const record = JSON.parse(Buffer.concat((await found?.body.toArray()) ?? []).toString());
    const taken = { ...record, generation: record.generation + 1, token: 'another', process: 'another' };
    await store.put(LEASE, Buffer.from(JSON.stringify(taken)));
    await bot.untilState('stopped', { limitMs: 120_000 });
    expect(bot.payloads('lease:lost')).toHaveLength(1);
  });

  it('starts from its sound profile while the store is down, and claims it when the store is back', async () => {
    const { store, machine } = setup();
    const before = machine('one');
    await before.logIn();
    await before.save('first');
    await before.stop();
    store.setDown(true);
    const bot = machine('one');
    await bot.start();
    expect(bot.state).toBe('ready');
    await expect(bot.save('into nothing')).rejects.toMatchObject({ code: 'STORE' });
    store.setDown(false);
    await stage().clock.advance(10_000);
    await expect(bot.save('second')).resolves.toMatchObject({ kind: 'save' });
  });

  it.each([3000, 30_000, 120_000])(
    'goes on when the bot was closed and initialized again after %i ms, while the store hung',
    async (afterMs) => {
      const { clock } = stage();
      const store = new IllStore('saves', clock);
      const session = { ...QUIET, store };
      const before = stage().bot({ session });
      await before.logIn();
      await before.save('first');
      await before.stop();
      store.fall('hangs');
      const pass = (ms: number) => {
        const end = clock.monotonic() + ms;
        return bot.until(`${ms} ms`, () => clock.monotonic() >= end);
      };
      const bot = stage().bot({ session });
      const first = bot.client.initialize().catch((error: unknown) => error);
      await pass(afterMs);
      await bot.finish(bot.client.destroy());
      const second = bot.client.initialize().catch((error: unknown) => error);
      await pass(60_000);
      store.recover();
      await pass(60_000);
      expect([bot.state, bot.session.status().lastError, await second]).toEqual([
        'ready',
        undefined,
        undefined,
      ]);
      await first;
      await expect(bot.save('second')).resolves.toMatchObject({ kind: 'save' });
    },
  );

  it('stops when the store is back and another machine has it', async () => {
    const { store, machine } = setup();
    const before = machine('one');
    await before.logIn();
    await before.save('first');
    await before.stop();
    store.setDown(true);
    const sleeper = machine('one');
    await sleeper.start();
    store.setDown(false);
    const other = machine('two');
    await other.start();
    expect(other.state).toBe('ready');
    await sleeper.untilState('reconnecting', { limitMs: 30_000 });
    expect(sleeper.session.status().lastError).toMatchObject({ code: 'LEASE_HELD' });
    await sleeper.untilState('stopped', { limitMs: 400_000 });
    expect(sleeper.states.filter((state) => state === 'ready')).toHaveLength(1);
  });

  it('closes its browser when it learns late that another machine has it, and comes up again when that one stops', async () => {
    const { store, machine } = setup();
    const before = machine('one');
    await before.logIn();
    await before.save('first');
    await before.stop();
    store.setDown(true);
    const bot = machine('one');
    await bot.start();
    store.setDown(false);
    const other = machine('two');
    await other.start();
    await bot.untilState('reconnecting', { limitMs: 30_000 });
    await bot.until('the end of the browser', () => bot.client.pupBrowser?.isConnected() !== true);
    await other.save('at the end');
    await other.stop();
    await bot.untilState('ready', { limitMs: 400_000 });
    await expect(bot.save('after it')).resolves.toMatchObject({ kind: 'save' });
  });
});
