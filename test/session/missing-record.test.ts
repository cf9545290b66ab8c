import { describe, expect, it } from 'vitest';
import { FakeClient } from '../../src/testing/fake-client.js';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { IllStore } from '../support/ill-store.js';

/** Nothing is saved but what a test asks for, and the last save of a stop. */
const RECORD_OF_BEN = '/srv/ben/auth/.session-bot.persistent'; // copied without dot files, or tidied up

describe('a profile without a record, beside another bot with the same client id and place of backups', () => {
  const stage = useFakeStage();

  function botOf(user: string): FakeBot {
    return stage().bot({
      client: { localAuth: { dataPath: `/srv/${user}/auth`, clientId: 'bot' } },
      session: { ...BY_HAND, sessionPath: `/srv/${user}/session`, backupPath: '/mnt/backup' },
    });
  }

  /** Set up at the same time, so that neither meets the other's copies at its first start. Anna's is the newest. */
  async function bothBackedUp(accountOfBen = BEN): Promise<{ anna: FakeBot; ben: FakeBot }> {
    const anna = botOf('anna');
    const ben = botOf('ben');
    await anna.start();
    await ben.start();
    await anna.client.scan(ANNA);
    await anna.untilState('ready');
    await ben.client.scan(accountOfBen);
    await ben.untilState('ready');
    for (const bot of [ben, anna]) {
      await stage().clock.advance(100_000);
      await bot.backUp('once');
      await bot.stop();
    }
    return { anna, ben };
  }

  it('its logout marks its own copies at most, never those of the other one', async () => {
    const { ben } = await bothBackedUp();
    const login = await ben.client.readLogin();
    if (login) stage().whatsApp.revoke(login);
    stage().whatsApp.answersWithLogout = true;
    await stage().remove(RECORD_OF_BEN);
    const again = botOf('ben');
    await again.start();
    await again.untilState('awaiting_qr');
    expect(again.warnings).toContain('revocation-incomplete');
    for (const { profile, revoked } of await again.session.listSnapshots()) {
      expect(revoked).toBe(profile?.path.includes('/ben/'));
    }
  });

  it('that is new and dead marks nothing of the other one, which is on another machine', async () => {
    await bothBackedUp();
    await stage().remove('/srv');
    const dead = { ...stage().whatsApp.pair(BEN), note: 'dead' };
    stage().whatsApp.revoke(dead);
    stage().whatsApp.answersWithLogout = true;
    await writeFakeProfile(stage().fs, '/srv/carl/auth/session-bot', dead);
    const carl = botOf('carl');
    await carl.start();
    await carl.untilState('awaiting_qr');
    expect((await carl.session.listSnapshots()).some(({ revoked }) => revoked)).toBe(false);
  });

  it('of the same account goes on with its own login, and leaves the device of the other one alone', async () => {
    const { anna } = await bothBackedUp(ANNA);
    const device = (await anna.client.readLogin())?.credential;
    await stage().remove(RECORD_OF_BEN);
    const ben = botOf('ben');
    await ben.start();
    await stage().clock.advance(100_000);
    await ben.backUp('again');
    await ben.stop();
    const lineages = (await ben.session.listSnapshots())
      .filter(({ profile }) => profile?.path.includes('/ben/'))
      .map(({ lineage }) => lineage);
    expect(new Set(lineages).size).toBe(1);
    const again = botOf('anna');
    await again.start();
    expect(again.payloads('restore:completed')).toEqual([]);
    expect((await again.client.readLogin())?.credential).toBe(device);
  });

  it('of the same account, and new, begins a login of its own, while the other one is on another machine', async () => {
    const { anna } = await bothBackedUp();
    const theirs = (await anna.session.listSnapshots()).map(({ lineage }) => lineage);
    await stage().remove('/srv');
    const login = { ...stage().whatsApp.pair(ANNA), note: 'test' };
    await writeFakeProfile(stage().fs, '/srv/carl/auth/session-bot', login);
    const carl = botOf('carl');
    await carl.start();
    expect(carl.warnings).toContain('other-profile');
    await stage().clock.advance(100_000);
    const { lineage } = await carl.backUp('mine');
    expect(theirs).not.toContain(lineage);
  });
});

