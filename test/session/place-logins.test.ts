import { afterEach, describe, expect, it, vi } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import type { FakeBot } from '../support/fake-bot.js';
import { type FakeStage, useFakeStage } from '../support/fake-stage.js';

/** A gateway's delete route: the bot's own client is closed, and its folder removed. */
async function removeFolder(bot: FakeBot, stage: FakeStage): Promise<void> {
  await bot.finish(bot.client.destroy());
  await stage.remove(bot.client.profileDir);
  await stage.clock.advance(3_000);
  await bot.until('the look after the removal', () => true);
}

describe.each(['clear', 'folder deleted (client.destroy + rm)', 'phone logout'])(
  'ended by %s, then another account scans; backups on a disk of their own',
  (how) => {
    const stage = useFakeStage();
    const bot = () => stage().bot({ session: { backupPath: '/mnt/backup' } });

    it.each(['the machine disk is set back to an older image', 'the first machine returns after a failover'])(
      '%s',
      async (what) => {
        const first = bot();
        await first.logIn(ANNA);
        await stage().clock.advance(20_000);
        await first.backUp('of Anna');
        await first.stop();
        const image = await stage().copyTree('/bot'); // profile, what lies beside it, and the saves
        // Another machine begins with an empty disk, and the shared backups.
        if (what.startsWith('the first machine')) await stage().remove('/bot');

        const second = bot();
        await second.start();
        expect(second.client.info?.wid._serialized).toBe(ANNA);
        if (how === 'clear') {
          await second.finish(second.session.clear());
          await second.stop();
        } else if (how === 'phone logout') {
          await second.client.logOutByPhone();
          await second.untilState('awaiting_qr');
          await second.stop();
        } else {
          await removeFolder(second, stage());
        }
        const third = bot();
        await third.logIn(BEN);
        await stage().clock.advance(20_000);
        await third.backUp('of Ben');
        await third.stop();

        await stage().remove('/bot');
        await image.putAt('/bot');
        const again = bot();
        await again.start();
        expect([again.state, accountOf(again)]).toEqual(['ready', BEN]);
      },
    );
  },
);

describe('the same with nobody having scanned since', () => {
  const stage = useFakeStage();
  const bot = () => stage().bot({ session: { backupPath: '/mnt/backup' } });

  it.each(['clear', 'folder deleted'])(
    'machine 1 returns without a profile but with its saves (%s on machine 2)',
    async (how) => {
      const first = bot();
      await first.logIn(ANNA);
      await stage().clock.advance(20_000);
      await first.backUp('of Anna');
      await first.stop();
      const image = await stage().copyTree('/bot/session'); // the volume with the saves
      await stage().remove('/bot');
      const second = bot();
      await second.start();
      if (how === 'clear') {
        await second.finish(second.session.clear());
        await second.stop();
      } else {
        await removeFolder(second, stage());
      }
      await stage().remove('/bot');
      await image.putAt('/bot/session');
      const again = bot();
      await again.start();
      expect(again.state).toBe('awaiting_qr');
    },
  );
});

describe('restore(id) of an earlier login', () => {
  const stage = useFakeStage();
  const bot = () => stage().bot({ session: { backupPath: '/mnt/backup' } });

  it.each([
    { ends: 'stopped in order', waitMs: 60_000, saves: true, reads: true },
    { ends: 'killed', waitMs: 60_000, saves: true, reads: true },
    { ends: 'restored while stopped, never started', waitMs: 0, saves: false, reads: false },
  ])('is what comes back once the disk is lost: $ends', async ({ ends, waitMs, saves, reads }) => {
    const first = bot();
    await first.logIn(ANNA);
    await stage().clock.advance(20_000);
    const old = await first.backUp('of Anna');
    await removeFolder(first, stage());

    const second = bot();
    await second.logIn(BEN); // a QR was shown, and the wrong phone scanned it
    await stage().clock.advance(20_000);
    await second.backUp('of Ben');
    if (!reads) await second.stop();
    await second.finish(second.session.restore(old.id));
    if (reads) {
      await second.untilState('ready');
      expect(second.client.info?.wid._serialized).toBe(ANNA);
      if (saves) await second.save('a minute of work');
      await stage().clock.advance(waitMs);
      await second.until('quiet', () => true);
    }
    if (ends === 'killed') second.client.pupBrowser?.kill();
    await second.stop();

    await stage().remove('/bot'); // profile, record and saves; the backups stay
    const again = bot();
    await again.start();
    expect([again.state, accountOf(again)]).toEqual(['ready', ANNA]);
  });
});

