import nodeFs from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { assertAccessible } from '../../src/profile/assert-accessible.js';
import { useFakeStage } from '../support/fake-stage.js';

const errno = (code: string) => Object.assign(new Error(`${code}: permission denied`), { code });

/** The real file system for somebody who may not enter what `forbidden` says. */
function fsOfStranger(forbidden: (path: string) => boolean, code = 'EACCES') {
  const access = async (path: string) => {
    if (forbidden(path)) throw errno(code);
  };
  return { ...nodeFs, promises: { ...nodeFs.promises, access } } as unknown as typeof nodeFs;
}

describe('before a browser is launched', () => {
  const stage = useFakeStage();
  const roots: string[] = [];
  afterAll(() => Promise.all(roots.map((root) => rm(root, { recursive: true, force: true }))));

  async function newFolder(): Promise<string> {
    const root = await mkdtemp(join(tmpdir(), 'launch-'));
    roots.push(root);
    return root;
  }

  const onLinux = it.runIf(process.platform === 'linux');

  onLinux.each<[string, (root: string) => Promise<string>, string]>([
    ['missing', async (root) => join(root, 'none'), 'ENOENT'],
    [
      'no folder',
      async (root) => {
        await writeFile(join(root, 'file'), '');
        return join(root, 'file');
      },
      'ENOTDIR',
    ],
  ])('a TMPDIR that is %s is told by its name, at once', async (_name, make, code) => {
    const root = await newFolder();
    const TMPDIR = await make(root);
    const bot = stage().bot({
      folder: join(root, 'bot'),
      client: { fs: nodeFs, puppeteer: { env: { TMPDIR } } },
      session: { fs: nodeFs, healthCheckIntervalMs: 0 },
    });
    const failure = await bot.start().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'START_FAILED', retryable: false, cause: { code } });
    expect(String(failure)).toContain(`TMPDIR: '${TMPDIR}'`);
    expect(bot.client.launches).toBe(0);
    expect(bot.state).toBe('failed');
    expect(bot.session.status().lastError).toMatchObject({ code: 'START_FAILED' });
    await mkdir(TMPDIR, { recursive: true }).catch(() => rm(TMPDIR).then(() => mkdir(TMPDIR)));
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(await nodeFs.promises.readdir(TMPDIR)).toEqual([]);
  });

  it.each(['EACCES', 'EROFS'])(
    'a profile of another user is told by its path, at once (%s)',
    async (code) => {
      const root = await newFolder();
      const profile = join(root, 'bot', 'auth', 'session-shop');
      await mkdir(join(profile, 'Default'), { recursive: true });
      const fs = fsOfStranger((path) => path === join(profile, 'Default'), code);
      const bot = stage().bot({
        folder: join(root, 'bot'),
        client: { fs },
        session: { fs, healthCheckIntervalMs: 0 },
      });
      const failure = await bot.start().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'START_FAILED', retryable: false, cause: { code } });
      expect(String(failure)).toContain(`${profile}/Default`);
      expect(String(failure)).toContain('chown');
      expect(bot.client.launches).toBe(0);
    },
  );

  it('a profile that is not there is no obstacle, nor are the rights of Windows', async () => {
    const fs = fsOfStranger(() => true);
    await assertAccessible('/nowhere', { fs: nodeFs });
    await assertAccessible(tmpdir(), { fs, platform: 'win32' });
    await expect(assertAccessible(tmpdir(), { fs, platform: 'linux' })).rejects.toMatchObject({
      cause: { code: 'EACCES' },
    });
  });

  it('a web cache that can not be written is switched off for this start, with a warning that names the folder', async () => {
    const bot = stage().bot();
    await stage().fs.promises.mkdir('/bot', { recursive: true });
    await stage().fs.promises.writeFile('/bot/file', '');
    const given = { type: 'local', path: '/bot/file/cache' };
    const options: object & { webVersionCache?: unknown } = { ...bot.client.options };
    Object.assign(bot.client, { options });
    options.webVersionCache = given;
    await bot.logIn();
    expect(bot.payloads('warning')).toContainEqual({
      code: 'web-cache-unwritable',
      message: expect.stringContaining('/bot/file/cache'),
    });
    expect(options.webVersionCache).toEqual({ type: 'none' });
    await stage().fs.promises.rm('/bot/file');
    bot.client.pupBrowser?.kill();
    await bot.until('it is back', () => bot.payloads('reconnect:succeeded').length === 1);
    expect(options.webVersionCache).toBe(given);
  });
});
