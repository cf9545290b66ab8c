import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, sessionValidationIntervalMs: 0 };
const MB = 1024 * 1024;
const CACHE = 'Default/Cache/Cache_Data/data_0';

describe('the caches of the profile', () => {
  const stage = useFakeStage();

  function cacheOf(bot: FakeBot): string {
    return join(bot.client.profileDir, CACHE);
  }

  async function writeCache(bot: FakeBot, bytes = 1000): Promise<void> {
    await stage().fs.promises.mkdir(dirname(cacheOf(bot)), { recursive: true });
    await stage().fs.promises.writeFile(cacheOf(bot), Buffer.alloc(bytes));
  }

  /** As a killed process leaves it: with its caches. */
  async function killedBot(): Promise<FakeBot> {
    const bot = await stage().loggedInOnce();
    await writeCache(bot);
    return bot;
  }

  it('go before the first start of a run, whatever their size, and this is told', async () => {
    await killedBot();
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(await stage().exists(cacheOf(bot))).toBe(false);
    expect(bot.payloads('profile:pruned')).toEqual([{ freedBytes: 1000, files: 1 }]);
    expect(bot.state).toBe('ready');
  });

  it('go before a restore, so that the quarantine holds none', async () => {
    const first = await killedBot();
    await stage().damageProfile(first);
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    const [aside] = bot.payloads('session:quarantined');
    const kept = await stage().filesBelow(aside?.path ?? '/bot/auth/.session-shop.persistent/quarantine');
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.filter((path) => path.includes('Cache'))).toEqual([]);
    expect(bot.payloads('restore:completed')).toHaveLength(1);
  });

  it('stay warm between the attempts of a reconnect', async () => {
    const bot = await killedBot();
    await bot.start();
    await writeCache(bot);
    bot.client.pupBrowser?.kill();
    await bot.until('the loss', () => bot.state === 'reconnecting');
    await bot.untilState('ready');
    expect(await stage().exists(cacheOf(bot))).toBe(true);
  });

  it('go between them, too, when the profile has outgrown maxSessionSizeMb', async () => {
    await killedBot();
    const bot = stage().bot({ session: { ...BY_HAND, maxSessionSizeMb: 1 } });
    await bot.start();
    await writeCache(bot, 2 * MB);
    bot.client.pupBrowser?.kill();
    await bot.until('the loss', () => bot.state === 'reconnecting');
    await bot.untilState('ready');
    expect(await stage().exists(cacheOf(bot))).toBe(false);
    expect(bot.payloads('profile:pruned').at(-1)).toEqual({ freedBytes: 2 * MB, files: 1 });
  });

  it('go after the final stop, once all is saved, and nothing else does', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await writeCache(bot);
    const login = await bot.client.readLogin();
    await bot.stop();
    expect(await stage().exists(cacheOf(bot))).toBe(false);
    expect(await bot.client.readLogin()).toEqual(login);
    const names = bot.events.map(({ name }) => name);
    expect(names.indexOf('save:completed')).toBeGreaterThan(-1);
    expect(names.indexOf('profile:pruned')).toBeGreaterThan(names.indexOf('save:completed'));
    expect(stage().clock.pendingTimers).toBe(0);
  });

  it('do not hold the stop up: one that can not be removed in time stays', async () => {
    const { fs } = stage();
    const unlink: typeof fs.promises.unlink = (path) =>
      String(path).includes('Cache_Data') ? new Promise(() => undefined) : fs.promises.unlink(path);
    const promises = new Proxy(fs.promises, {
      get: (target, name) => (name === 'unlink' ? unlink : Reflect.get(target, name)),
    });
    const { createReadStream, createWriteStream } = fs;
    const bot = stage().bot({
      session: { ...BY_HAND, fs: { promises, createReadStream, createWriteStream } },
    });
    await bot.logIn();
    await writeCache(bot);
    await bot.stop(); // does not end at all where the prune has no deadline
    expect(bot.payloads('save:completed').length).toBeGreaterThan(0);
    expect(bot.state).toBe('stopped');
    expect(await stage().exists(cacheOf(bot))).toBe(true);
  });

  it('stay when the browser did not close in order: something of it may be left', async () => {
    const bot = stage().bot({ session: { ...BY_HAND, puppeteerTimeoutMs: 1000 } });
    await bot.logIn();
    await writeCache(bot);
    if (bot.client.pupBrowser) bot.client.pupBrowser.hangs = true;
    await bot.stop();
    expect(await stage().exists(cacheOf(bot))).toBe(true);
    bot.client.pupBrowser?.kill();
  });

  it('are no reason to fail: a warning, and the session starts and stops', async () => {
    const bot = await killedBot();
    stage().fs.arm({ path: 'Default/Cache', operation: 'lstat', failOn: 1, times: 99, errno: 'EACCES' });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.warnings).toContain('cleanup-failed');
    await bot.stop();
    expect(bot.state).toBe('stopped');
    stage().fs.arm({});
  });
});

