import { describe, expect, it, vi } from 'vitest';
import type { HealthReport } from '../../src/index.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

// How busy the machine of the test is, is no matter of the test.
vi.mock('../../src/supervision/health/event-loop-meter.js', () => ({
  EventLoopMeter: class {
    start(): void {}
    stop(): void {}
    read(): number {
      return 1;
    }
  },
}));

const TIMED = { healthCheckIntervalMs: 15_000, puppeteerTimeoutMs: 5000, sessionValidationIntervalMs: 0 };
const BY_HAND = { ...TIMED, healthCheckIntervalMs: 0, forceSaveIntervalMs: 0, backupIntervalMs: 0 };

describe('the health of a session', () => {
  const stage = useFakeStage();

  async function readyBot(session: object = TIMED): Promise<FakeBot> {
    await stage().loggedInOnce();
    const bot = stage().bot({ session });
    await bot.start();
    return bot;
  }

  const reports = (bot: FakeBot): readonly HealthReport[] =>
    bot.payloads('health:checked').map(({ report }) => report);

  const codes = (report: HealthReport | undefined) => report?.issues.map(({ code }) => code);

  /** Lets so many timed checks pass. */
  async function untilChecks(bot: FakeBot, count: number): Promise<void> {
    const goal = reports(bot).length + count;
    await bot.until(`${count} checks`, () => reports(bot).length >= goal);
  }

  it('is good while it is ready: connected by the page’s own word, saved, owned', async () => {
    const bot = await readyBot();
    await untilChecks(bot, 4);
    const report = reports(bot).at(-1);
    // A disk in memory is one disk.
    expect(codes(report)?.filter((code) => code !== 'same-disk')).toEqual([]);
    expect(report).toMatchObject({
      status: 'healthy',
      metrics: { state: 'ready', connected: true, leaseHeld: true },
    });
    expect(report?.metrics.saves).toBeGreaterThan(0);
    expect(report?.metrics.essentialBytes).toBeGreaterThan(0);
    expect(bot.session.status().health).toMatchObject({ score: report?.score, status: 'healthy' });
  });

  it('is checked every healthCheckIntervalMs in every state, and never after destroy()', async () => {
    const bot = stage().bot({ session: TIMED });
    await bot.start();
    await untilChecks(bot, 2);
    expect(codes(reports(bot).at(-1))).toContain('awaiting-qr');
    await bot.client.scan();
    await bot.untilState('ready');
    await untilChecks(bot, 1);
    await bot.stop();
    const count = reports(bot).length;
    await stage().clock.advance(3_600_000);
    expect(reports(bot)).toHaveLength(count);
    expect(stage().clock.pendingTimers).toBe(0);
  });

  it('is not told by a timed check that destroy() has overtaken', async () => {
    const bot = await readyBot();
    await untilChecks(bot, 1);
    const page = bot.client.pupPage as unknown as { evaluate: (script: string) => Promise<unknown> };
    const hung = vi.spyOn(page, 'evaluate').mockReturnValue(new Promise(() => undefined));
    await stage().clock.advance(TIMED.healthCheckIntervalMs); // one is under way now, and hangs
    hung.mockRestore();
    await bot.stop();
    expect(stage().clock.pendingTimers, 'the deadline of what hangs').toBeGreaterThan(0);
    const count = reports(bot).length;
    await stage().clock.advance(TIMED.puppeteerTimeoutMs);
    await bot.until('all is quiet', () => true);
    expect(reports(bot)).toHaveLength(count);
    expect(stage().clock.pendingTimers).toBe(0);
  });

  it('is still told while the session has failed', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot({ session: { ...TIMED, maxInitRetries: 0, maxReconnectAttempts: 0 } });
    bot.client.injectError = 'auth timeout';
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    await untilChecks(bot, 1);
    expect(codes(reports(bot).at(-1))).toEqual(expect.arrayContaining(['failed', 'reconnects-exhausted']));
    await bot.stop();
    expect(stage().clock.pendingTimers).toBe(0);
  });

  it('is not told any more when initialize() was refused', async () => {
    const first = await readyBot(BY_HAND);
    const second = stage().bot({ session: TIMED });
    await expect(second.start()).rejects.toMatchObject({ code: 'PROFILE_LOCKED' });
    const pending = stage().clock.pendingTimers;
    await stage().clock.advance(60_000);
    expect(reports(second)).toEqual([]);
    expect(stage().clock.pendingTimers).toBeLessThanOrEqual(pending);
    expect(first.state).toBe('ready');
  });

  it('of one that was never started is no illness', async () => {
    const bot = stage().bot({ session: TIMED });
    const report = await bot.finish(bot.session.checkHealth());
    expect(codes(report)?.filter((code) => code !== 'same-disk')).toEqual(['not-started']);
    expect(report).toMatchObject({
      status: 'warning',
      metrics: { state: 'idle', connected: false, saves: 0 },
    });
    expect(bot.payloads('health:checked')).toHaveLength(1);
  });

  it('is told as changed when the status is another one than last time, and only then', async () => {
    const bot = await readyBot({ ...BY_HAND, forceSaveIntervalMs: 120_000 });
    const check = () => bot.finish(bot.session.checkHealth());
    await bot.finish(bot.session.backup());
    expect(codes(await check())).toEqual(['same-disk']);
    expect((await check()).status).toBe('healthy');
    expect(bot.payloads('health:changed')).toEqual([]);
    bot.client.pupBrowser?.kill();
    expect((await check()).status).toBe('critical');
    await bot.untilState('ready');
    const last = await check();
    expect(last.status).toBe('healthy');
    expect(bot.payloads('health:changed')).toMatchObject([
      { from: 'healthy', to: 'critical' },
      { from: 'critical', to: 'healthy', report: last },
    ]);
  });

  it('is checked once for all who ask at the same time', async () => {
    const bot = await readyBot(BY_HAND);
    const asked = [bot.session.checkHealth(), bot.session.checkHealth()];
    const [first, second] = await bot.finish(Promise.all(asked));
    expect(first).toBe(second);
    expect(reports(bot)).toHaveLength(1);
  });

  it('is not told by a check that began before the session was up', async () => {
    const bot = await readyBot(BY_HAND);
    let letGo = () => {};
    const heldBack = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let early: Promise<HealthReport> | undefined;
    bot.session.on('reconnect:attempted', () => {
      const whole = replace('statfs', () => heldBack.then(() => stage().fs.promises.statfs?.('/bot')));
      early = bot.session.checkHealth();
      bot.session.once('state:changed', whole);
    });
    bot.client.pupBrowser?.kill();
    await bot.until('the reconnect', () => bot.payloads('reconnect:succeeded').length > 0);
    const report = await bot.finish(bot.session.checkHealth());
    expect(report.metrics).toMatchObject({ state: 'ready', connected: true, pageState: 'CONNECTED' });
    letGo();
    expect((await bot.finish(Promise.resolve(early)))?.metrics.connected).toBe(false);
    expect(reports(bot)).toEqual([report]);
  });

  it('may be listened to by anybody: one that throws, asks again, or destroys the session', async () => {
    const bot = await readyBot();
    let isFirst = true;
    bot.session.on('health:checked', () => {
      if (isFirst) void bot.session.checkHealth();
      isFirst = false;
      throw new Error('a listener');
    });
    bot.session.on('health:checked', () => void bot.session.destroy());
    await bot.untilState('stopped');
    await bot.until('all is quiet', () => true);
    expect(bot.warnings).toContain('listener-failed');
    expect(stage().clock.pendingTimers).toBe(0);
  });

  it('answers a listener that asks again with the report that it hears', async () => {
    const bot = await readyBot(BY_HAND);
    const again: unknown[] = [];
    bot.session.on('health:checked', () => {
      if (again.length < 10) again.push(bot.session.checkHealth());
    });
    const report = await bot.finish(bot.session.checkHealth());
    expect(await Promise.all(again)).toEqual([report]);
    expect(reports(bot)).toHaveLength(1);
  });

  describe('when the page hangs', () => {
    const hang = (bot: FakeBot, hangs: boolean) => Object.assign(bot.client.pupPage ?? {}, { hangs });

    it('degraded, then reconnected after two timed checks, then ready', async () => {
      const bot = await readyBot();
      await untilChecks(bot, 1);
      const before = bot.states.length;
      hang(bot, true);
      await bot.untilState('degraded');
      await bot.untilState('reconnecting');
      await bot.untilState('ready');
      expect(bot.states.slice(before, before + 2)).toEqual(['degraded', 'reconnecting']);
      expect(bot.payloads('reconnect:succeeded')).toMatchObject([{ cause: 'unresponsive', attempt: 1 }]);
      expect(reports(bot).some((report) => codes(report)?.includes('unresponsive'))).toBe(true);
      expect(bot.client.launches).toBe(2);
      expect(bot.codes).toEqual([]);
    });

    it('ready again without a restart when it answers in time', async () => {
      const bot = await readyBot();
      hang(bot, true);
      await bot.untilState('degraded');
      hang(bot, false);
      await bot.untilState('ready');
      expect(bot.client.launches).toBe(1);
      expect(bot.payloads('state:changed').slice(-2)).toEqual([
        { from: 'ready', to: 'degraded', cause: 'unresponsive' },
        { from: 'degraded', to: 'ready' },
      ]);
    });

    it('not reconnected by calls, however many', async () => {
      const bot = await readyBot(BY_HAND);
      hang(bot, true);
      for (let call = 0; call < 3; call++) {
        const report = await bot.finish(bot.session.checkHealth());
        expect(codes(report)).toContain('unresponsive');
        expect(report).toMatchObject({
          status: 'critical',
          metrics: { connected: false, pageState: null, probeMs: null },
        });
      }
      expect(bot.state).toBe('degraded');
      expect(bot.client.launches).toBe(1);
    });
  });

  it('critical for another reason leaves the state alone: saves go on', async () => {
    const bot = await readyBot(BY_HAND);
    replace('statfs', async () => ({ bavail: 5000, bsize: 4096 }));
    const report = await bot.finish(bot.session.checkHealth());
    expect(codes(report)).toContain('disk-full');
    expect(report.status).toBe('critical');
    expect(bot.state).toBe('ready');
    await bot.save('still saved');
  });

  it('follows what the events say without listing the stores each time', async () => {
    const bot = await readyBot(BY_HAND);
    const check = () => bot.finish(bot.session.checkHealth());
    const before = (await check()).metrics;
    await bot.save('one more');
    await bot.backUp('and a zip');
    const calls = stage().fs.calls.length;
    const { metrics } = await check();
    expect(metrics.saves).toBe((before.saves ?? 0) + 1);
    expect(metrics.backups).toBe((before.backups ?? 0) + 1);
    expect(metrics.lastBackupAgeMs).toBeLessThan(60_000);
    const touched = stage()
      .fs.calls.slice(calls)
      .flatMap(({ paths }) => paths)
      .filter((path) => path.includes('/snapshots'));
    expect(touched).toEqual([]);
    await bot.finish(bot.session.clear());
    expect((await check()).metrics).toMatchObject({ saves: 0, backups: 0, lastSaveAt: null });
  });

  it('names the snapshots that are damaged', async () => {
    const bot = await readyBot(BY_HAND);
    await bot.save('will rot');
    for (const path of await stage().filesBelow('/bot/session/store')) {
      if (path.includes('/objects/')) await stage().fs.promises.writeFile(path, 'rotten');
    }
    await bot.finish(bot.session.verify());
    expect(codes(await bot.finish(bot.session.checkHealth()))).toContain('save-corrupt');
  });

  describe('with a reading that hangs or fails', () => {
    const hangs = () => new Promise<never>(() => undefined);
    const fails = () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }));

    it.each([
      ['statfs hangs', 'statfs', hangs, 'disk-space'],
      ['statfs fails', 'statfs', fails, 'disk-space'],
      ['the profile hangs', 'lstat', hangs, 'profile'],
      ['the profile fails', 'lstat', fails, 'profile'],
    ] as const)('%s: the others are told within puppeteerTimeoutMs', async (_, method, how, check) => {
      const bot = await readyBot(BY_HAND);
      const whole = replace(method, how);
      const startedAt = stage().clock.monotonic();
      const report = await bot.finish(bot.session.checkHealth());
      whole();
      expect(stage().clock.monotonic() - startedAt).toBeLessThanOrEqual(TIMED.puppeteerTimeoutMs);
      const status = new Map(report.checks.map(({ id, status: ofCheck }) => [id, ofCheck]));
      expect(status.get(check)).toBe('unknown');
      expect([status.get('connection'), status.get('lease')]).toEqual(['passed', 'passed']);
    });

    it('statfs missing: the space is not known, and nothing is guessed', async () => {
      const bot = await readyBot(BY_HAND);
      replace('statfs', undefined);
      const { checks, metrics } = await bot.finish(bot.session.checkHealth());
      expect(checks.find(({ id }) => id === 'disk-space')).toMatchObject({ status: 'unknown', points: 0 });
      expect(metrics.sessionDiskFreeBytes).toBeNull();
    });
  });

  /** Puts another function in place of one of the disk's; returns how to undo it. */
  function replace(method: 'statfs' | 'lstat', by: (() => Promise<unknown>) | undefined): () => void {
    const { promises } = stage().fs;
    const original = promises[method];
    Object.assign(promises, { [method]: by });
    return () => void Object.assign(promises, { [method]: original });
  }
});
