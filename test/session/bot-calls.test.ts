import { describe, expect, it } from 'vitest';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = {
  forceSaveIntervalMs: 0,
  backupIntervalMs: 0,
  sessionValidationIntervalMs: 0,
  healthCheckIntervalMs: 0,
};

describe('what the bot itself calls', () => {
  const stage = useFakeStage();

  async function readyBot(session: object = {}): Promise<FakeBot> {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: { ...BY_HAND, ...session } });
    await bot.start();
    return bot;
  }

  it('client.destroy() is a stop with its final save, without a reconnect', async () => {
    const bot = await readyBot();
    await bot.note('before the stop');
    await bot.finish(bot.client.destroy());
    expect(bot.state).toBe('stopped');
    expect(bot.payloads('save:completed')).toMatchObject([{ snapshot: { capture: 'cold' } }]);
    await stage().clock.advance(600_000);
    expect(bot.state).toBe('stopped');
    expect(bot.client.launches).toBe(1);
  });

  it('client.initialize() starts the session', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: BY_HAND });
    await bot.finish(bot.client.initialize());
    expect(bot.state).toBe('ready');
    expect(bot.session.status().lease.held).toBe(true);
  });

  it('client.initialize() inside a `disconnected` listener joins the reconnect', async () => {
    const bot = await readyBot();
    bot.client.on('disconnected', () => void bot.client.initialize());
    await bot.client.changeState('UNPAIRED_IDLE');
    await bot.until('the loss', () => bot.state !== 'ready');
    await bot.untilState('ready');
    expect(bot.client.launches).toBe(2);
  });

  it('client.destroy() and then initialize() inside a `disconnected` listener comes up once, and is ready', async () => {
    const bot = await readyBot();
    bot.client.on('disconnected', async () => {
      await bot.client.destroy();
      await bot.client.initialize();
    });
    await bot.client.changeState('UNLAUNCHED');
    await bot.until('the second ready', () => bot.heard.filter(([name]) => name === 'ready').length > 1);
    expect(bot.state).toBe('ready');
    expect(bot.client.launches).toBe(2);
    expect(bot.states.filter((state) => state === 'stopped')).toHaveLength(1);
  });

  it("the client's own destroy() after a lost state is no stop", async () => {
    const bot = await readyBot();
    await bot.client.changeState('DEPRECATED_VERSION');
    await bot.until('the loss', () => bot.state !== 'ready');
    await bot.untilState('ready');
    expect(bot.states).not.toContain('stopped');
  });

  it('a client that has used all its QR codes ends in stopped', async () => {
    const bot = stage().bot({ client: { qrMaxRetries: 2 }, session: BY_HAND });
    await bot.start();
    for (let round = 0; round < 2; round++) bot.client.showQr();
    await bot.untilState('stopped');
    expect(bot.heard.at(-1)).toEqual(['disconnected', 'Max qrcode retries reached']);
    await stage().clock.advance(600_000);
    expect(bot.client.launches).toBe(1);
    expect(stage().clock.pendingTimers).toBe(0);
  });

  it('auth_failure ends in stopped, while it waits and while it starts', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    bot.client.emit('auth_failure', 'session restore failed');
    await bot.untilState('stopped');
    stage().whatsApp.stallsIn = 'PAIRING';
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await bot.until('the page', () => bot.client.pupPage?.state === 'PAIRING');
    bot.client.emit('auth_failure', 'session restore failed');
    await expect(bot.finish(start)).rejects.toMatchObject({ code: 'START_FAILED', retryable: false });
    await bot.untilState('stopped');
    expect(bot.heard.filter(([name]) => name === 'auth_failure')).toHaveLength(2);
  });

  it('still hears every event of its client, in order', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    bot.client.showLoading(50);
    bot.client.emit('message', { body: 'hello' });
    await bot.client.changeState('OPENING');
    await bot.client.changeState('CONNECTED');
    bot.client.emit('ready');
    await bot.client.changeState('CONFLICT');
    await bot.until('the loss', () => bot.state !== 'ready');
    await bot.untilState('ready');
    expect(bot.heard).toEqual([
      ['qr', 'code-1'],
      ['authenticated', undefined],
      ['ready', undefined],
      ['loading_screen', 50],
      ['change_state', 'OPENING'],
      ['change_state', 'CONNECTED'],
      ['ready', undefined],
      ['change_state', 'CONFLICT'],
      ['disconnected', 'CONFLICT'],
      ['authenticated', undefined],
      ['ready', undefined],
    ]);
  });

  it('gets what its own calls of the client give', async () => {
    const bot = await readyBot();
    expect(await bot.client.getState()).toBe('CONNECTED');
    expect(await bot.client.sendMessage('1@c.us', 'hi')).toHaveProperty('id');
  });

  it('may ask for a pairing code of its own', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(await bot.client.requestPairingCode('4915100000001')).toBe('code-2');
    await bot.stop();
    expect(await bot.client.requestPairingCode('4915100000001')).toBeUndefined();
  });
});
