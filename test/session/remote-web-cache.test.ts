import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ClientInternals } from '../../src/client/client-types.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const ADDRESS = 'https://pages.example/2.3000.1.html';
const REMOTE = { type: 'remote', remotePath: 'https://bot:pa55@pages.example/{version}.html?token=s3cret' };
const STRICT = { ...REMOTE, strict: true };
const RETRIES = { maxInitRetries: 1, maxReconnectAttempts: 2, healthCheckIntervalMs: 0 };

const missing = async () => new Response(null, { status: 404 });
const refuses = async () => {
  throw new TypeError('fetch failed', {
    cause: Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:443'), { code: 'ECONNREFUSED' }),
  });
};
const silent = () => new Promise<never>(() => undefined);
const answers = async () => new Response('<html>');

describe("a remote web cache that does not give WhatsApp's page", () => {
  const stage = useFakeStage();
  afterEach(() => vi.unstubAllGlobals());

  function newBot(webVersionCache: object, server: () => Promise<Response>, session = {}): FakeBot {
    vi.stubGlobal('fetch', vi.fn(server));
    const bot = stage().bot({ session: { ...RETRIES, ...session } });
    Object.assign(bot.client.options, { webVersion: '2.3000.1', webVersionCache });
    return bot;
  }

  const cacheOf = (bot: FakeBot) => (bot.client.options as ClientInternals['options'])?.webVersionCache;

  it.each([
    ['has no such page', missing, 'HTTP 404'],
    ['refuses', refuses, 'ECONNREFUSED'],
    ['is silent', silent, 'longer than'],
  ])('costs a warning with its address, not the start, where its server %s', async (_name, server, why) => {
    const bot = newBot(REMOTE, server);
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.client.launches).toBe(1);
    expect(cacheOf(bot)).toEqual({ type: 'none' });
    const warning = bot.payloads('warning').find(({ code }) => code === 'web-cache-unreachable');
    expect(warning?.message).toContain(ADDRESS);
    expect(warning?.message).toContain(why);
    expect(warning?.message).toContain('remotePath');
    expect(JSON.stringify(bot.events)).not.toMatch(/s3cret|pa55/);
  });

  it('is used where it gives the page', async () => {
    const bot = newBot(STRICT, answers);
    await bot.start();
    expect(bot.warnings).not.toContain('web-cache-unreachable');
    expect(cacheOf(bot)).toBe(STRICT);
  });

  it('is named where the newest page, which was loaded instead, leads nowhere', async () => {
    await stage().loggedInOnce();
    stage().whatsApp.neverReady = true;
    const bot = newBot(REMOTE, missing);
    const failure = await bot.start().catch((error: unknown) => error);
    expect(String(failure)).toContain('last cause: never-ready');
    for (const told of [failure, bot.session.status().lastError?.message]) {
      expect(String(told)).toContain(ADDRESS);
    }
    expect(bot.payloads('reconnect:scheduled').at(-1)?.error).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining(ADDRESS),
    });
  });

  it('fails at once where it is strict and the page is not there', async () => {
    const bot = newBot(STRICT, missing);
    const failure = await bot.start().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'START_FAILED', retryable: false });
    expect(String(failure)).toContain(`${ADDRESS} (HTTP 404)`);
    expect(String(failure)).toContain('strict: false');
    expect(bot.client.launches).toBe(0);
    expect(bot.state).toBe('failed');
    expect(bot.session.status().lastError?.message).toContain(ADDRESS);
  });

  it.each([
    ['refuses', refuses],
    ['is silent', silent],
  ])('is waited for where it is strict and its server %s, and named all the while', async (_name, server) => {
    const bot = newBot(STRICT, server);
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await bot.until('more attempts than are set', () => bot.payloads('reconnect:attempted').length > 5);
    const scheduled = bot.payloads('reconnect:scheduled').at(-1);
    expect(scheduled).toMatchObject({ cause: 'start-failed', attempt: 1 });
    expect(scheduled?.error?.message).toContain(ADDRESS);
    expect(bot.session.status().lastError?.message).toContain(ADDRESS);
    const { issues } = await bot.finish(bot.session.checkHealth());
    expect(issues.find(({ code }) => code === 'reconnecting')?.message.en).toContain(ADDRESS);
    expect(bot.client.launches).toBe(0);
    vi.stubGlobal('fetch', answers);
    await bot.finish(start);
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.session.status().lastError).toBeUndefined();
  });

  it('is named where it gives the page to us, and then keeps the client waiting', async () => {
    stage().whatsApp.hangs = true;
    const bot = newBot(STRICT, answers);
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await bot.until('a reconnect', () => bot.payloads('reconnect:scheduled').length > 0);
    const error = bot.payloads('reconnect:scheduled')[0]?.error;
    expect(error?.message).toContain(`whatsapp-web.js may wait for ${ADDRESS}`);
  });

  it('holds up no destroy()', async () => {
    const bot = newBot(STRICT, silent);
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await bot.until('the question', () => vi.mocked(fetch).mock.calls.length > 0);
    const before = stage().clock.monotonic();
    await bot.stop();
    expect(stage().clock.monotonic() - before).toBeLessThan(5000);
    await expect(start).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
