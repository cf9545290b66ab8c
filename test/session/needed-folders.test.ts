import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { type FakeStage, useFakeStage } from '../support/fake-stage.js';
import { nodesOwnMkdir } from '../support/nodes-own-mkdir.js';

const CALLS: ReadonlySet<PropertyKey> = new Set([
  'mkdir',
  'writeFile',
  'rm',
  'open',
  'readdir',
  'stat',
  'lstat',
  'access',
]);

/** The stage's disk, on which everything below `folder` refuses. */
function refusing({ fs }: FakeStage, folder: string, code: string): FileSystem {
  const promises = new Proxy(fs.promises, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) =>
        CALLS.has(name) && String(given[0]).startsWith(folder)
          ? Promise.reject(Object.assign(new Error(`${code}: refused`), { code }))
          : Reflect.apply(value, target, given);
    },
  });
  return { ...fs, promises };
}

describe('a folder of backups that refuses', () => {
  const stage = useFakeStage();

  it.each(['EROFS', 'EIO', 'ESTALE', 'ENOTCONN', 'EACCES', 'EPERM', 'ENXIO'])(
    'keeps no bot from starting, and is named: %s',
    async (code) => {
      await stage().loggedInOnce();
      const bot = stage().bot({ session: { fs: refusing(stage(), '/bot/backup', code) } });
      await bot.start();
      expect(bot.state).toBe('ready');
      const named = bot.payloads('warning').find(({ message }) => message.includes('backupPath'));
      expect(named?.code).toBe('store-unreachable');
      expect(named?.message).toContain("'/bot/backup'");
      expect(named?.message).toContain(code);
      const { issues } = await bot.finish(bot.session.checkHealth());
      const issue = issues.find((found) => found.code === 'backup-store-unreachable');
      expect(issue?.message.en).toContain('backup-dir');
    },
  );

  it('is a wrong option where it is a file, or lies in one', async () => {
    await stage().fs.promises.mkdir('/bot', { recursive: true });
    await stage().fs.promises.writeFile('/bot/file', '');
    for (const backupPath of ['/bot/file', '/bot/file/below']) {
      const bot = stage().bot({ session: { backupPath } });
      const failure = await bot.start().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'CONFIGURATION' });
      expect(String(failure)).toContain(`backupPath: '${backupPath}'`);
    }
  });
});

describe('a folder that the session needs and may not write', () => {
  const stage = useFakeStage();

  it.each([
    ['sessionPath', '/bot/session'],
    ["the client's profile folder", '/bot/auth'],
  ])(
    'is told by the rejection, the status and the health, until a start passes: %s',
    async (name, folder) => {
      await stage().loggedInOnce();
      let isIll = true;
      const { fs } = stage();
      const ill = refusing(stage(), folder, 'EROFS').promises;
      const promises = new Proxy(fs.promises, {
        get: (target, call) => Reflect.get(isIll ? ill : target, call),
      });
      const bot = stage().bot({ session: { fs: { ...fs, promises } } });
      await expect(bot.start()).rejects.toMatchObject({ code: 'CONFIGURATION' });
      const message = `${name}: '${folder}' can't be written (EROFS)`;
      const told = { code: 'CONFIGURATION', message: expect.stringContaining(message) };
      expect(bot.session.status().lastError).toMatchObject(told);
      const { issues, metrics } = await bot.finish(bot.session.checkHealth());
      expect(metrics.lastError).toMatchObject(told);
      const issue = issues.find(({ code }) => code === 'not-started');
      expect(issue?.message.en).toContain(message);
      expect(issue?.message.ar).toContain(message);
      isIll = false;
      await bot.start();
      expect(bot.state).toBe('ready');
      expect(bot.session.status().lastError).toBeUndefined();
    },
  );
});

describe('a disk on which node says ENOENT for what the system calls otherwise', () => {
  const stage = useFakeStage();

  it.each(['/bot/session', '/bot/auth'])('is named by the word of the system: %s', async (folder) => {
    await stage().fs.promises.mkdir(folder, { recursive: true });
    const fs = nodesOwnMkdir(stage().fs, { folder, errno: 'EROFS' });
    const session = { fs, sessionPath: '/bot/session/below' };
    const localAuth = { dataPath: '/bot/auth/below', clientId: 'shop' };
    const failure: unknown = await stage()
      .bot({ client: { localAuth }, session })
      .start()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'CONFIGURATION' });
    expect(String(failure)).toContain("/below' can't be written (EROFS)");
  });

  it('is a full one, and no wrong option, where no quota is left', async () => {
    await stage().fs.promises.mkdir('/bot/session', { recursive: true });
    const fs = nodesOwnMkdir(stage().fs, { folder: '/bot/session', errno: 'EDQUOT' });
    const bot = stage().bot({ session: { fs, sessionPath: '/bot/session/below' } });
    const start = bot.session.initialize();
    start.catch(() => undefined);
    await bot.until('an attempt', () => bot.session.status().lastError !== undefined);
    expect(bot.session.status().lastError?.message).toContain('EDQUOT');
    expect(bot.session.status().lastError?.code).not.toBe('CONFIGURATION');
  });
});
