import { type RunCommand, runCommand } from '../processes/run-command.js';
import type { ClientInternals } from './client-types.js';

/** The version of a browser that is Chromium or based on it. */
export interface BrowserVersion {
  /** The text that the browser reports, for example `Chrome/156.0.8078.79`. */
  readonly text: string;
  /** Chromium's major version, for example 156. */
  readonly major: number;
}

/** The version text of the DevTools protocol, whose name is the same for all browsers that are based on Chromium. */
const PRODUCT = /^(?:Headless)?Chrome\/(\d{1,5})\.\d/;
/** Browsers that use Chromium's version number. Opera and Vivaldi have numbers of their own. */
const PRINTED =
  /^(?:Chromium|Google Chrome(?: for Testing)?|HeadlessChrome|Brave Browser|Microsoft Edge)\D{0,20}(\d{1,5})\.\d+\.[\d.]+/m;

/** Parses the result of puppeteer's `browser.version()`; `undefined` if the browser is not based on Chromium. */
export function parseProduct(text: string | undefined): BrowserVersion | undefined {
  const major = PRODUCT.exec(text ?? '')?.[1];
  return text === undefined || major === undefined ? undefined : { text, major: Number(major) };
}

/** The path of the browser that the bot has set; `undefined` if puppeteer chooses the browser. */
export function executablePathOf({ options }: ClientInternals): string | undefined {
  const path = options?.puppeteer?.executablePath;
  return typeof path === 'string' && path.length > 0 ? path : undefined;
}

/**
 * Asks a browser's executable for its version, without opening a profile. `undefined` when it does not answer, and on
 * Windows, where `--version` opens a window. Never rejects.
 */
export async function versionOfExecutable(
  path: string,
  run: RunCommand = runCommand,
  platform: NodeJS.Platform = process.platform,
): Promise<BrowserVersion | undefined> {
  if (platform === 'win32') return undefined;
  return parsePrinted(await run(path, ['--version']).catch(() => ''));
}

/** Parses what a browser's executable prints; `undefined` if it is not based on Chromium. */
export function parsePrinted(printed: string): BrowserVersion | undefined {
  const [line, major] = PRINTED.exec(printed) ?? [];
  return line === undefined || major === undefined ? undefined : { text: line, major: Number(major) };
}
