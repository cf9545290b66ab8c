import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/clock.js';
import { encodeRecord } from '../../src/lease/lease-record.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const LEASES = ['/bot/session/lease', '/bot/auth/.session-shop.persistent/lease'];

describe('a start that waits', () => {
  const stage = useFakeStage();

  /** What a container leaves that was killed: another host and process table, nothing released. */
  async function killedContainer(lease: string): Promise<void> {
    const holder = { host: 'c-aaa', namespace: 'pid:[1]', pid: 7, startTime: '1', thread: 0 };
    const at = new Date(stage().clock.now()).toISOString();
    const record = { format: 1, token: 'its-token', holder, beat: 3, at, released: false } as const;
    await stage().fs.promises.writeFile(`${lease}/shop.50.lease`, encodeRecord(record));
  }

  const waitsTold = (bot: FakeBot) => bot.payloads('warning').filter(({ code }) => code === 'start-waits');

  async function issuesOf(bot: FakeBot) {
    const { issues } = await bot.finish(bot.session.checkHealth(), { stepMs: 1 });
    return issues.filter(({ check }) => check === 'connection');
  }

  it.each(LEASES)('for the lease of a killed container tells so at once: %s', async (lease) => {
    await stage().loggedInOnce();
    await killedContainer(lease);
    const bot = stage().bot();
    const start = bot.session.initialize();
    await bot.until('the warning', () => waitsTold(bot).length > 0, { limitMs: 2000, stepMs: 500 });
    const told = waitsTold(bot)[0]?.message;
    expect(told).toContain('process 7 on host c-aaa');
    expect(told).toContain('at most 30 seconds');
    expect(told).not.toContain('its-token');
    const { waiting } = bot.session.status();
    expect(told).toContain(waiting?.message);
    expect(Date.parse(waiting?.until ?? '') - Date.parse(waiting?.since ?? '')).toBe(30_000);
    const [issue] = await issuesOf(bot);
    expect(issue).toMatchObject({ code: 'start-waits', severity: 'warning' });
    expect(issue?.message.en).toContain('c-aaa');
    expect(issue?.message.ar).toContain('c-aaa');
    await bot.finish(start);
    expect(waitsTold(bot)).toHaveLength(1);
    expect(bot.session.status().waiting).toBeUndefined();
    expect(await issuesOf(bot)).toEqual([]);
  });

  it('for both leases of one process tells it once', async () => {
    await stage().loggedInOnce();
    for (const lease of LEASES) await killedContainer(lease);
    const bot = stage().bot();
    await bot.start();
    expect(waitsTold(bot)).toHaveLength(1);
  });

  it('for a lease that nobody can read says that the owner is not known', async () => {
    await stage().loggedInOnce();
    await stage().takeOver();
    const bot = stage().bot();
    await bot.start();
    expect(waitsTold(bot).map(({ message }) => message)).toEqual([
      expect.stringContaining('an unknown process'),
    ]);
  });

  it('for its turn after a failed start tells so', async () => {
    await stage().loggedInOnce();
    const session = { maxInitRetries: 0, maxReconnectAttempts: 0, reconnectDelayMs: 60_000 };
    const bot = stage().bot({ session });
    bot.client.injectError = 'auth timeout';
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(waitsTold(bot)).toEqual([]);
    const third = bot.session.initialize();
    third.catch(() => undefined);
    await bot.until('the warning', () => waitsTold(bot).length > 0, { limitMs: 2000, stepMs: 500 });
    expect(waitsTold(bot)[0]?.message).toContain('the last start has failed');
    expect(bot.session.status().waiting?.message).toContain('the last start has failed');
    expect((await issuesOf(bot))[0]).toMatchObject({ code: 'start-waits' });
    await bot.session.destroy();
    expect(bot.session.status().waiting).toBeUndefined();
  });

  it('for another session of this process that is being closed tells so', async () => {
    const first = stage().bot();
    await first.logIn();
    if (first.client.pupBrowser) first.client.pupBrowser.hangs = true;
    const closing = first.session.destroy();
    const bot = stage().bot();
    const start = bot.session.initialize();
    await bot.until('the warning', () => waitsTold(bot).length > 0, { limitMs: 2000, stepMs: 500 });
    expect(waitsTold(bot)[0]?.message).toContain(`another session of this process (pid ${process.pid})`);
    expect(waitsTold(bot)[0]?.message).toContain('at most 150 seconds');
    await bot.finish(closing);
    await bot.finish(start);
    expect(bot.state).toBe('ready');
  });

  it('for a disk that hangs tells so', async () => {
    await stage().loggedInOnce();
    const { clock, fs } = stage();
    const mkdir = async (path: string, ...more: never[]) => {
      if (path.startsWith('/bot/session')) await sleep(clock, 20_000);
      return fs.promises.mkdir(path, ...more);
    };
    const slow = { ...fs, promises: { ...fs.promises, mkdir } } as typeof fs;
    const bot = stage().bot({ session: { fs: slow } });
    const start = bot.session.initialize();
    await bot.until('the warning', () => waitsTold(bot).length > 0, { limitMs: 2000, stepMs: 500 });
    expect(waitsTold(bot)[0]?.message).toContain('for the disk of /bot/session or /bot/auth/session-shop');
    start.catch(() => undefined);
    await bot.stop();
  });

  it('tells nothing where a start does not wait', async () => {
    await stage().loggedInOnce();
    const bot = stage().bot();
    await bot.start();
    expect(waitsTold(bot)).toEqual([]);
  });

  it('for a restore() of the bot itself tells so, without a time at which it is over', async () => {
    const backupStore = new MemoryStore({ clock: stage().clock, name: 'backups' });
    const bot = stage().bot({ session: { backupStore } });
    await bot.logIn();
    const { id } = await bot.backUp('one');
    await bot.stop();
    const get = backupStore.get.bind(backupStore);
    let release = () => {};
    const isFree = new Promise<void>((resolve) => {
      release = resolve;
    });
    backupStore.get = async (...given) => {
      await isFree;
      return get(...given);
    };
    const restoring = bot.session.restore(id);
    const start = bot.session.initialize();
    await bot.until('the warning', () => waitsTold(bot).length > 0, { limitMs: 5000, stepMs: 500 });
    expect(waitsTold(bot)[0]?.message).toContain('restore()');
    const { waiting } = bot.session.status();
    expect([waiting?.message, waiting?.until]).toEqual([expect.stringContaining('restore()'), undefined]);
    release();
    await bot.finish(restoring);
    await bot.finish(start);
    expect([bot.state, bot.session.status().waiting]).toEqual(['ready', undefined]);
  });
});
