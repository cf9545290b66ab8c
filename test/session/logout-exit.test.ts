import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

describe('a bot that ends its process in its own `disconnected` handler', () => {
  const stage = useFakeStage();

  async function pairedBot(session: object = {}): Promise<FakeBot> {
    const bot = stage().bot({ session: { ...BY_HAND, ...session } });
    await bot.logIn();
    await stage().clock.advance(100_000);
    await bot.save('one');
    return bot;
  }

  /** From this moment on nothing of this process reaches the disk. */
  function endProcess(): void {
    stage().fs.arm({ failOn: 1, times: Number.POSITIVE_INFINITY, errno: 'EIO' });
  }

  async function untilEnded(bot: FakeBot): Promise<void> {
    let isEnded = false;
    bot.client.on('disconnected', () => {
      isEnded = true;
      endProcess();
    });
    await bot.client.logOutByPhone();
    await bot.until('the end', () => isEnded);
    await bot.stop().catch(() => undefined);
    stage().fs.arm({});
    await stage().remove('/bot/session/lease'); // of a process that is dead
    await stage().remove(`${dirname(bot.client.profileDir)}/.session-shop.persistent/lease`);
  }

  async function expectQr(): Promise<void> {
    const next = stage().bot({ session: BY_HAND });
    await next.start();
    expect(next.state).toBe('awaiting_qr');
    expect(next.payloads('restore:started')).toEqual([]);
    expect(next.client.launches).toBe(1);
    expect((await next.session.listSnapshots()).every(({ revoked }) => revoked)).toBe(true);
    expect((await stage().filesBelow('/bot')).filter((path) => path.includes('logged-out-'))).toEqual([]);
    await next.client.scan();
    await next.untilState('ready');
    await next.stop();
    const last = stage().bot({ session: BY_HAND });
    await last.start();
    expect(last.state).toBe('ready');
  }

  it('after a logout asks for a new login at the next start, and restores nothing', async () => {
    await untilEnded(await pairedBot());
    await expectQr();
  });

  it.each([
    ['beside the profile', '/bot/auth'],
    ['in sessionPath', '/bot/session'],
  ])('does so with the disk of what lies %s gone', async (_name, folder) => {
    const bot = await pairedBot();
    await bot.backUp('two');
    await untilEnded(bot);
    await stage().remove(folder);
    await expectQr();
  });

  it('restores by restore() only what is not logged out, before any start', async () => {
    const bot = await pairedBot();
    await untilEnded(bot);
    const next = stage().bot({ session: BY_HAND });
    const error = await next.finish(next.session.restore()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' });
  });

  it('leaves no note behind where the process goes on', async () => {
    const bot = await pairedBot();
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    expect((await stage().filesBelow('/bot')).filter((path) => path.includes('logged-out-'))).toEqual([]);
  });

  it('after any other loss, is ready again at the next start', async () => {
    const bot = await pairedBot();
    await bot.client.changeState('UNPAIRED_IDLE');
    await bot.until('the loss', () => bot.state !== 'ready');
    expect((await stage().filesBelow('/bot')).filter((path) => path.includes('logged-out-'))).toEqual([]);
  });

  it('without a file system that can write at once, is as before', async () => {
    const { promises, createReadStream, createWriteStream } = stage().fs;
    const bot = await pairedBot({ fs: { promises, createReadStream, createWriteStream } });
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    expect(bot.payloads('session:revoked')).toEqual([{ cause: 'phone' }]);
  });
});

describe('client.logout() of a bot that then removes the folder of its session', () => {
  const stage = useFakeStage();

  async function pairedBot(): Promise<FakeBot> {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await stage().clock.advance(100_000);
    await bot.save('one');
    return bot;
  }

  async function expectNewPairing(): Promise<void> {
    const next = stage().bot({ session: BY_HAND });
    await next.start();
    expect(next.state).toBe('awaiting_qr');
    expect(next.payloads('restore:started')).toEqual([]);
    await next.client.scan('4915100000002@c.us');
    await next.untilState('ready');
    await next.save('new');
    await next.stop();
    const last = stage().bot({ session: BY_HAND });
    await last.start();
    expect(last.state).toBe('ready');
    expect(await last.client.readLogin()).toMatchObject({ note: 'new' });
  }

  it('finds it there, and empty', async () => {
    const bot = await pairedBot();
    const { profileDir } = bot.client;
    await bot.finish(bot.client.logout());
    expect(await stage().fs.promises.readdir(profileDir)).toEqual([]);
    await stage().fs.promises.rmdir(profileDir); // fails where there is none
    await expectNewPairing();
  });

  it('may remove the folder around it', async () => {
    const bot = await pairedBot();
    await bot.finish(bot.client.logout());
    await stage().remove('/bot/auth');
    await expectNewPairing();
  });

  it('may do so without waiting: nothing is made anew', async () => {
    const bot = await pairedBot();
    const { profileDir } = bot.client;
    const leaving = bot.client.logout();
    await stage().remove(profileDir);
    await bot.finish(leaving);
    expect(await stage().exists(profileDir)).toBe(false);
    expect(bot.payloads('session:revoked')).toEqual([{ cause: 'client' }]);
    await expectNewPairing();
  });

  it('may leave the empty folder', async () => {
    const bot = await pairedBot();
    await bot.finish(bot.client.logout());
    await expectNewPairing();
  });
});
