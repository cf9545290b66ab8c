import { describe, expect, it } from 'vitest';
import { useFakeStage } from '../support/fake-stage.js';
import { HangingDisk } from '../support/hanging-disk.js';

const PROFILE = '/bot/auth/session-shop';

describe('a disk or network share that hangs', () => {
  const stage = useFakeStage();

  it.each(['/bot/backup', '/bot/session', PROFILE])(
    '%s: two calls at most are stuck in it, however long that lasts',
    async (folder) => {
      const disk = new HangingDisk(stage().fs, folder);
      await stage().loggedInOnce();
      const bot = stage().bot({ session: { fs: disk.fs } });
      await bot.start();
      await stage().clock.advance(130_000);
      disk.goAway();
      await stage().clock.advance(600_000);
      expect(disk.stuck.length, disk.stuck.join()).toBeLessThanOrEqual(2);
      disk.comeBack();
    },
  );

  it('has two calls stuck for all sessions of the process together', async () => {
    const disk = new HangingDisk(stage().fs, '/share');
    const session = {
      fs: disk.fs,
      healthCheckIntervalMs: 0,
      backupPath: '/share/backup',
      sessionPath: '/saves',
    };
    const bots = ['a', 'b', 'c'].map((clientId) =>
      stage().bot({ folder: `/${clientId}`, auth: 'none', session: { ...session, clientId } }),
    );
    for (const [i, bot] of bots.entries()) await bot.logIn(`49151000000${i}@c.us`);
    await stage().clock.advance(130_000);
    disk.goAway();
    for (const bot of bots) await bot.note('changed');
    for (let minute = 0; minute < 30; minute++) await stage().clock.advance(60_000);
    expect(disk.stuck.length, disk.stuck.join()).toBeLessThanOrEqual(2);
    disk.comeBack();
  });

  it('has two calls stuck where all folders of a session lie on one network share', async () => {
    const disk = new HangingDisk(stage().fs, '/share');
    await stage().fs.promises.mkdir('/proc/self', { recursive: true });
    await stage().fs.promises.writeFile(
      '/proc/self/mountinfo',
      '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:40 / /share rw - nfs4 server:/export rw\n',
    );
    const bot = stage().bot({ folder: '/share/bot', session: { fs: disk.fs } });
    await bot.logIn();
    disk.goAway();
    await stage().clock.advance(600_000);
    expect(disk.stuck.length, disk.stuck.join()).toBeLessThanOrEqual(2);
    disk.comeBack();
  });

  it('keeps no session on another disk from its saves', async () => {
    const disk = new HangingDisk(stage().fs, '/share');
    const [away, here] = ['/share/a', '/own/b'].map((folder) =>
      stage().bot({
        folder,
        session: { fs: disk.fs, sessionPath: `/saves${folder}`, backupPath: `/backups${folder}` },
      }),
    );
    await away?.logIn('491510000001@c.us');
    await here?.logIn('491510000002@c.us');
    disk.goAway();
    await stage().clock.advance(60_000);
    expect(await here?.save('all the same')).toMatchObject({ kind: 'save' });
    disk.comeBack();
  });
});

describe.each([PROFILE, '/bot/auth'])('the disk of the profile (%s) hangs', (folder) => {
  const stage = useFakeStage();

  async function readyOn(disk: HangingDisk) {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: { fs: disk.fs } });
    await bot.start();
    await stage().clock.advance(30_000);
    disk.goAway();
    return bot;
  }

  it('and a stop ends all the same', async () => {
    const disk = new HangingDisk(stage().fs, folder);
    const bot = await readyOn(disk);
    await bot.finish(bot.session.destroy(), { limitMs: 120_000 });
    expect(bot.state).toBe('stopped');
    disk.comeBack();
  });

  it('and a save fails, with the reason, and goes on when it is back', async () => {
    const disk = new HangingDisk(stage().fs, folder);
    const bot = await readyOn(disk);
    const saving = bot.session.forceSave();
    await expect(bot.finish(saving, { limitMs: 120_000 })).rejects.toMatchObject({
      code: 'STORE',
      retryable: true,
      message: 'the disk of /bot/auth does not answer',
    });
    expect(bot.payloads('save:failed').at(-1)?.error.message).toContain('/bot/auth does not answer');
    disk.comeBack();
    expect(await bot.save('afterwards')).toMatchObject({ kind: 'save' });
  });

  it('and a reconnect says so, waits for it as for the network, and ends in `ready`', async () => {
    const disk = new HangingDisk(stage().fs, folder);
    const bot = await readyOn(disk);
    bot.client.pupBrowser?.kill();
    await stage().clock.advance(3_600_000);
    expect(bot.session.status().lastError).toMatchObject({ code: 'STORE' });
    expect(bot.state).toBe('reconnecting');
    disk.comeBack();
    await bot.untilState('ready');
    expect(bot.codes).toEqual([]);
  });
});

describe('a backupPath on a share that hangs', () => {
  const stage = useFakeStage();

  it('does not keep a session with a sound profile from its start', async () => {
    const disk = new HangingDisk(stage().fs, '/bot/backup');
    await stage().loggedInOnce();
    disk.goAway();
    const bot = stage().bot({ session: { fs: disk.fs } });
    expect(disk.stuck, 'by the constructor').toEqual([]);
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.warnings).toContain('store-unreachable');
    disk.comeBack();
  });
});

describe('folders that lie inside one another behind a link', () => {
  const stage = useFakeStage();

  it('are refused by initialize(), before anything is made', async () => {
    const { promises } = stage().fs;
    await promises.mkdir('/real/session', { recursive: true });
    await promises.rm('/link', { force: true });
    await (promises as unknown as { symlink(to: string, at: string): Promise<void> }).symlink(
      '/real',
      '/link',
    );
    const bot = stage().bot({
      session: { sessionPath: '/real/session', backupPath: '/link/session/backup' },
    });
    await expect(bot.start()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('lie inside one another'),
    });
    expect(bot.state).toBe('idle');
    expect(await promises.readdir('/real/session')).toEqual([]);
  });
});
