import { describe, expect, it } from 'vitest';
import type { SnapshotInfo } from '../../src/index.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const READING = /^(open|readFile|createReadStream|handle\.read|readStream\.read)$/;
const STORE = '/bot/session/store';
const MINUTE_MS = 60_000;

/** A store that answers, for some objects, that it can't deliver them, or that it has none. */
class PickyStore extends MemoryStore {
  archived: readonly string[] = [];
  missing: readonly string[] = [];

  override async get(...given: Parameters<MemoryStore['get']>): ReturnType<MemoryStore['get']> {
    if (this.archived.some((text) => given[0].includes(text))) {
      throw Object.assign(new Error('not valid for its storage class'), { name: 'InvalidObjectState' });
    }
    return this.missing.some((text) => given[0].includes(text)) ? undefined : super.get(...given);
  }
}

describe('one snapshot that its store lists and does not deliver', () => {
  const stage = useFakeStage();

  /** Saves of a bot that then stops without another. */
  async function saved(notes: readonly string[]): Promise<readonly SnapshotInfo[]> {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await stage().clock.advance(100_000); // settled, all of them
    const snapshots: SnapshotInfo[] = [];
    for (const note of notes) {
      snapshots.push(await bot.save(note));
      await stage().clock.advance(1000);
    }
    stage().fs.arm({ path: '/session/store', failOn: 1, times: Number.POSITIVE_INFINITY }); // no final save
    await bot.stop();
    stage().fs.arm({});
    return snapshots;
  }

  /** A bad sector below the manifest of each. */
  function spoil(snapshots: readonly (SnapshotInfo | undefined)[], errno = 'EIO'): void {
    const ids = snapshots.map((snapshot) => snapshot?.id);
    stage().fs.arm({
      ...{ operation: READING, path: new RegExp(`snapshots/(${ids.join('|')})`), errno },
      ...{ failOn: 1, times: Number.POSITIVE_INFINITY },
    });
  }

  async function loseAllBut(place: string): Promise<void> {
    for (const path of ['/bot/auth', '/bot/backup', STORE].filter((one) => one !== place)) {
      await stage().remove(path);
    }
  }

  const noteIn = async (bot: FakeBot) => (await bot.client.readLogin())?.note;
  const unreadable = (bot: FakeBot) =>
    bot.payloads('warning').filter(({ code }) => code === 'snapshot-unreadable');

  it.each(['EIO', 'EUCLEAN', 'ESTALE', 'EACCES'])('does not end the saves: %s', async (errno) => {
    const [old] = await saved(['old', 'newer']);
    spoil([old], errno);
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    for (const note of ['one', 'two', 'three']) await bot.save(note);
    await bot.finish(bot.session.prune());
    expect(bot.payloads('save:failed')).toEqual([]);
    expect(unreadable(bot)).toEqual([
      { code: 'snapshot-unreadable', message: expect.stringMatching(`${old?.id}.*${errno}`) },
    ]);
    stage().fs.arm({});
    expect((await bot.finish(bot.session.listSnapshots())).map(({ id }) => id)).toContain(old?.id);
  });

  it('does not end the saves when it was the only one', async () => {
    const all = await saved(['only']);
    spoil(all);
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    await bot.save('another');
    expect(bot.payloads('save:failed')).toEqual([]);
  });

  it('does not block the newer one of the same store', async () => {
    const [old] = await saved(['old', 'newer']);
    await loseAllBut(STORE);
    spoil([old]);
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(await noteIn(bot)).toBe('newer');
    expect(bot.codes).toEqual([]);
    expect(unreadable(bot)).toHaveLength(1);
  });

  it.each(['store', 'backupStore'] as const)('may be in an archive tier of the %s', async (role) => {
    const mine = new PickyStore({ name: 's3' });
    const session = { ...BY_HAND, [role]: mine };
    const first = stage().bot({ session });
    await first.logIn();
    const copy = (bot: FakeBot, note: string) => (role === 'store' ? bot.save(note) : bot.backUp(note));
    const old = await copy(first, 'old');
    await copy(first, 'newer');
    await first.stop();
    mine.archived = [old.id];
    const second = stage().bot({ session });
    await second.start();
    await copy(second, 'newest');
    await second.stop();
    for (const path of ['/bot/auth', '/bot/backup', '/bot/session']) await stage().remove(path);
    const third = stage().bot({ session });
    await third.start();
    expect(third.state).toBe('ready');
    expect(await noteIn(third)).toBe('newest');
  });

  it('is waited for where nothing else is sound, without a QR, and restored when it is delivered', async () => {
    const all = await saved(['one', 'two']);
    await loseAllBut(STORE);
    spoil(all);
    const bot = stage().bot({ session: { ...BY_HAND, maxInitRetries: 1, maxReconnectAttempts: 1 } });
    const start = bot.session.initialize();
    start.catch(() => undefined);
    const from = stage().clock.monotonic();
    await bot.until('ten minutes', () => stage().clock.monotonic() - from > 10 * MINUTE_MS, { stepMs: 5000 });
    expect(bot.state).toBe('reconnecting');
    expect(bot.codes).toEqual([]);
    expect(bot.client.launches).toBe(0);
    stage().fs.arm({});
    await bot.finish(start);
    expect(await noteIn(bot)).toBe('two');
    expect(bot.codes).toEqual([]);
  });

  it('is waited for where the readable ones are damaged', async () => {
    const [old, newer] = await saved(['old', 'newer']);
    await loseAllBut(STORE);
    await stage().fs.promises.writeFile(`${STORE}/shop/snapshots/${old?.id}.json`, 'torn');
    spoil([newer]);
    const bot = stage().bot({ session: BY_HAND });
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await bot.until('a further try', () => bot.payloads('reconnect:scheduled').length > 1);
    expect(bot.codes).toEqual([]);
    expect(bot.session.status().lastError?.message).toMatch(/file-system lists .* can't deliver it: .*EIO/);
    stage().fs.arm({});
    await bot.finish(start);
    expect(await noteIn(bot)).toBe('newer');
  });

  it('is no reason to wait after a logout: a QR is due', async () => {
    const [old] = await saved(['old', 'newer']);
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    spoil([old]);
    await bot.client.logOutByPhone();
    await bot.until('a QR', () => bot.codes.length > 0);
    await bot.stop();
    const next = stage().bot({ session: BY_HAND });
    await next.start();
    expect(next.codes).toHaveLength(1);
  });

  it('may be one that the stores list and have not: told, and no QR is shown', async () => {
    const stores = {
      store: new PickyStore({ name: 'ours' }),
      backupStore: new PickyStore({ name: 'zips' }),
    };
    const first = stage().bot({ session: { ...BY_HAND, ...stores } });
    await first.logIn();
    await first.save('one');
    await first.backUp('two');
    await first.stop();
    for (const path of ['/bot/auth', '/bot/session']) await stage().remove(path);
    stores.store.missing = ['/snapshots/'];
    stores.backupStore.missing = ['.zip'];
    const bot = stage().bot({ session: { ...BY_HAND, ...stores } });
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await bot.until('a further try', () => bot.payloads('reconnect:scheduled').length > 1);
    expect(bot.codes).toEqual([]);
    expect(unreadable(bot).length).toBeGreaterThan(1);
    stores.store.missing = [];
    stores.backupStore.missing = [];
    await bot.finish(start);
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
  });
});
