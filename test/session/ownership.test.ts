import { describe, expect, it } from 'vitest';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const FOR_EVER = { failOn: 1, times: Number.POSITIVE_INFINITY };
const ELSEWHERE = '/elsewhere';

type Links = { symlink(target: string, path: string): Promise<void> };

describe('a session whose lease can not be read for a while', () => {
  const stage = useFakeStage();

  it.each([40_000, 600_000])('goes on after %i ms of a read-only disk of the saves', async (ms) => {
    const bot = stage().bot({
      session: { ...BY_HAND, forceSaveIntervalMs: 20_000, healthCheckIntervalMs: 15_000 },
    });
    await bot.logIn();
    await stage().clock.advance(30_000);
    stage().fs.arm({
      operation: /^(open|mkdir|link|rename|writeFile|unlink|rm)$/,
      path: '/bot/session/',
      errno: 'EROFS',
      ...FOR_EVER,
    });
    const from = stage().clock.monotonic();
    await bot.until('the end of it', () => stage().clock.monotonic() - from >= ms);
    if (ms > 60_000) {
      expect(bot.payloads('save:skipped').at(-1)).toEqual({ reason: 'no-lease' });
      const issues = bot
        .payloads('health:checked')
        .at(-1)
        ?.report.issues.map(({ code }) => code);
      expect(issues).toContain('lease-unproven');
    }
    expect(bot.state).toBe('ready');
    stage().fs.arm({});
    await bot.note('afterwards');
    const saved = bot.payloads('save:completed').length;
    await bot.until('a save', () => bot.payloads('save:completed').length > saved, { limitMs: 60_000 });
    expect(bot.payloads('lease:lost')).toEqual([]);
    expect(bot.payloads('lease:acquired')).toHaveLength(1);
  });

  it.each(['/bot/session/lease', '/bot/session', '/bot/auth/.session-shop.persistent'])(
    'goes on when %s is deleted',
    async (folder) => {
      const bot = stage().bot({ session: BY_HAND });
      await bot.logIn();
      await stage().remove(folder);
      await stage().clock.advance(10_000);
      await bot.until('the heartbeat', () => true);
      expect(bot.state).toBe('ready');
      expect(bot.payloads('lease:lost')).toEqual([]);
      await bot.note('afterwards');
      expect(await bot.finish(bot.session.forceSave())).toHaveProperty('snapshot');
      const { lease } = bot.session.status();
      expect(lease).toEqual({ held: true, generation: folder.includes('auth') ? 1 : 2 });
      const acquired = bot.payloads('lease:acquired').map(({ generation }) => generation);
      expect(acquired).toEqual(folder.includes('auth') ? [1] : [1, 2]);
    },
  );

  it('goes on with a reconnect that falls into it', async () => {
    const bot = stage().bot({ session: { ...BY_HAND, maxReconnectAttempts: 20 } });
    await bot.logIn();
    await stage().clock.advance(3000);
    const lease = { operation: 'open', path: '/lease/', errno: 'EROFS', ...FOR_EVER };
    stage().fs.arm(lease);
    await stage().clock.advance(60_000);
    bot.client.pupBrowser?.kill();
    await stage().clock.advance(60_000);
    expect(bot.state).toBe('reconnecting');
    stage().fs.arm({});
    await bot.untilState('ready');
    expect(bot.payloads('lease:lost')).toEqual([]);
  });
});

describe('one acquisition', () => {
  const stage = useFakeStage();

  it('is told once, however many calls wait for it', async () => {
    const bot = await stage().loggedInOnce({ session: BY_HAND });
    const told = bot.payloads('lease:acquired').length;
    const calls = [bot.session.prune(), bot.session.prune(), bot.session.initialize()];
    await bot.finish(Promise.all(calls));
    expect(bot.payloads('lease:acquired')).toHaveLength(told + 1);
    expect(bot.state).toBe('ready');
  });

  it('is made by the next one where the first is called off', async () => {
    const bot = await stage().loggedInOnce({ session: BY_HAND });
    const starting = bot.session.initialize().catch((error: { code: string }) => error.code);
    const pruning = bot.session.prune();
    const stopping = bot.session.destroy();
    await bot.finish(Promise.all([starting, pruning, stopping]));
    expect(await starting).toBe('CLOSED');
    expect(await pruning).toHaveProperty('freedBytes');
    expect(bot.state).toBe('stopped');
  });
});

describe('a symbolic link that somebody planted', () => {
  const stage = useFakeStage();

  /** A folder that somebody wants us to write into, or to clean. */
  async function plant(path: string): Promise<void> {
    const { promises } = stage().fs;
    await promises.mkdir(ELSEWHERE, { recursive: true });
    await promises.mkdir(`${ELSEWHERE}/precious/profile`, { recursive: true });
    await promises.writeFile(`${ELSEWHERE}/precious/profile/file`, 'precious');
    await promises.writeFile(`${ELSEWHERE}/old.zip.partial`, 'precious');
    await stage().remove(path);
    await promises.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
    await (promises as unknown as Links).symlink(ELSEWHERE, path);
  }

  async function expectUntouched(): Promise<void> {
    expect(await stage().filesBelow(ELSEWHERE)).toEqual([
      `${ELSEWHERE}/old.zip.partial`,
      `${ELSEWHERE}/precious/profile/file`,
    ]);
  }

  const BESIDE = '/bot/auth/.session-shop.persistent';
  const useAll = async (bot: FakeBot) => {
    await bot.start();
    await bot.note('more');
    await bot.finish(bot.session.forceSave());
    await bot.finish(bot.session.backup());
    await bot.finish(bot.session.restore());
    await bot.finish(bot.session.prune());
    await bot.stop();
  };

  it.each(['/bot/session/lease', `${BESIDE}/lease`, BESIDE])('at %s is refused', async (path) => {
    await stage().loggedInOnce({ session: BY_HAND });
    await plant(path);
    const bot = stage().bot({ session: BY_HAND });
    await expect(bot.start()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining(path),
    });
    await expectUntouched();
  });

  it.each([`${BESIDE}/staging`, `${BESIDE}/quarantine`])('at %s is replaced by a folder', async (path) => {
    await stage().loggedInOnce({ session: BY_HAND });
    await plant(path);
    const bot = stage().bot({ session: BY_HAND });
    await useAll(bot);
    await expectUntouched();
    expect((await stage().fs.promises.lstat(path)).isDirectory()).toBe(true);
  });

  // A backup is streamed into its store; what followed saves keep lies in `follow/`.
  it.each(['/bot/session/staging', '/bot/session/staging/shop', `${BESIDE}/follow`])(
    'at %s leads no save and no backup elsewhere',
    async (path) => {
      await stage().loggedInOnce({ session: BY_HAND });
      await plant(path);
      const bot = stage().bot({ session: BY_HAND });
      await bot.start();
      await bot.note('more');
      expect(await bot.finish(bot.session.forceSave())).toHaveProperty('snapshot');
      await bot.note('even more');
      expect(await bot.finish(bot.session.backup())).toHaveProperty('snapshot');
      await bot.finish(bot.session.prune());
      await bot.stop();
      await expectUntouched();
    },
  );

  it.each([BESIDE, `${BESIDE}/staging`, `${BESIDE}/quarantine`, `${BESIDE}/follow`])(
    'at %s does not lead clear() elsewhere',
    async (path) => {
      const bot = stage().bot({ session: BY_HAND });
      await bot.logIn();
      await plant(path);
      await bot.finish(bot.session.clear().catch(() => undefined));
      await expectUntouched();
    },
  );
});
