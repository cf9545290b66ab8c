import { type RunCommand, runCommand } from '../processes/run-command.js';
import type { ClientInternals } from './client-types.js';

/** A browser that is Chromium, or made of it. */
export interface BrowserVersion {
  /** As the browser says it, for example `Chrome/156.0.8078.79`. */
  readonly text: string;
  /** Of Chromium, for example 156. */
  readonly major: number;
}

/** What DevTools say: the name in front is the same for everything that is made of Chromium. */
const PRODUCT = /^(?:Headless)?Chrome\/(\d{1,5})\.\d/;
/** Those whose own number is Chromium's. Opera and Vivaldi count by themselves. */
const PRINTED =
  /^(?:Chromium|Google Chrome(?: for Testing)?|HeadlessChrome|Brave Browser|Microsoft Edge)\D{0,20}(\d{1,5})\.\d+\.[\d.]+/m;

/** Reads what puppeteer's `browser.version()` gives; `undefined` for anything that is not Chromium's. */
export function parseProduct(text: string | undefined): BrowserVersion | undefined {
  const major = PRODUCT.exec(text ?? '')?.[1];
  return text === undefined || major === undefined ? undefined : { text, major: Number(major) };
}

/** The browser that the bot has named by its path; `undefined` where puppeteer chooses one. */
export function executablePathOf({ options }: ClientInternals): string | undefined {
  const path = options?.puppeteer?.executablePath;
  return typeof path === 'string' && path.length > 0 ? path : undefined;
}

/**
 * Asks a browser's executable for its version: that opens no profile. `undefined` when it does not say, and on Windows,
 * where `--version` opens a window. Never rejects.
 */
export async function versionOfExecutable(
  path: string,
  run: RunCommand = runCommand,
  platform: NodeJS.Platform = process.platform,
): Promise<BrowserVersion | undefined> {
  if (platform === 'win32') return undefined;
  const printed = await run(path, ['--version']).catch(() => '');
  const [line, major] = PRINTED.exec(printed) ?? [];
  return line === undefined || major === undefined ? undefined : { text: line, major: Number(major) };
}
