import { describe, expect, it } from 'vitest';
import { executablePathOf, parseProduct, versionOfExecutable } from '../../src/client/browser-version.js';
import type { ClientInternals } from '../../src/client/client-types.js';

describe("a browser's version", () => {
  it.each([
    ['Chrome/156.0.8078.79', 156],
    ['HeadlessChrome/148.0.7778.0', 148],
    ['Fake/1.0', undefined],
    ['Firefox/150.0', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('as DevTools tell it: %s', (text, major) => {
    expect(parseProduct(text)?.major).toBe(major);
  });

  it.each([
    ['Chromium 156.0.8078.108 built on Debian GNU/Linux 12 (bookworm)\n', 156],
    ['Chromium 149.0.7827.0 \n', 149],
    ['Google Chrome 147.0.7700.1 \n', 147],
    ['Google Chrome for Testing 146.0.7680.31 \n', 146],
    ['/usr/bin/chromium: 9: unexpected operator\nChromium 156.0.8078.108 snap\n', 156],
    ['Brave Browser 131.1.73.89 \n', 131],
    ['Microsoft Edge 131.0.2903.51 \n', 131],
    ['Vivaldi 7.0.3495.11 stable\n', undefined],
    ['Opera 114.0.5282.21\n', undefined],
    ['no version at all', undefined],
  ])('as its program prints it: %s', async (printed, major) => {
    expect((await versionOfExecutable('/chromium', async () => printed, 'linux'))?.major).toBe(major);
  });

  it('is not known where the program fails, nor on Windows, where it would open a window', async () => {
    const fails = () => Promise.reject(new Error('ENOENT'));
    expect(await versionOfExecutable('/chromium', fails, 'linux')).toBeUndefined();
    const calls: unknown[] = [];
    const asked = async (...call: unknown[]) => String(calls.push(call));
    expect(await versionOfExecutable('C:\\chrome.exe', asked, 'win32')).toBeUndefined();
    expect(calls).toEqual([]);
  });

  it('is asked of the program that the bot has named', () => {
    const client = (puppeteer: object) => ({ options: { puppeteer } }) as unknown as ClientInternals;
    expect(executablePathOf(client({ executablePath: '/usr/bin/chromium' }))).toBe('/usr/bin/chromium');
    expect(executablePathOf(client({ executablePath: '' }))).toBeUndefined();
    expect(executablePathOf(client({}))).toBeUndefined();
  });
});
