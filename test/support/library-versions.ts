import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Library } from '../simulator/client.js';

/** A combination of packages that a bot may have. */
export interface LibraryVersion {
  readonly name: string;
  readonly version: string;
  /** A puppeteer version other than the package requires, as set by npm's `overrides`. */
  readonly puppeteer?: string;
}

const version = (number: string): LibraryVersion => ({ name: 'whatsapp-web.js', version: number });

/** The oldest, a middle one, and the newest puppeteer; the newest whatsapp-web.js is the project's own. */
export const SOME_VERSIONS: readonly LibraryVersion[] = [
  version('1.30.0'),
  version('1.33.3'),
  { ...version('1.34.7'), puppeteer: '25.16.0' },
];

/** Every release from the oldest supported one on, for `WWEBJS_VERSIONS=all`. */
export const ALL_VERSIONS: readonly LibraryVersion[] = [
  ...['1.30.0', '1.31.0', '1.32.0', '1.33.0', '1.33.1', '1.33.2', '1.33.3'].map(version),
  ...['1.34.0', '1.34.1', '1.34.2', '1.34.4', '1.34.5', '1.34.6'].map(version),
  { ...version('1.34.7'), puppeteer: '25.16.0' },
];

const CACHE = join(tmpdir(), 'wwebjs-persistent-session-versions');
const INSTALL_DEADLINE_MS = 120_000;

/** Installs the library from npm once for each machine, without a browser. */
export function loadLibrary(library: LibraryVersion): Library {
  const { name, version: number, puppeteer } = library;
  const folder = join(CACHE, [name.replaceAll('/', '+'), number, puppeteer].filter(Boolean).join('-'));
  if (!existsSync(folder)) install(library, folder);
  return createRequire(join(folder, 'package.json'))(name) as Library;
}

// Moved into place when it is complete, so that no other run finds a part of it.
function install({ name, version: number, puppeteer }: LibraryVersion, folder: string): void {
  mkdirSync(CACHE, { recursive: true });
  const staging = mkdtempSync(join(CACHE, 'staging-'));
  const manifest = {
    private: true,
    dependencies: { [name]: number },
    ...(puppeteer !== undefined && { overrides: { puppeteer } }),
  };
  writeFileSync(join(staging, 'package.json'), JSON.stringify(manifest));
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  try {
    execFileSync(
      npm,
      ['install', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--silent'],
      {
        cwd: staging,
        env: { ...process.env, PUPPETEER_SKIP_DOWNLOAD: '1' },
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: INSTALL_DEADLINE_MS,
      },
    );
    if (!existsSync(folder)) renameSync(staging, folder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
