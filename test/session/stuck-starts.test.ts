import { describe, expect, it } from 'vitest';
import { failInjection } from '../support/fail-injection.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const ONE_TRY = { maxInitRetries: 0, maxReconnectAttempts: 0, healthCheckIntervalMs: 0 };

describe('from authenticated to ready', () => {
  const stage = useFakeStage();

  /** A bot whose client says `authenticated`, loses its code in the page and, until it is woken, says no more. */
  async function sleepingBot(sessionTimeoutMs: number, readyAfterMs = 0): Promise<FakeBot> {
    await stage().loggedInOnce();
    stage().whatsApp.neverReady = true;
    const bot = stage().bot({ session: { ...ONE_TRY, sessionTimeoutMs } });
    let told = 0;
    bot.client.on('authenticated', () => {
      queueMicrotask(() => {
        if (bot.client.pupPage) bot.client.pupPage.injected = false;
      });
      if (++told === 2) stage().clock.setTimeout(() => bot.client.emit('ready'), readyAfterMs);
    });
    return bot;
  }

  it.each([1000, 4999, 20_000])(
    'looks once at the page before it gives up, and wakes a client that missed the sync (sessionTimeoutMs %i)',
    async (sessionTimeoutMs) => {
      const bot = await sleepingBot(sessionTimeoutMs);
      await bot.start();
      expect(bot.state).toBe('ready');
      expect(bot.client.launches).toBe(1);
      expect(bot.heard.filter(([name]) => name === 'authenticated')).toHaveLength(2);
    },
  );

  it('gives the woken client some seconds, also where sessionTimeoutMs is shorter', async () => {
    const bot = await sleepingBot(1000, 9000);
    await bot.start();
    expect(bot.state).toBe('ready');
  });

  it('gives up on one that says nothing even then, and never says ready in its place', async () => {
    const bot = await sleepingBot(1000, 60_000);
    let wokenAt = 0;
    bot.client.on('authenticated', () => {
      wokenAt = stage().clock.monotonic();
    });
    await expect(bot.start({ stepMs: 100 })).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(stage().clock.monotonic() - wokenAt).toBeLessThan(10_000 + 2000);
    expect(bot.payloads('reconnect:exhausted')).toMatchObject([{ cause: 'never-ready' }]);
    expect(bot.heard.map(([name]) => name)).not.toContain('ready');
    expect(stage().clock.pendingTimers).toBe(1); // the test's own
  });

  it('does not wake one whose code is in the page: it would say ready, and hear nothing', async () => {
    await stage().loggedInOnce();
    stage().whatsApp.neverReady = true;
    const bot = stage().bot({ session: { ...ONE_TRY, sessionTimeoutMs: 1000 } });
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(bot.heard.map(([name]) => name)).not.toContain('ready');
    expect(bot.heard.filter(([name]) => name === 'authenticated')).toHaveLength(1);
  });

  it('does not wake a page that has not synced', async () => {
    const bot = await sleepingBot(1000);
    bot.client.on('authenticated', () => {
      if (bot.client.pupPage) bot.client.pupPage.hasSynced = false;
    });
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(bot.heard.filter(([name]) => name === 'authenticated')).toHaveLength(1);
  });

  it('wakes one, too, that did not even say authenticated, before its first look', async () => {
    await stage().loggedInOnce();
    stage().whatsApp.syncsEarly = true;
    const bot = stage().bot({ session: { ...ONE_TRY, sessionTimeoutMs: 1000 } });
    await bot.start();
    expect(bot.state).toBe('ready');
  });
});

describe('a page that navigates while the client is injected', () => {
  const stage = useFakeStage();
  const RACE = new Error('Execution context was destroyed, most likely because of a navigation.');

  /** A bot whose first `failures` starts fail with `error`. */
  async function bot(failures: number, error: unknown, session: object = ONE_TRY): Promise<FakeBot> {
    await stage().loggedInOnce();
    const made = stage().bot({ session });
    const { authStrategy } = made.client;
    const before = authStrategy.beforeBrowserInitialized.bind(authStrategy);
    let starts = 0;
    authStrategy.beforeBrowserInitialized = async () => {
      made.client.injectError = ++starts <= failures ? error : undefined;
      await before();
    };
    return made;
  }

  it('is started once more at once, in a new browser, and counted as no retry', async () => {
    const one = await bot(1, RACE);
    const browsers: boolean[] = [];
    one.client.on('ready', () => browsers.push(one.client.pupBrowser?.isConnected() ?? false));
    await one.start();
    expect(one.state).toBe('ready');
    expect(one.client.launches).toBe(2);
    expect(browsers).toEqual([true]);
    expect(one.payloads('reconnect:scheduled')).toEqual([]);
  });

  it('only once for each start: then it is a failed one', async () => {
    const one = await bot(2, RACE);
    await expect(one.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(one.client.launches).toBe(2);
  });

  it('may come again at the next start', async () => {
    const one = await bot(3, RACE, { maxInitRetries: 1, maxReconnectAttempts: 0 });
    await one.start();
    expect(one.client.launches).toBe(4);
  });

  it('is not taken for a browser that is gone', async () => {
    const one = await bot(1, new Error('Protocol error (Runtime.callFunctionOn): Target closed'));
    await expect(one.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(one.client.launches).toBe(1);
  });

  it('also after the client said authenticated', async () => {
    await stage().loggedInOnce();
    const one = stage().bot({ session: ONE_TRY });
    Object.defineProperty(stage().whatsApp, 'neverReady', { get: () => one.client.launches < 2 });
    one.client.on('authenticated', () => {
      if (one.client.launches > 1) return;
      failInjection(one.client, RACE);
      one.client.pupPage?.navigate();
    });
    await one.start();
    expect(one.state).toBe('ready');
    expect(one.client.launches).toBe(2);
  });
});
