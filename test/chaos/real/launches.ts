import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'whatsapp-web.js';
import { holdNavigation } from '../../../src/client/hold-navigation.js';
import { intercept } from '../../../src/client/intercept.js';
import { closeBot, createBot, killBrowser } from '../../simulator/client.js';
import type { WhatsAppSimulator } from '../../simulator/server.js';
import type { Dice } from '../../support/dice.js';
import type { Damage } from './damages.js';
import { copyOf, type GoodProfile, profileIn } from './profiles.js';

/** The folders in which Chromium keeps the login. Everything below them is compared. */
const LOGIN_FOLDERS = ['Default/IndexedDB', 'Default/Local Storage', 'Default/LocalStorage'];
const PATIENCE_MS = 30_000;

/** How a launched browser is ended. */
export type Ending = 'closed' | 'killed';

export interface LaunchOptions {
  readonly simulator: WhatsAppSimulator;
  readonly good: GoodProfile;
  readonly other: GoodProfile;
  readonly damage: Damage;
  readonly dice: Dice;
  /** A separate folder, which is removed afterwards. */
  readonly folder: string;
  readonly ending: Ending;
  /** How long the browser stays open without a page, ms. */
  readonly stayMs: number;
}

export interface Launch {
  readonly damage: string;
  readonly ending: Ending;
  /** What differs below the folders of the login: while the browser was open, and after its end. */
  readonly whileOpen: readonly string[];
  readonly afterwards: readonly string[];
  readonly failure: string | undefined;
}

/**
 * Launches the real client's browser on a damaged copy, holds its first navigation, ends the browser again, and tells
 * what has changed in the folders of the login. Never rejects.
 */
export async function tryLaunch(options: LaunchOptions): Promise<Launch> {
  const { good, other, damage, folder, dice, ending, stayMs } = options;
  let failure: string | undefined;
  let whileOpen: readonly string[] = [];
  let afterwards: readonly string[] = [];
  try {
    await copyOf(good, folder);
    const profileDir = profileIn(folder);
    const otherDir = profileIn(other.folder);
    await damage.apply({ profileDir, otherDir, olderDir: good.olderDir, dice });
    const before = await digestsOf(profileDir);
    const client = createBot({
      simulator: options.simulator,
      dataPath: join(folder, 'auth'),
      clientId: 'bot',
    });
    try {
      await launchWithoutPage(client);
      await pause(stayMs);
      whileOpen = differencesOf(before, await digestsOf(profileDir));
      if (ending === 'killed') await killBrowser(client);
    } finally {
      await closeBot(client);
    }
    afterwards = differencesOf(before, await digestsOf(profileDir));
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  return { damage: damage.name, ending, whileOpen, afterwards, failure };
}

/** Starts the client up to its first navigation, which never happens. */
async function launchWithoutPage(client: Client): Promise<void> {
  const reached = new Promise<void>((resolve) => {
    const never = () => {
      resolve();
      return new Promise<void>(() => undefined);
    };
    intercept(client, 'pupPage', (page: Parameters<typeof holdNavigation>[0]) => holdNavigation(page, never));
  });
  const late = pause(PATIENCE_MS, undefined, { ref: false }).then(() => {
    throw new Error('the browser did not come up');
  });
  await Promise.race([reached, client.initialize().then(() => reached), late]);
}

/** A text for every entry below the folders of the login: its kind, size and SHA-256. */
async function digestsOf(profileDir: string): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  const visit = async (path: string): Promise<void> => {
    const stats = await lstat(join(profileDir, path)).catch(() => undefined);
    if (stats === undefined) return;
    if (stats.isDirectory()) {
      digests.set(path, 'folder');
      for (const name of await readdir(join(profileDir, path))) await visit(`${path}/${name}`);
    } else if (stats.isFile()) {
      const bytes = await readFile(join(profileDir, path));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      digests.set(path, `${bytes.length} bytes, ${sha256}, inode ${stats.ino}, modified ${stats.mtimeMs}`);
    } else digests.set(path, 'neither file nor folder');
  };
  for (const folder of LOGIN_FOLDERS) await visit(folder);
  return digests;
}

function differencesOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const gone = [...before.keys()].filter((path) => !after.has(path)).map((path) => `- ${path}`);
  const made = [...after.keys()].filter((path) => !before.has(path)).map((path) => `+ ${path}`);
  const changed = [...before]
    .filter(([path, digest]) => after.has(path) && after.get(path) !== digest)
    .map(([path]) => `~ ${path}`);
  return [...gone, ...made, ...changed];
}
