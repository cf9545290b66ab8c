import { describe, expect, it } from 'vitest';
import { crashPage, killBrowser } from '../simulator/client.js';
import { useStage } from './setup.js';

describe('a session that is ready', () => {
  const stage = useStage();

  it.each([
    ['its browser is killed', 'browser-gone', killBrowser],
    ['its page crashes', 'page-crashed', crashPage],
  ] as const)('comes back when %s', async (_name, cause, fault) => {
    const bot = stage.bot();
    await bot.logIn(stage.simulator);
    await bot.settledSave();
    const succeeded = bot.once('reconnect:succeeded');
    await fault(bot.client);
    expect(await succeeded).toMatchObject({ cause, attempt: 1 });
    expect(bot.session.state).toBe('ready');
    expect(bot.qrCodes).toHaveLength(1);
  });

  it('waits for the network without using up its attempts', async () => {
    const bot = stage.bot({ session: { maxReconnectAttempts: 1, maxInitRetries: 0, reconnectDelayMs: 100 } });
    await bot.logIn(stage.simulator);
    await bot.settledSave();
    await stage.simulator.goOffline();
    await killBrowser(bot.client);
    for (let round = 0; round < 3; round++) await bot.once('reconnect:attempted');
    const succeeded = bot.once('reconnect:succeeded');
    await stage.simulator.goOnline();
    await succeeded;
    expect(bot.payloads('reconnect:exhausted')).toEqual([]);
    expect(bot.qrCodes).toHaveLength(1);
  });

  it('is degraded while WhatsApp is in TIMEOUT, and ready again after it', async () => {
    const bot = stage.bot();
    await bot.logIn(stage.simulator);
    const degraded = bot.once('state:changed');
    await stage.simulator.timeout();
    expect(await degraded).toEqual({ from: 'ready', to: 'degraded', cause: 'TIMEOUT' });
    const ready = bot.once('state:changed');
    await stage.simulator.resume();
    expect(await ready).toMatchObject({ to: 'ready' });
  });

  it('does not fight over a conflict, and keeps everything', async () => {
    const bot = stage.bot({ session: { onConflict: 'stop' } });
    await bot.logIn(stage.simulator);
    await bot.settledSave();
    const stopped = new Promise((resolve) => {
      bot.session.on('state:changed', ({ to }) => to === 'stopped' && resolve(to));
    });
    await stage.simulator.conflict();
    await stopped;
    const snapshots = await bot.session.listSnapshots();
    expect(snapshots.length).toBeGreaterThan(0);
    expect(snapshots.every(({ revoked }) => !revoked)).toBe(true);
  });

  it('wakes a client that missed the sync of its page', async () => {
    stage.simulator.setModes({ hasSyncedEarly: true });
    const bot = stage.bot();
    await bot.logIn(stage.simulator);
    expect(bot.session.state).toBe('ready');
  });
});
