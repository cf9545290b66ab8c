import axe from 'axe-core';
import type { Browser, Page } from 'puppeteer';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { textsOf } from '../../src/http/dashboard/client/texts/of.js';
import { StoreError } from '../../src/index.js';
import { direction, press, see } from '../http/dashboard/page-reader.js';
import { report, TROUBLE } from '../http/dashboard/show-session.js';
import { type Look, launchBrowser, logIn, openPage, ShowStage, TOKEN } from '../http/dashboard/show-stage.js';

// The page in a real browser, over the real handler and a session that shows what the test says.

const LOCALES = ['ar', 'en'] as const;

let browser: Browser;
let stage: ShowStage;
let pages: Page[];
/** What the pages complained about: a violated policy, an uncaught error. */
let complaints: string[];

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  stage = new ShowStage();
  await stage.open();
  pages = [];
  complaints = [];
});
afterEach(async () => {
  for (const page of pages) await page.browserContext().close();
  await stage.close();
  expect(complaints).toEqual([]);
});

async function pageWith(look: Look): Promise<Page> {
  const page = await openPage(browser, look);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text());
  });
  pages.push(page);
  return page;
}

async function dashboard(look: Look): Promise<Page> {
  const page = await pageWith(look);
  await logIn(page, stage.url);
  await page.waitForSelector('.top .badge.good');
  return page;
}

describe.each(LOCALES)('the dashboard in %s', (locale) => {
  const texts = textsOf(locale);

  it('is drawn in the language of the browser, after a login', async () => {
    const page = await pageWith({ locale });
    await page.goto(stage.url);
    expect(await direction(page)).toBe(locale === 'ar' ? 'ar,rtl' : 'en,ltr');
    await page.type('#token', 'wrong-token-wrong-token-wrong');
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    expect(await direction(page)).toBe(locale === 'ar' ? 'ar,rtl' : 'en,ltr');
    await page.waitForSelector('[role=alert]');
    await page.type('#token', TOKEN);
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    await see(page, '.state-word', texts.state.words.ready);
    expect(await page.title()).toContain(texts.title);
    expect(page.url()).toBe(stage.url);
  });

  it('shows the QR, and becomes ready without a reload', async () => {
    const page = await dashboard({ locale });
    const { session } = stage;
    session.showQr('2@first');
    await page.waitForSelector('.qr[aria-busy=false]');
    await see(page, '#pairing', texts.pairing.steps[0] ?? '');
    await see(page, '[role=status]', texts.pairing.announce);
    const first = await page.$eval('.qr img', (image) => image.getAttribute('src'));
    const width = await page.$eval('.qr img', (image) => image.getBoundingClientRect().width);
    expect(width).toBeGreaterThan(280);
    session.client.emit('qr', '2@second');
    await page.waitForFunction(
      `document.querySelector('.qr[aria-busy=false] img')?.getAttribute('src') !== ${JSON.stringify(first)}`,
    );
    session.moveTo('authenticated');
    session.moveTo('ready');
    await see(page, '.state-word', texts.state.words.ready);
    expect(await page.$('#pairing')).toBeNull();
  });

  it('shows issues with what to do, and a button that does it', async () => {
    const page = await dashboard({ locale });
    stage.session.moveTo('reconnecting', 'unresponsive');
    stage.session.check(report(34, 'reconnecting', TROUBLE));
    await see(page, '.issue-text', TROUBLE.issues?.[0]?.message[locale] ?? '');
    await see(page, '.gauge', texts.health.status.critical);
    await press(page, '#issues', texts.actions.names.reconnect);
    await page.waitForSelector('.notice.good');
    expect(stage.session.calls.map(([name]) => name)).toContain('reconnect');
  });

  it('backs up, shows that it goes on, and has the new row', async () => {
    const page = await dashboard({ locale });
    let finish = () => {};
    stage.session.gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    await press(page, '#actions', texts.actions.names.backup);
    await page.waitForSelector('#actions button[aria-busy=true]');
    const rows = (await page.$$('[data-snapshot]')).length;
    const newest = await page.$eval('[data-snapshot]', (row) => row.getAttribute('data-snapshot'));
    expect(rows).toBeGreaterThan(0);
    finish();
    await page.waitForFunction(
      `document.querySelector('[data-snapshot]').dataset.snapshot !== ${JSON.stringify(newest)}`,
    );
    await page.waitForSelector('.notice.good');
    await page.waitForSelector('[data-event="backup:completed"]');
    expect(await page.$('#actions button[aria-busy=true]')).toBeNull();
  });

  it('says in the language what went wrong', async () => {
    const page = await dashboard({ locale });
    stage.session.failure = new StoreError('the bucket is gone');
    await press(page, '#actions', texts.actions.names['force-save']);
    await see(page, '.notice.critical', texts.errors.STORE);
    await see(page, '.notice.critical .detail', 'the bucket is gone');
  });

  it('sends a test message', async () => {
    const page = await dashboard({ locale });
    await press(page, '#message', texts.message.send);
    await see(page, '#message', texts.message.phoneWrong);
    await page.type('#phone', '01234567890');
    await page.keyboard.press('Enter');
    await see(page, '#message', texts.message.phoneWrong);
    expect(stage.session.calls).toEqual([]);
    await page.locator('#phone').fill('');
    await page.type('#phone', '+٢٠ 123 456 7890');
    await page.keyboard.press('Enter');
    await see(page, '.notice.good', '201234567890');
    expect(stage.session.calls).toContainEqual([
      'sendTestMessage',
      '201234567890',
      texts.message.textDefault,
    ]);
  });
});

