import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const OFTEN = { forceSaveIntervalMs: 60_000, backupIntervalMs: 90_000, healthCheckIntervalMs: 0 };

describe('a store that is away when a hold ends or begins', () => {
  const stage = useFakeStage();

  const wait = async (bot: FakeBot, ms: number) => {
    const end = stage().clock.monotonic() + ms;
    await bot.until('the time', () => stage().clock.monotonic() >= end, { limitMs: ms + 60_000 });
  };

  function twoStores() {
    const { clock } = stage();
    const store = new MemoryStore({ clock, name: 'saves' });
    const backupStore = new MemoryStore({ clock, name: 'backups' });
    const newBot = () => stage().bot({ session: { ...OFTEN, store, backupStore } });
    return { store, backupStore, newBot };
  }

  async function pairedBot(newBot: () => FakeBot): Promise<FakeBot> {
    const bot = newBot();
    await bot.logIn();
    await wait(bot, 20_000);
    await bot.save('one');
    await bot.backUp('one');
    return bot;
  }

  /** Somebody deletes the folder while the bot closes its client. */
  async function removedBot(newBot: () => FakeBot): Promise<void> {
    const bot = await pairedBot(newBot);
    const closing = bot.client.destroy();
    await stage().remove('/bot/auth');
    await bot.finish(closing);
    await wait(bot, 10_000);
    await bot.stop();
  }

  /** The profile is lost with everything beside it. */
  async function expectBackAfterRedeploy(newBot: () => FakeBot): Promise<void> {
    await stage().remove('/bot/auth');
    const redeployed = newBot();
    await redeployed.start();
    expect(redeployed.state).toBe('ready');
  }

  const heldIn = async (bot: FakeBot) =>
    (await bot.finish(bot.session.listSnapshots())).filter(({ held }) => held).map(({ store }) => store);

  it.each(['store', 'backupStore'] as const)(
    'of the %s: a restore() by a person ends it there as well, with the next copies',
    async (away) => {
      const { newBot, ...stores } = twoStores();
      await removedBot(newBot);
      const bot = newBot();
      await bot.start();
      expect(bot.state).toBe('awaiting_qr');
      stores[away].setDown(true);
      await bot.finish(bot.session.restore());
      await bot.untilState('ready');
      expect(bot.warnings).toContain('revocation-incomplete');
      stores[away].setDown(false);
      for (let minute = 0; minute < 5; minute++) {
        await bot.note(`in minute ${minute}`);
        await wait(bot, 60_000);
      }
      expect(await heldIn(bot)).toEqual([]);
      await bot.stop();
      await expectBackAfterRedeploy(newBot);
    },
  );

  it('ends it at the stop where no copy has come since', async () => {
    const { newBot, backupStore } = twoStores();
    await removedBot(newBot);
    const bot = newBot();
    await bot.start();
    backupStore.setDown(true);
    await bot.finish(bot.session.restore());
    await bot.untilState('ready');
    await wait(bot, 5_000);
    backupStore.setDown(false);
    await wait(bot, 20_000);
    await bot.stop();
    await expectBackAfterRedeploy(newBot);
  });

  it('ends it at the stop on a disk that was not mounted and looked empty', async () => {
    const newBot = () => stage().bot({ session: { ...OFTEN, backupPath: '/mnt/backup' } });
    await removedBot(newBot);
    const mount = await stage().copyTree('/mnt/backup');
    await stage().remove('/mnt/backup');
    await stage().fs.promises.mkdir('/mnt/backup');
    const bot = newBot();
    await bot.start();
    await bot.finish(bot.session.restore());
    await bot.untilState('ready');
    await wait(bot, 20_000);
    await stage().remove('/mnt/backup');
    await mount.putAt('/mnt/backup');
    await bot.stop();
    await expectBackAfterRedeploy(newBot);
  });

  it('does not end it for a login that was removed again meanwhile', async () => {
    const { newBot, backupStore } = twoStores();
    await removedBot(newBot);
    const bot = newBot();
    await bot.start();
    backupStore.setDown(true);
    await bot.finish(bot.session.restore());
    await bot.untilState('ready');
    await wait(bot, 5_000);
    const closing = bot.client.destroy();
    await stage().remove('/bot/auth');
    await bot.finish(closing);
    backupStore.setDown(false);
    await wait(bot, 10_000);
    await bot.stop();
    const next = newBot();
    await next.start();
    expect(next.state).toBe('awaiting_qr');
  });

  it('is told of it by the next start, although the record that knew is gone', async () => {
    const { newBot, backupStore } = twoStores();
    const bot = await pairedBot(newBot);
    backupStore.setDown(true);
    const closing = bot.client.destroy();
    await stage().remove('/bot/auth');
    await bot.finish(closing);
    await wait(bot, 10_000);
    await bot.stop();
    backupStore.setDown(false);
    const next = newBot();
    await next.start();
    expect(next.state).toBe('awaiting_qr');
    await next.stop();
    const emptied = new MemoryStore({ clock: stage().clock, name: 'saves' });
    await stage().remove('/bot');
    const last = stage().bot({ session: { ...OFTEN, store: emptied, backupStore } });
    await last.start();
    expect(last.state).toBe('awaiting_qr');
  });

  /** A login was cleared while the backups lay on a disk that was not mounted; then everything beside the stores is lost. */
  async function clearedWithoutBackups() {
    const { newBot, store, backupStore } = twoStores();
    const botWith = (stores: { readonly store: MemoryStore; readonly backupStore: MemoryStore }) =>
      stage().bot({ session: { ...OFTEN, ...stores } });
    const empty = () => new MemoryStore({ clock: stage().clock, name: 'empty' });
    await (await pairedBot(newBot)).stop();
    const clearing = botWith({ store, backupStore: empty() });
    await clearing.finish(clearing.session.clear());
    await clearing.stop();
    await stage().remove('/bot');
    const next = botWith({ store, backupStore });
    await next.start();
    expect([next.state, next.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
    return { next, backupStore, alone: () => botWith({ store: empty(), backupStore }) };
  }

  it('is told by the next start that a clear() has ended the login, although the note of it is gone', async () => {
    const { next, alone } = await clearedWithoutBackups();
    await next.stop();
    await stage().remove('/bot');
    const last = alone();
    await last.start();
    expect([last.state, last.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
  });

  it('keeps the copies of a cleared login for a person, who gets it back for good', async () => {
    const { next, alone } = await clearedWithoutBackups();
    const [newest] = await next.finish(next.session.listSnapshots());
    await next.finish(next.session.restore(newest?.id));
    await next.untilState('ready');
    await next.note('later');
    await next.finish(next.session.backup());
    await next.stop();
    await stage().remove('/bot');
    const last = alone();
    await last.start();
    expect(last.state).toBe('ready');
  });
});
