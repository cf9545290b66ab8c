import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

/** The Chromium (or Chrome) for tests, demo and benchmarks; undefined if this machine has none. */
export function findChromium(): string | undefined {
  const { PUPPETEER_EXECUTABLE_PATH, CHROME_PATH } = process.env;
  const candidates = [PUPPETEER_EXECUTABLE_PATH, CHROME_PATH, ...systemPaths(), puppeteersOwn()];
  return candidates.find((path) => path !== undefined && path !== '' && existsSync(path));
}

/**
 * Finds Chromium; if there is none, installs it with apt on Debian and Ubuntu as root.
 *
 * @throws Error that says what to install.
 */
export function ensureChromium(): string {
  const found = findChromium();
  if (found !== undefined) return found;
  if (canInstall()) {
    console.error('No Chromium on this machine: installing it by apt.');
    run('apt-get', ['update']);
    run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium']);
    const installed = findChromium();
    if (installed !== undefined) return installed;
  }
  throw new Error(
    [
      'No Chromium was found. Install one of these, or set PUPPETEER_EXECUTABLE_PATH to your browser:',
      '  Debian:   sudo apt-get update && sudo apt-get install -y --no-install-recommends chromium',
      '  Ubuntu:   sudo snap install chromium, or Chrome from https://www.google.com/chrome',
      '  Fedora:   sudo dnf install chromium',
      '  Alpine:   apk add chromium',
      '  Arch:     sudo pacman -S chromium',
      '  macOS:    brew install --cask chromium, or Chrome from https://www.google.com/chrome',
      '  Windows:  winget install Google.Chrome',
      '  anywhere: npx puppeteer browsers install chrome',
    ].join('\n'),
  );
}

function systemPaths(): string[] {
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
  switch (process.platform) {
    case 'darwin':
      return ['Chromium', 'Google Chrome'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);
    case 'win32': {
      const { PROGRAMFILES, LOCALAPPDATA } = process.env;
      const roots = [PROGRAMFILES, process.env['PROGRAMFILES(X86)'], LOCALAPPDATA];
      return roots.flatMap((root) =>
        root === undefined
          ? []
          : ['Chromium', join('Google', 'Chrome')].map((name) =>
              join(root, name, 'Application', 'chrome.exe'),
            ),
      );
    }
    default: {
      const folders = [
        '/usr/bin',
        '/usr/local/bin',
        '/snap/bin',
        ...(process.env.PATH ?? '').split(delimiter),
      ];
      return folders.filter(Boolean).flatMap((folder) => names.map((name) => join(folder, name)));
    }
  }
}

/** The browser that puppeteer, a dependency of whatsapp-web.js and not of this package, has downloaded, if any. */
function puppeteersOwn(): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    const puppeteer: unknown = createRequire(require.resolve('whatsapp-web.js'))('puppeteer');
    if (!hasExecutablePath(puppeteer)) return undefined;
    const path = puppeteer.executablePath();
    return typeof path === 'string' ? path : undefined;
  } catch {
    return undefined; // puppeteer is not installed, or has downloaded no browser
  }
}

function hasExecutablePath(value: unknown): value is { executablePath(): unknown } {
  return typeof value === 'object' && value !== null && 'executablePath' in value;
}

/** Ubuntu's `chromium` package only installs a snap, which rarely works in containers, but is better than nothing. */
function canInstall(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    return false;
  try {
    return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

function run(command: string, args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env });
  if (status === 0) return;
  throw new Error(`${[command, ...args].join(' ')} failed: ${error?.message ?? `exit code ${status}`}`);
}
