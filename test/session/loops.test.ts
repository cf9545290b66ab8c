import { beforeEach, describe, expect, it } from 'vitest';
import { failInjection } from '../support/fail-injection.js';
import type { FakeBot, FakeBotOptions } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, sessionValidationIntervalMs: 0 };
const DELAY_MS = 10_000;
/** Nothing starts twice within this time, but for the first answer to a logout or to a call by hand. */
const FLOOR_MS = DELAY_MS / 2;

describe('nothing loops faster than the backoff', () => {
  const stage = useFakeStage();
  /** When the browser was launched, ms of the manual clock. */
  let launches: number[] = [];
  beforeEach(() => {
    launches = [];
  });

  async function loggedInBot(options: FakeBotOptions = {}): Promise<FakeBot> {
    await stage().loggedInOnce();
    const session = { ...BY_HAND, reconnectDelayMs: DELAY_MS, ...options.session };
    const bot = stage().bot({ ...options, session });
    const { authStrategy } = bot.client;
    const before = authStrategy.beforeBrowserInitialized.bind(authStrategy);
    authStrategy.beforeBrowserInitialized = async () => {
      launches.push(stage().clock.monotonic());
      await before();
    };
    return bot;
  }

  /** The times between two launches, shortest first. */
  function gaps(): readonly number[] {
    return launches
      .slice(1)
      .map((at, index) => at - (launches[index] ?? 0))
      .sort((a, b) => a - b);
  }

  /** How many starts came sooner than the floor: those that may come at once. Fewer where a busy machine delays them. */
  function earlyStarts(): number {
    return gaps().filter((gap) => gap < FLOOR_MS).length;
  }

  /** Starts a bot that will not hold; `initialize()` may fail. */
  function startLoop(bot: FakeBot): void {
    bot.session.initialize().catch(() => undefined);
  }

  it.each(['UNPAIRED', 'TOS_BLOCK', 'DEPRECATED_VERSION', 'PROXYBLOCK'])(
    'a client that is lost to %s as soon as it is ready',
    async (state) => {
      const bot = await loggedInBot();
      bot.client.on('ready', () => queueMicrotask(() => void bot.client.changeState(state)));
      startLoop(bot);
      await bot.untilState('failed');
      expect(launches).toHaveLength(1 + 5);
      expect(gaps()[0]).toBeGreaterThanOrEqual(FLOOR_MS);
      expect(bot.payloads('reconnect:exhausted')).toMatchObject([{ attempts: 5 }]);
    },
  );

  it('a client that meets a CONFLICT as soon as it is ready: at least a minute', async () => {
    const bot = await loggedInBot();
    bot.client.on('ready', () => queueMicrotask(() => void bot.client.changeState('CONFLICT')));
    startLoop(bot);
    await bot.untilState('failed');
    expect(gaps()[0]).toBeGreaterThanOrEqual(60_000);
  });

  it('a CONFLICT that comes before ready: at least a minute, also between the retries of initialize()', async () => {
    const bot = await loggedInBot({ session: { maxInitRetries: 2, maxReconnectAttempts: 1 } });
    stage().whatsApp.stallsIn = 'PAIRING';
    startLoop(bot);
    for (let round = 1; round <= 4; round++) {
      await bot.until('the page', () => launches.length === round && bot.client.pupPage?.state === 'PAIRING');
      await bot.client.changeState('CONFLICT');
    }
    await bot.untilState('failed');
    expect(launches).toHaveLength(4);
    expect(gaps()[0]).toBeGreaterThanOrEqual(60_000);
  });

  it('a browser that dies a second after it was stable, for ever: never faster, and never given up', async () => {
    const bot = await loggedInBot();
    startLoop(bot);
    for (let round = 1; round <= 8; round++) {
      await bot.until('ready', () => bot.client.launches === round && bot.state === 'ready');
      await stage().clock.advance(61_000);
      bot.client.pupBrowser?.kill();
    }
    await bot.untilState('reconnecting');
    expect(gaps()[0]).toBeGreaterThanOrEqual(61_000 + FLOOR_MS);
    expect(bot.payloads('reconnect:scheduled').map(({ attempt }) => attempt)).toEqual(Array(8).fill(1));
  });

  it('a browser that dies under every QR: the attempts count, and end', async () => {
    const bot = await loggedInBot();
    await stage().remove('/bot');
    bot.client.on('qr', () => setImmediate(() => bot.client.pupBrowser?.kill()));
    startLoop(bot);
    await bot.untilState('failed');
    expect(launches).toHaveLength(1 + 5);
    expect(gaps()[0]).toBeGreaterThanOrEqual(FLOOR_MS);
  });

  it('a client that is ready and then logged out, again and again: only the first is answered at once', async () => {
    const bot = await loggedInBot();
    const logOut = () => {
      bot.client.emit('ready');
      bot.client.emit('disconnected', 'LOGOUT');
    };
    bot.client.on('qr', () => setImmediate(logOut));
    await stage().remove('/bot');
    startLoop(bot);
    await bot.untilState('failed');
    expect(launches).toHaveLength(2 + 5);
    expect(earlyStarts()).toBeLessThanOrEqual(1);
    expect(bot.payloads('reconnect:exhausted')).toMatchObject([{ attempts: 5, cause: 'logged-out' }]);
  });

  it('a server that answers every start with a logout: two starts, then the delays of failed ones', async () => {
    const bot = await loggedInBot({ session: { maxInitRetries: 1, maxReconnectAttempts: 2 } });
    bot.client.inject = async () => void bot.client.emit('disconnected', 'LOGOUT');
    startLoop(bot);
    await bot.untilState('failed');
    expect(launches).toHaveLength(2 * 4);
    expect(earlyStarts()).toBeLessThanOrEqual(4);
    expect(bot.payloads('reconnect:exhausted')).toMatchObject([{ attempts: 2, cause: 'logged-out' }]);
  });

  it('a storm of failed injections under a session that was ready: one loss', async () => {
    const bot = await loggedInBot();
    await bot.start();
    failInjection(bot.client, new Error('Execution context was destroyed'));
    for (let navigation = 0; navigation < 100; navigation++) bot.client.pupPage?.navigate();
    await bot.until('the loss', () => bot.state === 'reconnecting');
    await bot.untilState('ready');
    expect(launches).toHaveLength(2);
    expect(gaps()[0]).toBeGreaterThanOrEqual(FLOOR_MS);
  });

  it('an injection that fails at every start: twice at once, then the delay; an older copy once at once', async () => {
    const bot = await loggedInBot({ session: { maxInitRetries: 1, maxReconnectAttempts: 2 } });
    bot.client.injectError = new Error('Execution context was destroyed');
    startLoop(bot);
    await bot.untilState('failed');
    const ofAnOlderCopy = 1;
    expect(launches).toHaveLength(2 * 4 + ofAnOlderCopy);
    expect(earlyStarts()).toBeLessThanOrEqual(4 + ofAnOlderCopy);
  });

  it.each([
    ['at once', (work: () => void) => work()],
    ['a moment later', (work: () => void) => void setImmediate(work)],
  ])(
    'a bot that calls reconnect() on every loss, %s: at once no more often than once a minute',
    async (_, call) => {
      const bot = await loggedInBot();
      bot.session.on('reconnect:scheduled', () => {
        call(() => void bot.session.reconnect().catch(() => undefined));
      });
      bot.client.on('ready', () => setImmediate(() => bot.client.pupBrowser?.kill()));
      startLoop(bot);
      await bot.until('20 starts', () => launches.length >= 20 || bot.state === 'failed');
      expect(earlyStarts()).toBeLessThanOrEqual(Math.ceil(stage().clock.monotonic() / 60_000));
    },
  );

  it('a bot that calls reconnect() at every ready', async () => {
    const bot = await loggedInBot({ session: { maxReconnectAttempts: 3 } });
    bot.client.on('ready', () => setImmediate(() => void bot.session.reconnect().catch(() => undefined)));
    startLoop(bot);
    await bot.untilState('failed');
    expect(earlyStarts()).toBeLessThanOrEqual(1);
    expect(bot.payloads('reconnect:exhausted')).toMatchObject([{ attempts: 3, cause: 'requested' }]);
  });

  it('a network that is gone: the time between two tries grows to 15 s, and no attempt is used', async () => {
    const bot = await loggedInBot({ session: { reconnectDelayMs: 2000 } });
    stage().whatsApp.offline = true;
    startLoop(bot);
    await bot.until('20 tries', () => launches.length >= 20);
    expect(gaps()[0]).toBeGreaterThanOrEqual(1000);
    expect(launches.at(-1)).toBeGreaterThan(20 * 5000);
    expect(bot.session.status().reconnect.attempt).toBe(0);
    stage().whatsApp.offline = false;
    await bot.untilState('ready');
  });
});
