import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeBatch, writeEdit, writeLog } from '../profile/leveldb-writer.js';
import { type FakeStage, LOCAL_STORAGE, useFakeStage } from '../support/fake-stage.js';

const RETRIES = {
  maxInitRetries: 2,
  maxReconnectAttempts: 3,
  reconnectDelayMs: 1000,
  healthCheckIntervalMs: 0,
};

/** What Chromium leaves of a page that did not load: a Local Storage without a word of WhatsApp Web. */
async function writeForeignProfile({ fs }: FakeStage, profileDir: string): Promise<void> {
  const folder = join(profileDir, LOCAL_STORAGE);
  const edit = { comparator: 'leveldb.BytewiseComparator', logNumber: 0, nextFileNumber: 2, lastSequence: 0 };
  await fs.promises.mkdir(folder, { recursive: true });
  await fs.promises.writeFile(join(folder, 'CURRENT'), 'MANIFEST-000001\n');
  await fs.promises.writeFile(join(folder, 'MANIFEST-000001'), writeLog([writeEdit(edit)]));
  const entries = [
    ['VERSION', '1'],
    ['_https://example.com\0\x01item', 'value'],
  ] as const;
  await fs.promises.writeFile(join(folder, '000003.log'), writeLog([writeBatch(entries)]));
}

describe('a start that fails', () => {
  const stage = useFakeStage();

  it('is retried maxInitRetries times, then as a reconnect maxReconnectAttempts times, then failed', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: RETRIES });
    bot.client.injectError = 'auth timeout'; // whatsapp-web.js throws strings
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED', retryable: true });
    const ofAnOlderCopy = 1; // docs/recovery.md
    expect(bot.client.launches).toBe(
      1 + RETRIES.maxInitRetries + ofAnOlderCopy + RETRIES.maxReconnectAttempts,
    );
    expect(bot.state).toBe('failed');
    expect(bot.payloads('reconnect:attempted').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(bot.payloads('reconnect:exhausted')).toMatchObject([{ attempts: 3, cause: 'start-failed' }]);
    expect(stage().clock.pendingTimers).toBe(0);
  });

  it('keeps everything when it ends in failed, and can be initialised again', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: { ...RETRIES, maxReconnectAttempts: 0 } });
    bot.client.injectError = new Error('Execution context was destroyed');
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(await bot.session.listSnapshots()).toHaveLength(1);
    expect(await bot.client.readLogin()).toBeDefined();
    bot.client.injectError = undefined;
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
  });

  it('can be brought up by reconnect() when it ended in failed', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: { ...RETRIES, maxReconnectAttempts: 0 } });
    bot.client.injectError = 'auth timeout';
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    bot.client.injectError = undefined;
    await bot.finish(bot.session.reconnect());
    expect(bot.state).toBe('ready');
  });

  it('closes the browser before the next try: never two at once', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: RETRIES });
    const alive: boolean[] = [];
    bot.client.injectError = 'auth timeout';
    const { authStrategy } = bot.client;
    const prepare = authStrategy.beforeBrowserInitialized.bind(authStrategy);
    authStrategy.beforeBrowserInitialized = async () => {
      alive.push(bot.client.pupBrowser?.isConnected() ?? false);
      await prepare();
    };
    await expect(bot.start()).rejects.toThrow();
    expect(alive).toHaveLength(7);
    expect(alive).not.toContain(true);
    expect(bot.client.pupBrowser?.isConnected()).toBe(false);
  });

  it('waits between its tries, up to twice as long each time, and never less than half a reconnectDelayMs', async () => {
    const bot = stage().bot({ session: { ...RETRIES, maxReconnectAttempts: 5 } });
    bot.client.injectError = 'auth timeout';
    await expect(bot.start()).rejects.toThrow();
    const delays = bot.payloads('reconnect:scheduled').map(({ delayMs }) => delayMs);
    for (const [index, delayMs] of delays.entries()) {
      expect(delayMs).toBeGreaterThanOrEqual(500);
      expect(delayMs).toBeLessThanOrEqual(1000 * 2 ** index);
    }
  });
});

