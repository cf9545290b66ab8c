import type { PuppeteerOptions } from './client-types.js';
import { readPart } from './launch-text.js';

/** Why a start can't succeed until somebody changes something, and what to change. */
export interface StartObstacle {
  readonly reason: string;
  readonly advice: string;
}

const INSTALL =
  "install it (npx puppeteer browsers install chrome), or name one that is there in the client's puppeteer.executablePath";
const LIBRARIES =
  "install the system packages that Chrome needs (on Debian and Ubuntu: apt-get install chromium, or the list on puppeteer's troubleshooting page)";
const OTHER_THAN_SNAP =
  "install Chrome (npx puppeteer browsers install chrome), and correct or remove the client's puppeteer.executablePath";

interface Words extends StartObstacle {
  readonly pattern: RegExp;
  /** Whether the display causes it. If a display is set, this is no obstacle: its X server may still be starting. */
  readonly isOfDisplay?: boolean;
}

/**
 * Messages of puppeteer 18 and 24, Chromium 156, Ubuntu's stub and the shell (docs/recovery.md). The last two entries match
 * any script that ends that way, so they are tried last.
 */
const WORDS: readonly Words[] = [
  {
    pattern:
      /Browser was not found at the configured executablePath|Tried to find the browser at the configured path|Could not find (?:Chrome|Google Chrome|Firefox|Chromium)\b|Failed to launch the browser process[:!]\s+spawn .* ENOENT/,
    reason: 'there is no browser to start',
    advice: INSTALL,
  },
  {
    pattern: /requires the chromium snap to be installed/,
    reason: 'there is no browser to start, only a stub that asks for a snap',
    advice: OTHER_THAN_SNAP,
  },
  {
    pattern: /is not a snap cgroup for tag/,
    reason: "a browser from a snap can't be started from here",
    advice: OTHER_THAN_SNAP,
  },
  {
    pattern: /Failed to launch the browser process[:!]\s+spawn .* (?:EACCES|EPERM)/,
    reason: 'the browser may not be executed',
    advice:
      "give this user the right to execute it (chmod +x; no `noexec` on its file system), or correct the client's puppeteer.executablePath",
  },
  {
    pattern:
      /Exec format error|cannot execute binary file|spawn .*(?:ENOEXEC|EBADARCH|Unknown system error -86)|(?:qemu-x86_64|rosetta error).*ld-linux/,
    reason: 'the browser is none for this machine',
    advice: "install one for the machine's own processor; Chrome has none for Linux on ARM, Chromium has",
  },
  {
    pattern:
      /error while loading shared libraries|Library not loaded|version `GLIBC\w*_[\d.]+' not found|symbol lookup error|Error loading shared library|Error relocating .* symbol not found/,
    reason: 'the browser lacks a shared library',
    advice: LIBRARIES,
  },
  {
    pattern:
      /Running as root without --no-sandbox is not supported|No usable sandbox|Failed to move to new namespace|SUID sandbox helper binary was found, but is not configured correctly/,
    reason: "Chromium's sandbox can't be used here",
    advice: "add '--no-sandbox' to the client's puppeteer.args, or run the bot as a user of its own",
  },
  {
    pattern:
      /Missing X server|cannot open display|Unable to open X display|no DISPLAY environment variable|Failed to connect to Wayland display/i,
    reason: 'there is no display for a browser with a window',
    advice:
      "set headless: true in the client's puppeteer, or start an X server (xvfb-run node bot.js) and set DISPLAY",
    isOfDisplay: true,
  },
  {
    pattern: /Old Headless mode has been removed/i,
    reason: 'this browser has no old headless mode any more',
    advice: "set headless: true in the client's puppeteer, and remove '--headless=old' from its args",
  },
  {
    pattern: /Couldn't load version .{0,100} from the cache/,
    reason: 'the page of WhatsApp Web that is asked for is not in the web cache, which is strict',
    advice: "put it there, correct the client's webVersion, or set strict: false in its webVersionCache",
  },
  {
    pattern: /webVersionCache\.remotePath is required|Invalid WebCache type/,
    reason: "the client's webVersionCache is none",
    advice: "its type is 'local', 'remote' or 'none'; a remote one needs a remotePath",
  },
  {
    pattern: /__name is not defined/,
    reason: 'a bundler has changed the code of whatsapp-web.js',
    advice: 'leave whatsapp-web.js out of the bundle (external), or switch off keepNames',
  },
  {
    pattern: /Failed to launch the browser process[:!][\s\S]*\bexec: .{1,500}: Permission denied/,
    reason: 'the browser may not be executed',
    advice:
      "give this user the right to execute what the script starts (chmod +x; no `noexec` on its file system), or correct the client's puppeteer.executablePath",
  },
  {
    pattern: /Failed to launch the browser process[:!](?:\s+Code: 127\b|[\s\S]*\bexec: .{1,500}: not found)/,
    reason: 'there is no browser to start',
    advice: INSTALL,
  },
];

/** The obstacle that the error message of a failed launch shows; `undefined` if the message is not known. */
export function obstacleInWords(
  message: string,
  { hasDisplay }: { readonly hasDisplay: boolean },
): StartObstacle | undefined {
  const text = readPart(message);
  const said = WORDS.find(({ pattern }) => pattern.test(text));
  if (said === undefined || (said.isOfDisplay && hasDisplay)) return undefined;
  const { reason, advice } = said;
  return { reason, advice };
}

/** Whether a display is set for the browser. It may not be running yet, for example an Xvfb that starts with the bot. */
export function isDisplaySet(
  puppeteer: PuppeteerOptions | undefined,
  own: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  const env = puppeteer?.env ?? own;
  if (env.DISPLAY || env.WAYLAND_DISPLAY) return true;
  return (puppeteer?.args ?? []).some((argument) => argument.startsWith('--display='));
}
