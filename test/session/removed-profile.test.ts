import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

/** What a gateway's delete route does, with or without waiting for the client. */
describe('a profile that is removed while the session runs', () => {
  const stage = useFakeStage();

  async function pairedBot(options: object = {}): Promise<FakeBot> {
    const bot = stage().bot({ session: { ...BY_HAND, ...options } });
    await bot.logIn();
    await stage().clock.advance(100_000); // both halves of the login are on the disk
    await bot.save('one');
    await bot.backUp('two');
    return bot;
  }

  const removeProfile = (bot: FakeBot) => stage().remove(bot.client.profileDir);

  async function expectHeld(next: FakeBot): Promise<void> {
    await next.start();
    expect(next.state).toBe('awaiting_qr');
    expect(next.codes).toHaveLength(1);
    expect(next.payloads('restore:started')).toEqual([]);
    expect(next.payloads('warning')).toContainEqual({
      code: 'profile-removed',
      message: expect.stringMatching(/removed.*restore\(\).*restore\(id\)/),
    });
  }

  const ways: [string, (bot: FakeBot) => Promise<unknown>][] = [
    [
      'destroy() is not awaited, the folder deleted at once',
      (bot) => {
        const closing = bot.client.destroy();
        return bot.finish(removeProfile(bot).then(() => closing));
      },
    ],
    [
      'the folder is deleted first, then destroy()',
      (bot) => removeProfile(bot).then(() => bot.finish(bot.client.destroy())),
    ],
    [
      'only `Default` is deleted',
      async (bot) => {
        const closing = bot.session.destroy();
        await stage().remove(`${bot.client.profileDir}/Default`);
        await bot.finish(closing);
      },
    ],
    [
      'the whole folder of LocalAuth is deleted, with the record beside the profile',
      async (bot) => {
        const closing = bot.client.destroy();
        await stage().remove(dirname(bot.client.profileDir));
        await bot.finish(closing);
      },
    ],
    [
      'deleted during the final save',
      async (bot) => {
        const closing = bot.client.destroy();
        await bot.note('for the final save');
        bot.session.on('save:completed', () => void removeProfile(bot));
        await bot.finish(closing);
      },
    ],
    [
      'deleted when its attempts are used up',
      async (bot) => {
        stage().whatsApp.stallsIn = 'PAIRING';
        bot.client.pupBrowser?.kill();
        await bot.untilState('failed', { limitMs: 100_000_000 });
        stage().whatsApp.stallsIn = undefined;
        await removeProfile(bot);
        await bot.finish(bot.client.destroy());
      },
    ],
    [
      'the whole folder of LocalAuth is deleted when its attempts are used up',
      async (bot) => {
        stage().whatsApp.stallsIn = 'PAIRING';
        bot.client.pupBrowser?.kill();
        await bot.untilState('failed', { limitMs: 100_000_000 });
        stage().whatsApp.stallsIn = undefined;
        await stage().remove(dirname(bot.client.profileDir));
        await bot.finish(bot.client.destroy());
      },
    ],
    [
      'deleted while it waits for its next attempt',
      async (bot) => {
        bot.client.pupBrowser?.kill();
        await bot.untilState('reconnecting');
        await removeProfile(bot);
        await bot.finish(bot.client.destroy());
      },
    ],
  ];

  it.each(ways)('is not restored by itself: %s', async (_name, remove) => {
    const bot = await pairedBot();
    await remove(bot);
    expect(bot.state).toBe('stopped');
    expect(bot.warnings).toContain('profile-removed');
    const kept = await bot.session.listSnapshots();
    expect(kept.length).toBeGreaterThan(1);
    expect(kept.every(({ held }) => held)).toBe(true);
    await expectHeld(stage().bot({ session: BY_HAND }));
  });

  it.each(ways)('leaves no folder behind: %s', async (name, remove) => {
    const bot = await pairedBot();
    await remove(bot);
    const whole = name.startsWith('the whole');
    if (name.startsWith('only')) return;
    expect(await stage().exists(bot.client.profileDir)).toBe(false);
    expect(await stage().exists(dirname(bot.client.profileDir))).toBe(!whole);
  });

  it('after client.destroy(), awaited, is not restored by the next client of the process', async () => {
    const bot = await pairedBot();
    await bot.finish(bot.client.destroy());
    await removeProfile(bot);
    await expectHeld(stage().bot({ session: BY_HAND }));
  });

  it('after client.destroy() and left alone, is used by the next client', async () => {
    const bot = await pairedBot();
    await bot.finish(bot.client.destroy());
    const next = stage().bot({ session: BY_HAND });
    await next.start();
    expect(next.state).toBe('ready');
    await next.stop(); // by session.destroy(): the process is about to end
    await removeProfile(next);
    const last = stage().bot({ session: BY_HAND });
    await last.start();
    expect(last.state).toBe('ready');
  });

  it('after client.destroy() and restored by hand, is no removal', async () => {
    const bot = await pairedBot();
    await bot.finish(bot.client.destroy());
    await removeProfile(bot);
    const next = stage().bot({ session: BY_HAND });
    await next.finish(next.session.restore());
    await next.start();
    expect(next.state).toBe('ready');
    expect(next.warnings).not.toContain('profile-removed');
  });

  it('of a NoAuth client goes with its saves: the backups are held, and nothing is made anew', async () => {
    const bot = stage().bot({ auth: 'none', session: BY_HAND });
    await bot.logIn();
    await stage().clock.advance(100_000);
    await bot.backUp('one');
    const closing = bot.client.destroy();
    await stage().remove('/bot/session');
    await bot.finish(closing);
    expect(await stage().exists('/bot/session')).toBe(false);
    expect(await bot.session.listSnapshots()).toMatchObject([{ kind: 'backup', held: true }]);
    await expectHeld(stage().bot({ auth: 'none', session: BY_HAND }));
  });

  it('with all that there is of it, is a new session', async () => {
    const bot = await pairedBot();
    const closing = bot.client.destroy();
    await stage().remove('/bot');
    await bot.finish(closing);
    expect(await stage().exists('/bot')).toBe(false);
    const next = stage().bot({ session: BY_HAND });
    await next.start();
    expect(next.state).toBe('awaiting_qr');
    expect(next.warnings).not.toContain('profile-removed');
  });

  it('and registered again at once shows the QR of a new login', async () => {
    const bot = await pairedBot();
    void bot.client.destroy();
    await removeProfile(bot);
    await expectHeld(stage().bot({ session: BY_HAND }));
  });

  it('is asked for a new login in this run, when the browser ends', async () => {
    const bot = await pairedBot();
    await removeProfile(bot);
    bot.client.pupBrowser?.kill();
    await bot.untilState('awaiting_qr');
    expect(bot.payloads('restore:started')).toEqual([]);
    expect(bot.warnings.filter((code) => code === 'profile-removed')).toHaveLength(1);
    await bot.client.scan();
    await bot.untilState('ready');
    const saved = await bot.save('of the new pairing');
    expect(saved.held).toBeUndefined();
  });

  it.each(['forceSave', 'backup'] as const)(
    'is noticed by %s(), so that a crash after it brings nothing back',
    async (call) => {
      const bot = await pairedBot();
      await removeProfile(bot);
      expect(await bot.finish(bot.session[call]())).toEqual({ skipped: 'unsound' });
      expect(bot.warnings).toContain('profile-removed');
      expect((await bot.session.listSnapshots()).every(({ held }) => held)).toBe(true);
      expect(await stage().exists(bot.client.profileDir)).toBe(false);
    },
  );

  it('is noticed by the check of a running session', async () => {
    const bot = await pairedBot({ sessionValidationIntervalMs: 60_000 });
    await removeProfile(bot);
    await bot.until('the warning', () => bot.warnings.includes('profile-removed'));
    expect(bot.payloads('corruption:detected')).toEqual([]);
  });

  it('a new pairing goes on as any other, and is restored by itself', async () => {
    const bot = await pairedBot();
    await ways[0]?.[1](bot);
    const next = stage().bot({ session: BY_HAND });
    await next.logIn('4915100000002@c.us');
    await stage().clock.advance(100_000);
    await next.save('of the new one');
    await next.stop();
    await removeProfile(next); // at rest: a disk that was emptied
    const last = stage().bot({ session: BY_HAND });
    await last.start();
    expect(last.state).toBe('ready');
    expect(await last.client.readLogin()).toMatchObject({ note: 'of the new one' });
  });

  it.each([undefined, 'id'])('restore(%s) brings it back, and what comes after is as ever', async (given) => {
    const bot = await pairedBot();
    await ways[0]?.[1](bot);
    const [newest] = await bot.session.listSnapshots();
    const next = stage().bot({ session: BY_HAND });
    await next.finish(next.session.restore(given && newest?.id));
    await next.start();
    expect(next.state).toBe('ready');
    expect((await next.session.listSnapshots()).some(({ held }) => held)).toBe(false);
    await next.stop();
    await removeProfile(next);
    const last = stage().bot({ session: BY_HAND });
    await last.start();
    expect(last.state).toBe('ready');
  });

  it('a logout that follows stays a logout: restore() does not bring it back', async () => {
    const bot = await pairedBot();
    await removeProfile(bot);
    await bot.finish(bot.client.logout());
    const error = await bot.finish(bot.session.restore()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' });
  });

  it('a store that was down is told at the next start', async () => {
    const store = new MemoryStore();
    const bot = await pairedBot({ store });
    store.setDown(true);
    const closing = bot.client.destroy();
    await removeProfile(bot);
    await bot.finish(closing);
    expect(bot.warnings).toContain('revocation-incomplete');
    store.setDown(false);
    await expectHeld(stage().bot({ session: { ...BY_HAND, store } }));
    const kept = await bot.session.listSnapshots();
    expect(kept.every(({ held }) => held)).toBe(true);
  });

  it('a profile that is back in its place is used, and held no more', async () => {
    const bot = await pairedBot();
    const { profileDir } = bot.client;
    await stage().fs.promises.rename(profileDir, '/away');
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'unsound' });
    await stage().fs.promises.rename('/away', profileDir);
    bot.client.pupBrowser?.kill();
    await bot.untilState('reconnecting');
    await bot.untilState('ready');
    expect(bot.codes).toHaveLength(1); // of the pairing
  });

  describe('is no removal', () => {
    it('where its disk is gone with it', async () => {
      const bot = await pairedBot();
      const { profileDir } = bot.client;
      const lstat = stage().fs.promises.lstat.bind(stage().fs.promises);
      await removeProfile(bot);
      Object.assign(stage().fs.promises, {
        lstat: async (path: string, options: object) =>
          Object.assign(await lstat(path, options as never), { dev: path === '/bot/auth' ? 7 : 0 }),
      });
      bot.client.pupBrowser?.kill();
      await bot.untilState('reconnecting');
      await bot.untilState('ready');
      expect(bot.payloads('restore:completed')).toMatchObject([{ reason: 'profile-absent' }]);
      expect(profileDir).toBe(bot.client.profileDir);
      Object.assign(stage().fs.promises, { lstat });
    });

    it('what this library puts aside by itself', async () => {
      const bot = await pairedBot();
      await bot.client.logOutByPhone();
      await bot.untilState('awaiting_qr');
      await bot.stop();
      expect(bot.warnings).not.toContain('profile-removed');
      expect((await bot.session.listSnapshots()).some(({ held }) => held)).toBe(false);
    });

    it('what another machine does that has taken the session over', async () => {
      const bot = await pairedBot();
      const { profileDir } = bot.client;
      stage().sleepMachine(60_000);
      await stage().takeOver();
      await stage().remove(profileDir);
      await stage().fs.promises.mkdir(profileDir); // the other one's browser is about to start
      await bot.stop();
      await bot.untilState('stopped');
      expect(bot.warnings).not.toContain('profile-removed');
      expect(await stage().exists(profileDir)).toBe(true);
      expect((await bot.session.listSnapshots()).some(({ held }) => held)).toBe(false);
    });

    it('the profile of a pairing that nobody finished', async () => {
      const bot = stage().bot({ session: BY_HAND });
      await bot.start();
      expect(bot.state).toBe('awaiting_qr');
      await bot.client.writeLogin({ credential: '', note: 'a page without a login' });
      const closing = bot.client.destroy();
      await removeProfile(bot);
      await bot.finish(closing);
      expect(bot.warnings).not.toContain('profile-removed');
    });

    it('a damage', async () => {
      const bot = await pairedBot();
      await stage().damageProfile(bot);
      bot.client.pupBrowser?.kill();
      await bot.untilState('reconnecting');
      await bot.untilState('ready');
      expect(bot.payloads('restore:completed')).toMatchObject([{ reason: 'profile-damaged' }]);
    });

    it('a profile that is absent at the next start, after an orderly stop', async () => {
      const bot = await pairedBot();
      await bot.stop();
      await stage().remove('/bot/auth');
      const next = stage().bot({ session: BY_HAND });
      await next.start();
      expect(next.state).toBe('ready');
    });

    it('clear()', async () => {
      const bot = await pairedBot();
      await bot.finish(bot.session.clear());
      expect(bot.warnings).not.toContain('profile-removed');
      await bot.start();
      expect(bot.state).toBe('awaiting_qr');
      expect(bot.warnings).not.toContain('profile-removed');
    });
  });
});
