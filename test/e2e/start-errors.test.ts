import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { useStage } from './setup.js';

/** Of the simulator's page. */
const VERSION = '2.3000.1017054665';
const ONE_TRY = { maxInitRetries: 0, maxReconnectAttempts: 0, sessionTimeoutMs: 8000 };

describe('a web cache that can not be written', () => {
  const stage = useStage();

  it('costs the cache and a warning that names its folder, not the login', async () => {
    await writeFile(join(stage.folder, 'file'), '');
    const path = join(stage.folder, 'file', 'cache');
    const bot = stage.bot({ client: { webVersionCache: { type: 'local', path } } });
    await bot.logIn(stage.simulator);
    expect(bot.session.state).toBe('ready');
    expect(bot.payloads('warning')).toContainEqual({
      code: 'web-cache-unwritable',
      message: expect.stringContaining(path),
    });
  });

  it('is used where it can be written, and holds nothing of ours', async () => {
    const path = join(stage.folder, 'cache');
    const bot = stage.bot({ client: { webVersionCache: { type: 'local', path } } });
    await bot.logIn(stage.simulator);
    expect(await readdir(path)).toEqual([`${VERSION}.html`]);
  });

  it('is told by the function that fails where nobody could know it before', async () => {
    const path = join(stage.folder, 'cache');
    await mkdir(join(path, `${VERSION}.html`), { recursive: true });
    const bot = stage.bot({ session: ONE_TRY, client: { webVersionCache: { type: 'local', path } } });
    await bot.session.initialize();
    const told = bot.once('warning');
    const lost = bot.once('reconnect:exhausted');
    await stage.simulator.scan();
    expect(await told).toMatchObject({
      code: 'client-rejection',
      message: expect.stringContaining('EISDIR'),
    });
    const { cause, error } = await lost;
    expect(cause).toBe('never-ready');
    expect(error?.message).toMatch(/onAppStateHasSyncedEvent: EISDIR/);
  });
});

/** What Ubuntu installs as /usr/bin/chromium-browser. */
const SNAP_STUB = `echo "" >&2
echo "Command '$0' requires the chromium snap to be installed." >&2
echo "Please install it with:" >&2
echo "" >&2
echo "snap install chromium" >&2
exit 1`;

describe('a remote web cache', () => {
  const stage = useStage();
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function remotePath(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/{version}.html`;
  }

  it('that is silent costs a warning that names it, not the start', async () => {
    const path = await remotePath(() => undefined);
    const bot = stage.bot({ client: { webVersionCache: { type: 'remote', remotePath: path } } });
    await bot.session.initialize();
    expect(bot.session.state).toBe('awaiting_qr');
    expect(bot.payloads('warning')).toContainEqual({
      code: 'web-cache-unreachable',
      message: expect.stringContaining(path.replace('{version}', VERSION)),
    });
  });

  it('that is strict and has no such page fails the start at once', async () => {
    const path = await remotePath((_request, response) => response.writeHead(404).end());
    const webVersionCache = { type: 'remote', remotePath: path, strict: true } as const;
    const bot = stage.bot({ client: { webVersionCache } });
    const failure = await bot.session.initialize().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'START_FAILED', retryable: false });
    expect(String(failure)).toContain(`${path.replace('{version}', VERSION)} (HTTP 404)`);
  });

  it('of the folder that is strict and has no such page fails the start at once', async () => {
    const webVersionCache = { type: 'local', path: stage.folder, strict: true } as const;
    const bot = stage.bot({ client: { webVersionCache } });
    await expect(bot.session.initialize()).rejects.toThrow(/not in the web cache, which is strict/);
  });
});

describe('a browser that can not be started', () => {
  const stage = useStage();

  function writeScript(name: string, lines: string): Promise<void> {
    return writeFile(join(stage.folder, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  }

  it.each([
    ['is not there', (folder: string) => ({ executablePath: join(folder, 'none') }), 'no browser to start'],
    [
      'may not be executed',
      (folder: string) => ({ executablePath: join(folder, 'file') }),
      'may not be executed',
    ],
    [
      'has no folder for temporary files',
      (folder: string) => ({ env: { ...process.env, TMPDIR: join(folder, 'none') } }),
      'TMPDIR',
    ],
    [
      'is a stub that asks for a snap',
      (folder: string) => ({ executablePath: join(folder, 'stub') }),
      'only a stub that asks for a snap',
    ],
    [
      'is a script for one that is not there',
      (folder: string) => ({ executablePath: join(folder, 'for-none') }),
      'no browser to start',
    ],
    [
      'is a script for one that may not be executed',
      (folder: string) => ({ executablePath: join(folder, 'for-file') }),
      'may not be executed',
    ],
    [
      'has a window, and no display is set',
      () => ({ headless: false, env: { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '' } }),
      'no display',
    ],
  ])(
    'fails the start at once, with the reason and its cause, when it %s',
    async (_name, puppeteer, reason) => {
      await writeFile(join(stage.folder, 'file'), '');
      await writeScript('stub', SNAP_STUB);
      await writeScript('for-none', `exec "${join(stage.folder, 'none')}" "$@"`);
      await writeScript('for-file', `exec "${join(stage.folder, 'file')}" "$@"`);
      const bot = stage.bot({ client: { puppeteer: puppeteer(stage.folder) } });
      const failure = await bot.session.initialize().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'START_FAILED', retryable: false, cause: expect.any(Error) });
      expect(String(failure)).toContain(reason);
      expect(bot.payloads('reconnect:scheduled')).toEqual([]);
      expect(bot.session.state).toBe('failed');
    },
  );
});
