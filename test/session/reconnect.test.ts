import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failInjection } from '../support/fail-injection.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

describe('a session that was ready', () => {
  const stage = useFakeStage();

  async function readyBot(session: object = {}, client: object = {}): Promise<FakeBot> {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: { ...BY_HAND, ...session }, client });
    await bot.start();
    return bot;
  }

  const faults: Record<string, (bot: FakeBot) => void> = {
    'browser-gone': (bot) => bot.client.pupBrowser?.kill(),
    'page-crashed': (bot) => bot.client.pupPage?.crash(),
    unpaired: (bot) => void bot.client.changeState('UNPAIRED'),
    'deprecated-version': (bot) => void bot.client.changeState('DEPRECATED_VERSION'),
    'proxy-blocked': (bot) => void bot.client.changeState('PROXYBLOCK'),
    'tos-blocked': (bot) => void bot.client.changeState('SMB_TOS_BLOCK'),
    'state-lost': (bot) => void bot.client.changeState('UNLAUNCHED'),
    'start-failed': (bot) => {
      failInjection(bot.client, new Error('Execution context was destroyed'));
      bot.client.pupPage?.navigate();
    },
  };

  it.each(Object.keys(faults))('comes back by itself: %s', async (cause) => {
    const bot = await readyBot();
    faults[cause]?.(bot);
    await bot.until('the loss', () => bot.state === 'reconnecting');
    await bot.untilState('ready');
    const names = bot.events.map(({ name }) => name).filter((name) => name.startsWith('reconnect:'));
    expect(names).toEqual(['reconnect:scheduled', 'reconnect:attempted', 'reconnect:succeeded']);
    expect(bot.payloads('reconnect:scheduled')).toMatchObject([{ attempt: 1, maxAttempts: 5, cause }]);
    expect(bot.payloads('reconnect:attempted')).toEqual([{ attempt: 1, cause }]);
    expect(bot.payloads('reconnect:succeeded')).toMatchObject([{ attempt: 1, cause }]);
    expect(bot.payloads('state:changed')).toContainEqual({ from: 'ready', to: 'reconnecting', cause });
    expect(bot.codes).toEqual([]);
    expect(bot.client.launches).toBe(2);
  });

  it('touches nothing when another took over while it waited and the machine slept', async () => {
    const bot = await readyBot();
    bot.client.pupBrowser?.kill();
    await bot.until('the wait', () => bot.payloads('reconnect:scheduled').length > 0);
    const theirs = '/bot/auth/.session-shop.persistent/staging/20300101T000000000Z-01234567/Default/theirs';
    await stage().fs.promises.mkdir(dirname(theirs), { recursive: true });
    await stage().fs.promises.writeFile(theirs, 'being restored by the new owner');
    stage().sleepMachine(60_000);
    await stage().takeOver();
    await bot.untilState('stopped', { limitMs: 60_000 });
    expect(bot.payloads('lease:lost')).toHaveLength(1);
    expect(bot.client.launches).toBe(1);
    expect(await stage().exists(theirs)).toBe(true);
  });

  it('waits before it comes back: a random time between half and the whole of reconnectDelayMs', async () => {
    const bot = await readyBot({ reconnectDelayMs: 10_000 });
    bot.client.pupBrowser?.kill();
    await bot.until('the schedule', () => bot.payloads('reconnect:scheduled').length > 0);
    const delayMs = bot.payloads('reconnect:scheduled')[0]?.delayMs ?? 0;
    expect(delayMs).toBeGreaterThanOrEqual(5000);
    expect(delayMs).toBeLessThanOrEqual(10_000);
    await stage().clock.advance(delayMs - 1);
    expect(bot.client.launches).toBe(1);
    await bot.untilState('ready');
  });

  it('is degraded while WhatsApp is in TIMEOUT, and ready again after it, without a restart', async () => {
    const bot = await readyBot();
    await bot.client.changeState('TIMEOUT');
    expect(bot.payloads('state:changed').at(-1)).toEqual({ from: 'ready', to: 'degraded', cause: 'TIMEOUT' });
    await bot.client.changeState('CONNECTED');
    expect(bot.state).toBe('ready');
    await stage().clock.advance(60_000);
    expect(bot.client.launches).toBe(1);
  });

  it('reconnects when WhatsApp stays in TIMEOUT for sessionTimeoutMs', async () => {
    const bot = await readyBot({ sessionTimeoutMs: 30_000 });
    await bot.client.changeState('TIMEOUT');
    await stage().clock.advance(29_999);
    expect(bot.state).toBe('degraded');
    await stage().clock.advance(1);
    expect(bot.state).toBe('reconnecting');
    await bot.untilState('ready');
    expect(bot.payloads('reconnect:succeeded')).toMatchObject([{ cause: 'timeout' }]);
  });

  it('saves nothing while it is degraded', async () => {
    const bot = await readyBot();
    await bot.client.changeState('TIMEOUT');
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'not-ready' });
  });

  describe('in a conflict', () => {
    it('waits at least a minute, doubling, before it takes WhatsApp Web back', async () => {
      const bot = await readyBot({ maxReconnectAttempts: 3 });
      const conflicts = () => bot.payloads('reconnect:scheduled').filter(({ cause }) => cause === 'conflict');
      for (let round = 1; round <= 3; round++) {
        await bot.client.changeState('CONFLICT');
        await bot.until('the wait', () => conflicts().length === round);
        await bot.untilState('ready');
      }
      const delays = conflicts().map(({ delayMs }) => delayMs);
      expect(delays[0]).toBe(60_000);
      expect(delays[1]).toBeGreaterThanOrEqual(60_000);
      expect(delays[2]).toBeGreaterThanOrEqual(120_000);
      expect(delays[2]).toBeLessThanOrEqual(240_000);
    });

    it("ends in stopped with everything kept when onConflict is 'stop'", async () => {
      const bot = await readyBot({ onConflict: 'stop' });
      await bot.client.changeState('CONFLICT');
      await bot.untilState('stopped');
      expect(bot.client.launches).toBe(1);
      expect((await bot.session.listSnapshots()).every(({ revoked }) => !revoked)).toBe(true);
    });

    it("ends in stopped, too, when the conflict comes during a start and onConflict is 'stop'", async () => {
      await stage().loggedInOnce();
      stage().whatsApp.stallsIn = 'PAIRING';
      const bot = stage().bot({ session: { ...BY_HAND, onConflict: 'stop' } });
      const start = bot.session.initialize();
      start.catch(() => undefined);
      await bot.until('the page', () => bot.client.pupPage?.state === 'PAIRING');
      await bot.client.changeState('CONFLICT');
      await expect(bot.finish(start)).rejects.toMatchObject({ code: 'START_FAILED', retryable: false });
      await bot.untilState('stopped');
    });

    it('under takeoverOnConflict is only degraded until the client has taken over', async () => {
      const bot = await readyBot({}, { takeoverOnConflict: true });
      await bot.client.changeState('CONFLICT');
      expect(bot.state).toBe('degraded');
      await bot.client.changeState('CONNECTED');
      expect(bot.state).toBe('ready');
      expect(bot.client.launches).toBe(1);
    });
  });

  it('counts its attempts until it was stable for a minute', async () => {
    const bot = await readyBot({ maxReconnectAttempts: 2 });
    const lose = async () => {
      bot.client.pupBrowser?.kill();
      await bot.until('the loss', () => bot.state !== 'ready');
      await bot.untilState('ready');
    };
    await lose();
    expect(bot.session.status().reconnect).toEqual({ attempt: 1, maxAttempts: 2 });
    await lose();
    expect(bot.session.status().reconnect).toEqual({ attempt: 2, maxAttempts: 2 });
    await stage().clock.advance(60_000);
    await lose();
    expect(bot.session.status().reconnect).toEqual({ attempt: 1, maxAttempts: 2 });
  });

  it('fails when a loop of losses has used its attempts up, and keeps everything', async () => {
    const bot = await readyBot({ maxReconnectAttempts: 2 });
    for (let round = 0; round < 2; round++) {
      bot.client.pupBrowser?.kill();
      await bot.until('the loss', () => bot.state !== 'ready');
      await bot.untilState('ready');
    }
    bot.client.pupBrowser?.kill();
    await bot.untilState('failed');
    const error = { code: 'browser-gone', message: expect.stringContaining('browser') };
    expect(bot.payloads('reconnect:exhausted')).toEqual([{ attempts: 2, cause: 'browser-gone', error }]);
    expect(await bot.session.listSnapshots()).toHaveLength(1);
    expect(bot.session.status().lease.held).toBe(false);
    expect(stage().clock.pendingTimers).toBe(0);
  });

  it.each([
    ['browser-gone', 'the browser'],
    ['page-crashed', 'page crashed'],
    ['unpaired', 'not logged in (disconnected: UNPAIRED)'],
    ['deprecated-version', 'this version of WhatsApp Web (disconnected: DEPRECATED_VERSION)'],
    ['proxy-blocked', 'a proxy'],
    ['tos-blocked', 'terms of service (disconnected: SMB_TOS_BLOCK)'],
    ['state-lost', '(disconnected: UNLAUNCHED)'],
    ['start-failed', 'Execution context was destroyed'],
  ])('says by what it was lost until it is up again, and where it is not: %s', async (cause, words) => {
    const bot = await readyBot({ maxReconnectAttempts: 1 });
    faults[cause]?.(bot);
    await bot.until('the loss', () => bot.payloads('reconnect:scheduled').length === 1);
    expect(bot.payloads('reconnect:scheduled')[0]?.error?.message).toContain(words);
    await bot.untilState('ready');
    expect(bot.session.status().lastError).toBeUndefined();
    faults[cause]?.(bot);
    await bot.untilState('failed');
    expect(bot.session.status().lastError?.message).toContain(words);
    expect(bot.payloads('reconnect:exhausted')[0]?.error?.message).toContain(words);
    const { issues } = await bot.finish(bot.session.checkHealth());
    expect(issues.find(({ code }) => code === 'failed')?.message.en).toContain(words);
  });

  it('fails where the browser ends under each QR at once', async () => {
    const bot = stage().bot({ session: { ...BY_HAND, maxReconnectAttempts: 2 } });
    await bot.start();
    for (let round = 2; round <= 3; round++) {
      bot.client.pupBrowser?.kill();
      await bot.until('a fresh QR', () => bot.codes.length === round);
    }
    expect(bot.session.status().reconnect.attempt).toBe(2);
    bot.client.pupBrowser?.kill();
    await bot.untilState('failed');
    expect(bot.session.status().lastError?.code).toBe('browser-gone');
  });

  it('never gives up with maxReconnectAttempts Infinity, and says so as null', async () => {
    const bot = await readyBot({ maxReconnectAttempts: Number.POSITIVE_INFINITY, reconnectMaxDelayMs: 5000 });
    bot.client.injectError = 'auth timeout';
    bot.client.pupBrowser?.kill();
    await bot.until('20 attempts', () => bot.payloads('reconnect:attempted').length >= 20);
    expect(bot.payloads('reconnect:scheduled')[0]?.maxAttempts).toBeNull();
    bot.client.injectError = undefined;
    await bot.untilState('ready');
  });

  it('loses nothing that happens in the moment between ready and the end of the start', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: BY_HAND });
    let isFirst = true;
    bot.client.on('ready', () => {
      if (isFirst) queueMicrotask(() => bot.client.pupBrowser?.kill());
      isFirst = false;
    });
    await bot.start();
    await bot.until('the reconnect', () => bot.payloads('reconnect:succeeded').length === 1);
    expect(bot.state).toBe('ready');
  });

  it('comes back when its browser dies, also where the bot has taken all listeners off it', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot();
    bot.client.on('ready', () => bot.client.pupBrowser?.removeAllListeners('disconnected'));
    await bot.start();
    await stage().clock.advance(30_000);
    bot.client.pupBrowser?.kill();
    await bot.until('the second launch', () => bot.client.launches === 2, { limitMs: 120_000 });
    await bot.untilState('ready');
    expect(bot.payloads('reconnect:succeeded').map(({ cause }) => cause)).toEqual(['browser-gone']);
  });

  it('restores a profile that was damaged while it ran, before it comes back', async () => {
    const bot = await readyBot();
    await stage().damageProfile(bot);
    bot.client.pupBrowser?.kill();
    await bot.until('the loss', () => bot.state !== 'ready');
    await bot.untilState('ready');
    expect(bot.payloads('restore:completed')).toMatchObject([{ reason: 'profile-damaged' }]);
    expect(bot.codes).toEqual([]);
  });

  it('finishes a save that runs when the browser goes, or ends it: never a save of half a state', async () => {
    const bot = await readyBot();
    await bot.note('new');
    const save = bot.session.forceSave();
    bot.client.pupBrowser?.kill();
    expect(await bot.finish(save)).toEqual({ skipped: 'not-ready' });
    await bot.untilState('ready');
  });
});

