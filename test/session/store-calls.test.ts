import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { splitEarlier } from '../../src/snapshot/catalog/earlier-manifests.js';
import { CountingStore } from '../support/counting-store.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

/** Longer than a session takes to settle, and than anything is remembered without another look. */
const LONG_MS = 700_000;

describe('the calls to the stores of a session', () => {
  const stage = useFakeStage();

  async function settled() {
    const { clock } = stage();
    const saves = new CountingStore({ name: 'saves', clock });
    const backups = new CountingStore({ name: 'backups', clock });
    const stores = { store: saves, backupStore: backups };
    const bot = stage().bot({ session: { ...BY_HAND, ...stores } });
    await bot.logIn();
    await later(bot);
    await bot.save('first');
    await bot.finish(bot.session.backup());
    await later(bot);
    const reset = () => {
      saves.reset();
      backups.reset();
    };
    reset();
    return { bot, saves, backups, stores, reset };
  }

  const later = (bot: FakeBot) =>
    bot.finish(new Promise<void>((resolve) => void stage().clock.setTimeout(resolve, LONG_MS)), {
      stepMs: 10_000,
    });

  it('are none for a save or a backup of a profile that has not changed', async () => {
    const { bot, saves, backups } = await settled();
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'unchanged' });
    expect(await bot.finish(bot.session.backup())).toEqual({ skipped: 'unchanged' });
    expect([...saves.told, ...backups.told]).toEqual([]);
  });

  it('are only of the store that a copy is put into', async () => {
    const { bot, saves, backups, reset } = await settled();
    for (let time = 0; time < 12; time++) await bot.save(`save ${time}`); // retention removes some
    expect(backups.told).toEqual([]);
    reset();
    for (let time = 0; time < 14; time++) await bot.backUp(`backup ${time}`);
    expect(saves.told).toEqual([]);
  });

  it('are three of each store at most for a start with a sound profile, and few bytes', async () => {
    const { bot, saves, backups, stores, reset } = await settled();
    for (let time = 0; time < 12; time++) await bot.save(`save ${time}`);
    await bot.backUp('last');
    await bot.finish(bot.session.verify()); // so that there is a state to read, too
    await bot.stop();
    reset();
    const next = stage().bot({ session: { ...BY_HAND, ...stores } });
    await next.start();
    await later(next);
    expect(next.state).toBe('ready');
    for (const store of [saves, backups]) {
      expect(store.told.length, store.told.join(', ')).toBeLessThanOrEqual(3);
      expect(store.bytesDown).toBeLessThanOrEqual(64 * 1024);
    }
  });

  it('are three for a save of what has changed, without a list, and few bytes', async () => {
    const { bot, saves, backups, reset } = await settled();
    await bot.save('the newest listing is young'); // one that is ten minutes old is asked for again
    for (let time = 0; time < 5; time++) {
      reset();
      await bot.save(`traffic ${time}`);
      expect(saves.told.map((call) => call.split(' ')[0])).toEqual(['put', 'put', 'head']);
      expect(saves.bytesUp).toBeLessThanOrEqual(64 * 1024);
      expect(saves.bytesDown).toBe(0);
      expect(backups.told).toEqual([]);
    }
  });

  it('are the packs and three more for a first save', async () => {
    const { clock } = stage();
    const saves = new CountingStore({ name: 'saves', clock });
    const bot = stage().bot({
      session: { ...BY_HAND, store: saves, backupStore: new CountingStore({ clock }) },
    });
    await bot.logIn();
    saves.reset();
    await bot.save('first');
    expect(saves.told.map((call) => call.split(' ')[0])).toEqual(['put', 'put', 'head']);
  });

  it('are one for each object that is needed for a restore on an empty disk, a list and a state, and few bytes', async () => {
    const { bot, saves, stores, reset } = await settled();
    for (let time = 0; time < 12; time++) await bot.save(`save ${time}`);
    const { profile, session } = bot.session.status().paths;
    await bot.stop();
    const [newest] = (await bot.finish(bot.session.listSnapshots())).filter(({ kind }) => kind === 'save');
    for (const path of [dirname(profile), session]) await stage().remove(path);
    expect((await saves.keys).filter((key) => key.includes('/snapshots/')).length).toBeGreaterThan(5);
    reset();
    const next = stage().bot({ session: { ...BY_HAND, ...stores } });
    await next.start();
    expect(next.payloads('restore:completed').map(({ snapshot }) => snapshot.id)).toEqual([newest?.id]);
    const reading = saves.calls.filter(({ method }) => method !== 'put'); // the login's new place is noted
    const kinds = reading.map(({ method, key }) => `${method} ${key.split('/')[1]}`).sort();
    // The newest manifest carries those of all others.
    expect(kinds).toEqual(['get objects', 'get snapshots', 'get state.json', 'list ']);
    const data = saves.calls.filter(({ key }) => key.includes('/objects/'));
    expect(data.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(
      (newest?.sizeBytes ?? 0) * 1.5,
    );
  });

  it('are two lists and one delete of many for a prune', async () => {
    const { bot, saves, backups, reset } = await settled();
    for (let time = 0; time < 12; time++) await bot.save(`save ${time}`);
    for (let hour = 0; hour < 6; hour++) await later(bot); // what nobody needs has waited for an hour
    reset();
    const before = await saves.keys;
    await bot.finish(bot.session.prune());
    expect(before.length - (await saves.keys).length).toBeGreaterThan(1);
    for (const store of [saves, backups]) {
      expect(store.lists).toBeLessThanOrEqual(2);
      expect(store.calls.filter(({ method }) => method === 'delete').length).toBeLessThanOrEqual(1);
    }
  });

  it('put the fencing number of the lease into every manifest', async () => {
    const { bot, saves, stores } = await settled();
    const generations = async () => {
      const found: unknown[] = [];
      for (const key of (await saves.keys).filter((one) => one.includes('/snapshots/'))) {
        const object = await saves.get(key);
        const { own } = splitEarlier(Buffer.concat(await (object?.body.toArray() ?? [])));
        const { generation } = JSON.parse(String(own));
        found.push(generation);
      }
      return found;
    };
    const { generation } = bot.session.status().lease;
    expect(generation).toBeGreaterThan(0);
    expect(new Set(await generations())).toEqual(new Set([generation]));
    await bot.stop();
    const next = stage().bot({ session: { ...BY_HAND, ...stores } });
    await next.start();
    await next.save('as the next owner');
    expect((await generations()).at(-1)).toBeGreaterThan(generation ?? 0);
  });

  it('see what another process has put, when a person asks', async () => {
    const { bot, saves, backups } = await settled();
    const [backup] = (await bot.finish(bot.session.listSnapshots())).filter(({ kind }) => kind === 'backup');
    const key = backups.calls.length > 0 ? await zipOf(backups) : '';
    const found = await backups.get(key);
    const bytes = Buffer.concat(await (found?.body.toArray() ?? []));
    await backups.delete(key);
    expect((await bot.finish(bot.session.listSnapshots())).map(({ kind }) => kind)).toEqual(['save']);
    await backups.put('shop/copied by hand.zip', bytes);
    const again = await bot.finish(bot.session.listSnapshots());
    expect(again.find(({ kind }) => kind === 'backup')?.id).toBe(backup?.id);
    expect(saves.lists).toBeGreaterThan(0);
  });
});

async function zipOf(store: CountingStore): Promise<string> {
  for await (const { key } of store.list('shop/')) if (key.endsWith('.zip')) return key;
  throw new Error('there is no zip');
}
