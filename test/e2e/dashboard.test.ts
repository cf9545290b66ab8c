import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'puppeteer';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { textsOf } from '../../src/http/dashboard/client/texts/of.js';
import { createSessionHandler, type SessionHandler, toNodeListener } from '../../src/http/index.js';
import { press, see } from '../http/dashboard/page-reader.js';
import { launchBrowser, logIn, openPage, TOKEN } from '../http/dashboard/show-stage.js';
import { killBrowser } from '../simulator/client.js';
import { useStage } from './setup.js';

// The whole story of a person at the dashboard: real session, real client, real page.

const SCORE = "document.querySelector('.gauge-number b').textContent";
const score = async (page: Page): Promise<number> => Number(await page.evaluate(SCORE));

describe.each(['ar', 'en'] as const)('a person who reads only %s', { timeout: 300_000 }, (locale) => {
  const stage = useStage();
  const texts = textsOf(locale);
  let browser: Browser;
  let handler: SessionHandler | undefined;
  let server: Server | undefined;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    handler?.close();
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  });

  async function serve(session: Parameters<typeof createSessionHandler>[0]): Promise<Page> {
    handler = createSessionHandler(session, { auth: TOKEN });
    server = createServer(toNodeListener(handler));
    const listening = server;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    const page = await openPage(browser, { locale });
    page.setDefaultTimeout(60_000);
    await logIn(page, `http://127.0.0.1:${(listening.address() as AddressInfo).port}/persistent-session`);
    return page;
  }

  it('runs a session: links, backs up, sends, survives a crash, restores and deletes', async () => {
    // Slow enough to come back, and checked often enough, that the fall of the score is seen.
    const bot = stage.bot({ session: { healthCheckIntervalMs: 500, reconnectDelayMs: 4000 } });
    const page = await serve(bot.session);
    await see(page, '.state-word', texts.state.words.idle);

    await press(page, '#actions', texts.actions.names.initialize);
    await page.waitForSelector('.qr[aria-busy=false]');
    await stage.simulator.scan();
    await see(page, '.state-word', texts.state.words.ready); // without a reload

    await press(page, '#actions', texts.actions.names.backup);
    await see(page, '[data-snapshot]', texts.snapshots.kinds.backup);

    await page.type('#phone', '+20 123 456 7890');
    await press(page, '#message', texts.message.send);
    await see(page, '.notice', '201234567890');
    expect(stage.simulator.sentMessages.map(({ body }) => body)).toEqual([texts.message.textDefault]);

    const before = await score(page);
    await killBrowser(bot.client);
    await see(page, '.state-word', texts.state.words.reconnecting);
    await page.waitForFunction(`Number(${SCORE}) < ${before}`);
    await see(page, '.state-word', texts.state.words.ready);
    await page.waitForFunction(`Number(${SCORE}) >= ${before}`);
    await see(page, '#log', texts.causes['browser-gone']);

    await press(page, '[data-snapshot]', texts.snapshots.restore);
    await press(page, 'dialog', texts.restoreDialog.confirm);
    await page.waitForSelector('.notice[data-action=restore]');
    await see(page, '.state-word', texts.state.words.ready);
    expect(bot.payloads('restore:completed').at(-1)).toMatchObject({ reason: 'requested' });

    await press(page, '#actions', texts.actions.names.clear);
    await page.click('dialog [name=understood]');
    await press(page, 'dialog', texts.clearDialog.confirm);
    await see(page, '.state-word', texts.state.words.idle);
    await see(page, '#snapshots', texts.snapshots.none);
    expect(await bot.session.listSnapshots()).toEqual([]);
  });
});
