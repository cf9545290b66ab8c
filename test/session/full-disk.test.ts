import { describe, expect, it } from 'vitest';
import { useFakeStage } from '../support/fake-stage.js';

/** What a full disk refuses: bytes and folders. Files can be opened, read, renamed and removed. */
const FULL = {
  operation: /^(handle\.write|handle\.writeFile|writeFile|writeStream\.write|mkdir|copyFile)$/,
  errno: 'ENOSPC',
  failOn: 1,
  times: Number.POSITIVE_INFINITY,
};

describe('a start while the disk of sessionPath is full', () => {
  const stage = useFakeStage();

  it('is tried again until there is room', async () => {
    await stage().loggedInOnce();
    stage().fs.arm({ ...FULL, path: '/bot/' });
    const bot = stage().bot();
    const starting = bot.session.initialize();
    await bot.until('the attempt', () => bot.state === 'restoring', { limitMs: 20_000, stepMs: 500 });
    expect(bot.session.status().lastError?.message).toContain('ENOSPC');
    stage().fs.arm({});
    await bot.finish(starting);
    expect(bot.state).toBe('ready');
    expect(bot.client.launches).toBe(1);
  });

  it('is given up after as many attempts as any other failure, with the reason', async () => {
    await stage().loggedInOnce();
    stage().fs.arm({ ...FULL, path: '/bot/session/' });
    const bot = stage().bot();
    await expect(bot.start()).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining("lease can't be written (ENOSPC)"),
    });
    expect(bot.state).toBe('failed');
    expect(bot.payloads('reconnect:attempted')).toHaveLength(5);
    expect(bot.client.launches).toBe(0);
    stage().fs.arm({});
    await bot.start();
    expect(bot.state).toBe('ready');
  });

  it('ends with destroy() meanwhile', async () => {
    await stage().loggedInOnce();
    stage().fs.arm({ ...FULL, path: '/bot/session/' });
    const bot = stage().bot();
    const starting = expect(bot.session.initialize()).rejects.toMatchObject({ code: 'CLOSED' });
    await stage().clock.advance(3000);
    await bot.stop();
    await starting;
    expect(bot.state).toBe('stopped');
    expect(stage().clock.pendingTimers).toBe(0);
  });
});

describe('a disk that gets full under a running session', () => {
  const stage = useFakeStage();

  it('is waited for as the network is, however long, and then the session comes up by itself', async () => {
    const bot = stage().bot();
    await bot.logIn();
    await stage().clock.advance(130_000);
    stage().fs.arm({ ...FULL, path: '/bot/auth/' });
    bot.client.pupBrowser?.kill();
    await bot.until('more attempts than count', () => bot.payloads('reconnect:attempted').length > 8);
    expect(bot.state).toBe('reconnecting');
    expect(bot.session.status().lastError?.message).toContain('ENOSPC');
    stage().fs.arm({});
    await bot.untilState('ready', { limitMs: 120_000 });
    expect(bot.payloads('reconnect:exhausted')).toEqual([]);
  });

  it.each(['ENOSPC', 'EAGAIN'])('is waited for, too, where the browser meets it (%s)', async (code) => {
    const bot = stage().bot({ session: { healthCheckIntervalMs: 0 } });
    await bot.logIn();
    await stage().clock.advance(130_000);
    bot.client.launchError = Object.assign(new Error(`${code}: spawn`), { code });
    bot.client.pupBrowser?.kill();
    await bot.until('20 attempts', () => bot.payloads('reconnect:attempted').length >= 20);
    expect(bot.state).toBe('reconnecting');
    bot.client.launchError = undefined;
    await bot.untilState('ready', { limitMs: 120_000 });
    expect(bot.payloads('reconnect:exhausted')).toEqual([]);
  });
});
