import { describe, expect, it } from 'vitest';
import type { Message } from 'whatsapp-web.js';
import { waitForEvent } from '../simulator/client.js';
import { ALL_VERSIONS, loadLibrary, SOME_VERSIONS } from '../support/library-versions.js';
import { useStage } from './setup.js';

const DEADLINE_MS = 30_000;
const SOMEBODY = '491520000002@c.us';
const versions = process.env.WWEBJS_VERSIONS === 'all' ? ALL_VERSIONS : SOME_VERSIONS;

/** The newest whatsapp-web.js is the project's own: every other end-to-end test runs with it. */
describe('whatsapp-web.js of another version', () => {
  const stage = useStage();

  it.each(
    versions.map((library) => [
      `${library.version}, puppeteer ${library.puppeteer ?? 'as it asks for'}`,
      library,
    ]),
  )('%s: pairs, is saved, restarts without a QR, sends, receives, logs out', async (_name, which) => {
    const library = loadLibrary(which as (typeof versions)[number]);
    const { simulator } = stage;
    const first = stage.bot({ library });
    const seen: string[] = [];
    first.client.on('ready', () => seen.push('ready'));
    await first.logIn(simulator);
    await first.session.destroy();
    expect(first.payloads('save:completed').at(-1)).toMatchObject({
      snapshot: { capture: 'cold', settled: true },
    });

    const bot = stage.bot({ library });
    bot.client.on('ready', () => seen.push('ready again'));
    await bot.session.initialize();
    expect(bot.qrCodes).toEqual([]);
    const received = waitForEvent<Message>(bot.client, 'message', DEADLINE_MS);
    await simulator.sendIncoming({ from: SOMEBODY, body: 'ping' });
    expect(await received).toMatchObject({ from: SOMEBODY, body: 'ping' });
    await bot.client.sendMessage(SOMEBODY, 'pong');
    await simulator.waitForSent(({ body }) => body === 'pong');
    expect(seen).toEqual(['ready', 'ready again']);

    await bot.client.logout();
    expect(simulator.accounts).toMatchObject([{ revoked: true }]);
    expect(bot.session.state).toBe('stopped');
    expect((await bot.session.listSnapshots()).every(({ revoked }) => revoked)).toBe(true);
  });
});
