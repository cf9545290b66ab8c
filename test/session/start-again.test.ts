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
