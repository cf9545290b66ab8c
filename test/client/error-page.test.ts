import { describe, expect, it } from 'vitest';
import { ErrorPageError, refuseErrorPage } from '../../src/client/error-page.js';
import { isNetworkError } from '../../src/client/network-errors.js';
import { FakeBrowser, FakePage } from '../../src/testing/fake-browser.js';

const URL = 'https://web.whatsapp.com/';

function navigated(status: number, { applies = true, title = 'Blocked' } = {}) {
  const page = new FakePage(new FakeBrowser());
  page.otherPage = { status, title };
  refuseErrorPage(page, { applies: () => applies, titleOf: async () => title || undefined });
  return page.goto(URL);
}

describe('an error page in place of WhatsApp’s', () => {
  it.each([503, 403, 400])(
    'fails the navigation by HTTP %i, which is named with the title',
    async (status) => {
      const error = await navigated(status).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(ErrorPageError);
      expect(String(error)).toContain(`HTTP ${status} ("Blocked")`);
    },
  );

  it('is named by its status where it has no title', async () => {
    await expect(navigated(502, { title: '' })).rejects.toThrow(/HTTP 502$/);
  });

  it.each([200, 204, 304])('is none by HTTP %i', async (status) => {
    await expect(navigated(status)).resolves.toBeDefined();
  });

  it('is nobody’s matter once the start is over: the bot may look at what it likes', async () => {
    await expect(navigated(404, { applies: false })).resolves.toBeDefined();
  });

  it('is not judged where the navigation gives no answer', async () => {
    const page = new FakePage(new FakeBrowser());
    for (const answer of [null, undefined, {}, { status: 'x' }]) {
      Object.assign(page, { goto: async () => answer });
      refuseErrorPage(page, { applies: () => true, titleOf: async () => undefined });
      expect(await page.goto(URL)).toBe(answer);
    }
  });

  it.each([500, 502, 503, 504, 511, 403, 404, 408, 429, 451])(
    'is waited out as an outage: HTTP %i',
    (status) => {
      expect(isNetworkError(new ErrorPageError(status, undefined))).toBe(true);
    },
  );

  it.each([400, 401, 407, 410, 426])('counts where waiting does not heal it: HTTP %i', (status) => {
    expect(isNetworkError(new ErrorPageError(status, undefined))).toBe(false);
  });
});
