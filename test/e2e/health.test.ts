import { describe, expect, it } from 'vitest';
import { useStage } from './setup.js';

const MB = 1024 * 1024;

describe('the health of a session in a real browser', () => {
  const stage = useStage();

  it('measures the page, the profile and the whole tree of Chromium', async () => {
    const bot = stage.bot({ session: { healthCheckIntervalMs: 0 } });
    await bot.logIn(stage.simulator);
    await bot.settledSave();
    await bot.session.backup();
    const { metrics, checks, issues } = await bot.session.checkHealth();
    expect(checks.filter(({ status }) => status === 'critical')).toEqual([]);
    expect(checks.find(({ id }) => id === 'profile')?.status).toBe('passed');
    expect(issues.map(({ check }) => check)).not.toContain('connection');
    expect(metrics).toMatchObject({
      state: 'ready',
      connected: true,
      pageState: 'CONNECTED',
      leaseHeld: true,
    });
    expect(metrics.browserBytes).toBeGreaterThan(50 * MB);
    expect(metrics.browserProcesses).toBeGreaterThan(1);
    expect(metrics.sessionBytes).toBeGreaterThan(metrics.essentialBytes ?? Number.POSITIVE_INFINITY);
    expect(metrics.sessionDiskFreeBytes).toBeGreaterThan(0);
    expect(metrics.backups).toBeGreaterThan(0);
    expect(bot.session.status().health?.score).toBe(bot.payloads('health:checked').at(-1)?.report.score);
  });

  it('finds a page that hangs, and brings the session back by itself', async () => {
    const bot = stage.bot({ session: { healthCheckIntervalMs: 1000, puppeteerTimeoutMs: 5000 } });
    await bot.logIn(stage.simulator);
    await bot.settledSave();
    const succeeded = bot.once('reconnect:succeeded');
    const { pupPage } = bot.client;
    void pupPage?.evaluate('for (;;);'); // rejects when the browser is closed: contained
    expect(await succeeded).toMatchObject({ cause: 'unresponsive', attempt: 1 });
    expect(bot.session.state).toBe('ready');
    const states = bot.payloads('state:changed').map(({ to }) => to);
    expect(states.slice(-3)).toEqual(['degraded', 'reconnecting', 'ready']);
    expect(bot.qrCodes).toHaveLength(1);
    expect((await bot.session.checkHealth()).metrics.connected).toBe(true);
  });
});
