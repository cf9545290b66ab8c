import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { BY_HAND, type FakeBot, type FakeBotOptions } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { HangingDisk } from '../support/hanging-disk.js';

/** The looks come so long after the close, ms. */
const LOOKS = [1000, 5000, 30_000, 120_000, 600_000] as const;

/** What a gateway's delete route does: `await client.destroy()`, then it removes the folder. */
describe('a profile that is removed after the bot has closed its client', () => {
  const stage = useFakeStage();

  async function pairedBot({ session, ...more }: FakeBotOptions = {}): Promise<FakeBot> {
    const bot = stage().bot({ ...more, session: { ...BY_HAND, ...session } });
    await bot.logIn();
    await stage().clock.advance(100_000); // both halves of the login are on the disk
    if (more.auth !== 'none') await bot.save('one');
    await bot.backUp('two');
    return bot;
  }

  async function closedBot(options?: FakeBotOptions): Promise<FakeBot> {
    const bot = await pairedBot(options);
    await bot.finish(bot.client.destroy());
    return bot;
  }

  const removeProfile = (bot: FakeBot) => stage().remove(bot.client.profileDir);

  /** Lets the time pass; what it has set off gets as far as it can. */
  async function pass(bot: FakeBot, ms: number): Promise<void> {
    const until = stage().clock.monotonic() + ms;
    const stepMs = Math.max(500, ms / 100);
    await bot.until('the time', () => stage().clock.monotonic() >= until, { stepMs, limitMs: ms });
  }

  /** Lets the time pass until a look has found the profile gone, and what follows from it is done. */
  async function passUntilHeld(bot: FakeBot, ms: number): Promise<void> {
    await pass(bot, ms);
    const isHeld = () => told(bot).includes('profile-removed') && !bot.session.status().lease.held;
    await bot.until('the hold', isHeld, { limitMs: 2000, stepMs: 100 });
  }

  /** One that knows nothing of what this process has seen. */
  function botOfAnotherProcess({ session, ...more }: FakeBotOptions = {}): FakeBot {
    return stage().bot({ ...more, session: { ...BY_HAND, ...session, fs: { ...stage().fs } } });
  }

  async function expectHeld(next: FakeBot): Promise<void> {
    await next.start();
    expect(next.state).toBe('awaiting_qr');
    expect(next.payloads('restore:started')).toEqual([]);
    expect(next.warnings).toContain('profile-removed');
    await next.stop();
  }

  async function expectRestored(next: FakeBot): Promise<void> {
    await next.start();
    expect(next.state).toBe('ready');
    await next.stop();
  }

  /** What was said; a disk in memory is always too small. */
  const told = (bot: FakeBot) => bot.warnings.filter((code) => code !== 'storage');

  const areHeld = async (bot: FakeBot) =>
    (await bot.session.listSnapshots()).map(({ held }) => held === true);

  describe('is not restored by another process', () => {
    it.each(LOOKS)('when the look after %i ms finds it gone', async (ms) => {
      const bot = await closedBot();
      await pass(bot, ms - 500);
      await removeProfile(bot);
      await passUntilHeld(bot, 500);
      expect(bot.state).toBe('stopped');
      expect(told(bot)).toEqual(['profile-removed']);
      expect(await areHeld(bot)).not.toContain(false);
      await bot.until('no timer', () => stage().clock.pendingTimers === 0, { limitMs: 2000, stepMs: 100 });
      await expectHeld(botOfAnotherProcess());
    });

    it.each([
      ['the whole folder of LocalAuth with all accounts', '/bot/auth', {}],
      ['only `Default`', '/bot/auth/session-shop/Default', {}],
      ['the profile of a NoAuth client', '/bot/session/profile/shop', { auth: 'none' }],
      ['all that a NoAuth client has, saves and leases included', '/bot/session', { auth: 'none' }],
    ] as const)('%s is removed', async (_name, folder, options) => {
      const bot = await closedBot(options);
      await stage().remove(folder);
      await passUntilHeld(bot, 1000);
      expect(told(bot)).toEqual(['profile-removed']);
      expect(await stage().exists(folder)).toBe(false);
      expect(await areHeld(bot)).not.toContain(false);
      await expectHeld(botOfAnotherProcess(options));
    });

    it('the folder is made anew, empty', async () => {
      const bot = await closedBot();
      await removeProfile(bot);
      await stage().fs.promises.mkdir(bot.client.profileDir);
      await passUntilHeld(bot, 1000);
      expect(told(bot)).toEqual(['profile-removed']);
      await expectHeld(botOfAnotherProcess());
    });

    it('each of several accounts', async () => {
      const accounts = ['/bot/one', '/bot/two', '/bot/three'].map((folder) => ({ folder }));
      const bots = [];
      for (const account of accounts) bots.push(await closedBot(account));
      await stage().remove('/bot/one/auth');
      await stage().remove('/bot/two/auth');
      for (const bot of bots) await pass(bot, 600_000);
      expect(bots.map(told)).toEqual([['profile-removed'], ['profile-removed'], []]);
      expect(stage().clock.pendingTimers).toBe(0);
      const [one, two, three] = accounts;
      await expectHeld(botOfAnotherProcess(one));
      await expectHeld(botOfAnotherProcess(two));
      await expectRestored(botOfAnotherProcess(three));
    });

    it('all folders of all accounts at once', async () => {
      const session = { sessionPath: '/bot/session', backupPath: '/backup' };
      const accounts = ['one', 'two', 'three'].map((clientId) => ({
        auth: 'none' as const,
        session: { ...session, clientId },
      }));
      const bots = [];
      for (const account of accounts) bots.push(await pairedBot(account));
      await Promise.all(bots.map((bot) => bot.finish(bot.client.destroy())));
      await stage().remove('/bot');
      await pass(bots[0] as FakeBot, 1000);
      for (const bot of bots) await passUntilHeld(bot, 0);
      expect(await stage().exists('/bot')).toBe(false);
      expect(bots.map(told)).toEqual(bots.map(() => ['profile-removed']));
      for (const account of accounts) await expectHeld(botOfAnotherProcess(account));
    });

    it('client.logout() had failed', async () => {
      const bot = await pairedBot();
      Object.assign(bot.client, { pupPage: undefined });
      bot.client.pupBrowser?.kill();
      await bot.finish(bot.client.logout().catch(() => undefined));
      await bot.finish(bot.client.destroy());
      await removeProfile(bot);
      await passUntilHeld(bot, 1000);
      await expectHeld(botOfAnotherProcess());
    });

    it('the session had stopped by itself before', async () => {
      const bot = await pairedBot();
      bot.client.emit('auth_failure', 'told by a test');
      await bot.untilState('stopped');
      await bot.finish(bot.client.destroy());
      await removeProfile(bot);
      await passUntilHeld(bot, 1000);
      expect(told(bot)).toEqual(['profile-removed']);
      await expectHeld(botOfAnotherProcess());
    });

    it('the process is told to end right after it', async () => {
      const bot = await closedBot();
      await removeProfile(bot);
      await bot.finish(bot.session.destroy());
      expect(told(bot)).toEqual(['profile-removed']);
      expect(stage().clock.pendingTimers).toBe(0);
      await expectHeld(botOfAnotherProcess());
    });
  });

  it('is held when a signal ends the process right after it', async () => {
    const heard = () => undefined; // somebody else decides about the end of the process
    process.on('SIGHUP', heard);
    try {
      const listeners = process.listenerCount('SIGHUP');
      const bot = await closedBot({ session: { shutdownSignals: ['SIGHUP'] } });
      expect(process.listenerCount('SIGHUP')).toBe(listeners + 1);
      await removeProfile(bot);
      process.emit('SIGHUP', 'SIGHUP');
      await bot.until('the last look', () => told(bot).length > 0, { limitMs: 500, stepMs: 100 });
      await bot.until('the end', () => process.listenerCount('SIGHUP') === listeners, { limitMs: 500 });
      await expectHeld(botOfAnotherProcess());
    } finally {
      process.off('SIGHUP', heard);
    }
  });

  describe('is restored', () => {
    it('when it goes after the last look', async () => {
      const bot = await closedBot();
      await pass(bot, 600_000);
      expect(stage().clock.pendingTimers).toBe(0);
      await removeProfile(bot);
      await pass(bot, 600_000);
      expect(told(bot)).toEqual([]);
      await expectRestored(botOfAnotherProcess());
    });

    it('after session.destroy(), also of one whose client was closed before', async () => {
      const bot = await closedBot();
      await bot.stop();
      expect(stage().clock.pendingTimers).toBe(0);
      await removeProfile(bot);
      await pass(bot, 600_000);
      expect(told(bot)).toEqual([]);
      await expectRestored(botOfAnotherProcess());
    });

    it('after session.destroy() and client.destroy()', async () => {
      const bot = await pairedBot();
      await bot.stop();
      await bot.finish(bot.client.destroy());
      expect(stage().clock.pendingTimers).toBe(0);
      await removeProfile(bot);
      await pass(bot, 600_000);
      await expectRestored(botOfAnotherProcess());
    });

    it('when its disk is gone with it', async () => {
      const bot = await closedBot();
      const { promises } = stage().fs;
      const lstat = promises.lstat.bind(promises);
      await removeProfile(bot);
      Object.assign(promises, {
        lstat: async (path: string, options: object) =>
          Object.assign(await lstat(path, options as never), { dev: path === '/bot/auth' ? 7 : 0 }),
      });
      await pass(bot, 600_000);
      Object.assign(promises, { lstat });
      expect(told(bot)).toEqual([]);
      await expectRestored(botOfAnotherProcess());
    });
  });

  it('keeps neither initialize() nor destroy() waiting while sessionPath hangs in the middle of the hold', async () => {
    const disk = new HangingDisk(stage().fs, '/bot/session');
    const { promises } = disk.fs;
    let left = Number.POSITIVE_INFINITY;
    const lstat = (path: string, options: object) => {
      // The first look is the one for the last owner, which has a deadline of its own.
      if (path === '/bot/session/lease' && --left === 0) disk.goAway();
      return promises.lstat(path, options as never);
    };
    const get = (of: typeof promises, name: string) => (name === 'lstat' ? lstat : Reflect.get(of, name));
    const fs = { ...disk.fs, promises: new Proxy(promises, { get }) } as typeof disk.fs;
    const bot = await closedBot({ session: { fs } });
    await removeProfile(bot);
    left = 2;
    await bot.until('the hang', () => disk.stuck.length > 0, { limitMs: 5000, stepMs: 100 });
    const starting = bot.session.initialize().catch((error: unknown) => error);
    await bot.until('the wait', () => bot.warnings.includes('start-waits'), { limitMs: 2000, stepMs: 500 });
    expect(bot.session.status().waiting?.message).toContain('removed profile');
    await bot.finish(bot.session.destroy(), { limitMs: 60_000 });
    expect(await bot.finish(starting)).toMatchObject({ code: 'CLOSED' });
    const again = bot.session.initialize().catch((error: unknown) => error);
    expect(await bot.finish(again, { limitMs: 120_000 })).toBeInstanceOf(Error);
    disk.comeBack();
    await stage().clock.advance(0); // what was stuck comes back first
    await bot.start();
  });

  it('costs a bot that leaves its profile alone nothing', async () => {
    const bot = await closedBot();
    const generation = await stage().filesBelow('/bot/session/lease');
    await pass(bot, 600_000);
    expect(told(bot)).toEqual([]);
    expect(bot.payloads('lease:acquired')).toHaveLength(1);
    expect(await stage().filesBelow('/bot/session/lease')).toEqual(generation);
    expect(stage().clock.pendingTimers).toBe(0);
  });

  it('with all that there is of it, leaves nothing behind', async () => {
    const bot = await closedBot();
    await stage().remove('/bot');
    await pass(bot, 600_000);
    expect(await stage().exists('/bot')).toBe(false);
    expect(told(bot)).toEqual([]);
  });

  it('after client.logout() stays logged out', async () => {
    const bot = await pairedBot();
    await bot.finish(bot.client.logout());
    await removeProfile(bot);
    await pass(bot, 600_000);
    expect(told(bot)).toEqual([]);
    expect((await bot.session.listSnapshots()).every(({ revoked, held }) => revoked && !held)).toBe(true);
  });

  describe('does not disturb', () => {
    it('another machine that has the session by then', async () => {
      const bot = await closedBot();
      await removeProfile(bot);
      await stage().takeOver();
      await pass(bot, 600_000);
      expect(told(bot)).toEqual([]);
      expect(bot.payloads('lease:acquired')).toHaveLength(1);
      expect(await areHeld(bot)).not.toContain(true);
      expect(await stage().filesBelow('/bot/session/lease')).toContain('/bot/session/lease/shop.1000.lease');
    });

    it('a new client of the process, which sees the removal by itself', async () => {
      const bot = await closedBot();
      await removeProfile(bot);
      const next = stage().bot({ session: BY_HAND });
      const starting = next.session.initialize();
      await pass(bot, 1000);
      await bot.finish(starting);
      expect(next.state).toBe('awaiting_qr');
      await next.client.scan();
      await next.untilState('ready');
      await pass(bot, 600_000);
      expect(next.state).toBe('ready');
      expect(told(bot)).toEqual([]);
      expect((await next.save('of the new pairing')).held).toBeUndefined();
    });

    it('a new client of the process that goes on with the profile', async () => {
      const bot = await closedBot();
      const next = stage().bot({ session: BY_HAND });
      await next.start();
      await next.client.logOutByPhone();
      await next.untilState('awaiting_qr');
      await next.stop();
      await pass(bot, 600_000);
      expect([...told(bot), ...told(next)]).not.toContain('profile-removed');
    });

    it('a start of the same session', async () => {
      const bot = await closedBot();
      await removeProfile(bot);
      await stage().clock.advance(1000); // the look is under way
      await bot.start();
      expect(bot.state).toBe('awaiting_qr');
      await bot.client.scan();
      await bot.untilState('ready');
      expect(bot.warnings.filter((code) => code === 'profile-removed')).not.toEqual([]);
      await pass(bot, 600_000);
      expect(bot.state).toBe('ready');
      expect((await bot.save('of the new pairing')).held).toBeUndefined();
    });

    it('clear()', async () => {
      const bot = await closedBot();
      await bot.finish(bot.session.clear());
      expect(stage().clock.pendingTimers).toBe(0);
      expect(told(bot)).toEqual([]);
    });

    it('restore(), which puts a profile back', async () => {
      const bot = await closedBot();
      await removeProfile(bot);
      await bot.finish(bot.session.restore());
      await pass(bot, 600_000);
      expect(told(bot)).toEqual([]);
      expect(await areHeld(bot)).not.toContain(true);
      await expectRestored(botOfAnotherProcess());
    });
  });

  it('is told once where it can not be held yet, and is held by a later look', async () => {
    const bot = await closedBot();
    await removeProfile(bot);
    const operation = /^(open|mkdir|link|rename|writeFile)$/;
    const times = Number.POSITIVE_INFINITY;
    stage().fs.arm({ operation, path: '/bot/session/lease', failOn: 1, errno: 'EROFS', times });
    await pass(bot, 30_000);
    await bot.until('the warning', () => told(bot).length > 0, { limitMs: 2000, stepMs: 100 });
    expect(told(bot)).toEqual(['revocation-incomplete']);
    stage().fs.arm({});
    await passUntilHeld(bot, 100_000);
    expect(told(bot)).toEqual(['revocation-incomplete', 'profile-removed']);
    await expectHeld(botOfAnotherProcess());
  });

  it('a store that is down is told at the next start', async () => {
    const store = new MemoryStore();
    const bot = await closedBot({ session: { store } });
    await removeProfile(bot);
    store.setDown(true);
    await pass(bot, 600_000);
    expect(told(bot)).toContain('revocation-incomplete');
    store.setDown(false);
    await expectHeld(botOfAnotherProcess({ session: { store } }));
    expect(dirname(bot.client.profileDir)).toBe('/bot/auth');
  });
});
