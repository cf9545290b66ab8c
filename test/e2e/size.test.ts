import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemFileSystem } from '../../src/file-system.js';
import { profileSize } from '../../src/profile/caches.js';
import { exists } from '../../src/profile/walk.js';
import type { PersistentBot } from '../support/persistent-bot.js';
import { useStage } from './setup.js';

const MB = 1024 * 1024;

describe('a profile that outgrows maxSessionSizeMb while the browser runs', () => {
  const stage = useStage();

  it('has its cache emptied by Chromium itself, stays ready, and is ready again without a QR', async () => {
    const session = { sessionValidationIntervalMs: 3000, maxSessionSizeMb: 8 };
    const bot = stage.bot({ session });
    await bot.logIn(stage.simulator);
    await fillCache(bot, 12 * MB);
    const { freedBytes, files } = bot.payloads('profile:pruned')[0] ?? (await bot.once('profile:pruned'));
    expect(freedBytes).toBeGreaterThan(3 * MB);
    expect(files).toBeGreaterThan(0);
    expect(bot.session.state).toBe('ready');
    await bot.session.destroy();
    expect(await exists(systemFileSystem, join(bot.profileDir, 'Default/Cache'))).toBe(false);
    const size = await profileSize(bot.profileDir, { fs: systemFileSystem });
    expect(size.totalBytes).toBeLessThan(8 * MB);
    await bot.session.initialize();
    expect(bot.session.state).toBe('ready');
    expect(bot.qrCodes).toHaveLength(1);
  });
});

/** Loads so many bytes that may be cached, in a page of their own: WhatsApp's own are not, with a forged certificate. */
async function fillCache(bot: PersistentBot, bytes: number): Promise<void> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=86400', 'content-type': 'text/plain' });
    response.end(Buffer.alloc(2 * MB, 'x'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const page = await bot.client.pupBrowser?.newPage();
  for (let loaded = 0; loaded < bytes; loaded += 2 * MB)
    await page?.goto(`http://127.0.0.1:${port}/${loaded}`);
  await page?.close();
  server.close();
  server.closeAllConnections(); // Chromium keeps them
}