describe('WhatsApp that can not be reached', () => {
  const stage = useFakeStage();

  it('is no damage of what a fresh bot has: a browser that never got as far as a login', async () => {
    const bot = stage().bot({ session: { maxInitRetries: 0, maxReconnectAttempts: 0 } });
    bot.client.authStrategy.afterBrowserInitialized = () =>
      writeForeignProfile(stage(), bot.client.profileDir);
    stage().whatsApp.offline = true;
    const start = bot.session.initialize();
    await bot.until('some tries', () => bot.payloads('reconnect:attempted').length >= 3);
    expect(bot.payloads('corruption:detected')).toEqual([]);
    stage().whatsApp.offline = false;
    await bot.finish(start);
    expect(bot.state).toBe('awaiting_qr');
  });

  it('is waited for, at least every 15 s, and counted as no attempt', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: { maxInitRetries: 1, maxReconnectAttempts: 1 } });
    stage().whatsApp.offline = true;
    const start = bot.session.initialize();
    await bot.until('30 outages', () => bot.payloads('reconnect:attempted').length >= 30);
    expect(bot.state).toBe('reconnecting');
    expect(bot.payloads('reconnect:exhausted')).toEqual([]);
    expect(bot.payloads('reconnect:attempted').map(({ cause }) => cause)).not.toContain('start-failed');
    const scheduled = bot.payloads('reconnect:scheduled');
    expect(Math.max(...scheduled.map(({ delayMs }) => delayMs))).toBeLessThanOrEqual(15_000);
    expect(new Set(scheduled.map(({ attempt }) => attempt))).toEqual(new Set([1])); // always the first;
    stage().whatsApp.offline = false;
    await bot.finish(start);
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
  });

  it('is told from a SOCKS proxy that can not reach WhatsApp, as from any other: it costs no attempt', async () => {
    const bot = stage().bot({ session: { maxReconnectAttempts: 1, healthCheckIntervalMs: 0 } });
    await bot.logIn();
    bot.client.launchError = new Error('net::ERR_SOCKS_CONNECTION_FAILED at https://web.whatsapp.com/');
    bot.client.pupBrowser?.kill();
    await bot.until('20 outages', () => bot.payloads('reconnect:attempted').length >= 20);
    expect(bot.payloads('reconnect:exhausted')).toEqual([]);
    expect(bot.payloads('reconnect:scheduled').at(-1)).toMatchObject({
      cause: 'network-down',
      error: { code: 'network-down', message: expect.stringContaining('net::ERR_SOCKS_CONNECTION_FAILED') },
    });
    expect(bot.session.status().lastError).toMatchObject({ code: 'network-down' });
    bot.client.launchError = undefined;
    await bot.untilState('ready');
  });

  it.each([503, 403])(
    'is told from an error page in place of WhatsApp’s, and by which: HTTP %i',
    async (status) => {
      await stage().loggedInOnce();
      const bot = stage().bot({ session: { maxInitRetries: 0, maxReconnectAttempts: 1 } });
      stage().whatsApp.otherPage = { status, title: 'Access to this site is blocked' };
      const start = bot.session.initialize();
      await bot.until('20 outages', () => bot.payloads('reconnect:attempted').length >= 20);
      expect(bot.payloads('reconnect:exhausted')).toEqual([]);
      const { cause, error } = bot.payloads('reconnect:scheduled').at(-1) ?? {};
      expect(cause).toBe('network-down');
      expect(error?.message).toContain(`HTTP ${status} ("Access to this site is blocked")`);
      expect(bot.session.status().lastError?.message).toBe(error?.message);
      stage().whatsApp.otherPage = undefined;
      await bot.finish(start);
      expect(bot.state).toBe('ready');
    },
  );

  it('counts an error page that finds fault with the request', async () => {
    const bot = stage().bot({ session: { maxInitRetries: 0, maxReconnectAttempts: 1 } });
    stage().whatsApp.otherPage = { status: 400, title: 'Update your browser' };
    await expect(bot.start()).rejects.toThrow('HTTP 400 ("Update your browser")');
  });

  it('counts the failures that come after the network is back', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: { maxInitRetries: 0, maxReconnectAttempts: 2 } });
    stage().whatsApp.offline = true;
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await bot.until('3 outages', () => bot.payloads('reconnect:attempted').length >= 3);
    stage().whatsApp.offline = false;
    bot.client.injectError = 'auth timeout';
    await expect(bot.finish(start)).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(bot.payloads('reconnect:exhausted')).toMatchObject([{ attempts: 2, cause: 'start-failed' }]);
  });

  it('is told from a page out of the cache whose socket does not connect: that is no network, too', async () => {
    await stage().loggedInOnce();
    stage().whatsApp.stallsIn = 'OPENING';
    const bot = stage().bot({ session: { maxInitRetries: 0, maxReconnectAttempts: 1 } });
    const start = bot.session.initialize();
    await bot.until('4 outages', () => bot.payloads('reconnect:attempted').length >= 4);
    expect(new Set(bot.payloads('reconnect:scheduled').map(({ cause }) => cause))).toEqual(
      new Set(['network-down']),
    );
    stage().whatsApp.stallsIn = undefined;
    await bot.finish(start);
    expect(bot.state).toBe('ready');
  });

  it('is told from a page that does not load: that is no network, too', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: { sessionTimeoutMs: 20_000, maxInitRetries: 0 } });
    stage().whatsApp.hangs = true;
    const start = bot.session.initialize();
    await bot.until('a reconnect', () => bot.payloads('reconnect:scheduled').length > 0);
    expect(bot.payloads('reconnect:scheduled')[0]).toMatchObject({ cause: 'network-down', attempt: 1 });
    stage().whatsApp.hangs = false;
    await bot.finish(start);
  });

  it('is not told from a browser that does not come up: that counts', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({
      session: { sessionTimeoutMs: 20_000, maxInitRetries: 0, maxReconnectAttempts: 1 },
    });
    bot.client.authStrategy.beforeBrowserInitialized = () => new Promise(() => undefined);
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(bot.payloads('reconnect:exhausted')).toMatchObject([{ attempts: 1, cause: 'start-failed' }]);
  });
});

