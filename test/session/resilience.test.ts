import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failInjection } from '../support/fail-injection.js';
import { BY_HAND } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

describe('nothing here ever becomes an unhandled rejection', () => {
  const stage = useFakeStage();
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  beforeEach(() => {
    unhandled.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(async () => {
    await new Promise((resolve) => setTimeout(resolve, 0)); // node tells after the microtasks
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  it('when listeners of the session throw or reject: each is told as a warning, the others are called', async () => {
    const bot = stage().bot({ session: BY_HAND });
    const heard: string[] = [];
    bot.session.on('state:changed', () => {
      throw new Error('thrown by a listener');
    });
    bot.session.on('state:changed', (async () => {
      throw new Error('rejected by a listener');
    }) as () => void);
    bot.session.on('state:changed', ({ to }) => heard.push(to));
    bot.session.on('warning', () => {
      throw new Error('thrown by a listener of warning');
    });
    await bot.logIn();
    expect(heard.at(-1)).toBe('ready');
    const messages = bot.payloads('warning').map(({ message }) => message);
    expect(messages).toContain('a listener of state:changed failed: thrown by a listener');
    expect(messages).toContain('a listener of state:changed failed: rejected by a listener');
    expect(messages.join()).not.toContain('a listener of warning');
  });

  it("when the bot's own listener of `ready` throws: the session is ready all the same", async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: BY_HAND });
    bot.client.on('ready', () => {
      throw new Error('thrown by the bot');
    });
    await bot.start();
    expect(bot.state).toBe('ready');
  });

  it('when the browser dies under a handler of the page', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    bot.client.pupPage?.navigate(); // the client injects itself again
    bot.client.pupBrowser?.kill();
    await bot.until('the loss', () => bot.state !== 'ready');
    await bot.untilState('ready');
  });

  it('when a navigation at a bad moment makes the injection fail', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    failInjection(bot.client, new Error('Execution context was destroyed'));
    bot.client.pupPage?.navigate();
    await bot.until('the loss', () => bot.state !== 'ready');
    await bot.untilState('ready');
    expect(bot.payloads('reconnect:succeeded')).toMatchObject([{ cause: 'start-failed' }]);
  });

  it('when an own handler of the bot on the page rejects as the browser dies', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const { pupPage, pupBrowser } = bot.client;
    pupPage?.on('response', async () => pupBrowser?.closed);
    pupPage?.emit('response');
    pupBrowser?.kill();
    await bot.until('the loss', () => bot.state !== 'ready');
    await bot.untilState('ready');
  });

  it('when a page promise that nobody awaits rejects (the takeover of a conflict)', async () => {
    const bot = stage().bot({ client: { takeoverOnConflict: true }, session: BY_HAND });
    await bot.logIn();
    const { pupPage, pupBrowser } = bot.client;
    pupBrowser?.kill();
    void pupPage?.evaluate('Socket.takeover()');
    await bot.until('the loss', () => bot.state !== 'ready');
    await bot.untilState('ready');
  });

  it('when initialize() fails and nobody listens to it', async () => {
    const bot = stage().bot({ session: { ...BY_HAND, maxInitRetries: 0, maxReconnectAttempts: 0 } });
    bot.client.injectError = 'auth timeout';
    bot.session.initialize().catch(() => undefined);
    await bot.untilState('failed');
  });

  it.each([
    ['QR', {}],
    ['pairing code', { pairWithPhoneNumber: '4915100000001' }],
  ])(
    "when the browser dies in the bot's own listener of the %s: another one follows",
    async (_name, client) => {
      const bot = stage().bot({ client, session: BY_HAND });
      const kill = () => void (bot.client.launches === 1 && bot.client.pupBrowser?.kill());
      bot.client.on('qr', kill);
      bot.client.on('code', kill);
      await bot.start();
      await bot.until('the next one', () => bot.codes.length === 2);
      await bot.untilState('awaiting_qr');
    },
  );

  it('when the browser dies while a pairing code is requested', async () => {
    const bot = stage().bot({ client: { pairWithPhoneNumber: '4915100000001' }, session: BY_HAND });
    const { requestPairingCode } = bot.client;
    bot.client.requestPairingCode = (phoneNumber) => {
      if (bot.client.launches === 1) bot.client.pupBrowser?.kill();
      return requestPairingCode.call(bot.client, phoneNumber);
    };
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.client.launches).toBe(2);
  });

  it('when the record of the session can not be written at ready: a warning', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: BY_HAND });
    bot.client.on('authenticated', () => {
      stage().fs.arm({ path: 'session.json', failOn: 1, times: Number.POSITIVE_INFINITY });
    });
    await bot.start();
    await bot.until('the warning', () => bot.warnings.includes('cleanup-failed'));
    expect(bot.state).toBe('ready');
    stage().fs.arm({});
  });

  it('when the disk fails at a start: it is tried again', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: BY_HAND });
    stage().fs.arm({ path: 'browser.json', operation: 'handle.writeFile', failOn: 1, errno: 'EIO' });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.client.launches).toBe(1);
  });

  it('when leftovers can not be removed: a warning, and the session starts', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: BY_HAND });
    await stage().fs.promises.mkdir('/bot/auth/.session-shop.persistent/staging/old', { recursive: true });
    stage().fs.arm({ path: 'staging', operation: 'readdir', failOn: 1, errno: 'EACCES' });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.warnings).toContain('cleanup-failed');
  });
});
