import { afterEach, describe, expect, it, vi } from 'vitest';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import { BY_HAND, type FakeBot, type FakeBotOptions } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { marksIn } from '../support/marks-in.js';

/** How a start was refused; `undefined`: it was not. */
const refusalOf = (bot: FakeBot) =>
  bot.start().then(
    () => undefined,
    ({ code }: { readonly code?: string }) => code,
  );

afterEach(() => vi.restoreAllMocks());

describe('a bot that was moved, and whose login lives where it is now', () => {
  const stage = useFakeStage();

  function botIn(folder: string, session: FakeBotOptions['session'] = {}): FakeBot {
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    return stage().bot({
      client: { localAuth: { dataPath: `${folder}/auth`, clientId: 'bot' } },
      session: { ...BY_HAND, sessionPath: `${folder}/session`, backupPath: '/mnt/backup', ...session },
    });
  }

  /** Anna's bot is backed up in /srv/bot, moved, and backed up again in /srv/bot-anna, where it runs. */
  async function moved(): Promise<FakeBot> {
    const before = botIn('/srv/bot');
    await before.logIn(ANNA);
    await stage().clock.advance(100_000);
    await before.backUp('before');
    await before.stop();
    await stage().fs.promises.rename('/srv/bot', '/srv/bot-anna');
    const after = botIn('/srv/bot-anna');
    await after.start();
    expect([after.state, accountOf(after)]).toEqual(['ready', ANNA]);
    await stage().clock.advance(100_000);
    await after.backUp('after');
    return after;
  }

  it.each([true, false])('a new bot in its old folder does not get it (it runs: %s)', async (runs) => {
    const anna = await moved();
    if (!runs) await anna.stop();
    const fresh = botIn('/srv/bot');
    expect(await refusalOf(fresh)).toBe('CONFIGURATION');
    expect(fresh.payloads('restore:started')).toEqual([]);
  });

  it('lives there as soon as it is settled, although nothing in it has changed', async () => {
    const before = botIn('/srv/bot');
    await before.logIn(ANNA);
    await stage().clock.advance(100_000);
    await before.backUp('before');
    await before.stop();
    await stage().fs.promises.rename('/srv/bot', '/srv/bot-anna');
    const after = botIn('/srv/bot-anna', { backupIntervalMs: 3_600_000 });
    await after.start();
    await stage().clock.advance(20_000);
    await after.until('a backup', () => after.payloads('backup:completed').length > 0, { limitMs: 60_000 });
    expect(await refusalOf(botIn('/srv/bot'))).toBe('CONFIGURATION');
  });

  it('a copy of the bot in a third folder does not get it, nor what was saved before the move', async () => {
    await moved();
    const copy = botIn('/srv/bot-ben');
    await expect(copy.start()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('/srv/bot-anna/auth/session-bot'),
    });
    expect(copy.payloads('restore:started')).toEqual([]);
  });

  it('clear() of a new bot in its old folder leaves all its copies', async () => {
    const anna = await moved();
    await anna.stop();
    const profile = { ...stage().whatsApp.pair(BEN), note: 'ben' };
    await writeFakeProfile(stage().fs, '/srv/bot/auth/session-bot', profile);
    const ben = botIn('/srv/bot');
    await expect(ben.finish(ben.session.clear())).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await stage().remove('/srv/bot-anna');
    const again = botIn('/srv/bot-anna');
    await again.start();
    expect([again.state, accountOf(again)]).toEqual(['ready', ANNA]);
  });

  it('comes back where it was once, when the place since then is gone', async () => {
    const anna = await moved();
    await anna.stop();
    await stage().remove('/srv/bot-anna');
    const back = botIn('/srv/bot');
    await back.start();
    expect([back.state, accountOf(back), back.codes]).toEqual(['ready', ANNA, []]);
    expect((await back.client.readLogin())?.note).toBe('after');
  });

  it('releases in folders of their own: the third is refused as the second was, and gets no older copy', async () => {
    const first = botIn('/releases/1');
    await first.logIn(ANNA);
    await stage().clock.advance(100_000);
    const { id } = await first.backUp('one');
    await first.stop();
    const second = botIn('/releases/2');
    expect(await refusalOf(second)).toBe('CONFIGURATION');
    await second.finish(second.session.restore(id)); // as the message says
    await second.start();
    await stage().clock.advance(100_000);
    await second.backUp('two');
    await second.stop();
    await stage().remove('/releases/1');
    const third = botIn('/releases/3');
    await expect(third.start()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('/releases/2/auth/session-bot'),
    });
  });
});

