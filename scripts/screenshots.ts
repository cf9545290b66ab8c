/**
 * Takes the pictures of the dashboard in docs/images, with the real handler, real Chromium and a fake session.
 *
 * Usage: npm run screenshots [-- <folder> [<part of a name>]]   all of them, as whole pages, into another folder
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer';
import { report, type ShowSession, TROUBLE } from '../test/http/dashboard/show-session.js';
import { type Look, launchBrowser, logIn, openPage, ShowStage } from '../test/http/dashboard/show-stage.js';

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

const SCENES = ['ready', 'qr', 'critical', 'login'] as const;
type Scene = (typeof SCENES)[number];

/** The pictures that the README and the docs show. */
const COMMITTED: readonly string[] = [
  'ready-en-light-desktop',
  'ready-ar-dark-desktop',
  'qr-ar-light-desktop',
  'qr-ar-light-phone',
  'critical-en-dark-desktop',
  'critical-ar-light-phone',
  'login-ar-light-phone',
];

const [, , folder, part = ''] = process.argv;
warnWithoutArabicFont();
mkdirSync(folder ?? 'docs/images', { recursive: true });
const browser = await launchBrowser();
try {
  for (const scene of SCENES) {
    for (const locale of ['en', 'ar'] as const) {
      for (const theme of ['light', 'dark'] as const) {
        await take(browser, scene, { locale, theme, viewport: DESKTOP });
        await take(browser, scene, { locale, theme, viewport: PHONE });
      }
    }
  }
} finally {
  await browser.close();
}

async function take(browser: Browser, scene: Scene, look: Look): Promise<void> {
  const name = [scene, look.locale, look.theme, look.viewport === PHONE ? 'phone' : 'desktop'].join('-');
  if (folder === undefined ? !COMMITTED.includes(name) : !name.includes(part)) return;
  const stage = new ShowStage();
  await stage.open();
  const page = await openPage(browser, look);
  try {
    await set(scene, stage, page);
    const path = join(folder ?? 'docs/images', `dashboard-${name}.png`);
    await page.screenshot({
      path: path as `${string}.png`,
      fullPage: folder !== undefined,
      optimizeForSpeed: false,
    });
    console.log(path);
  } finally {
    await page.browserContext().close();
    await stage.close();
  }
}

async function set(scene: Scene, stage: ShowStage, page: Page): Promise<void> {
  if (scene === 'login') {
    await page.goto(stage.url);
    return;
  }
  const { session } = stage;
  const start = Date.now() - 20 * 60_000;
  const scores = scene === 'critical' ? [100, 100, 92, 92, 60, 34] : [92, 92, 100, 100, 84, 92, 100, 100];
  session.health = report(scores[0] ?? 100, 'ready', {}, start);
  await logIn(page, stage.url);
  for (const [index, score] of scores.slice(1).entries()) {
    session.check(report(score, 'ready', {}, start + (index + 1) * 180_000));
  }
  happen(scene, session);
  await page.waitForSelector(scene === 'ready' ? '.state.good' : '.state.warning');
  if (scene === 'qr') await page.waitForSelector('.qr[aria-busy=false]');
  await new Promise((resolve) => setTimeout(resolve, 900)); // until the page has read the status after the events
}

function happen(scene: Scene, session: ShowSession): void {
  switch (scene) {
    case 'qr':
      session.check(report(84, 'awaiting_qr'));
      session.moveTo('restoring');
      session.moveTo('starting');
      session.showQr(
        '2@not-a-real-code-to-be-scanned,by+anybody/at/all,because=it,is,for,show,only,0123456789',
      );
      return;
    case 'critical':
      session.emit('save:failed', {
        error: { code: 'STORE', message: "EIO: i/o error, open '/data/store'" },
      });
      session.moveTo('reconnecting', 'unresponsive');
      session.emit('reconnect:scheduled', {
        attempt: 2,
        maxAttempts: 5,
        delayMs: 12_000,
        cause: 'unresponsive',
      });
      session.check(report(34, 'reconnecting', TROUBLE));
      return;
    default:
      session.emit('lease:acquired', { owner: 'bot-7f9c@4121', generation: 4 });
      session.emit('restore:completed', {
        snapshot: session.snapshots[0],
        reason: 'profile-absent',
        ageMs: 42_000,
        durationMs: 612,
      });
      for (let times = 0; times < 3; times++) session.emit('save:skipped', { reason: 'unchanged' });
      session.emit('backup:completed', {
        snapshot: session.snapshots[1],
        durationMs: 900,
        bytesWritten: 11_900_000,
      });
  }
}

function warnWithoutArabicFont(): void {
  const { stdout, error } = spawnSync('fc-list', [':lang=ar', 'family'], { encoding: 'utf8' });
  if (error || stdout.trim() !== '') return;
  console.error(
    'No font with Arabic letters was found. On Debian: apt-get install -y --no-install-recommends fonts-noto-core',
  );
}
