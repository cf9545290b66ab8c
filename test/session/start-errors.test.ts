import { describe, expect, it } from 'vitest';
import { StartFailedError } from '../../src/index.js';
import { useFakeStage } from '../support/fake-stage.js';

const RETRIES = { maxInitRetries: 2, maxReconnectAttempts: 3, reconnectDelayMs: 1000 };
const NO_CHROME = new Error('Browser was not found at the configured executablePath (/usr/bin/chrome)');
const KILLED = new Error(
  'Failed to launch the browser process:  Code: null\n\nstderr:\n\n\nTROUBLESHOOTING: x\n',
);

describe('a start that trying again can not mend', () => {
  const stage = useFakeStage();

  it('fails at once, with the reason, what to do, and its cause', async () => {
    const bot = stage().bot({ session: RETRIES });
    bot.client.launchError = NO_CHROME;
    const failure = await bot.start().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'START_FAILED', retryable: false, cause: NO_CHROME });
    expect(failure).toBeInstanceOf(StartFailedError);
    expect(String(failure)).toContain('there is no browser to start');
    expect(String(failure)).toContain('/usr/bin/chrome');
    expect(String(failure)).toContain('puppeteer.executablePath');
    expect(bot.client.launches).toBe(1);
    expect(bot.payloads('reconnect:scheduled')).toEqual([]);
    expect(bot.state).toBe('failed');
    expect(bot.session.status().lastError).toMatchObject({
      code: 'start-failed',
      message: NO_CHROME.message,
    });
    const { issues } = await bot.finish(bot.session.checkHealth());
    expect(issues.map(({ code }) => code)).toContain('failed');
    expect(issues.map(({ code }) => code)).not.toContain('reconnects-exhausted');
  });

  it('starts when it is mended, by initialize() or reconnect(), and forgets the error', async () => {
    const bot = stage().bot({ session: RETRIES });
    bot.client.launchError = NO_CHROME;
    await expect(bot.start()).rejects.toThrow();
    await expect(bot.finish(bot.session.reconnect())).rejects.toThrow('no browser');
    bot.client.launchError = undefined;
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.session.status().lastError).toBeUndefined();
  });

  it('fails at once also where an attempt before it might have passed', async () => {
    const bot = stage().bot({ session: RETRIES });
    bot.client.launchError = KILLED;
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await bot.until('a reconnect', () => bot.payloads('reconnect:scheduled').length === 1);
    bot.client.launchError = NO_CHROME;
    await expect(bot.finish(start)).rejects.toMatchObject({ cause: NO_CHROME, retryable: false });
    expect(bot.payloads('reconnect:exhausted')).toEqual([]);
  });

  it('is told of by the client’s own error before there is a browser', async () => {
    const bot = stage().bot({ session: RETRIES });
    const missing = undefined as unknown as { launch(): void };
    bot.client.authStrategy.beforeBrowserInitialized = async () => missing.launch();
    await expect(bot.start()).rejects.toThrow(/before it starts the browser.*reading 'launch'/);
    expect(bot.client.launches).toBe(0);
  });

  it('of a session that was up is tried again all the same: a browser is missing while it is replaced', async () => {
    const bot = stage().bot({ session: { ...RETRIES, healthCheckIntervalMs: 0 } });
    await bot.logIn();
    bot.client.launchError = NO_CHROME;
    bot.client.pupBrowser?.kill();
    await bot.until('a second attempt', () => bot.payloads('reconnect:scheduled').length === 2);
    expect(bot.session.status().lastError?.message).toBe(NO_CHROME.message);
    bot.client.launchError = undefined;
    await bot.untilState('ready');
    expect(bot.session.status().lastError).toBeUndefined();
  });
});

describe('a browser with a window', () => {
  const stage = useFakeStage();
  const NO_DISPLAY = new Error('Missing X server to start the headful browser. Either set headless to true');

  it('fails at once where no display is set', async () => {
    const bot = stage().bot({ session: RETRIES, client: { puppeteer: { env: {} } } });
    bot.client.launchError = NO_DISPLAY;
    await expect(bot.start()).rejects.toThrow(/there is no display/);
    expect(bot.client.launches).toBe(1);
    expect(bot.state).toBe('failed');
  });

  it('waits for a display that is set and not up yet, and says what is missing if it never is', async () => {
    const bot = stage().bot({ session: RETRIES, client: { puppeteer: { env: { DISPLAY: ':99' } } } });
    bot.client.launchError = NO_DISPLAY;
    await expect(bot.start()).rejects.toThrow(/within 3 attempts.*Missing X server.*there is no display/);
    bot.client.launchError = undefined;
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
  });
});