describe('restore(id) of the login of another place', () => {
  const stage = useFakeStage();
  const botIn = (folder: string) =>
    stage().bot({
      client: { localAuth: { dataPath: `${folder}/auth`, clientId: 'shop' } },
      session: { sessionPath: `${folder}/session`, backupPath: '/mnt/backup' },
    });

  it('is what comes back when the profile is lost before its next save', async () => {
    const anna = botIn('/one');
    await anna.logIn(ANNA);
    await stage().clock.advance(20_000);
    const named = await anna.backUp('of Anna');
    await anna.stop();
    await stage().remove('/one');
    const ben = botIn('/two');
    await ben.logIn(BEN);
    await stage().clock.advance(20_000);
    await ben.backUp('of Ben');
    await ben.stop();
    await ben.finish(ben.session.restore(named.id));
    await stage().remove('/two');
    const again = botIn('/two');
    await again.start();
    expect([again.state, accountOf(again)]).toEqual(['ready', ANNA]);
  });
});

describe('backups that were not mounted when the account was removed', () => {
  const stage = useFakeStage();
  const bot = () => stage().bot({ session: { backupPath: '/mnt/backup' } });

  it.each([
    ['folder deleted', 60_000, false],
    ['folder deleted', 60_000, true],
    ['folder deleted', 200_000, true],
    ['clear', 60_000, false],
    ['clear', 200_000, true],
  ] as const)(
    '%s, mounted again %i ms before the end, saved: %s: the removed login is not given to the next customer',
    async (how, lastMs, saves) => {
      const first = bot();
      await first.logIn(ANNA);
      await stage().clock.advance(20_000);
      await first.backUp('of Anna');
      const { promises } = stage().fs;
      await promises.rename('/mnt/backup', '/unmounted');
      if (how === 'clear') {
        await first.finish(first.session.clear());
        await first.stop();
      } else {
        await removeFolder(first, stage());
      }
      const second = bot();
      await second.logIn(BEN);
      const saved = stage().clock.monotonic() + 12_000;
      await second.until('the first save', () => stage().clock.monotonic() >= saved);
      await stage().remove('/mnt/backup');
      await promises.rename('/unmounted', '/mnt/backup'); // back again
      const end = stage().clock.monotonic() + lastMs;
      await second.until('the time', () => stage().clock.monotonic() >= end);
      if (saves) await second.save('a minute of work');
      await second.stop(); // in order, with both disks there

      await stage().remove('/bot');
      const again = bot();
      await again.start();
      expect(accountOf(again)).not.toBe(ANNA);
    },
  );
});

describe('two bots that share a place of backups', () => {
  const stage = useFakeStage();
  afterEach(() => vi.restoreAllMocks());

  function botOf(user: string): FakeBot {
    vi.spyOn(process, 'cwd').mockReturnValue(`/srv/${user}`);
    return stage().bot({
      client: { localAuth: { dataPath: `/srv/${user}/.wwebjs_auth`, clientId: 'bot' } },
      session: { sessionPath: `/srv/${user}/persistent-session`, backupPath: '/mnt/backup' },
    });
  }

  it.each(['clear()', 'phone logout', 'folder deleted'])(
    'the login of one is ended by %s, both disks are lost: it does not get the login of the other',
    async (how) => {
      const anna = botOf('anna');
      const ben = botOf('ben');
      await anna.start();
      await ben.start();
      await anna.client.scan(ANNA);
      await anna.untilState('ready');
      await ben.client.scan(BEN);
      await ben.untilState('ready');
      await stage().clock.advance(20_000);
      await anna.backUp('of Anna');
      await ben.backUp('of Ben');
      if (how === 'clear()') await anna.finish(anna.session.clear());
      else if (how === 'phone logout') {
        await anna.client.logOutByPhone();
        await anna.untilState('awaiting_qr');
      } else {
        await removeFolder(anna, stage());
      }
      await anna.stop();
      await ben.stop();
      await stage().remove('/srv');
      const again = botOf('anna');
      await again.start().catch(() => undefined);
      expect(accountOf(again)).not.toBe(BEN);
    },
  );
});