describe('a question', () => {
  const texts = textsOf('en');

  it('is asked before everything is deleted, and can be left', async () => {
    const page = await dashboard({ locale: 'en' });
    await press(page, '#actions', texts.actions.names.clear);
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForFunction(`document.querySelector('dialog') === null`);
    await press(page, '#actions', texts.actions.names.clear);
    await page.locator('dialog button.danger').click(); // not understood yet
    expect(stage.session.calls).toEqual([]);
    await page.click('dialog [name=understood]');
    await press(page, 'dialog', texts.clearDialog.confirm);
    await see(page, '.state-word', texts.state.words.idle);
    expect(stage.session.calls).toEqual([['clear', { logout: false }]]);
    await see(page, '#snapshots', texts.snapshots.none);
    await see(page, '#actions', texts.actions.names.initialize);
  });

  it('names the copy that is restored', async () => {
    const page = await dashboard({ locale: 'en' });
    const id = stage.session.snapshots[2]?.id ?? '';
    await press(page, `[data-snapshot="${id}"]`, texts.snapshots.restore);
    await see(page, 'dialog', texts.restoreDialog.title);
    await press(page, 'dialog', texts.restoreDialog.confirm);
    await page.waitForSelector('.notice.good[data-action=restore]');
    expect(stage.session.calls).toEqual([['restore', id]]);
  });
});