describe('a profile without a record', () => {
  const stage = useFakeStage();

  it.each([false, true])(
    'that is old and dead does not cost the login that came after it (a logout answers: %s)',
    async (answersWithLogout) => {
      const first = stage().bot({ session: BY_HAND });
      await first.logIn(ANNA);
      await stage().clock.advance(100_000);
      await first.save('old');
      const image = await stage().copyTree('/bot/auth/session-shop');
      await first.client.logOutByPhone();
      await first.untilState('awaiting_qr');
      await first.client.scan(BEN);
      await first.untilState('ready');
      await stage().clock.advance(100_000);
      const { lineage } = await first.save('new');
      await first.stop();
      await stage().remove('/bot/auth'); // the disk is lost, and filled again by hand
      await image.putAt('/bot/auth/session-shop');
      stage().whatsApp.answersWithLogout = answersWithLogout;
      const again = stage().bot({ session: BY_HAND });
      await again.start();
      expect([again.state, accountOf(again), again.codes]).toEqual(['ready', BEN, []]);
      const copies = (await again.session.listSnapshots()).filter((copy) => copy.lineage === lineage);
      expect(copies.map(({ revoked }) => revoked)).not.toContain(true);
    },
  );

  it('of a newer browser is not replaced by a copy that may be of another login', async () => {
    const first = stage().bot({ session: BY_HAND, client: { chromium: 148 } });
    await first.logIn(ANNA);
    await stage().clock.advance(100_000);
    await first.save('anna');
    await first.stop();
    await stage().remove('/bot/auth');
    const { whatsApp, fs } = stage();
    const localAuth = { dataPath: '/bot/auth', clientId: 'shop' };
    const plain = new FakeClient({ whatsApp, fs, chromium: 156, localAuth });
    await plain.initialize();
    await plain.scan(BEN);
    await plain.destroy();
    const older = stage().bot({ session: BY_HAND, client: { chromium: 148 } });
    await expect(older.start()).rejects.toMatchObject({ code: 'BROWSER_TOO_OLD' });
    expect(older.payloads('restore:started')).toEqual([]);
  });
});