const DAY = 86_400_000;

describe('a clock that was ahead, and backups that were not mounted during clear()', () => {
  const stage = useFakeStage();
  const bot = () => stage().bot({ session: { backupPath: '/mnt/backup' } });

  it.each([
    { lost: 'the disk of profile and saves', aheadMs: 3 * DAY },
    { lost: 'the profile', aheadMs: 3 * DAY },
    { lost: 'the disk of profile and saves', aheadMs: 0 },
    { lost: 'the profile', aheadMs: 0 },
  ])('$lost is lost, the clock was $aheadMs ms ahead', async ({ lost, aheadMs }) => {
    const { clock, fs } = stage();
    const right = clock.now.bind(clock);
    clock.now = () => right() + aheadMs;
    const first = bot();
    await first.logIn(ANNA);
    await clock.advance(20_000);
    await first.backUp('of Anna');
    await fs.promises.rename('/mnt/backup', '/unmounted');
    clock.now = right; // NTP
    await first.finish(first.session.clear());
    await first.stop();
    const second = bot();
    await second.logIn(BEN);
    await clock.advance(20_000);
    await second.until('quiet', () => true);
    await second.save('of Ben');
    if (lost === 'the profile') await second.stop();
    await stage().remove('/mnt/backup');
    await fs.promises.rename('/unmounted', '/mnt/backup');
    if (lost === 'the profile') {
      await stage().remove(second.client.profileDir);
      await stage().remove('/bot/auth/.session-shop.persistent');
    } else {
      await second.backUp('of Ben, beside that of Anna');
      await second.stop();
      await stage().remove('/bot');
    }
    const again = bot();
    await again.start();
    expect([again.state, accountOf(again)]).toEqual(['ready', BEN]);
  });
});

describe('the disk is set back to a login that the phone has ended since', () => {
  const stage = useFakeStage();

  it.each([
    { ends: 'with a QR', back: 'while the QR waits' },
    { ends: 'with a logout', back: 'while the QR waits' },
    { ends: 'with a logout', back: 'after that start' },
  ])(
    'the store with the later login is away at that start, which ends $ends: the login comes back once it is there, $back',
    async ({ ends, back }) => {
      const backupStore = new MemoryStore({ clock: stage().clock, name: 'remote' });
      const newBot = () => stage().bot({ session: { backupStore } });
      const anna = newBot();
      await anna.logIn(ANNA);
      await stage().clock.advance(20_000);
      await anna.backUp('of Anna');
      await anna.stop();
      const image = await stage().copyTree('/bot');
      const ben = newBot();
      await ben.start();
      await ben.client.logOutByPhone();
      await ben.untilState('awaiting_qr');
      await ben.client.scan(BEN);
      await ben.untilState('ready');
      await stage().clock.advance(20_000);
      await ben.backUp('of Ben');
      await ben.stop();
      await stage().remove('/bot');
      await image.putAt('/bot');
      backupStore.setDown(true);
      stage().whatsApp.answersWithLogout = ends === 'with a logout';
      const setBack = newBot();
      void setBack.session.initialize().catch(() => undefined);
      await setBack.until(
        'the QR, or the wait',
        () => setBack.state === 'awaiting_qr' || setBack.state === 'reconnecting',
      );
      await stage().clock.advance(30_000);
      if (back === 'while the QR waits') backupStore.setDown(false);
      await stage().clock.advance(1_000);
      await setBack.stop();
      backupStore.setDown(false);
      const next = newBot();
      await next.start();
      expect([next.state, accountOf(next)]).toEqual(['ready', BEN]);
    },
  );
});
