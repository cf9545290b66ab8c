import { describe, expect, it } from 'vitest';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { rejections } from '../support/rejections.js';

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

  describe('client.initialize()', () => {
    const online = () => Object.assign(stage().whatsApp, { offline: false });

    it('starts the session, and resolves before its `ready`, as the plain client does', async () => {
      await stage().loggedInOnce();
      const bot = stage().bot({ session: BY_HAND });
      let heard = 0;
      await bot.finish(
        bot.client.initialize().then(() => {
          bot.client.on('ready', () => heard++);
        }),
      );
      expect(bot.session.status().lease.held).toBe(true);
      await bot.untilState('ready');
      expect(heard).toBe(1);
    });

    it('rejects at once where WhatsApp is unreachable; the session waits for it, and a second call joins', async () => {
      await stage().loggedInOnce();
      stage().whatsApp.offline = true;
      const bot = stage().bot({ session: BY_HAND });
      await expect(bot.finish(bot.client.initialize(), { limitMs: 0 })).rejects.toThrow(
        'net::ERR_CONNECTION_REFUSED',
      );
      await bot.untilState('reconnecting');
      const second = bot.client.initialize();
      await expect(bot.finish(second)).rejects.toThrow('net::ERR_CONNECTION_REFUSED');
      const third = bot.client.initialize();
      online();
      await bot.finish(third);
      await bot.untilState('ready');
      expect(bot.client.launches).toBe(3);
      expect(bot.payloads('lease:acquired')).toHaveLength(1);
    });

    it('causes no unhandled rejection where nobody listens to it', async () => {
      stage().whatsApp.offline = true;
      const bot = stage().bot({ session: BY_HAND });
      void bot.client.initialize(); // vitest fails the run on a rejection that nobody handles
      await bot.untilState('reconnecting');
      online();
      await bot.untilState('awaiting_qr');
    });

    it('ends no process in silence where nobody listens to it and there is no browser', async () => {
      const heard = rejections();
      const bot = stage().bot({ session: BY_HAND });
      bot.client.launchError = new Error('Could not find Chrome (ver. 146)');
      bot.client.initialize();
      await bot.untilState('failed');
      expect(await heard()).toEqual([
        expect.objectContaining({
          code: 'START_FAILED',
          message: expect.stringContaining('Could not find Chrome'),
        }),
      ]);
    });

    it('leaves nothing to node where the bot is stopped in the midst of it', async () => {
      const heard = rejections();
      stage().whatsApp.hangs = true;
      const bot = stage().bot({ session: BY_HAND });
      bot.client.initialize();
      await bot.until('the launch', () => bot.client.launches === 1);
      await bot.stop();
      expect(await heard()).toEqual([]);
    });

    it('waits out a navigation at a bad moment, after which the session starts once more at once', async () => {
      await stage().loggedInOnce();
      const bot = stage().bot({ session: BY_HAND });
      const race = new Error('Execution context was destroyed, most likely because of a navigation.');
      Object.defineProperty(bot.client, 'injectError', {
        get: () => (bot.client.launches === 1 ? race : undefined),
      });
      await bot.finish(bot.client.initialize());
      await bot.untilState('ready');
      expect(bot.client.launches).toBe(2);
    });

    it('does not reject for a browser that the session closes itself, over a QR that it holds back', async () => {
      await stage().loggedInOnce();
      stage().whatsApp.revokeAll();
      const bot = stage().bot({ session: BY_HAND });
      await bot.finish(bot.client.initialize());
      await bot.untilState('awaiting_qr');
      expect(bot.codes).toHaveLength(1);
    });

    it('rejects as the session does where there is no start of the client at all', async () => {
      const one = stage().bot({ session: BY_HAND });
      await one.logIn();
      const other = stage().bot({ session: BY_HAND });
      await expect(other.finish(other.client.initialize())).rejects.toMatchObject({ name: /Held|Locked/ });
      expect(other.client.launches).toBe(0);
    });

    it('rejects with ClosedError when destroy() comes between', async () => {
      stage().whatsApp.hangs = true;
      const bot = stage().bot({ session: BY_HAND });
      const start = bot.client.initialize();
      start.catch(() => undefined);
      await bot.until('the launch', () => bot.client.launches === 1);
      await bot.stop();
      await expect(start).rejects.toMatchObject({ code: 'CLOSED' });
    });
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

  it('still hears every event of its client, in order, `ready` once for each connection', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    bot.client.showLoading(50);
    bot.client.emit('message', { body: 'hello' });
    await bot.client.changeState('OPENING');
    await bot.client.changeState('CONNECTED');
    bot.client.emit('ready'); // of the same connection: it was told
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
