import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { CountingStore } from '../support/counting-store.js';
import type { FakeBot } from '../support/fake-bot.js';
import { INDEXED_DB, useFakeStage } from '../support/fake-stage.js';

const QUIET = { backupIntervalMs: 0, sessionValidationIntervalMs: 0, healthCheckIntervalMs: 0 };
/** Nothing is saved by itself within a test, but for the first save. */
const LONG_MS = 3_600_000;
const TAIL = 'shop/tail.json';

describe('what is written between two saves', () => {
  const stage = useFakeStage();

  async function running(options: object = {}) {
    const { clock } = stage();
    const store = new CountingStore({ clock });
    const session = { ...QUIET, store, forceSaveIntervalMs: LONG_MS, followIntervalMs: 10_000, ...options };
    const bot = stage().bot({ session });
    await bot.logIn();
    await later(bot, 120_000); // settled, and saved since
    return { bot, store };
  }

  const later = (bot: FakeBot, ms: number) =>
    bot.finish(new Promise<void>((resolve) => void stage().clock.setTimeout(resolve, ms)), {
      stepMs: 1_000,
    });

  /** The store as it is now, as a machine would find it after all else is lost. */
  async function survivor(store: MemoryStore): Promise<MemoryStore> {
    const copy = new MemoryStore({ clock: stage().clock });
    for await (const { key } of store.list('')) {
      const found = await store.get(key);
      await copy.put(key, Buffer.concat(await (found?.body.toArray() ?? [])));
    }
    return copy;
  }

  /** The next start, on an empty disk. */
  async function afterLoss(bot: FakeBot, store: MemoryStore, options: object = {}): Promise<FakeBot> {
    await bot.stop();
    await stage().remove('/bot');
    const next = stage().bot({ session: { ...QUIET, store, forceSaveIntervalMs: 0, ...options } });
    await next.start();
    expect(next.state).toBe('ready');
    return next;
  }

  const noteIn = async (bot: FakeBot) => (await bot.client.readLogin())?.note;
  const keysOf = async (store: CountingStore) => (await store.keys).filter((key) => key === TAIL);

  it('comes back after a loss of everything, with its time', async () => {
    const { bot, store } = await running();
    const [snapshot] = bot.payloads('save:completed').slice(-1);
    await bot.note('ten seconds ago');
    await later(bot, 15_000);
    const tickedAt = stage().clock.now();
    await later(bot, 5_000);
    await bot.note('lost');
    const next = await afterLoss(bot, await survivor(store));
    expect(await noteIn(next)).toBe('ten seconds ago');
    const [restored] = next.payloads('restore:completed');
    expect(restored?.snapshot.id).toBe(snapshot?.snapshot.id);
    expect(Date.parse(restored?.stateAt ?? '')).toBeGreaterThan(tickedAt - 15_000);
    expect(Date.parse(restored?.stateAt ?? '')).toBeLessThanOrEqual(tickedAt);
    expect(next.session.status().lastRestore?.stateAt).toBe(restored?.stateAt);
    expect(next.warnings).not.toContain('tail-unusable');
  });

  it('is two puts for what was written, and no call where nothing was', async () => {
    const { bot, store } = await running();
    store.reset();
    await later(bot, 60_000);
    expect(store.told).toEqual([]);
    for (let round = 0; round < 3; round++) {
      store.reset();
      await bot.note(`round ${round}`);
      await later(bot, 20_000);
      expect(store.calls.map(({ method }) => method)).toEqual(['put', 'put']);
      expect(store.calls.at(-1)?.key).toBe(TAIL);
    }
  });

  it('is put by the next save only once', async () => {
    const { bot, store } = await running();
    await bot.note('ticked');
    await later(bot, 15_000);
    store.reset();
    await bot.save('saved');
    expect(store.calls.map(({ method }) => method)).toEqual(['put', 'put', 'head']);
    await bot.note('ticked again');
    store.reset();
    await later(bot, 15_000);
    expect(store.calls.map(({ method }) => method)).toEqual(['put', 'put']);
    const next = await afterLoss(bot, await survivor(store));
    expect(await noteIn(next)).toBe('ticked again');
  });

  it.each([
    ['followIntervalMs is 0', { followIntervalMs: 0 }],
    ['saves are taken by hand only', { forceSaveIntervalMs: 0 }],
  ])('is not put where %s', async (_, options) => {
    const { bot, store } = await running(options);
    await bot.save('by hand');
    await bot.note('more');
    await later(bot, 60_000);
    expect(await keysOf(store)).toEqual([]);
  });

  it('is not put before the login has settled', async () => {
    const { clock } = stage();
    const store = new CountingStore({ clock });
    const bot = stage().bot({ session: { ...QUIET, store, followIntervalMs: 1_000 } });
    await bot.logIn();
    await later(bot, 5_000);
    expect(bot.payloads('save:completed')).not.toEqual([]);
    expect(bot.payloads('save:completed').every(({ snapshot }) => !snapshot.settled)).toBe(true);
    await bot.note('more');
    await later(bot, 3_000);
    expect(await keysOf(store)).toEqual([]);
  });

  it('does not come back after a logout', async () => {
    const { bot, store } = await running();
    await bot.note('before');
    await later(bot, 15_000);
    expect(await keysOf(store)).toHaveLength(1);
    store.reset();
    await bot.finish(bot.client.logout());
    await later(bot, 60_000);
    expect(store.calls.filter(({ key }) => key === TAIL)).toEqual([]);
    const copy = await survivor(store);
    await bot.stop();
    await stage().remove('/bot');
    const next = stage().bot({ session: { ...QUIET, store: copy } });
    await next.start();
    expect(next.state).toBe('awaiting_qr');
  });

  it('is not put while the page knows of a logout', async () => {
    const { bot, store } = await running();
    store.reset();
    if (bot.client.pupPage) bot.client.pupPage.state = 'UNPAIRED';
    await bot.note('what a logout leaves');
    await later(bot, 25_000);
    expect(await keysOf(store)).toEqual([]);
  });

  it.each([
    ['torn', '{"format":1'],
    ['nested deeply', `{"format":1,"x":${'['.repeat(100_000)}${']'.repeat(100_000)},"checksum":"a"}`],
  ])('is left out where it is %s, with a warning, and the save is restored', async (_, text) => {
    const { bot, store } = await running();
    const saved = await bot.save('saved');
    await bot.note('ticked');
    await later(bot, 15_000);
    const copy = await survivor(store);
    await copy.put(TAIL, Buffer.from(text));
    const next = await afterLoss(bot, copy);
    expect(await noteIn(next)).toBe('saved');
    expect(next.warnings).toContain('tail-unusable');
    expect(next.payloads('restore:completed')).toMatchObject([{ stateAt: saved.createdAt }]);
  });

  it('comes back instead of a backup that is older, and not of a later one', async () => {
    const backupStore = new MemoryStore({ name: 'backups', clock: stage().clock });
    const { bot, store } = await running({ backupStore });
    await bot.save('saved');
    await bot.backUp('backed up');
    await bot.note('ticked');
    await later(bot, 15_000);
    const then = { store: await survivor(store), backupStore: await survivor(backupStore) };
    await bot.backUp('backed up later');
    const now = { store: await survivor(store), backupStore: await survivor(backupStore) };
    const next = await afterLoss(bot, then.store, then);
    expect(await noteIn(next)).toBe('ticked');
    const last = await afterLoss(next, now.store, now);
    expect(await noteIn(last)).toBe('backed up later');
  });

  it('comes back with restore(), and not with restore(id) of an older save', async () => {
    const { bot, store } = await running();
    const older = await bot.save('older');
    await bot.save('newer');
    await bot.note('ticked');
    await later(bot, 15_000);
    const copy = await survivor(store);
    const next = await afterLoss(bot, await survivor(copy));
    await next.stop();
    await next.finish(next.session.restore(older.id));
    expect(await noteIn(next)).toBe('older');
    expect(next.warnings).not.toContain('tail-unusable');
    await stage().remove('/bot');
    const asked = stage().bot({ session: { ...QUIET, store: copy } });
    await asked.finish(asked.session.restore());
    await asked.start();
    expect(await noteIn(asked)).toBe('ticked');
  });

  it('does not come back where the profile led to a QR: its last seconds may be why', async () => {
    const { bot, store } = await running();
    const saved = await bot.save('saved');
    await bot.note('ticked');
    await later(bot, 15_000);
    const copy = await survivor(store);
    await bot.stop();
    await bot.client.writeLogin({ credential: 'of somebody else', note: 'sound, but unknown' });
    const next = stage().bot({ session: { ...QUIET, store: copy, forceSaveIntervalMs: 0 } });
    await next.start();
    expect(next.payloads('restore:completed')).toMatchObject([
      { reason: 'silent-logout', stateAt: saved.createdAt },
    ]);
    expect(await noteIn(next)).toBe('saved');
  });

  it('is answered by a save where the chain is broken, and no more than one in their interval', async () => {
    const { bot } = await running();
    const before = bot.payloads('save:completed').length;
    const manifest = join(bot.client.profileDir, INDEXED_DB, 'MANIFEST-000001');
    for (let round = 0; round < 3; round++) {
      const bytes = await stage().fs.promises.readFile(manifest);
      await stage().remove(manifest);
      await stage().fs.promises.writeFile(manifest, bytes); // another file: the base can't be followed
      await bot.note(`round ${round}`);
      await later(bot, 15_000);
    }
    expect(bot.payloads('save:completed').length - before).toBe(1);
  });

  it('is answered by a save where a backup has made a new base', async () => {
    const { bot } = await running();
    await bot.save('saved');
    const manifest = join(bot.client.profileDir, INDEXED_DB, 'MANIFEST-000001');
    const bytes = await stage().fs.promises.readFile(manifest);
    await stage().remove(manifest);
    await stage().fs.promises.writeFile(manifest, bytes);
    await bot.backUp('with a new base');
    const before = bot.payloads('save:completed').length;
    await later(bot, 30_000);
    expect(bot.payloads('save:completed').length - before).toBe(1);
  });

  it('is told once where its store fails, and goes on when it works again', async () => {
    const { bot, store } = await running();
    const put = store.put.bind(store);
    store.put = async () => {
      throw new Error('the store is away');
    };
    for (let round = 0; round < 4; round++) {
      await bot.note(`round ${round}`);
      await later(bot, 15_000);
    }
    expect(bot.warnings.filter((code) => code === 'tail-failed')).toHaveLength(1);
    store.put = put;
    await later(bot, 90_000);
    expect(await keysOf(store)).toHaveLength(1);
    const next = await afterLoss(bot, await survivor(store));
    expect(await noteIn(next)).toBe('round 3');
  });
});
