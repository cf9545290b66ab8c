import { beforeAll, describe, expect, it } from 'vitest';
import { chromiumOf } from '../support/other-chromium.js';
import type { PersistentBot } from '../support/persistent-bot.js';
import { useStage } from './setup.js';

/** The border lies between these two: the newer one raises the data version of IndexedDB. */
const OLDER = '148.0.0';
const NEWER = '149.0.0';

describe('a Chromium that is older than the one that wrote the login', () => {
  const stage = useStage();
  let paths: { readonly older: string; readonly newer: string } | undefined;

  beforeAll(async () => {
    const [older, newer] = [await chromiumOf(OLDER), await chromiumOf(NEWER)];
    if (older !== undefined && newer !== undefined) paths = { older, newer };
  }, 300_000);

  /** puppeteer's own browser, or one that the bot names: the library can't know the first before it is up. */
  function bot(which: 'older' | 'newer', isNamed = true): PersistentBot {
    const executablePath = paths?.[which] ?? '';
    const one = stage.bot({ client: { puppeteer: { executablePath } } });
    // Taken out of the options while the library looks at them, so that it meets the browser only when it is up.
    if (!isNamed) hidePath(one, executablePath);
    return one;
  }

  it.each([
    ['known by its path', true],
    ['known only once it is up', false],
  ])('never opens the page, and the newer one goes on without a QR: %s', async (_name, isNamed) => {
    if (paths === undefined) return;
    const first = bot('newer');
    await first.logIn(stage.simulator);
    await first.session.destroy();

    const older = bot('older', isNamed);
    await expect(older.session.initialize()).rejects.toMatchObject({
      code: 'BROWSER_TOO_OLD',
      writtenBy: expect.stringContaining('149.'),
      browser: expect.stringContaining('148.'),
    });
    expect((older.client.pupBrowser ?? undefined) === undefined).toBe(isNamed);
    expect(older.qrCodes).toEqual([]);
    expect(older.session.state).toBe('stopped');

    const again = bot('newer');
    await again.session.initialize();
    expect(again.session.state).toBe('ready');
    expect(again.qrCodes).toEqual([]);
    expect(again.payloads('restore:started')).toEqual([]);
  });

  it('takes a copy that it reads, and the newer one goes on from there', async () => {
    if (paths === undefined) return;
    const first = bot('older');
    await first.logIn(stage.simulator);
    await first.session.destroy();
    const updated = bot('newer');
    await updated.session.initialize();
    expect(updated.session.state).toBe('ready');
    await updated.session.destroy();

    const rolledBack = bot('older');
    await rolledBack.session.initialize();
    expect(rolledBack.session.state).toBe('ready');
    expect(rolledBack.payloads('restore:completed')).toMatchObject([{ reason: 'browser-too-old' }]);
    await rolledBack.session.destroy();

    const again = bot('newer');
    await again.session.initialize();
    expect(again.session.state).toBe('ready');
    expect([rolledBack, again].flatMap(({ qrCodes }) => qrCodes)).toEqual([]);
  });
});

function hidePath(bot: PersistentBot, executablePath: string): void {
  const { options } = bot.client as unknown as { options: { puppeteer: object } };
  let given: object = { ...options.puppeteer, executablePath: undefined };
  Object.defineProperty(options, 'puppeteer', {
    configurable: true,
    // Client.js reads it in its own `initialize()`; everybody else sees what was set.
    get: () => (calledBy('initialize') ? { ...given, executablePath } : given),
    set: (value: object) => {
      given = value;
    },
  });
}

function calledBy(method: string): boolean {
  return new Error().stack?.includes(`Client.${method} `) ?? false;
}
