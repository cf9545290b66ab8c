import { describe, expect, it } from 'vitest';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const FAST = { maxInitRetries: 0, maxReconnectAttempts: 1, reconnectDelayMs: 1000, healthCheckIntervalMs: 0 };
const CALLS = ['initialize', 'reconnect'] as const;

describe('a bot that starts again when it hears that its start has failed', () => {
  const stage = useFakeStage();

  async function failingBot(): Promise<FakeBot> {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: FAST });
    bot.client.injectError = 'auth timeout';
    return bot;
  }

  /** Nothing is wrong any more, and the bot's own code says so. */
  function startAgain(bot: FakeBot, call: (typeof CALLS)[number]): void {
    bot.client.injectError = undefined;
    bot.session[call]().catch(() => undefined);
  }

  async function expectUp(bot: FakeBot): Promise<void> {
    await bot.untilState('ready', { limitMs: 600_000 });
    expect(bot.session.status().lease.held).toBe(true);
    expect(bot.codes).toEqual([]);
    expect(await bot.save('as ever')).toMatchObject({ kind: 'save' });
  }

  it.each(CALLS)('comes up by %s() in a listener of reconnect:exhausted', async (call) => {
    const bot = await failingBot();
    bot.session.on('reconnect:exhausted', () => startAgain(bot, call));
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    await expectUp(bot);
  });

  it.each(CALLS)('comes up by %s() in a listener of state:changed', async (call) => {
    const bot = await failingBot();
    bot.session.on('state:changed', ({ to }) => {
      if (to === 'failed') startAgain(bot, call);
    });
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    await expectUp(bot);
  });

  it.each([1, 2, 3, 5, 8, 13, 21, 34])(
    'comes up where it starts again while the failed start is cleaned up, %i turns later',
    async (turns) => {
      const bot = await failingBot();
      let again: Promise<void> | undefined;
      bot.session.on('reconnect:exhausted', async () => {
        for (let turn = 0; turn < turns; turn++) await undefined;
        bot.client.injectError = undefined;
        again = bot.session.initialize();
      });
      await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
      await bot.until('the call', () => again !== undefined);
      await bot.finish(again ?? Promise.reject(new Error('it was not called')));
      await expectUp(bot);
    },
  );

  it('stays down where destroy() comes in between', async () => {
    const bot = await failingBot();
    let again: Promise<void> | undefined;
    bot.session.on('reconnect:exhausted', () => {
      bot.client.injectError = undefined;
      again = bot.session.initialize();
      again.catch(() => undefined);
      bot.session.destroy().catch(() => undefined);
    });
    await expect(bot.start()).rejects.toThrow();
    await expect(bot.finish(again ?? Promise.resolve())).rejects.toMatchObject({ code: 'CLOSED' });
    await bot.untilState('stopped');
  });
});

describe('a bot that starts again after every failure', () => {
  const stage = useFakeStage();
  const FLOOR_MS = FAST.reconnectDelayMs / 2;

  /** Without a browser: each start fails at once. Tells when each began. */
  function hopelessBot(): { readonly bot: FakeBot; readonly begins: number[] } {
    const begins: number[] = [];
    const bot = stage().bot({ session: FAST });
    bot.client.launchError = new Error('Could not find Chrome (ver. 146)');
    bot.session.on('state:changed', ({ to }) => {
      if (to === 'restoring') begins.push(stage().clock.monotonic());
    });
    return { bot, begins };
  }

  async function expectPaced(bot: FakeBot, begins: readonly number[], from: number): Promise<void> {
    const isOver = () => stage().clock.monotonic() - from >= 20 * FLOOR_MS;
    await bot.until('ten seconds', isOver, { stepMs: FLOOR_MS / 5 });
    expect(begins.length).toBeGreaterThan(10);
    // The first one after a failure may come at once: somebody may have mended it.
    for (const [index, at] of begins.slice(2).entries()) {
      expect(at - from).toBeGreaterThanOrEqual((index + 1) * FLOOR_MS);
    }
  }

  const BOUND = 300;

  it('by a listener of state:changed is held to half a reconnectDelayMs', async () => {
    const { bot, begins } = hopelessBot();
    const from = stage().clock.monotonic();
    let calls = 0;
    bot.session.on('state:changed', ({ to }) => {
      if (to === 'failed' && ++calls < BOUND) bot.session.initialize().catch(() => undefined);
    });
    bot.session.initialize().catch(() => undefined);
    await expectPaced(bot, begins, from);
    expect(calls).toBeLessThan(BOUND);
  });

  it.each(['session.initialize()', 'session.reconnect()', 'client.initialize()'])(
    'by awaiting %s in a loop is held to it, too',
    async (call) => {
      const { bot, begins } = hopelessBot();
      const from = stage().clock.monotonic();
      const start = () => {
        if (call === 'client.initialize()') return bot.client.initialize();
        return call === 'session.reconnect()' && bot.state === 'failed'
          ? bot.session.reconnect()
          : bot.session.initialize();
      };
      let calls = 0;
      const isOver = (async () => {
        for (let goesOn = true; goesOn && calls < BOUND; calls++) {
          goesOn = await start().then(
            () => false,
            (error: { code?: unknown }) => error.code !== 'CLOSED',
          );
        }
      })();
      await expectPaced(bot, begins, from);
      await bot.stop(); // ends the wait
      await isOver;
      expect(calls).toBeLessThan(BOUND);
    },
  );

  it('is held to it where each start is refused before its first attempt, too', async () => {
    await stage().fs.promises.mkdir('/bot', { recursive: true });
    await stage().fs.promises.writeFile('/bot/session', 'a file');
    const bot = stage().bot({ session: FAST });
    const from = stage().clock.monotonic();
    const isOver = (async () => {
      for (let round = 0; round < 10; round++) {
        await expect(bot.session.initialize()).rejects.toMatchObject({ code: 'CONFIGURATION' });
      }
    })();
    await bot.finish(isOver, { stepMs: FLOOR_MS / 5 });
    expect(stage().clock.monotonic() - from).toBeGreaterThanOrEqual(8 * FLOOR_MS);
  });

  it('holds up neither destroy() nor a start that follows one that passed', async () => {
    const { bot } = hopelessBot();
    for (let round = 0; round < 2; round++) await expect(bot.start()).rejects.toThrow('no browser');
    const waiting = bot.session.initialize();
    waiting.catch(() => undefined);
    const joined = bot.session.initialize();
    joined.catch(() => undefined);
    await bot.finish(bot.session.destroy(), { limitMs: 0 });
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(joined).rejects.toMatchObject({ code: 'CLOSED' });
    bot.client.launchError = undefined;
    await bot.start();
    await bot.stop();
    await bot.finish(bot.session.initialize(), { limitMs: 0 });
    expect(bot.state).toBe('awaiting_qr');
  });
});