describe('a logout that one store was down for, and whose record is lost', () => {
  const stage = useFakeStage();

  it.each([true, false])(
    'counts for the copies in that store, too (the other one has copies: %s)',
    async (hasSaves) => {
      const backupStore = new MemoryStore();
      const session = { ...BY_HAND, backupStore };
      const bot = stage().bot({ session });
      await bot.logIn(ANNA);
      await stage().clock.advance(100_000);
      if (hasSaves) await bot.save('once');
      await bot.backUp('once more');
      backupStore.setDown(true);
      await bot.client.logOutByPhone();
      await bot.until('the revocation', () => bot.payloads('session:revoked').length > 0);
      await bot.stop();
      backupStore.setDown(false);
      await stage().remove('/bot/auth');
      const again = stage().bot({ session });
      await again.start();
      expect([again.state, again.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
      // The store was told: it goes on to know when the other one is lost.
      const backups = (await again.session.listSnapshots()).filter(({ kind }) => kind === 'backup');
      expect(backups.map(({ revoked }) => revoked)).toEqual([true]);
    },
  );
});

describe('a dead profile without a record, where the login that came after it is in a store that is away', () => {
  const stage = useFakeStage();

  it.each([
    ['hangs', false],
    ['hangs', true],
    ['refuses', false],
    ['refuses', true],
  ] as const)(
    'waits for that store before a QR (it %s; a logout answers: %s)',
    async (illness, answersWithLogout) => {
      const backupStore = new IllStore('remote', stage().clock);
      const session = { ...BY_HAND, backupStore };
      const first = stage().bot({ session });
      await first.logIn(ANNA);
      const image = await stage().copyTree('/bot/auth/session-shop');
      await stage().clock.advance(100_000);
      await first.backUp('old');
      await first.client.logOutByPhone();
      await first.untilState('awaiting_qr');
      await first.client.scan(BEN);
      await first.untilState('ready');
      await stage().clock.advance(100_000);
      await first.backUp('new');
      await first.stop();
      await stage().remove('/bot');
      await image.putAt('/bot/auth/session-shop');
      stage().whatsApp.answersWithLogout = answersWithLogout;
      backupStore.fall(illness);
      const again = stage().bot({ session });
      const starting = again.session.initialize();
      starting.catch(() => undefined);
      await again.until('the reason', () => again.warnings.includes('start-waits'));
      expect([again.codes, again.session.status().lastError?.message]).toEqual([
        [],
        expect.stringContaining('no QR is shown while a store that may have the login does not answer'),
      ]);
      backupStore.recover();
      await again.finish(starting);
      expect([again.state, accountOf(again), again.codes]).toEqual(['ready', BEN, []]);
    },
  );
});

describe('a whole profile without its record, as one that an image or a repository holds', () => {
  const stage = useFakeStage();
  const VOLUME = { ...BY_HAND, sessionPath: '/volume/session', backupPath: '/volume/backup' };
  const newBot = () => stage().bot({ session: VOLUME });
  const told = (bot: FakeBot) =>
    bot.payloads('warning').flatMap(({ code, message }) => (code === 'profile-replaced' ? [message] : []));

  /** ANNA's profile is in the image; BEN was paired and saved after her, and then the bot is deployed anew. */
  async function deployedOver(
    how: 'cleared' | 'replaced',
    later = BEN,
  ): Promise<{ readonly lineage: string }> {
    const first = newBot();
    await first.logIn(ANNA);
    const image = await stage().copyTree('/bot/auth/session-shop');
    await stage().clock.advance(100_000);
    await first.backUp('anna');
    if (how === 'cleared') {
      await first.finish(first.session.clear());
      await first.start();
    } else {
      await stage().remove('/bot/auth/session-shop'); // which does not unlink the device
      first.client.pupBrowser?.kill();
    }
    await first.untilState('awaiting_qr');
    await first.client.scan(later);
    await first.untilState('ready');
    await stage().clock.advance(100_000);
    const saved = await first.backUp('later');
    await first.stop();
    await stage().remove('/bot');
    await image.putAt('/bot/auth/session-shop');
    return saved;
  }

  it.each([
    ['cleared', /A clear\(\) of \S+ has ended every login/],
    ['replaced', /An earlier login of its account was replaced by a later one here/],
  ] as const)('of an account that was %s here: it is used, and a warning tells it', async (how, ended) => {
    const { lineage } = await deployedOver(how);
    const bot = newBot();
    await bot.start();
    expect([bot.state, accountOf(bot)]).toEqual(['ready', ANNA]);
    await bot.until('the warning', () => told(bot).length > 0);
    const [message, ...more] = told(bot);
    expect(more).toEqual([]);
    expect(message).toContain(lineage);
    expect(message).toContain(bot.session.status().lineage);
    expect(message).toMatch(ended);
    expect(message).not.toMatch(/49151/);
    const [, id] = /restore\('(.+?)'\)/.exec(message ?? '') ?? [];
    await bot.finish(bot.session.restore(id));
    await bot.untilState('ready');
    expect(accountOf(bot)).toBe(BEN);
    await bot.stop();
    const next = newBot();
    await next.start();
    expect([accountOf(next), told(next)]).toEqual([BEN, []]);
  });

  it('of the last login: it goes on with it, and nothing is told', async () => {
    const first = newBot();
    await first.logIn(ANNA);
    await stage().clock.advance(100_000);
    const { lineage } = await first.backUp('anna');
    await first.note('after the backup');
    await first.stop();
    await stage().remove('/bot/auth/.session-shop.persistent');
    const bot = newBot();
    await bot.start();
    await bot.until('the run', () => bot.session.status().run > 0);
    expect([bot.state, bot.session.status().lineage, told(bot)]).toEqual(['ready', lineage, []]);
  });

  it.each([true, false])(
    'of another pairing of the same account: it is told, and its logout leaves the last login for restore(id) (LOGOUT: %s)',
    async (answersWithLogout) => {
      const { lineage } = await deployedOver('cleared', ANNA);
      const bot = newBot();
      await bot.start();
      await bot.until('the warning', () => told(bot).length > 0);
      expect([bot.state, accountOf(bot)]).toEqual(['ready', ANNA]);
      expect(bot.session.status().lineage).not.toBe(lineage);
      expect(told(bot)).toEqual([expect.stringContaining('of another pairing')]);
      await bot.save('of the first device');
      const device = await bot.client.readLogin();
      await bot.stop();
      if (device) stage().whatsApp.revoke(device);
      stage().whatsApp.answersWithLogout = answersWithLogout;
      const next = newBot();
      await next.start();
      await next.untilState('awaiting_qr');
      const kept = (await next.session.listSnapshots()).filter((info) => info.lineage === lineage);
      expect(kept.map(({ revoked }) => revoked)).not.toContain(true);
      await next.stop();
      await stage().remove('/bot/auth/session-shop');
      await next.start();
      expect(next.payloads('warning').at(-1)).toMatchObject({
        code: 'nothing-to-restore',
        message: expect.stringMatching(/; restore\('\S+'\) brings the newest of these back/),
      });
      await next.finish(next.session.restore(kept[0]?.id));
      await next.untilState('ready');
      expect((await next.client.readLogin())?.credential).not.toBe(device?.credential);
    },
  );

  it('after a clear(), where no login came since: nothing is told', async () => {
    const first = newBot();
    await first.logIn(ANNA);
    const image = await stage().copyTree('/bot/auth/session-shop');
    await first.finish(first.session.clear());
    await image.putAt('/bot/auth/session-shop');
    const bot = newBot();
    await bot.start();
    await bot.until('the run', () => bot.session.status().run > 0);
    expect([bot.state, accountOf(bot), told(bot)]).toEqual(['ready', ANNA, []]);
  });
});
