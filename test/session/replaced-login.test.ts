import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClient } from '../../src/testing/fake-client.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import { BY_HAND, type FakeBot, type FakeBotOptions } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const RECORD = '/bot/auth/.session-shop.persistent';

/** Ben's login took the place of Anna's, and was never saved. Her snapshots are still in the stores. */
describe('a login without a snapshot that has replaced an older one', () => {
  const stage = useFakeStage();
  let store: MemoryStore;
  let backupStore: MemoryStore;
  let isFull = false;

  beforeEach(() => {
    isFull = false;
    store = new MemoryStore();
    backupStore = new MemoryStore();
    for (const one of [store, backupStore]) {
      const put = one.put.bind(one);
      one.put = (key, ...rest) =>
        isFull && !/\/state(-copy)?\.json$/.test(key) ? Promise.reject(new Error('full')) : put(key, ...rest);
    }
  });

  const newBot = ({ session, ...more }: FakeBotOptions = {}) =>
    stage().bot({ ...more, session: { ...BY_HAND, store, backupStore, ...session } });
  /** One that knows nothing of what this process has seen. */
  const botOfAnotherProcess = () => newBot({ session: { fs: { ...stage().fs } } });

  async function annaSaved(client?: FakeBotOptions['client']): Promise<void> {
    const anna = newBot(client && { client });
    await anna.logIn(ANNA);
    await stage().clock.advance(100_000);
    await anna.save('anna');
    await anna.backUp('anna zip');
    await anna.stop();
    isFull = true;
  }

  async function expectBen(bot: FakeBot): Promise<FakeBot> {
    expect([bot.state, accountOf(bot)]).toEqual(['ready', BEN]);
    await bot.until('the count of the run', () => bot.session.status().lineage !== undefined);
    return bot;
  }

  /** A bot without this library logged in here, after everything beside the profile was lost. */
  async function putThereWithoutRecord(): Promise<FakeBot> {
    await annaSaved();
    await stage().remove('/bot/auth');
    const localAuth = { dataPath: '/bot/auth', clientId: 'shop' };
    const plain = new FakeClient({ whatsApp: stage().whatsApp, fs: stage().fs, localAuth });
    await plain.initialize();
    await plain.scan(BEN);
    await plain.destroy();
    const ben = newBot();
    await ben.start();
    return expectBen(ben);
  }

  /** The only store that has Anna's copies was not in the options when Ben scanned; another one had an older, dead login. */
  async function scannedWhileStoreWasTakenOut(): Promise<FakeBot> {
    const before = newBot();
    await before.logIn(ANNA);
    await stage().clock.advance(100_000);
    await before.save('dead');
    await before.client.logOutByPhone();
    await before.untilState('awaiting_qr');
    await before.client.scan(ANNA);
    await before.untilState('ready');
    await stage().clock.advance(100_000);
    await before.backUp('anna zip');
    isFull = true;
    await before.stop();
    await stage().remove('/bot/auth');
    await stage().clock.advance(100_000);
    const first = newBot({ session: { backupStore: new MemoryStore() } });
    await first.logIn(BEN);
    await expectBen(first);
    await first.stop();
    const ben = botOfAnotherProcess();
    await ben.start();
    return expectBen(ben);
  }

  const ways: [string, () => Promise<FakeBot>][] = [
    ['put there without a record', putThereWithoutRecord],
    ['scanned while the store with the older one was taken out of the options', scannedWhileStoreWasTakenOut],
  ];

  const ends: [string, (bot: FakeBot) => Promise<unknown>][] = [
    [
      'the phone logs it out',
      async (bot) => {
        await bot.client.logOutByPhone();
        await bot.untilState('awaiting_qr');
        expect(bot.payloads('restore:started')).toEqual([]);
      },
    ],
    ['the bot logs it out', (bot) => bot.finish(bot.client.logout())],
    [
      'the server logs it out at the next start',
      async (bot) => {
        const login = await bot.client.readLogin();
        await bot.stop();
        if (login) stage().whatsApp.revoke(login);
        stage().whatsApp.answersWithLogout = true;
      },
    ],
    [
      'WhatsApp rejects it at the next start',
      async (bot) => {
        const login = await bot.client.readLogin();
        await bot.stop();
        if (login) stage().whatsApp.revoke(login);
      },
    ],
    [
      'its profile is removed while it runs',
      async (bot) => {
        const closing = bot.client.destroy();
        await stage().remove(bot.client.profileDir);
        await bot.finish(closing);
      },
    ],
    [
      'its profile is removed after the bot has closed it',
      async (bot) => {
        await bot.finish(bot.client.destroy());
        await stage().remove(bot.client.profileDir);
        await bot.until('the hold', () => bot.warnings.includes('profile-removed'));
      },
    ],
    [
      'its disk is lost, but not the record',
      async (bot) => {
        await bot.stop();
        await stage().remove(bot.client.profileDir);
      },
    ],
  ];

  const cases = ways.flatMap(([way, prepare]) => ends.map(([end, act]) => ({ way, prepare, end, act })));

  it.each(cases)('$way: where $end, the older one does not come back', async ({ prepare, act }) => {
    const bot = await prepare();
    await act(bot);
    await bot.stop();
    for (const next of [botOfAnotherProcess(), botOfAnotherProcess()]) {
      await next.start();
      expect([next.state, next.payloads('restore:completed')]).toEqual(['awaiting_qr', []]);
      await next.stop();
    }
  });

  it.each(cases)('$way: where $end, and the record is lost, neither', async ({ prepare, act }) => {
    const bot = await prepare();
    await act(bot);
    await bot.stop();
    await stage().remove(RECORD);
    const next = botOfAnotherProcess();
    await next.start();
    expect([next.state, next.payloads('restore:completed')]).toEqual(['awaiting_qr', []]);
  });

  it('says so, and a person gets the older one back by its id', async () => {
    const bot = await putThereWithoutRecord();
    const [newest] = await bot.session.listSnapshots();
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    await bot.until('the warning', () => bot.warnings.includes('nothing-to-restore'));
    await bot.stop();
    const next = botOfAnotherProcess();
    await next.start();
    expect(next.warnings).toContain('nothing-to-restore');
    await next.finish(next.session.restore(newest?.id));
    await next.untilState('ready');
    expect(accountOf(next)).toBe(ANNA);
    await next.stop();
    const later = botOfAnotherProcess();
    await later.start();
    expect([later.state, accountOf(later)]).toEqual(['ready', ANNA]);
  });
});