describe('a bot that was moved, and had another login before', () => {
  const stage = useFakeStage();

  function botIn(folder: string): FakeBot {
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    return stage().bot({
      client: { localAuth: { dataPath: `${folder}/auth`, clientId: 'bot' } },
      session: { ...BY_HAND, sessionPath: '/data/session', backupPath: '/data/backup' },
    });
  }

  async function saved(bot: FakeBot, note: string): Promise<void> {
    await stage().clock.advance(100_000);
    await bot.save(note);
    await bot.backUp(`${note} zip`);
    await bot.stop();
  }

  async function loggedIn(folder: string): Promise<void> {
    const bot = botIn(folder);
    await bot.logIn(ANNA);
    await saved(bot, 'anna');
  }

  /** Anna's login, then Ben's in its place; her device stays linked. */
  async function importedOver(folder: string): Promise<void> {
    await loggedIn(folder);
    await writeFakeProfile(stage().fs, '/import/session-ben', {
      ...stage().whatsApp.pair(BEN),
      note: 'ben',
    });
    const bot = botIn(folder);
    await bot.finish(bot.session.importSession('/import/session-ben'));
    await bot.start();
    await saved(bot, 'ben');
  }

  /** Anna's login, which WhatsApp no longer accepts, then a scan by Ben. */
  async function scannedAfterRejection(folder: string): Promise<void> {
    await loggedIn(folder);
    stage().whatsApp.revokeAll();
    const bot = botIn(folder);
    await bot.logIn(BEN);
    await saved(bot, 'ben');
  }

  it.each([false, true])('clear({ logout: %s }) deletes both, wherever they were made', async (logout) => {
    await importedOver('/old');
    await stage().fs.promises.rename('/old', '/new');
    const bot = botIn('/new');
    await bot.start();
    await stage().clock.advance(100_000);
    await bot.save('moved');
    await bot.finish(bot.session.clear({ logout }));
    expect(await bot.session.listSnapshots()).toEqual([]);
    await bot.stop();
    const again = botIn('/new');
    await again.start();
    expect([again.state, again.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
  });

  it.each([
    ['by an import', importedOver],
    ['by a scan, after WhatsApp had rejected it', scannedAfterRejection],
  ])(
    'every deploy into a new folder gets the later one, where the first was replaced %s',
    async (_how, prepare) => {
      await prepare('/release/1');
      for (const [last, next] of [
        ['/release/1', '/release/2'],
        ['/release/2', '/release/3'],
      ] as const) {
        await stage().remove(last);
        const bot = botIn(next);
        await bot.start();
        expect([bot.state, accountOf(bot), bot.codes]).toEqual(['ready', BEN, []]);
        expect(bot.warnings).toContain('profile-moved');
        await saved(bot, next);
      }
    },
  );

  it('clear() before the first start at a new place deletes nothing, and nothing comes back by itself', async () => {
    await loggedIn('/release/1');
    await stage().remove('/release/1');
    const bot = botIn('/release/2');
    await bot.finish(bot.session.clear());
    const left = await bot.session.listSnapshots();
    expect(left.length).toBeGreaterThan(0);
    expect(left.every(({ heldElsewhere }) => heldElsewhere)).toBe(true);
    await bot.stop();
    const again = botIn('/release/2');
    await again.start();
    expect([again.state, again.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
    expect(again.warnings).toContain('other-profile');
    // A person who knows better gets it back, or rid of it.
    await again.finish(again.session.restore(left[0]?.id));
    await again.untilState('ready');
    await again.finish(again.session.clear());
    expect(await again.session.listSnapshots()).toEqual([]);
  });
});

describe('deploys into a folder of their own, each removed with the next', () => {
  const stage = useFakeStage();

  function botIn(folder: string, session: FakeBotOptions['session'] = {}): FakeBot {
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    return stage().bot({
      client: { localAuth: { dataPath: `${folder}/auth`, clientId: 'bot' } },
      session: { ...BY_HAND, sessionPath: `${folder}/session`, backupPath: '/mnt/backup', ...session },
    });
  }

  async function end(bot: FakeBot, folder: string): Promise<void> {
    await stage().clock.advance(100_000);
    await bot.backUp(folder);
    await bot.stop();
    await stage().remove(folder);
  }

  async function annaInOne(session?: FakeBotOptions['session']): Promise<void> {
    const one = botIn('/releases/1', session);
    await one.logIn(ANNA);
    await end(one, '/releases/1');
  }

  async function scan(two: FakeBot): Promise<void> {
    stage().whatsApp.revokeAll();
    await two.logIn(BEN);
    expect(two.warnings).toContain('login-rejected');
  }

  async function importInstead(two: FakeBot): Promise<void> {
    const profile = { ...stage().whatsApp.pair(BEN), note: 'ben' };
    await writeFakeProfile(stage().fs, '/import/session-ben', profile);
    await two.finish(two.session.importSession('/import/session-ben'));
    await two.start();
  }

  async function importAfterItWasReady(two: FakeBot): Promise<void> {
    await two.start();
    expect(accountOf(two)).toBe(ANNA);
    await importInstead(two);
  }

  it.each([
    ['scanned after WhatsApp had rejected the first', scan],
    ['imported before the first start', importInstead],
    ['imported over the first, before that was saved there', importAfterItWasReady],
  ])('go on with the login that was %s at the second', async (_how, replace) => {
    await annaInOne();
    const two = botIn('/releases/2');
    await replace(two);
    await end(two, '/releases/2');
    for (const folder of ['/releases/3', '/releases/4']) {
      const bot = botIn(folder);
      await bot.start();
      expect([bot.state, accountOf(bot), bot.codes]).toEqual(['ready', BEN, []]);
      await end(bot, folder);
    }
  });

  it('when rolled back into the folder of a login that was logged out since, take the one after it', async () => {
    const one = botIn('/releases/1');
    await one.logIn(ANNA);
    await stage().clock.advance(100_000);
    await one.backUp('one');
    await one.stop();
    const image = await stage().copyTree('/releases/1');
    await stage().remove('/releases/1');
    const two = botIn('/releases/2');
    await two.start();
    await stage().clock.advance(100_000);
    await two.backUp('two');
    await two.client.logOutByPhone();
    await two.untilState('awaiting_qr');
    await two.client.scan(BEN);
    await two.untilState('ready');
    await end(two, '/releases/2');
    await image.putAt('/releases/1');
    const back = botIn('/releases/1');
    await back.start();
    expect([back.state, accountOf(back), back.codes, back.client.launches]).toEqual(['ready', BEN, [], 1]);
    expect(back.payloads('restore:completed')).toMatchObject([{ reason: 'newer-snapshot' }]);
  });

  it('leave the first login to the folder where it was last', async () => {
    await annaInOne();
    const two = botIn('/releases/2');
    await importInstead(two);
    await end(two, '/releases/2');
    const back = botIn('/releases/1');
    await back.start();
    expect([back.state, accountOf(back), back.codes]).toEqual(['ready', ANNA, []]);
  });

  it('move a login that another bot has marked as replaced, when it was saved since', async () => {
    const backupStore = new MemoryStore();
    const one = botIn('/releases/1', { backupStore });
    await one.logIn(ANNA);
    await stage().clock.advance(100_000);
    const { lineage } = await one.backUp('before');
    await marksIn(backupStore, 'bot').hold(lineage, { cause: 'replaced', at: new Date().toISOString() });
    await end(one, '/releases/1');
    const two = botIn('/releases/2', { backupStore });
    await two.start();
    expect([two.state, accountOf(two), two.codes]).toEqual(['ready', ANNA, []]);
  });

  it('go on with the second login, although the store took the mark only at a later start', async () => {
    const backupStore = new MemoryStore();
    await annaInOne({ backupStore });
    const put = backupStore.put.bind(backupStore);
    let isFull = true;
    backupStore.put = (key, ...rest) =>
      isFull && key.includes('/state') ? Promise.reject(new Error('full')) : put(key, ...rest);
    const two = botIn('/releases/2', { backupStore });
    await scan(two);
    await stage().clock.advance(100_000);
    await two.backUp('ben');
    expect(two.warnings).toContain('revocation-incomplete');
    await two.stop();
    isFull = false;
    const again = botIn('/releases/2', { backupStore });
    await again.start();
    await end(again, '/releases/2');
    const three = botIn('/releases/3', { backupStore });
    await three.start();
    expect([three.state, accountOf(three), three.codes]).toEqual(['ready', BEN, []]);
  });
});

describe('two bots that share a client id and a place of backups', () => {
  const stage = useFakeStage();

  function botOf(user: string): FakeBot {
    vi.spyOn(process, 'cwd').mockReturnValue(`/srv/${user}`);
    return stage().bot({
      client: { localAuth: { dataPath: `/srv/${user}/.wwebjs_auth`, clientId: 'bot' } },
      session: { ...BY_HAND, sessionPath: `/srv/${user}/persistent-session`, backupPath: '/mnt/backup' },
    });
  }

  /** Set up at the same time, so that neither meets the other's copies at its first start. */
  async function bothPaired(): Promise<{ anna: FakeBot; ben: FakeBot }> {
    const anna = botOf('anna');
    const ben = botOf('ben');
    await anna.start();
    await ben.start();
    await anna.client.scan(ANNA);
    await anna.untilState('ready');
    await ben.client.scan(BEN);
    await ben.untilState('ready');
    await stage().clock.advance(100_000);
    await anna.backUp('of Anna');
    await anna.stop();
    return { anna, ben };
  }

  it('clear() of one holds the copies of one that is gone: they do not come into it', async () => {
    const { anna, ben } = await bothPaired();
    await ben.backUp('of Ben');
    await stage().remove('/srv/anna');
    await ben.finish(ben.session.clear({ logout: true }));
    expect(ben.payloads('warning')).toContainEqual({
      code: 'other-profile',
      message: expect.stringMatching(/\/srv\/anna\/.*not restored here automatically.*restore\('.+'\)/s),
    });
    await ben.start(); // the same object, as after any clear()
    expect([ben.state, ben.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
    // Her bot was on another machine, where its disk is lost later: it costs her nothing.
    const again = botOf('anna');
    await again.start();
    expect([again.state, accountOf(again), again.codes]).toEqual(['ready', ANNA, []]);
    await again.stop();
    const later = botOf('anna');
    await later.start();
    expect((await anna.session.listSnapshots()).some(({ heldElsewhere }) => heldElsewhere)).toBe(false);
  });

  it('clear() of one that was never saved deletes its login, and only that', async () => {
    const { anna, ben } = await bothPaired();
    const kept = (await anna.session.listSnapshots())
      .filter(({ kind }) => kind === 'backup')
      .map(({ id }) => id);
    await ben.finish(ben.session.clear());
    expect(ben.state).toBe('idle');
    expect(await stage().exists('/srv/ben/.wwebjs_auth/session-bot/Default')).toBe(false);
    expect((await ben.session.listSnapshots()).map(({ id }) => id)).toEqual(kept);
  });

  it.each([false, true])(
    'a logout of one that was never saved ends in a QR (the other is gone: %s)',
    async (gone) => {
      const { ben } = await bothPaired();
      if (gone) await stage().remove('/srv/anna');
      await ben.client.logOutByPhone();
      await ben.untilState('awaiting_qr');
      await ben.stop();
      const again = botOf('ben');
      await again.start();
      expect([again.state, again.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
    },
  );
});
