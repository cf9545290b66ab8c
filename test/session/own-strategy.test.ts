import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

/** As published ones do it, derived from BaseAuthStrategy. */
describe('an auth strategy of the bot that chooses the folder itself at the launch', () => {
  const stage = useFakeStage();

  function botWith(
    choose: (puppeteer: Readonly<Record<string, unknown>>) => Record<string, unknown>,
  ): FakeBot {
    const bot = stage().bot({ auth: 'none' });
    const { authStrategy, options } = bot.client;
    Object.assign(authStrategy, {
      beforeBrowserInitialized: async () => {
        options.puppeteer = choose(options.puppeteer);
      },
    });
    return bot;
  }

  it('is refused, once and for good, before a page opens', async () => {
    const bot = botWith((puppeteer) => ({ ...puppeteer, userDataDir: '/bot/custom/anna' }));
    await expect(bot.start()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/"\/bot\/custom\/anna".*never be saved.*puppeteer\.userDataDir/),
    });
    expect([bot.state, bot.codes, bot.client.launches]).toEqual(['stopped', [], 1]);
    expect(bot.client.pupBrowser?.isConnected() ?? false).toBe(false);
  });

  it('is refused where it takes the folder away', async () => {
    const bot = botWith((puppeteer) => ({ ...puppeteer, userDataDir: undefined }));
    await expect(bot.start()).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('is fine where it names the same folder, however it spells it', async () => {
    const bot = botWith((puppeteer) => ({
      ...puppeteer,
      userDataDir: resolve(String(puppeteer.userDataDir)),
    }));
    await bot.logIn();
    await bot.save('kept');
    expect(await bot.session.listSnapshots()).toHaveLength(1);
  });
});

describe('a userDataDir with a blank at its end, which Chromium ignores', () => {
  const stage = useFakeStage();

  it.each(['/bot/chrome ', '/bot/chrome\r', '/bot/chrome/\r\n'])('%j is launched in', async (userDataDir) => {
    const bot = stage().bot({ auth: 'none', client: { puppeteer: { userDataDir } } });
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
  });
});