describe('the deadline of a start', () => {
  const stage = useFakeStage();
  const session = { sessionTimeoutMs: 20_000, maxInitRetries: 0, maxReconnectAttempts: 0 };

  /** Starts a bot whose page loads and does not get on. */
  async function stalled() {
    await stage().loggedInOnce();
    stage().whatsApp.stallsIn = 'PAIRING';
    const bot = stage().bot({ session });
    const startedAt = stage().clock.monotonic();
    const start = bot.session.initialize();
    let endedAfterMs: number | undefined;
    const end = () => {
      endedAfterMs = stage().clock.monotonic() - startedAt;
    };
    start.then(end, end);
    await bot.until('the browser', () => bot.client.launches === 1);
    return { bot, start, endedAfterMs: () => endedAfterMs };
  }

  it('is sessionTimeoutMs where nothing moves', async () => {
    const { bot, start, endedAfterMs } = await stalled();
    await expect(bot.finish(start)).rejects.toMatchObject({ code: 'START_FAILED' });
    expectAbout(endedAfterMs(), 20_000);
  });

  it('is extended by every sign of progress', async () => {
    const { bot, start, endedAfterMs } = await stalled();
    for (let round = 1; round <= 4; round++) {
      await stage().clock.advance(15_000);
      bot.client.showLoading(round * 10);
    }
    await expect(bot.finish(start)).rejects.toMatchObject({ code: 'START_FAILED' });
    expectAbout(endedAfterMs(), 4 * 15_000 + 20_000);
  });

  it('is ten times sessionTimeoutMs in all, whatever the progress', async () => {
    const { bot, start, endedAfterMs } = await stalled();
    for (let round = 0; round < 30 && endedAfterMs() === undefined; round++) {
      await stage().clock.advance(15_000);
      if (endedAfterMs() === undefined) bot.client.showLoading(round);
    }
    await expect(start).rejects.toMatchObject({ code: 'START_FAILED' });
    expectAbout(endedAfterMs(), 200_000);
  });

  it('does not run while a QR waits', async () => {
    const bot = stage().bot({ session });
    await bot.start();
    await stage().clock.advance(60 * 60 * 1000);
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.client.launches).toBe(1);
  });

  it('starts anew with a scan: a login that hangs after it is noticed', async () => {
    const bot = stage().bot({ session: { ...session, maxReconnectAttempts: 5 } });
    await bot.start();
    stage().whatsApp.neverReady = true;
    await bot.client.scan();
    expect(bot.state).toBe('authenticated');
    const scannedAt = stage().clock.monotonic();
    await bot.untilState('reconnecting');
    expectAbout(stage().clock.monotonic() - scannedAt, 20_000);
    expect(bot.payloads('reconnect:scheduled')).toMatchObject([{ cause: 'never-ready' }]);
    stage().whatsApp.neverReady = false;
    await bot.untilState('ready');
    expect(bot.codes).toHaveLength(1);
  });

  it('notices a scan by the page itself, where the client tells nothing', async () => {
    const bot = stage().bot({ session: { ...session, maxReconnectAttempts: 5 } });
    await bot.start();
    const page = bot.client.pupPage;
    if (page) page.state = 'PAIRING';
    await bot.untilState('reconnecting', { limitMs: 60_000 });
    expect(bot.payloads('reconnect:scheduled')).toMatchObject([{ cause: 'never-ready' }]);
  });

  it('ends with a new QR after a scan that came to nothing', async () => {
    const bot = stage().bot({ session });
    await bot.start();
    bot.client.emit('authenticated');
    bot.client.showQr();
    await stage().clock.advance(10 * 60 * 1000);
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.codes).toHaveLength(2);
  });

  it('takes authenticated without ready for a failed start: never-ready', async () => {
    await stage().loggedInOnce();
    stage().whatsApp.neverReady = true;
    const bot = stage().bot({ session: { ...session, maxReconnectAttempts: 1 } });
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(bot.payloads('reconnect:exhausted')).toMatchObject([{ attempts: 1, cause: 'never-ready' }]);
    // A client that is told of the sync again says `ready`, but hears no message.
    expect(bot.states).not.toContain('ready');
  });

  it('wakes a client that missed the sync of its page', async () => {
    await stage().loggedInOnce();
    stage().whatsApp.syncsEarly = true;
    const bot = stage().bot({ session });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.client.launches).toBe(1);
  });

  it('wakes a client that missed the sync after a scan', async () => {
    stage().whatsApp.syncsEarly = true;
    const bot = stage().bot({ session });
    await bot.logIn();
    expect(bot.client.launches).toBe(1);
  });

  it('does not hang on a browser that does not close', async () => {
    const { bot, start } = await stalled();
    if (bot.client.pupBrowser) bot.client.pupBrowser.hangs = true;
    await expect(bot.finish(start)).rejects.toMatchObject({ code: 'START_FAILED' });
    bot.client.pupBrowser?.kill();
  });
});

describe('a browser that goes away during the start', () => {
  const stage = useFakeStage();

  it.each([
    ['its process ends', 'browser-gone', 'kill'],
    ['its page crashes', 'page-crashed', 'crash'],
  ] as const)('fails that start at once when %s', async (_name, cause, fault) => {
    await stage().loggedInOnce();
    stage().whatsApp.stallsIn = 'PAIRING';
    const bot = stage().bot({ session: { maxInitRetries: 0 } });
    const start = bot.session.initialize();
    await bot.until('the page', () => bot.client.pupPage?.state === 'PAIRING');
    stage().whatsApp.stallsIn = undefined;
    if (fault === 'kill') bot.client.pupBrowser?.kill();
    else bot.client.pupPage?.crash();
    await bot.finish(start);
    expect(bot.payloads('reconnect:succeeded')).toMatchObject([{ cause, attempt: 1 }]);
  });
});

/** To a step or two of the clock: the browser is closed before the start is over. */
function expectAbout(actualMs: number | undefined, expectedMs: number): void {
  expect(actualMs).toBeGreaterThanOrEqual(expectedMs);
  expect(actualMs).toBeLessThanOrEqual(expectedMs + 3000);
}
