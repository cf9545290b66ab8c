import { describe, expect, it } from 'vitest';
import type { PersistentBot } from '../support/persistent-bot.js';
import { useStage } from './setup.js';

/** A bot that lets go of its client and makes a new one with the same id, in real browsers. */
describe('a new Client with the same id in one process', () => {
  const stage = useStage();

  async function pairedBot(): Promise<PersistentBot> {
    const bot = stage.bot();
    await bot.logIn(stage.simulator);
    await bot.settledSave();
    return bot;
  }

  async function expectTakenOver(old: PersistentBot, next: PersistentBot): Promise<void> {
    expect(next.session.state).toBe('ready');
    expect(next.qrCodes).toEqual([]);
    expect(old.session.state).toBe('stopped');
    expect(old.client.pupBrowser?.connected ?? false).toBe(false);
    expect(old.session.status().lease.held).toBe(false);
  }

  it('made in the `disconnected` handler takes over', async () => {
    const old = await pairedBot();
    const next = stage.bot();
    const start = new Promise<void>((resolve, reject) => {
      old.client.once('disconnected', () => next.session.initialize().then(resolve, reject));
    });
    await stage.simulator.setState('UNPAIRED_IDLE');
    await start;
    await expectTakenOver(old, next);
  });

  it('made right after a destroy() that nobody awaits waits for it', async () => {
    const old = await pairedBot();
    const closing = old.client.destroy();
    const next = stage.bot();
    await next.session.initialize();
    await closing;
    await expectTakenOver(old, next);
  });

  it('made when the old browser is dead takes over', async () => {
    const old = await pairedBot();
    const gone = new Promise((resolve) => old.client.pupBrowser?.once('disconnected', resolve));
    old.client.pupBrowser?.process()?.kill('SIGKILL');
    await gone;
    const next = stage.bot();
    await next.session.initialize();
    await expectTakenOver(old, next);
  });
});