describe('a start that may pass', () => {
  const stage = useFakeStage();

  it('is tried as often as it is set, and the last error is told all the way', async () => {
    const bot = stage().bot({ session: RETRIES });
    bot.client.launchError = KILLED;
    const failure = await bot.start().catch((error: unknown) => error);
    const message = 'Failed to launch the browser process: Code: null';
    expect(failure).toMatchObject({ code: 'START_FAILED', retryable: true, cause: KILLED });
    expect(String(failure)).toContain(`last cause: start-failed: ${message}`);
    expect(bot.client.launches).toBe(1 + 2 + 3);
    const error = { code: 'start-failed', message };
    expect(bot.payloads('reconnect:scheduled').map((scheduled) => scheduled.error)).toEqual([
      error,
      error,
      error,
    ]);
    expect(bot.payloads('reconnect:exhausted')).toEqual([{ attempts: 3, cause: 'start-failed', error }]);
    expect(bot.session.status().lastError).toEqual({ ...error, at: expect.any(String) });
    const report = await bot.finish(bot.session.checkHealth());
    const failed = report.issues.find(({ code }) => code === 'failed');
    expect(failed?.message.en).toContain(message);
    expect(failed?.message.ar).toContain(message);
    expect(report.metrics.lastError).toEqual(error);
  });

  it('names what the page said last where ready does not come', async () => {
    await stage().loggedInOnce();
    stage().whatsApp.neverReady = true;
    const bot = stage().bot({ session: { maxInitRetries: 0, maxReconnectAttempts: 0 } });
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await bot.until('authenticated', () => bot.state === 'authenticated');
    for (let round = 0; round < 20; round++)
      bot.client.pupPage?.emit('pageerror', new Error(`error ${round}`));
    bot.client.pupPage?.emit('pageerror', new TypeError(`m is not a function ${'x'.repeat(10_000)}`));
    const failure = await bot.finish(start).catch((error: unknown) => error);
    expect(String(failure)).toContain('last cause: never-ready');
    expect(String(failure)).toContain('the page: m is not a function');
    expect(String(failure).length).toBeLessThan(1000);
  });

  it('names what the page said last where there is no QR, also where the client gives up first', async () => {
    const bot = stage().bot({ session: { maxInitRetries: 0, maxReconnectAttempts: 0 } });
    bot.client.inject = async () => {
      bot.client.pupPage?.emit('pageerror', new Error('Requiring unknown module WAWebSocketModel\n  at x'));
      throw 'auth timeout'; // a string, as whatsapp-web.js throws it, and before sessionTimeoutMs is over
    };
    const failure = await bot.start().catch((error: unknown) => error);
    const message = 'auth timeout (last error there: the page: Requiring unknown module WAWebSocketModel)';
    expect(failure).toMatchObject({ code: 'START_FAILED', cause: { message, cause: 'auth timeout' } });
    expect(String(failure)).toContain(message);
    expect(bot.session.status().lastError?.message).toBe(message);
    expect(bot.payloads('reconnect:exhausted')[0]?.error?.message).toBe(message);
  });

  it('names it also of a page that the session is lost by', async () => {
    const bot = stage().bot({ session: { ...RETRIES, healthCheckIntervalMs: 0 } });
    await bot.logIn();
    bot.client.injectError = 'auth timeout';
    bot.client.pupPage?.emit('pageerror', new Error('Requiring unknown module WAWebSocketModel'));
    bot.client.pupPage?.navigate();
    await bot.until('a reconnect', () => bot.payloads('reconnect:scheduled').length === 1);
    expect(bot.payloads('reconnect:scheduled')[0]?.error?.message).toContain('WAWebSocketModel');
  });

  it('names the page that came in place of WhatsApp’s, and has no older copy tried for it', async () => {
    await stage().loggedInOnce();
    stage().whatsApp.otherPage = { status: 200, title: 'Sign in to the hotel' };
    const bot = stage().bot({ session: RETRIES });
    const failure = await bot.start().catch((error: unknown) => error);
    expect(String(failure)).toContain('auth timeout (the page there is "Sign in to the hotel")');
    expect(bot.payloads('reconnect:exhausted')).toMatchObject([{ attempts: 3, cause: 'start-failed' }]);
    expect(bot.warnings).not.toContain('profile-not-starting');
  });

  it('tells in words of a loss for which nothing was thrown', async () => {
    const bot = stage().bot({ session: { ...RETRIES, healthCheckIntervalMs: 0 } });
    await bot.logIn();
    bot.client.pupBrowser?.kill();
    await bot.until('a reconnect', () => bot.payloads('reconnect:scheduled').length === 1);
    const error = { code: 'browser-gone', message: expect.stringContaining("browser's process ended") };
    expect(bot.payloads('reconnect:scheduled')[0]?.error).toEqual(error);
  });
});
