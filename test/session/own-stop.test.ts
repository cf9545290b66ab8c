import { describe, expect, it } from 'vitest';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const STOPS = { onConflict: 'stop', onLogout: 'stop', healthCheckIntervalMs: 0 } as const;

interface Case {
  readonly cause: string;
  readonly why: RegExp;
  readonly during?: 'start';
  readonly happens: (bot: FakeBot) => unknown;
}

const CASES: readonly Case[] = [
  {
    cause: 'qr-retries-used',
    why: /qrMaxRetries/,
    during: 'start',
    happens: (bot) => {
      bot.client.showQr();
      bot.client.showQr();
    },
  },
  { cause: 'conflict', why: /CONFLICT.*onConflict/, happens: (bot) => bot.client.changeState('CONFLICT') },
  {
    cause: 'auth-failure',
    why: /auth_failure.*the reason of it/,
    happens: (bot) => bot.client.emit('auth_failure', 'the reason of it'),
  },
  {
    cause: 'logged-out',
    why: /logged this device out.*onLogout/,
    happens: (bot) => bot.client.logOutByPhone(),
  },
  {
    cause: 'LEASE_LOST',
    why: /another process/,
    happens: async (bot) => {
      await bot.stage.takeOver();
      await bot.finish(bot.session.forceSave()).catch(() => undefined);
    },
  },
];

describe('a session that stops by itself', () => {
  const stage = useFakeStage();

  it.each(CASES)('says why: $cause', async ({ cause, why, during, happens }) => {
    const bot = stage().bot({ client: { qrMaxRetries: 1 }, session: STOPS });
    if (during === 'start') await bot.start();
    else await bot.logIn();
    await happens(bot);
    await bot.untilState('stopped');
    const changes = bot.payloads('state:changed').slice(-2);
    expect(changes).toEqual([
      expect.objectContaining({ to: 'stopping', cause }),
      { from: 'stopping', to: 'stopped', cause },
    ]);
    expect(bot.session.status().lastError?.message).toMatch(why);
    const { issues } = await bot.finish(bot.session.checkHealth());
    const told = issues.find(({ code }) => code === 'not-started')?.message;
    expect(told?.en).toMatch(why);
    expect(told?.ar).toMatch(why);
  });

  it('says so of a start, too, to whoever waits for it', async () => {
    const bot = stage().bot({ session: STOPS });
    const start = bot.session.initialize();
    start.catch(() => undefined);
    stage().whatsApp.hangs = true;
    await bot.until('the launch', () => bot.client.launches === 1);
    bot.client.emit('auth_failure', 'the reason of it');
    await expect(bot.finish(start)).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringMatching(/auth_failure.*the reason of it/),
    });
    await bot.untilState('stopped');
    expect(bot.payloads('state:changed').at(-1)).toMatchObject({ to: 'stopped', cause: 'auth-failure' });
  });

  it('says nothing of it any more once the session is up again', async () => {
    const bot = stage().bot({ session: STOPS });
    await bot.logIn();
    await bot.client.changeState('CONFLICT');
    await bot.untilState('stopped');
    await bot.start();
    await bot.untilState('ready');
    expect(bot.session.status().lastError).toBeUndefined();
  });

  it.each(CASES.filter(({ cause }) => cause === 'logged-out' || cause === 'conflict'))(
    'starts anew for a bot that asks for it in its `disconnected` handler: $cause',
    async ({ cause, happens }) => {
      const bot = stage().bot({ session: STOPS });
      await bot.logIn();
      const asked: Promise<void>[] = [];
      const ask = () => void asked.push(bot.client.initialize());
      bot.client.on('disconnected', ask);
      await happens(bot);
      await bot.until('the stop', () => bot.states.includes('stopped'));
      await bot.untilState(cause === 'conflict' ? 'ready' : 'awaiting_qr');
      expect(asked).toHaveLength(1);
      await bot.finish(Promise.all(asked));
    },
  );

  it('stays stopped where the bot asks for a start at a logout, and then closes', async () => {
    const bot = stage().bot({ session: STOPS });
    await bot.logIn();
    bot.client.on('disconnected', () => {
      bot.client.initialize().catch(() => undefined);
      bot.session.destroy().catch(() => undefined);
    });
    await bot.client.logOutByPhone();
    await bot.untilState('stopped');
    await stage().clock.advance(60_000);
    expect(bot.state).toBe('stopped');
  });

  it('gives no cause for a stop that was asked for', async () => {
    const bot = stage().bot({ session: STOPS });
    await bot.logIn();
    await bot.stop();
    expect(bot.payloads('state:changed').at(-1)).toEqual({ from: 'stopping', to: 'stopped' });
    expect(bot.session.status().lastError).toBeUndefined();
  });
});
