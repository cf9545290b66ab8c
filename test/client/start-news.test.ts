import { describe, expect, it } from 'vitest';
import { foreignTitleOf, titleOf, withPageFacts } from '../../src/client/start-news.js';
import { TimeoutError } from '../../src/errors.js';
import { FakeBrowser, FakePage } from '../../src/testing/fake-browser.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

const clock = new ManualClock();
const titled = (title: unknown) => ({ evaluate: async () => title, on: () => undefined });

describe('the title of the page that came in place of WhatsApp’s', () => {
  it('is told on one line, and cut', async () => {
    const title = await titleOf(titled(`Sign in\n to  Wi-Fi ${'x'.repeat(500)}`), clock);
    expect(title).toMatch(/^Sign in to Wi-Fi x+…$/);
    expect(title?.length).toBeLessThan(120);
  });

  it.each(['', '  ', undefined, 5])('is none: %j', async (title) => {
    expect(await titleOf(titled(title), clock)).toBeUndefined();
  });

  it('of WhatsApp’s own page is no news', async () => {
    expect(await foreignTitleOf(titled('(3) WhatsApp'), clock)).toBeUndefined();
    expect(await foreignTitleOf(titled('Blocked'), clock)).toBe('Blocked');
  });

  it('is not waited for where the page hangs, or is gone', async () => {
    const browser = new FakeBrowser();
    const page = new FakePage(browser);
    page.hangs = true;
    const asked = titleOf(page, clock);
    await clock.advance(5_000);
    expect(await asked).toBeUndefined();
    browser.kill();
    expect(await titleOf(page, clock)).toBeUndefined();
    expect(await titleOf(undefined, clock)).toBeUndefined();
  });
});

describe('what the client threw, with what is known of its page', () => {
  const facts = { lastPageError: 'the page: Requiring unknown module X', foreignTitle: 'Blocked' };

  it('names the page and its last error, and keeps what was thrown as the cause', () => {
    const error = withPageFacts('auth timeout', facts);
    expect(error.message).toBe(
      'auth timeout (the page there is "Blocked"; last error there: the page: Requiring unknown module X)',
    );
    expect(error.cause).toBe('auth timeout');
  });

  it('keeps the code of a system error', () => {
    const thrown = Object.assign(new Error('EIO: read'), { code: 'EIO' });
    expect(withPageFacts(thrown, facts)).toMatchObject({ code: 'EIO', cause: thrown });
  });

  it.each([
    new TimeoutError('no ready'),
    new Error('Execution context was destroyed'),
    new Error('Evaluation failed: Error: Requiring unknown module X'),
  ])('leaves what says enough by itself: %s', (error) => {
    expect(withPageFacts(error, facts)).toBe(error);
  });

  it('leaves it where nothing is known', () => {
    const error = new Error('auth timeout');
    expect(withPageFacts(error, { lastPageError: undefined })).toBe(error);
  });
});
