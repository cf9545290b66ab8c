import { describe, expect, it } from 'vitest';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, sessionValidationIntervalMs: 0 };
const FOR_EVER = { failOn: 1, times: Number.POSITIVE_INFINITY };
const AUTH = '/bot/auth';
const OLD = '/old/auth';

describe('an old session that may not be read', () => {
  const stage = useFakeStage();

  async function oldSession(path: string): Promise<void> {
    const login = { ...stage().whatsApp.pair('4915100000001@c.us'), note: 'old' };
    await writeFakeProfile(stage().fs, path, login);
  }

  const told = (bot: FakeBot) =>
    bot.payloads('warning').flatMap(({ code, message }) => (code === 'import-available' ? [message] : []));

  it.each([
    ['the folder', `${AUTH}/RemoteAuth-shop/Default`, `${AUTH}/RemoteAuth-shop`],
    ['a file in it', `${AUTH}/RemoteAuth-shop/Default/IndexedDB`, `${AUTH}/RemoteAuth-shop`],
  ])(
    'is told before the QR, with what to do, and taken over once it may be: %s',
    async (_what, path, named) => {
      await oldSession(`${AUTH}/RemoteAuth-shop`);
      stage().fs.arm({ path, errno: 'EACCES', ...FOR_EVER });
      const bot = stage().bot({ session: BY_HAND });
      await bot.start();
      expect(bot.codes).toHaveLength(1);
      expect(told(bot)).toEqual([expect.stringMatching(/EACCES/)]);
      expect(told(bot)[0]).toContain(named);
      await bot.stop();
      stage().fs.arm({});
      const next = stage().bot({ session: BY_HAND });
      await next.start();
      expect(next.state).toBe('ready');
      expect(next.codes).toEqual([]);
    },
  );

  it('of another client id is none of our business', async () => {
    await oldSession(`${AUTH}/RemoteAuth-other`);
    stage().fs.arm({ path: `${AUTH}/RemoteAuth-other`, errno: 'EACCES', ...FOR_EVER });
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(told(bot)).toEqual([]);
  });

  it.each([
    ['the session', `${OLD}/session-shop`],
    ['the folder that holds it', OLD],
  ])('is not "nothing there" for importSession(): %s', async (_what, from) => {
    await oldSession(`${OLD}/session-shop`);
    stage().fs.arm({ path: `${OLD}/session-shop`, errno: 'EACCES', ...FOR_EVER });
    const bot = stage().bot({ session: BY_HAND });
    const failure: unknown = await bot
      .finish(bot.session.importSession(from))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      ...{ code: 'CONFIGURATION', cause: { code: 'EACCES' } },
      message: expect.stringMatching(/'\/old\/auth\/session-shop' can't be read \(EACCES\).*chown/),
    });
  });

  it('for a fault of the disk says which, and where', async () => {
    await oldSession(`${OLD}/session-shop`);
    stage().fs.arm({ path: OLD, errno: 'EIO', ...FOR_EVER });
    const bot = stage().bot({ session: BY_HAND });
    await expect(bot.finish(bot.session.importSession(`${OLD}/session-shop`))).rejects.toMatchObject({
      ...{ code: 'STORE', retryable: true, cause: { code: 'EIO' } },
      message: expect.stringContaining(`'${OLD}/session-shop' can't be read (EIO)`),
    });
  });
});
