import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemFileSystem } from '../../src/file-system.js';
import type { SnapshotInfo } from '../../src/index.js';
import type { FakeLogin } from '../../src/testing/fake-profile.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = {
  forceSaveIntervalMs: 0,
  backupIntervalMs: 0,
  sessionValidationIntervalMs: 0,
  healthCheckIntervalMs: 0,
  reconnectDelayMs: 1000,
  maxInitRetries: 2,
  maxReconnectAttempts: 3,
};
const DAY_MS = 24 * 60 * 60 * 1000;

describe('a profile that is whole, and never gets ready', () => {
  const stage = useFakeStage();

  /** From now on a start with one of these notes in its profile never gets ready. */
  function poison(
    bot: FakeBot,
    isPoisoned: (note: string) => boolean,
    how: 'never-ready' | 'start-failed' = 'start-failed',
  ) {
    const inject = bot.client.inject.bind(bot.client);
    bot.client.inject = async () => {
      const note = (await bot.client.readLogin())?.note ?? '';
      if (how === 'start-failed') bot.client.injectError = isPoisoned(note) ? 'auth timeout' : undefined;
      else stage().whatsApp.neverReady = isPoisoned(note);
      return inject();
    };
  }

  /** A bot with these copies, oldest first; the last one is what its profile was when it stopped. */
  async function botWith(...notes: readonly string[]): Promise<readonly SnapshotInfo[]> {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await stage().clock.advance(100_000);
    for (const note of notes.slice(0, -1)) {
      await bot.save(note);
      await stage().clock.advance(1000);
    }
    await bot.note(notes.at(-1) ?? '');
    await bot.stop();
    return (await bot.session.listSnapshots()).toReversed();
  }

  const newBot = (
    isPoisoned: (note: string) => boolean,
    session: object = {},
    how?: 'never-ready' | 'start-failed',
  ) => {
    const bot = stage().bot({ session: { ...BY_HAND, ...session } });
    poison(bot, isPoisoned, how);
    return bot;
  };
  const noteIn = async (bot: FakeBot) => ((await bot.client.readLogin()) as FakeLogin | undefined)?.note;
  const advice = (bot: FakeBot) =>
    bot
      .payloads('warning')
      .filter(({ code }) => code === 'profile-not-starting')
      .map(({ message }) => message);

  it.each(['start-failed', 'never-ready'] as const)('comes back with one older copy: %s', async (how) => {
    const [, older] = await botWith('oldest', 'older', 'poisoned');
    const bot = newBot((note) => note === 'poisoned', {}, how);
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
    expect(await noteIn(bot)).toBe('older');
    expect(bot.client.launches).toBe(BY_HAND.maxInitRetries + 2);
    expect(bot.payloads('restore:completed')).toMatchObject([
      { reason: 'never-ready', snapshot: { id: older?.id } },
    ]);
    expect(advice(bot)).toEqual([expect.stringContaining(older?.id ?? '?')]);
    const [aside] = bot.payloads('session:quarantined');
    expect(await stage().filesBelow(aside?.path ?? '')).not.toEqual([]);
    await bot.stop();
    const again = newBot((note) => note === 'poisoned');
    await again.start();
    expect(again.state).toBe('ready');
    expect(await noteIn(again)).toBe('older');
  });

  it('is put back when the older copy does no better, which is tried once; the error names another', async () => {
    const [oldest] = await botWith('oldest', 'older', 'poisoned');
    const bot = newBot(() => true);
    const before = await noteBefore();
    await expect(bot.start()).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining(`restore("${oldest?.id}")`),
    });
    expect(bot.payloads('restore:started')).toHaveLength(1);
    expect(bot.client.launches).toBe(1 + BY_HAND.maxInitRetries + BY_HAND.maxReconnectAttempts + 1);
    expect(await noteIn(bot)).toBe('poisoned');
    expect(bot.codes).toEqual([]);
    expect(await record()).toEqual(before);
    expect(advice(bot)).toEqual([expect.stringContaining(`restore("${oldest?.id}")`)]);
    const report = await bot.finish(bot.session.checkHealth());
    expect(report.recommendations.find(({ code }) => code === 'failed')?.text.en).toContain(
      `restore("${oldest?.id}")`,
    );
    // What was put back is not kept twice.
    expect(
      (await stage().filesBelow('/bot/auth/.session-shop.persistent/quarantine')).filter((path) =>
        path.endsWith('reason.json'),
      ),
    ).toHaveLength(1);
  });

  it('is put back when the older copy meets a QR, which nobody sees, and rejects nothing', async () => {
    await botWith('older', 'poisoned');
    const bot = newBot((note) => note === 'poisoned', { maxReconnectAttempts: 0 });
    const accepts = stage().whatsApp.accepts.bind(stage().whatsApp);
    stage().whatsApp.accepts = (login) => login.note !== 'older' && accepts(login);
    const before = await noteBefore();
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(bot.codes).toEqual([]);
    expect(await noteIn(bot)).toBe('poisoned');
    expect(await record()).toEqual(before);
  });

  it('is put back at the next start when the trial was cut short', async () => {
    await botWith('older', 'poisoned');
    const bot = newBot((note) => note === 'poisoned');
    bot.session.on('restore:completed', () => {
      bot.session.destroy().catch(() => undefined);
    });
    await expect(bot.start()).rejects.toMatchObject({ code: 'CLOSED' });
    await bot.untilState('stopped');
    const again = stage().bot({ session: BY_HAND });
    await again.start();
    expect(again.state).toBe('ready');
    expect(await noteIn(again)).toBe('poisoned');
    expect(await record()).not.toHaveProperty('trial');
  });

  it('stays where no copy is younger than maxRollbackMs: a human is told which there are', async () => {
    const [older] = await botWith('older', 'poisoned');
    await stage().clock.advance(2 * DAY_MS);
    const bot = newBot((note) => note === 'poisoned', { maxRollbackMs: DAY_MS });
    await expect(bot.start()).rejects.toMatchObject({
      message: expect.stringContaining(`restore("${older?.id}")`),
    });
    expect(bot.payloads('restore:started')).toEqual([]);
    expect(await noteIn(bot)).toBe('poisoned');
  });

  it('is tried for ever by maxReconnectAttempts: Infinity, but an older copy only once', async () => {
    await botWith('oldest', 'older', 'poisoned');
    const bot = newBot(() => true, { maxReconnectAttempts: Number.POSITIVE_INFINITY });
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await bot.until('many attempts', () => bot.payloads('reconnect:attempted').length >= 8);
    expect(bot.payloads('restore:started')).toHaveLength(1);
  });

  it('is not to blame where WhatsApp is not reached, or something else fails', async () => {
    await botWith('older', 'poisoned');
    const bot = newBot(() => false, { maxReconnectAttempts: 4 });
    bot.client.authStrategy.beforeBrowserInitialized = () =>
      Promise.reject(new Error('no browser is installed'));
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(bot.payloads('restore:started')).toEqual([]);
  });

  it('that shows only after a while of work comes back the same way', async () => {
    await botWith('older', 'poisoned');
    let isShown = false;
    const bot = newBot((note) => isShown && note === 'poisoned', { maxReconnectAttempts: 10 });
    await bot.start();
    isShown = true;
    bot.client.pupBrowser?.kill();
    await bot.until('ready again', () => bot.payloads('reconnect:succeeded').length === 1);
    expect(await noteIn(bot)).toBe('older');
  });

  it('is put back on a real disk, too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wwebjs-older-copy-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const place = { folder, client: { fs: systemFileSystem } };
    const session = { ...BY_HAND, fs: systemFileSystem };
    const first = stage().bot({ ...place, session });
    await first.logIn();
    await stage().clock.advance(100_000);
    await first.save('older');
    await stage().clock.advance(1000);
    await first.note('poisoned');
    await first.stop();
    const bot = stage().bot({ ...place, session });
    poison(bot, () => true);
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(bot.payloads('restore:completed')).toMatchObject([{ reason: 'never-ready' }]);
    expect(await noteIn(bot)).toBe('poisoned');
    const again = stage().bot({ ...place, session });
    await again.start();
    expect(again.state).toBe('ready');
    expect(await noteIn(again)).toBe('poisoned');
  });

  async function record(): Promise<Record<string, unknown>> {
    const text = await stage().fs.promises.readFile(
      '/bot/auth/.session-shop.persistent/session.json',
      'utf8',
    );
    return JSON.parse(String(text)) as Record<string, unknown>;
  }
  const noteBefore = record;
});
