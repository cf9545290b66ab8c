import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { ANNA, BEN } from '../support/accounts.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const POISONED = { credential: 'unknown to WhatsApp', note: 'poisoned' };

/** A QR would cost a scan, and replace a login that only the store has that does not answer at the moment. */
describe('a store that may have the login does not answer, and the other one has nothing that may be restored', () => {
  const stage = useFakeStage();

  const stores = () => ({
    store: new MemoryStore({ clock: stage().clock, name: 'saves' }),
    backupStore: new MemoryStore({ clock: stage().clock, name: 'backups' }),
  });
  const accountOf = (bot: FakeBot) => [bot.state, bot.client.info?.wid._serialized, bot.codes.length];
  const wait = async (bot: FakeBot, ms: number) => {
    const end = stage().clock.monotonic() + ms;
    await bot.until('the time', () => stage().clock.monotonic() >= end, { stepMs: 1_000 });
  };
  async function removeByDeleteRoute(bot: FakeBot): Promise<void> {
    await bot.finish(bot.client.destroy());
    await stage().remove(bot.client.profileDir);
    await wait(bot, 3_000);
    await bot.stop();
  }
  /** Starts a bot that can't decide yet, and looks at it for two minutes. */
  async function expectToWait(bot: FakeBot): Promise<void> {
    void bot.session.initialize().catch(() => undefined);
    await wait(bot, 120_000);
    expect([bot.codes, bot.heard.some(([name]) => name === 'ready')]).toEqual([[], false]);
    expect(bot.session.status().lastError?.message).toContain('may have the login');
  }
  async function expectReady(bot: FakeBot, account: string): Promise<void> {
    await bot.untilState('ready', { limitMs: 120_000 });
    expect(accountOf(bot)).toEqual(['ready', account, 0]);
  }

  it.each(['the profile is lost', 'the profile leads to a QR'])(
    'because all that it knows was removed on purpose before the login was scanned: %s',
    async (what) => {
      const { store, backupStore } = stores();
      const newBot = () => stage().bot({ session: { store, backupStore } });
      const anna = newBot();
      await anna.logIn(ANNA);
      await wait(anna, 20_000);
      await anna.backUp('of Anna');
      await removeByDeleteRoute(anna);
      const ben = newBot();
      await ben.start();
      store.setDown(true);
      await ben.client.scan(BEN);
      await ben.untilState('ready');
      await wait(ben, 20_000);
      await ben.backUp('of Ben');
      await ben.stop();
      store.setDown(false);
      backupStore.setDown(true);
      if (what === 'the profile is lost') await stage().remove('/bot');
      else await ben.client.writeLogin(POISONED);
      const next = newBot();
      await expectToWait(next);
      backupStore.setDown(false);
      await expectReady(next, BEN);
    },
  );

  it.each(['the profile is lost', 'the profile leads to a QR'])(
    'because all that it has is damaged: %s',
    async (what) => {
      const { store, backupStore } = stores();
      const newBot = () => stage().bot({ session: { store, backupStore } });
      const anna = newBot();
      await anna.logIn(ANNA);
      await wait(anna, 20_000);
      await anna.save('of Anna');
      await anna.backUp('of Anna');
      await anna.stop();
      for await (const { key } of store.list('shop/objects/')) await store.put(key, new Uint8Array([1]));
      backupStore.setDown(true);
      if (what === 'the profile is lost') await stage().remove('/bot');
      else await anna.client.writeLogin(POISONED);
      const next = newBot();
      await expectToWait(next);
      backupStore.setDown(false);
      await expectReady(next, ANNA);
    },
  );

  it('but a login that ended here is not waited for', async () => {
    const { store, backupStore } = stores();
    const newBot = () => stage().bot({ session: { store, backupStore } });
    const anna = newBot();
    await anna.logIn(ANNA);
    await wait(anna, 20_000);
    await anna.backUp('of Anna');
    await removeByDeleteRoute(anna);
    backupStore.setDown(true);
    const next = newBot();
    await next.start();
    expect(next.state).toBe('awaiting_qr');
  });

  it('and is named, also where its own errors do not name it', async () => {
    const { store, backupStore } = stores();
    backupStore.list = () => {
      throw new StoreError('connect ECONNREFUSED 127.0.0.1:9000');
    };
    const anna = stage().bot({ session: { store, backupStore } });
    void anna.session.initialize().catch(() => undefined);
    await wait(anna, 60_000);
    expect(anna.session.status().lastError?.message).toMatch(/backups.*ECONNREFUSED/);
  });
});