describe('the profile of a browser that runs', () => {
  const stage = useFakeStage();
  const MINUTE_MS = 60_000;

  /** A bot whose browser empties its cache when it is asked to. */
  async function oversizedBot(otherBytes = 0): Promise<{ bot: FakeBot; asked: string[] }> {
    const bot = stage().bot({
      session: { ...BY_HAND, sessionValidationIntervalMs: MINUTE_MS, maxSessionSizeMb: 1 },
    });
    await bot.logIn();
    const cache = join(bot.client.profileDir, CACHE);
    const asked: string[] = [];
    const session = {
      send: async (method: string) => {
        asked.push(method);
        await stage().fs.promises.rm(cache, { force: true });
      },
      detach: async () => void asked.push('detach'),
    };
    Object.assign(bot.client.pupPage ?? {}, { createCDPSession: async () => session });
    await stage().fs.promises.mkdir(dirname(cache), { recursive: true });
    await stage().fs.promises.writeFile(cache, Buffer.alloc(2 * MB));
    const other = join(bot.client.profileDir, 'Default/Preferences');
    await stage().fs.promises.writeFile(other, Buffer.alloc(otherBytes));
    return { bot, asked };
  }

  it('has its cache emptied by the browser itself when it has outgrown maxSessionSizeMb, and tells it', async () => {
    const { bot, asked } = await oversizedBot();
    await bot.until('the trim', () => bot.payloads('profile:pruned').length > 0, { limitMs: MINUTE_MS });
    expect(asked).toEqual(['Network.clearBrowserCache', 'detach']);
    expect(bot.payloads('profile:pruned')).toEqual([{ freedBytes: 2 * MB, files: 1 }]);
    expect(bot.state).toBe('ready');
  });

  it('is left alone while it is within bounds', async () => {
    const { bot, asked } = await oversizedBot();
    await stage().fs.promises.rm(join(bot.client.profileDir, CACHE));
    await bot.until('some looks', () => stage().clock.monotonic() > 10 * MINUTE_MS, { stepMs: MINUTE_MS });
    expect(asked).toEqual([]);
  });

  it('is asked once an hour while something else makes it so big, and announces no zeros', async () => {
    const { bot, asked } = await oversizedBot(3 * MB);
    const startedAt = stage().clock.monotonic();
    const passed = (minutes: number) => stage().clock.monotonic() - startedAt > minutes * MINUTE_MS;
    await bot.until('half an hour', () => passed(30), { stepMs: MINUTE_MS });
    expect(asked.filter((method) => method !== 'detach')).toHaveLength(1);
    await bot.until('an hour and a bit', () => passed(70), { stepMs: MINUTE_MS });
    expect(asked.filter((method) => method !== 'detach')).toHaveLength(2);
    expect(bot.payloads('profile:pruned')).toHaveLength(1);
  });

  it.each([
    ['a page that can not be asked', undefined],
    ['a page that refuses', async () => Promise.reject(new Error('Target closed'))],
    ['a browser that does not answer', () => new Promise(() => undefined)],
    [
      'a command that fails',
      async () => ({
        send: async () => Promise.reject(new Error('not found')),
        detach: async () => Promise.reject(new Error('detached')),
      }),
    ],
  ])('bears %s', async (_, createCDPSession) => {
    const { bot } = await oversizedBot();
    Object.assign(bot.client.pupPage ?? {}, { createCDPSession });
    await bot.until('two looks', () => stage().clock.monotonic() > 3 * MINUTE_MS);
    expect(bot.state).toBe('ready');
    expect(bot.payloads('profile:pruned')).toEqual([]);
    expect(bot.warnings).not.toContain('cleanup-failed');
  });
});

describe('what killed processes and old damages left beside the profile', () => {
  const stage = useFakeStage();

  it('goes at the next start, and this is told', async () => {
    const bot = await stage().loggedInOnce();
    const side = '/bot/auth/.session-shop.persistent';
    const write = async (path: string, bytes: number) => {
      await stage().fs.promises.mkdir(dirname(path), { recursive: true });
      await stage().fs.promises.writeFile(path, Buffer.alloc(bytes));
    };
    await write(`${side}/staging/half/Default/x`, 100);
    for (const day of ['01', '02', '03']) {
      await write(`${side}/quarantine/202001${day}T000000000Z-00000000/profile/Default/y`, 20);
    }
    await bot.start();
    expect(bot.payloads('profile:pruned')).toEqual([{ freedBytes: 120, files: 2 }]);
  });
});
