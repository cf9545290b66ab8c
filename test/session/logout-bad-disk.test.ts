import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { failingFileSystem } from '../../src/testing/failing-file-system.js';
import type { FakeBot, FakeBotOptions } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { HangingDisk } from '../support/hanging-disk.js';

const RECORD = '/bot/auth/.session-shop.persistent/session.json';
const WRITES = /^(handle\.write|handle\.writeFile|writeFile|mkdir|copyFile|rename|unlink)$/;

describe('a logout by the phone while the disk of the profile can not be written', () => {
  const stage = useFakeStage();

  /** Its client writes as it likes: a running Chromium holds back what it can't write. */
  async function pairedBot(session: FakeBotOptions['session'] = {}) {
    const fs = failingFileSystem(stage().fs);
    let broken: string | undefined;
    const writeFileSync: FileSystem['writeFileSync'] = (path, ...rest) => {
      if (broken !== undefined && String(path).startsWith(broken)) throw new Error('injected fault');
      return stage().fs.writeFileSync?.(path, ...rest);
    };
    const bot = stage().bot({ session: { ...session, fs: { ...fs, writeFileSync } } });
    await bot.logIn();
    await stage().clock.advance(100_000);
    await bot.save('one');
    const breakDisk = (errno: string, path: string) => {
      broken = path;
      fs.arm({ operation: WRITES, path, errno, failOn: 1, times: Number.POSITIVE_INFINITY });
    };
    const mendDisk = () => {
      broken = undefined;
      fs.arm({});
    };
    return { bot, breakDisk, mendDisk };
  }

  const isTriedAgain = (bot: FakeBot) => bot.payloads('reconnect:scheduled').length > 0;

  it.each([
    ['ENOSPC', '/bot/auth'],
    ['EROFS', '/bot/auth'],
    ['EIO', '/bot/'],
  ])('(%s of %s) ends in a QR once it can, with the login revoked', async (errno, path) => {
    const { bot, breakDisk, mendDisk } = await pairedBot();
    const { lineage } = bot.session.status();
    breakDisk(errno, path);
    await bot.client.logOutByPhone();
    await bot.until('another attempt', () => isTriedAgain(bot));
    expect(bot.warnings).toContain('revocation-incomplete');
    expect(bot.session.status().lastError?.message).toContain(errno);
    mendDisk();
    await bot.untilState('awaiting_qr');
    expect(bot.payloads('session:revoked')).toEqual([{ cause: 'phone' }]);
    expect(bot.payloads('session:quarantined')).toMatchObject([{ reason: 'logged-out' }]);
    expect(bot.payloads('restore:started')).toEqual([]);
    expect((await bot.session.listSnapshots()).every(({ revoked }) => revoked)).toBe(true);
    expect(JSON.parse(String(await stage().fs.promises.readFile(RECORD, 'utf8')))).toMatchObject({
      revokedLineages: [lineage],
    });
  });

  it.each([
    ['ENOSPC', '/bot/auth'],
    ['EROFS', '/bot/auth'],
    ['EIO', '/bot/'],
  ])(
    '(%s of %s for more than all attempts) needs nobody: it goes on by itself when the disk is well',
    async (errno, path) => {
      const { bot, breakDisk, mendDisk } = await pairedBot();
      breakDisk(errno, path);
      await bot.client.logOutByPhone();
      await bot.until('more attempts than count', () => bot.payloads('reconnect:attempted').length > 8);
      expect(bot.state).toBe('reconnecting');
      expect(bot.payloads('reconnect:exhausted')).toEqual([]);
      expect(bot.session.status().lastError?.message).toContain(errno);
      mendDisk();
      await bot.untilState('awaiting_qr', { limitMs: 120_000 });
      expect(bot.payloads('session:revoked')).toEqual([{ cause: 'phone' }]);
    },
  );

  it('(it hangs) ends in a QR once it answers', async () => {
    const disk = new HangingDisk(stage().fs, '/bot/auth');
    const bot = stage().bot({ session: { fs: disk.fs } });
    await bot.logIn();
    await stage().clock.advance(130_000);
    disk.goAway();
    await stage().clock.advance(40_000);
    await bot.client.logOutByPhone();
    await bot.until('another attempt', () => isTriedAgain(bot));
    disk.comeBack();
    await bot.untilState('awaiting_qr');
    expect(bot.payloads('session:revoked')).toEqual([{ cause: 'phone' }]);
  });

  it('takes no final save of that login, and the next start restores nothing', async () => {
    const { bot, breakDisk, mendDisk } = await pairedBot();
    const before = await bot.session.listSnapshots();
    breakDisk('EROFS', '/bot/');
    await bot.client.logOutByPhone();
    await bot.until('another attempt', () => isTriedAgain(bot));
    mendDisk();
    await bot.stop();
    expect(await bot.session.listSnapshots()).toHaveLength(before.length);
    await stage().remove(bot.client.profileDir);
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.payloads('restore:started')).toEqual([]);
    expect((await bot.session.listSnapshots()).every(({ revoked }) => revoked)).toBe(true);
  });

  it("stops the session where `onLogout` is 'stop', for that reason", async () => {
    const { bot, breakDisk } = await pairedBot({ onLogout: 'stop' });
    breakDisk('ENOSPC', '/bot/auth');
    await bot.client.logOutByPhone();
    await bot.untilState('stopped');
    expect(bot.warnings).toContain('revocation-incomplete');
    expect(bot.session.status().lastError?.message).toContain('logged this device out');
  });
});
