import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const FEW_TRIES = { maxInitRetries: 1, maxReconnectAttempts: 2, healthCheckIntervalMs: 0 };
const MINUTE_MS = 60_000;

describe('stores of which none answers, with the profile gone', () => {
  const stage = useFakeStage();

  function twoStores() {
    const store = new MemoryStore({ name: 'remote' });
    const backupStore = new MemoryStore({ name: 'remote-b' });
    const setDown = (isDown: boolean) => {
      store.setDown(isDown);
      backupStore.setDown(isDown);
    };
    return { session: { ...FEW_TRIES, store, backupStore }, setDown };
  }

  async function pass(bot: FakeBot, ms: number): Promise<void> {
    const from = stage().clock.monotonic();
    await bot.until('the time', () => stage().clock.monotonic() - from >= ms, { stepMs: 5000 });
  }

  it('are waited for, at least every minute, and counted as no attempt; then the login is restored', async () => {
    const { session, setDown } = twoStores();
    await stage().loggedInOnce({ session });
    await stage().remove('/bot/auth');
    setDown(true);
    const bot = stage().bot({ session });
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await pass(bot, 30 * MINUTE_MS);
    expect(bot.state).toBe('reconnecting');
    const scheduled = bot.payloads('reconnect:scheduled');
    expect(scheduled.length).toBeGreaterThan(20);
    expect(Math.max(...scheduled.map(({ delayMs }) => delayMs))).toBeLessThanOrEqual(MINUTE_MS);
    for (const { attempt, error } of scheduled) {
      expect(attempt).toBe(1);
      expect(error).toMatchObject({ code: 'STORE', message: expect.stringContaining('remote') });
    }
    expect(bot.session.status().lastError?.code).toBe('STORE');
    expect(bot.client.launches).toBe(0);
    setDown(false);
    await bot.finish(start, { limitMs: 2 * MINUTE_MS });
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
    expect(bot.session.status().lastError).toBeUndefined();
  });

  it('are waited for with no attempt allowed at all, and until destroy()', async () => {
    const { session, setDown } = twoStores();
    await stage().loggedInOnce({ session });
    await stage().remove('/bot/auth');
    setDown(true);
    const bot = stage().bot({ session: { ...session, maxInitRetries: 0, maxReconnectAttempts: 0 } });
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await pass(bot, 5 * MINUTE_MS);
    expect(bot.state).toBe('reconnecting');
    await bot.stop();
    await expect(start).rejects.toMatchObject({ code: 'CLOSED' });
    expect(bot.state).toBe('stopped');
    setDown(false);
  });

  it('leave the attempts for what fails after they are back', async () => {
    const { session, setDown } = twoStores();
    await stage().loggedInOnce({ session });
    await stage().remove('/bot/auth');
    setDown(true);
    const bot = stage().bot({ session });
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await pass(bot, 5 * MINUTE_MS);
    bot.client.injectError = 'auth timeout';
    setDown(false);
    await expect(bot.finish(start)).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(bot.client.launches).toBeGreaterThan(1);
    expect(bot.payloads('reconnect:exhausted')).toMatchObject([{ attempts: 2, cause: 'start-failed' }]);
  });

  it('are waited for by a session that was up and lost its profile with its browser', async () => {
    const { session, setDown } = twoStores();
    const bot = stage().bot({ session });
    await bot.logIn();
    await bot.save('all there is');
    setDown(true);
    await stage().damageProfile(bot);
    bot.client.pupBrowser?.kill();
    await pass(bot, 10 * MINUTE_MS);
    expect(bot.state).toBe('reconnecting');
    setDown(false);
    await bot.untilState('ready', { limitMs: 2 * MINUTE_MS });
    expect(bot.codes).toHaveLength(1); // of the first login
  });

  it('may be one of several, at the very first start: no QR by mistake, and none is needed once it answers', async () => {
    const { session } = twoStores();
    const ill = new MemoryStore({ name: 'ill' });
    ill.setDown(true);
    const bot = stage().bot({ session: { ...session, backupStore: [session.backupStore, ill] } });
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await pass(bot, 10 * MINUTE_MS);
    expect(bot.state).toBe('reconnecting');
    expect(bot.codes).toEqual([]);
    expect(bot.payloads('reconnect:scheduled').at(-1)?.error?.message).toContain('ill');
    ill.setDown(false);
    await bot.finish(start, { limitMs: 2 * MINUTE_MS });
    expect(bot.state).toBe('awaiting_qr');
  });

  it('may be one whose listing never ends: it is named, and holds up neither the start nor destroy()', async () => {
    const { session } = twoStores();
    const endless = new MemoryStore({ name: 'endless' });
    const { list } = endless;
    endless.list = async function* () {
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        yield { key: 'shop/x', size: 1, version: 'a', modifiedAt: new Date(0) };
      }
    };
    const bot = stage().bot({ session: { ...session, backupStore: [session.backupStore, endless] } });
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await bot.until('the next try', () => bot.payloads('reconnect:scheduled').length > 0, {
      limitMs: MINUTE_MS,
    });
    const [{ error } = {}] = bot.payloads('reconnect:scheduled');
    expect(error?.message).toContain('endless');
    expect(error?.message).toContain('the same keys repeatedly');
    await bot.finish(bot.session.destroy(), { limitMs: 10_000 });
    expect(bot.state).toBe('stopped');
    const next = stage().bot({ session: { ...session, backupStore: [session.backupStore, endless] } });
    endless.list = list;
    await next.start();
    expect(next.state).toBe('awaiting_qr');
  });
});
