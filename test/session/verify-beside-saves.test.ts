import { describe, expect, it } from 'vitest';
import type { SnapshotInfo } from '../../src/index.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const KEEP_THREE = {
  forceSaveIntervalMs: 0,
  backupIntervalMs: 0,
  sessionValidationIntervalMs: 0,
  healthCheckIntervalMs: 0,
  retention: { saves: { keepLast: 3 } },
};

/** Lets a test come between two reads of a `verify()`. */
class WatchedStore extends MemoryStore {
  /** Called before an object of this key is given. */
  beforeGet: (key: string) => Promise<void> = async () => undefined;

  override async get(...given: Parameters<MemoryStore['get']>): ReturnType<MemoryStore['get']> {
    await this.beforeGet(given[0]);
    return super.get(...given);
  }

  /** As a pruning that runs meanwhile does: the manifest, then all that it named. */
  async removeSnapshot(id: string): Promise<void> {
    await this.delete(`shop/snapshots/${id}.json`);
    for await (const { key } of this.list('shop/objects/')) await this.delete(key);
  }
}

describe('verify() while snapshots are removed', () => {
  const stage = useFakeStage();

  async function withSaves(count: number, store = new WatchedStore()) {
    const bot = stage().bot({ session: { ...KEEP_THREE, store } });
    await bot.logIn();
    await stage().clock.advance(100_000);
    const saves: SnapshotInfo[] = [];
    for (let round = 0; round < count; round++) {
      saves.push(await bot.save(`save ${round}`));
      await stage().clock.advance(1000);
    }
    return { bot, store, saves };
  }

  /** Does `work` once, right before the first object is read. */
  function atFirstObject(store: WatchedStore, work: () => Promise<void>): void {
    store.beforeGet = async (key) => {
      if (!key.includes('/objects/')) return;
      store.beforeGet = async () => undefined;
      await work();
    };
  }

  const corruptions = (bot: FakeBot) => bot.payloads('corruption:detected');

  it('passes over those that a save removes beside it', async () => {
    const { bot, store, saves } = await withSaves(3);
    await bot.note('one more');
    let saving: Promise<unknown> | undefined;
    atFirstObject(store, async () => {
      saving = bot.session.forceSave();
      await saving;
    });
    const report = await bot.finish(bot.session.verify());
    expect(await saving).toHaveProperty('snapshot');
    expect(report.corrupt).toEqual([]);
    expect(report.sound.map(({ id }) => id)).toEqual([saves[2]?.id, saves[1]?.id]);
    expect(corruptions(bot)).toEqual([]);
  });

  it('takes objects that went with their snapshot for no corruption', async () => {
    const { bot, store, saves } = await withSaves(1);
    atFirstObject(store, () => store.removeSnapshot(saves[0]?.id ?? ''));
    const report = await bot.finish(bot.session.verify());
    expect(report).toEqual({ sound: [], corrupt: [], unread: [] });
    expect(corruptions(bot)).toEqual([]);
  });

  it('rejects for one that is asked for by its id and gone before its end', async () => {
    const { bot, store, saves } = await withSaves(1);
    const id = saves[0]?.id ?? '';
    atFirstObject(store, () => store.removeSnapshot(id));
    await expect(bot.finish(bot.session.verify(id))).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' });
    expect(corruptions(bot)).toEqual([]);
  });

  it('still finds an object that is missing although its snapshot is there', async () => {
    const { bot, store, saves } = await withSaves(1);
    const id = saves[0]?.id;
    for await (const { key } of store.list('shop/objects/')) await store.delete(key);
    const report = await bot.finish(bot.session.verify());
    expect(report.corrupt).toMatchObject([{ snapshot: { id }, error: { code: 'SNAPSHOT_CORRUPT' } }]);
    expect(corruptions(bot)).toMatchObject([{ where: 'snapshot', snapshot: { id } }]);
  });

  it('still finds a manifest that rotted', async () => {
    const { bot, store, saves } = await withSaves(1);
    const key = `shop/snapshots/${saves[0]?.id}.json`;
    const get = store.get.bind(store);
    store.get = async (...given) => {
      // After `verify()` has listed it.
      if (given[0] === key) await store.put(key, Buffer.from('{}'));
      return get(...given);
    };
    const report = await bot.finish(bot.session.verify());
    expect(report.corrupt).toMatchObject([{ snapshot: { id: saves[0]?.id } }]);
    expect(corruptions(bot)).toHaveLength(1);
  });
});
