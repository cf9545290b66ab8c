import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import puppeteer, { type Browser, type Page } from 'puppeteer';
import { ensureChromium } from '../../../scripts/chromium.js';
import {
  createSessionHandler,
  type SessionHandler,
  type SessionHandlerOptions,
  toNodeListener,
} from '../../../src/http/index.js';
import { CHROMIUM_ARGUMENTS } from '../../support/chromium-arguments.js';
import { ShowSession } from './show-session.js';

export const TOKEN = 'correct-horse-battery-staple-0123456789';
const DASHBOARD = '/persistent-session';

export interface Look {
  readonly locale: 'ar' | 'en';
  readonly theme?: 'light' | 'dark';
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** The real handler behind a real server on loopback, over a session that shows what a test says. */
export class ShowStage {
  session = new ShowSession();
  #handler: SessionHandler | undefined;
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}${DASHBOARD}`;
  }

  /** Again after `close()`: a restart of the bot, at the same address. */
  async open(options: Partial<SessionHandlerOptions> = {}): Promise<void> {
    const handler = createSessionHandler(this.session, { auth: TOKEN, allowDownload: true, ...options });
    const server = createServer(toNodeListener(handler));
    this.#handler = handler;
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#handler?.close();
    const server = this.#server;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  }
}

export async function launchBrowser(): Promise<Browser> {
  return puppeteer.launch({
    headless: true,
    executablePath: ensureChromium(),
    args: [...CHROMIUM_ARGUMENTS, '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });
}

/** A page of a browser that prefers this language and these colours, as a person of its own: without any cookie. */
export async function openPage(browser: Browser, { locale, theme = 'light', viewport }: Look): Promise<Page> {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.setExtraHTTPHeaders({
    'Accept-Language': locale === 'ar' ? 'ar-EG,ar;q=0.9' : 'en-GB,en;q=0.9',
  });
  await page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: theme },
    { name: 'prefers-reduced-motion', value: 'reduce' },
  ]);
  await page.setViewport({ width: 1280, height: 900, ...viewport });
  return page;
}

/** Through the login form, as a person does it; resolves when the dashboard has its status. */
export async function logIn(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.type('#token', TOKEN);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await page.waitForSelector('.state-word');
}