describe('a QR that waits', () => {
  const stage = useFakeStage();

  it('comes again in a new browser when the browser goes', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    bot.client.pupBrowser?.kill();
    await bot.until('the loss', () => bot.state === 'reconnecting');
    await bot.untilState('awaiting_qr');
    expect(bot.codes).toHaveLength(2);
    await bot.client.scan();
    await bot.untilState('ready');
  });
});

describe('reconnect() by hand', () => {
  const stage = useFakeStage();

  it('restarts a session that is ready, at once, with all attempts fresh', async () => {
    const bot = await stage().loggedInOnce({ session: BY_HAND });
    await bot.start();
    await bot.finish(bot.session.reconnect(), { limitMs: 1000 });
    expect(bot.state).toBe('ready');
    expect(bot.payloads('reconnect:scheduled')).toMatchObject([
      { delayMs: 0, attempt: 1, cause: 'requested' },
    ]);
    expect(bot.client.launches).toBe(3);
  });

  it('ends the wait of a reconnect that is under way, and begins anew', async () => {
    const bot = await stage().loggedInOnce({ session: { ...BY_HAND, reconnectDelayMs: 300_000 } });
    await bot.start();
    bot.client.pupBrowser?.kill();
    await bot.untilState('reconnecting');
    await bot.finish(bot.session.reconnect(), { limitMs: 10_000 });
    expect(bot.state).toBe('ready');
  });

  it('joins a start that is under way', async () => {
    const bot = stage().bot({ session: BY_HAND });
    const start = bot.session.initialize();
    await bot.finish(Promise.all([start, bot.session.reconnect()]));
    expect(bot.client.launches).toBe(1);
  });

  it('asks for a new QR while one waits', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    await bot.finish(bot.session.reconnect());
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.codes).toHaveLength(2);
  });

  it.each(['idle', 'stopped'])('is refused in %s, and says what to call', async (state) => {
    const bot = stage().bot({ session: BY_HAND });
    if (state === 'stopped') {
      await bot.start();
      await bot.stop();
    }
    const refused = expect(bot.session.reconnect()).rejects;
    await refused.toMatchObject({ code: 'INVALID_STATE', operation: 'reconnect' });
    await expect(bot.session.reconnect()).rejects.toThrow('initialize()');
  });
});
