import { describe, expect, it } from 'vitest';
import { stanceOf } from '../../src/supervision/ownership/stance.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

/** What published bots do with a plain client: the old one is let go of, a new one made with the same id. */
describe('a new Client with the same id in one process', () => {
  const stage = useFakeStage();

  async function readyBot(): Promise<FakeBot> {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    return bot;
  }

  const newBot = () => stage().bot({ session: BY_HAND });

  /** The old one has ended for good: nothing of it comes back, whatever time passes. */
  async function expectGone(old: FakeBot): Promise<void> {
    const { launches } = old.client;
    expect(old.state).toBe('stopped');
    await stage().clock.advance(600_000);
    expect(old.state).toBe('stopped');
    expect(old.client.launches).toBe(launches);
    expect(old.client.pupBrowser?.isConnected() ?? false).toBe(false);
    expect(old.session.status().lease.held).toBe(false);
  }

  async function expectTakenOver(old: FakeBot, next: FakeBot): Promise<void> {
    expect(next.state).toBe('ready');
    expect(next.codes).toEqual([]);
    await expectGone(old);
    expect(next.state).toBe('ready');
    await next.stop();
    expect(stage().clock.pendingTimers).toBe(0);
  }

  it.each(['UNPAIRED_IDLE', 'DEPRECATED_VERSION', 'CONFLICT'])(
    'made in the `disconnected` handler (%s) takes over',
    async (state) => {
      const old = await readyBot();
      const next = newBot();
      let start: Promise<void> | undefined;
      old.client.on('disconnected', () => {
        start = next.session.initialize();
      });
      await old.client.changeState(state);
      await old.until('the handler', () => start !== undefined);
      await next.finish(start ?? Promise.reject(new Error('no start')));
      expect(old.payloads('state:changed').at(-1)).toMatchObject({ to: 'stopped', cause: 'replaced' });
      await expectTakenOver(old, next);
    },
  );

  it('made after a while, when the old one is up again, takes over: its bot was told that it is gone', async () => {
    const old = await readyBot();
    await old.client.changeState('UNPAIRED_IDLE');
    await old.until('the loss', () => old.state !== 'ready');
    await old.untilState('ready');
    const next = newBot();
    await next.start();
    await expectTakenOver(old, next);
    expect(old.payloads('save:completed').length + old.payloads('save:skipped').length).toBe(1); // its final save
  });

  it('is refused when the bot has asked for the old one since', async () => {
    const old = await readyBot();
    old.client.on('disconnected', () => void old.client.initialize());
    await old.client.changeState('UNPAIRED_IDLE');
    await old.until('the loss', () => old.state !== 'ready');
    await old.untilState('ready');
    await expect(newBot().start()).rejects.toMatchObject({ code: 'PROFILE_LOCKED' });
    expect(old.state).toBe('ready');
  });

  it('made after a logout shows the QR, once', async () => {
    const old = await readyBot();
    const next = newBot();
    let start: Promise<void> | undefined;
    old.client.on('disconnected', () => {
      start ??= next.session.initialize();
    });
    await old.client.logOutByPhone();
    await old.until('the handler', () => start !== undefined);
    await next.finish(start ?? Promise.reject(new Error('no start')));
    expect(next.state).toBe('awaiting_qr');
    expect(old.codes).toEqual([]);
    expect((await next.session.listSnapshots()).every(({ revoked }) => revoked)).toBe(true);
    await expectGone(old);
  });

  it.each([
    ['client.destroy()', (old: FakeBot) => old.client.destroy()],
    ['session.destroy()', (old: FakeBot) => old.session.destroy()],
  ])('made right after %s, which nobody awaits, waits for it', async (_name, destroy) => {
    const old = await readyBot();
    await old.note('for the final save');
    void destroy(old);
    const next = newBot();
    await next.start();
    expect(old.payloads('save:completed')).toMatchObject([{ snapshot: { capture: 'cold' } }]);
    expect(await next.client.readLogin()).toMatchObject({ note: 'for the final save' });
    await expectTakenOver(old, next);
  });

  it('made right after client.logout(), which nobody awaits, shows a QR', async () => {
    const old = await readyBot();
    void old.client.logout();
    const next = newBot();
    await next.start();
    expect(next.state).toBe('awaiting_qr');
    await expectGone(old);
  });

  it('made after a destroy() that was awaited is ready', async () => {
    const old = await readyBot();
    await old.finish(old.client.destroy());
    const next = newBot();
    await next.start();
    await expectTakenOver(old, next);
  });

  it('made by a watchdog when the browser is dead takes over at once', async () => {
    const old = await readyBot();
    old.client.pupBrowser?.kill();
    const next = newBot();
    await next.start();
    await expectTakenOver(old, next);
  });

  it('made while the old one tries to connect takes over', async () => {
    const old = await readyBot();
    stage().whatsApp.offline = true;
    old.client.pupBrowser?.kill();
    await old.untilState('reconnecting');
    await stage().clock.advance(60_000);
    stage().whatsApp.offline = false;
    const next = newBot();
    await next.start();
    await expectTakenOver(old, next);
  });

  it.each([false, true])(
    'made after client.initialize() has rejected takes over, also from one that is up since (another try: %s)',
    async (triesAgain) => {
      await stage().loggedInOnce();
      const old = stage().bot({ session: BY_HAND });
      stage().whatsApp.offline = true;
      await expect(old.finish(old.client.initialize())).rejects.toThrow(/net::ERR/);
      stage().whatsApp.offline = false;
      if (triesAgain) await old.finish(old.client.initialize());
      await old.untilState('ready');
      const next = newBot();
      if (triesAgain) {
        await expect(next.start()).rejects.toMatchObject({ code: 'PROFILE_LOCKED' });
        return;
      }
      await next.start();
      await expectTakenOver(old, next);
    },
  );

  it('is refused where nobody has heard that the start of the old one has failed', async () => {
    await stage().loggedInOnce();
    const old = stage().bot({ session: BY_HAND });
    stage().whatsApp.offline = true;
    void old.client.initialize();
    await old.untilState('reconnecting');
    stage().whatsApp.offline = false;
    await old.untilState('ready');
    await expect(newBot().start()).rejects.toMatchObject({ code: 'PROFILE_LOCKED' });
  });

  it('two that come at once: one takes over, the other is refused', async () => {
    const old = await readyBot();
    void old.client.destroy();
    const [first, second] = [newBot(), newBot()];
    const starts = await first.finish(
      Promise.allSettled([first.session.initialize(), second.session.initialize()]),
    );
    expect(starts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect([first.state, second.state].filter((state) => state === 'ready')).toHaveLength(1);
  });

  it('a destroy() of the new one ends its wait', async () => {
    const old = await readyBot();
    if (old.client.pupBrowser) old.client.pupBrowser.hangs = true;
    void old.client.destroy();
    const next = newBot();
    const start = next.session.initialize();
    start.catch(() => undefined);
    await next.finish(next.session.destroy(), { limitMs: 1000 });
    await expect(start).rejects.toMatchObject({ code: 'CLOSED' });
    expect(next.client.launches).toBe(0);
  });

  it('is refused while the old one is up and its bot has not let go: both are told what to do', async () => {
    const old = await readyBot();
    const next = newBot();
    await expect(next.start({ limitMs: 1000 })).rejects.toMatchObject({
      code: 'PROFILE_LOCKED',
      message: expect.stringMatching(/another session of this process.*destroy\(\) that one first/),
    });
    expect(old.state).toBe('ready');
    const waiting = newBot();
    await expect(waiting.start({ limitMs: 1000 })).rejects.toMatchObject({ code: 'PROFILE_LOCKED' });
  });

  it('is refused while a QR of the old one waits to be scanned', async () => {
    const old = newBot();
    await old.start();
    await expect(newBot().start({ limitMs: 1000 })).rejects.toMatchObject({ code: 'PROFILE_LOCKED' });
    expect(old.state).toBe('awaiting_qr');
  });
});

describe('how a session stands to a newcomer', () => {
  const up = { isMeantToRun: true, isLetGo: false, state: 'ready', isConnected: true } as const;

  it.each([
    ['is up', {}, 'keeps'],
    ['shows a QR', { state: 'awaiting_qr' }, 'keeps'],
    ['starts, without a browser yet', { state: 'restoring', isConnected: false }, 'keeps'],
    ['has no browser any more', { isConnected: false }, 'yields'],
    ['tries to connect', { state: 'reconnecting' }, 'yields'],
    ['was let go of', { isLetGo: true }, 'yields'],
    ['is being closed', { isMeantToRun: false, isLetGo: true, state: 'stopping' }, 'leaving'],
  ] as const)('%s', (_name, facts, stance) => {
    expect(stanceOf({ ...up, ...facts })).toBe(stance);
  });
});
