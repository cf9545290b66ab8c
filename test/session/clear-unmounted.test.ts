import { describe, expect, it } from 'vitest';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

describe('clear() while the disk of the backups is not mounted', () => {
  const stage = useFakeStage();
  const newBot = () => stage().bot({ session: { ...BY_HAND, fs: { ...stage().fs } } });

  async function clearedWithoutBackups(): Promise<FakeBot> {
    const bot = newBot();
    await bot.logIn();
    await stage().clock.advance(100_000);
    await bot.save('one');
    await bot.backUp('two');
    await stage().clock.advance(1000);
    await stage().fs.promises.rename('/bot/backup', '/unmounted');
    await bot.finish(bot.session.clear());
    await bot.stop();
    await stage().remove('/bot/backup');
    await stage().fs.promises.rename('/unmounted', '/bot/backup');
    return bot;
  }

  it.each(['at the next start', 'with the folder of the profile lost as well'])(
    'does not let its copies come back %s, and says so',
    async (when) => {
      await clearedWithoutBackups();
      if (when !== 'at the next start') await stage().remove('/bot/auth');
      const next = newBot();
      await next.start();
      expect([next.state, next.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
      expect(next.payloads('warning')).toContainEqual({
        code: 'nothing-to-restore',
        message: expect.stringContaining('clear()'),
      });
    },
  );

  it('nor in the process that has cleared', async () => {
    const bot = await clearedWithoutBackups();
    await bot.start();
    expect([bot.state, bot.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
  });

  it('a person gets them back by id, or rid of them by another clear()', async () => {
    await clearedWithoutBackups();
    const next = newBot();
    const [newest] = await next.session.listSnapshots();
    await next.finish(next.session.restore(newest?.id));
    await next.start();
    expect(next.state).toBe('ready');
    await next.finish(next.session.clear());
    expect(await next.session.listSnapshots()).toEqual([]);
  });
});

describe('a removed profile whose next start was ended at once', () => {
  const stage = useFakeStage();

  it.each([0, 5, 20, 60])('is still held at the start after that (after %i ticks)', async (ticks) => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await stage().clock.advance(100_000);
    await bot.save('one');
    await bot.finish(bot.client.destroy());
    await stage().remove(bot.client.profileDir);
    const next = stage().bot({ session: BY_HAND });
    const starting = next.session.initialize().catch(() => undefined);
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
    await next.finish(next.session.destroy());
    await next.finish(starting);
    const after = stage().bot({ session: { ...BY_HAND, fs: { ...stage().fs } } });
    await after.start();
    expect([after.state, after.payloads('restore:started')]).toEqual(['awaiting_qr', []]);
  });
});