describe('the page', () => {
  it('says when the connection is lost, and is whole again when it is back', async () => {
    const page = await dashboard({ locale: 'ar' });
    await stage.close();
    await see(page, '.banner', textsOf('ar').link.lost);
    stage.session.state = 'stopped';
    await stage.open();
    // The restarted bot knows no login: the page says so, and leads to the form.
    await see(page, '.banner', textsOf('ar').link.ended);
    await press(page, '.banner', textsOf('ar').link.logIn);
    await page.waitForSelector('#token');
  });

  it.each(LOCALES)(
    'says in %s why there are no live updates, and gets them when there is room',
    async (locale) => {
      await stage.close();
      await stage.open({ maxStreams: 1 });
      const first = await dashboard({ locale });
      const second = await pageWith({ locale });
      await logIn(second, stage.url);
      const { errors, link } = textsOf(locale);
      await see(second, '.banner', errors.TOO_MANY_STREAMS);
      await see(second, '.top .badge.warning', link.refused);
      await first.goto('about:blank');
      await second.waitForSelector('.top .badge.good');
      expect(await second.$('.banner')).toBeNull();
    },
  );

  it('stays in the language of its address through login, a wrong token and logout', async () => {
    const page = await pageWith({ locale: 'en' });
    await page.goto(`${stage.url}?lang=ar`);
    for (const token of ['wrong-token-wrong-token-wrong', TOKEN]) {
      expect(await direction(page)).toBe('ar,rtl');
      await page.type('#token', token);
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    }
    await see(page, '.state-word', textsOf('ar').state.words.ready);
    expect(page.url()).toBe(`${stage.url}?lang=ar`);
    await page.locator('.log-out button').click();
    await page.waitForSelector('#token');
    expect(await direction(page)).toBe('ar,rtl');
  });

  it('keeps the language and the colours that were chosen', async () => {
    const page = await dashboard({ locale: 'en' });
    await page.locator('.top-tools button[lang=ar]').click();
    expect(await direction(page)).toBe('ar,rtl');
    await page.locator(`button[aria-label="${textsOf('ar').dark}"]`).click();
    await page.reload();
    await see(page, '.state-word', textsOf('ar').state.words.ready);
    expect(await direction(page)).toBe('ar,rtl');
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
    expect(await page.evaluate('Object.keys(localStorage).sort().join()')).toBe(
      'wwebjs-persistent-session.locale,wwebjs-persistent-session.theme',
    );
  });

  it('shows foreign texts as texts', async () => {
    stage.session = Object.assign(stage.session, { clientId: 'shop' });
    const page = await dashboard({ locale: 'en' });
    const message = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    stage.session.emit('warning', { code: 'storage', message });
    await see(page, '.log-line .detail', message);
    expect(await page.title()).not.toMatch(/^\d/);
    expect(await page.$('.log img, .log script')).toBeNull();
  });

  it('can be used by the keyboard alone', async () => {
    const page = await dashboard({ locale: 'en' });
    const focused = (): Promise<unknown> =>
      page.evaluate(`(() => {
        const { activeElement: element } = document;
        if (element === document.body) return 'the end|true';
        const visible = element.getBoundingClientRect().width > 1 && getComputedStyle(element).outlineStyle !== 'none';
        return [element.ariaLabel || element.textContent || element.name, visible].join('|');
      })()`);
    const walked: string[] = [];
    for (let step = 0; step < 60; step++) {
      await page.keyboard.press('Tab');
      const stop = String(await focused());
      walked.push(stop);
    }
    expect(walked[0]).toContain(textsOf('en').skipToContent);
    expect(walked.filter((stop) => stop.endsWith('|false'))).toEqual([]);
    for (const name of [
      textsOf('en').logOut,
      textsOf('en').actions.names.backup,
      textsOf('en').message.send,
    ]) {
      expect(
        walked.some((stop) => stop.includes(name)),
        name,
      ).toBe(true);
    }
    await page.focus('#actions button:last-child');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForFunction(
      `document.activeElement === document.querySelector('#actions button:last-child')`,
    );
  });

  it('fits a phone', async () => {
    for (const locale of LOCALES) {
      const page = await dashboard({ locale, viewport: { width: 360, height: 740 } });
      stage.session.check(report(34, 'ready', TROUBLE));
      await page.waitForSelector('.issue');
      const wide = await page.evaluate(
        `[...document.querySelectorAll('body *')].filter((element) => {
          const { left, right } = element.getBoundingClientRect();
          return (left < -1 || right > innerWidth + 1) && !element.closest('.sr-only, [aria-hidden]');
        }).map((element) => element.outerHTML.slice(0, 100))`,
      );
      expect(wide).toEqual([]);
    }
  });
});

const LOOKS = LOCALES.flatMap((locale) => (['light', 'dark'] as const).map((theme) => ({ locale, theme })));

// Looks at every element several times: slow where the machine is busy.
describe.each(LOOKS)(
  'axe finds nothing to complain about in $locale, $theme',
  { timeout: 300_000 },
  (look) => {
    it('when all is well', async () => {
      const page = await pageWith(look);
      await page.goto(stage.url);
      expect(await violations(page)).toEqual([]);
      await logIn(page, stage.url);
      expect(await violations(page)).toEqual([]);
    });

    it('in trouble, with a QR, a question and without a connection', async () => {
      const page = await dashboard(look);
      stage.session.emit('save:failed', { error: { code: 'STORE', message: 'down' } });
      stage.session.check(report(34, 'ready', TROUBLE));
      stage.session.showQr('2@code');
      await page.waitForSelector('.qr[aria-busy=false]');
      await page.locator('#health summary').click();
      expect(await violations(page)).toEqual([]);

      await press(page, '#actions', textsOf(look.locale).actions.names.clear);
      await page.waitForSelector('dialog[open]');
      expect(await violations(page)).toEqual([]);

      await page.keyboard.press('Escape');
      await stage.close();
      await page.waitForSelector('.banner');
      expect(await violations(page)).toEqual([]);
    });
  },
);

async function violations(page: Page): Promise<unknown> {
  await page.evaluate(axe.source);
  return page.evaluate(`axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
    violations.map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => html.slice(0, 200) + failureSummary)]))`);
}
