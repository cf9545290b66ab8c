import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { threadRests, threadStopped } from '../../src/thread-fault.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const FEW_TRIES = { maxInitRetries: 1, maxReconnectAttempts: 1, healthCheckIntervalMs: 0 };
const NO_MEMORY = Object.assign(new Error('Worker terminated due to reaching memory limit'), {
  code: 'ERR_WORKER_OUT_OF_MEMORY',
});
const RESTS = threadRests(5, 300_000, NO_MEMORY);
const STOPPED = threadStopped(NO_MEMORY);

describe('a worker thread that has stopped', () => {
  const stage = useFakeStage();

  async function pass(bot: FakeBot, minutes: number): Promise<void> {
    const from = stage().clock.monotonic();
    const isOver = () => stage().clock.monotonic() - from >= minutes * 60_000;
    await bot.until('the time', isOver, { stepMs: 5000 });
  }

  it.each([
    ['rests', RESTS],
    ['has stopped again', STOPPED],
  ])('uses up no attempt of a session that was up: it %s', async (_how, error) => {
    const bot = stage().bot({ session: FEW_TRIES });
    await bot.logIn();
    bot.client.launchError = error;
    bot.client.pupBrowser?.kill();
    await pass(bot, 30);
    expect(bot.state).toBe('reconnecting');
    expect(new Set(bot.payloads('reconnect:scheduled').map(({ attempt }) => attempt))).toEqual(new Set([1]));
    expect(bot.session.status().lastError?.message).toContain('memory limit');
    bot.client.launchError = undefined;
    await bot.untilState('ready');
    expect(bot.codes).toHaveLength(1);
  });

  it('is told as such, and not as a store that does not answer', async () => {
    const backupStore = new MemoryStore({ clock: stage().clock, name: 'backups' });
    const bot = stage().bot({ session: { ...FEW_TRIES, backupStore } });
    await bot.logIn();
    await bot.save('one');
    backupStore.list = () => {
      throw STOPPED;
    };
    await bot.finish(bot.session.listSnapshots());
    const told = bot.payloads('warning').filter(({ message }) => message.includes('memory limit'));
    expect(told.map(({ code }) => code)).toEqual(['worker-thread-stopped']);
  });

  it('uses up no attempt of a first start while it rests', async () => {
    await stage().loggedInOnce({ session: FEW_TRIES });
    const bot = stage().bot({ session: FEW_TRIES });
    bot.client.launchError = new Error('the profile could not be checked', { cause: RESTS });
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await pass(bot, 30);
    expect(bot.state).toBe('reconnecting');
    bot.client.launchError = undefined;
    await bot.finish(start);
    expect(bot.state).toBe('ready');
  });
});
