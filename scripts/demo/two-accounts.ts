/**
 * Shows two accounts in one folder, written like most published bots: a `dataPath` for each, and no client id. Each
 * keeps its own login through a redeploy that empties the disk, and never gets the login of the other.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'whatsapp-web.js';
import type { PersistentSession } from '../../src/index.js';
import { createBot, pageState, waitForEvent } from '../../test/simulator/client.js';
import { startSimulator } from '../../test/simulator/server.js';
import { ensureChromium } from '../chromium.js';
import { Steps } from './steps.js';

const DEADLINE_MS = 180_000;
const PATIENCE_MS = 45_000;
const ANNA = '4915100000001';
const BEN = '4915100000002';

interface Bot {
  readonly client: Client;
  readonly session: PersistentSession;
  readonly codes: string[];
}

// `as string` hides the name from the compiler, because the package's types do not exist before the build.
const library: typeof import('../../src/index.js') = await import('wwebjs-persistent-session' as string);
const steps = new Steps();
const watchdog = setTimeout(() => {
  steps.fail(new Error(`the demo took longer than ${DEADLINE_MS / 1000} s`));
  steps.printTable();
  process.exit(1);
}, DEADLINE_MS);

const executablePath = ensureChromium();
console.log(`Chromium: ${executablePath}\n`);
const folder = await mkdtemp(join(tmpdir(), 'wwebjs-demo-'));
const home = process.cwd();
process.chdir(folder); // the paths below are relative, as in a bot
const simulator = await startSimulator();
const bots: Bot[] = [];

try {
  await steps.run('Anna logs in, and her bot stops', async () => {
    const anna = newBot('sessions/anna');
    await logIn(anna, ANNA);
    await anna.session.destroy();
    return `client id ${anna.session.options.clientId}`;
  });

  await steps.run("Ben's bot starts for the first time, in the same folder", async () => {
    const ben = newBot('sessions/ben');
    await ben.session.initialize();
    steps.expect(ben.session.state === 'awaiting_qr', `a QR of his own (${ben.session.state})`);
    steps.expect(restores(ben) === 0, 'nothing was restored');
    await ben.session.destroy();
    return `client id ${ben.session.options.clientId}; a QR, nothing restored`;
  });

  await steps.run('both run at once, each with its own account', async () => {
    const anna = newBot('sessions/anna');
    const ben = newBot('sessions/ben');
    await start(anna);
    await logIn(ben, BEN);
    await expectAccounts(anna, ben);
    steps.expect(anna.codes.length === 0, 'no QR for Anna');
    for (const bot of [anna, ben]) await bot.session.destroy();
    return 'ready, ready';
  });

  await steps.run('a redeploy: both profiles are gone', async () => {
    await rm('sessions', { recursive: true });
    const ben = newBot('sessions/ben'); // now in the other order
    const anna = newBot('sessions/anna');
    for (const bot of [ben, anna]) await start(bot);
    await expectAccounts(anna, ben);
    steps.expect(anna.codes.length + ben.codes.length === 0, 'no QR');
    for (const bot of [anna, ben]) await bot.session.destroy();
    return 'each restored its own login, no QR';
  });

  await steps.run('two dataPaths that share one client id', async () => {
    const anna = newBot('shared/anna', 'bot');
    await logIn(anna, ANNA);
    await anna.session.destroy();
    const ben = newBot('shared/ben', 'bot');
    const refused = await ben.session.initialize().then(
      () => undefined,
      (error: unknown) => error,
    );
    steps.expect(
      library.isSessionError(refused) && refused.code === 'CONFIGURATION',
      `the second is refused (${String(refused)})`,
    );
    steps.expect(ben.codes.length === 0 && restores(ben) === 0, 'no QR, nothing restored');
    return `refused: ${String(refused).slice(0, 110)}...`;
  });
} catch (error) {
  steps.fail(error);
} finally {
  for (const { session } of bots) await session.destroy().catch(() => undefined);
  await simulator.close();
  process.chdir(home);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  clearTimeout(watchdog);
}
steps.printTable();
process.exitCode = steps.failed ? 1 : 0;

/** A new bot with the built package, as a user's bot has it. Each bot represents a new process. */
function newBot(dataPath: string, clientId?: string): Bot {
  const client = createBot({
    simulator,
    executablePath,
    auth: 'local',
    dataPath,
    ...(clientId !== undefined && { clientId }),
  });
  const session = new library.PersistentSession(client);
  const bot: Bot = { client, session, codes: [] };
  client.on('qr', (qr: string) => bot.codes.push(qr));
  session.on('state:changed', ({ to }) => console.log(`    ${dataPath}: ${to}`));
  session.on('restore:completed', ({ snapshot }) => console.log(`    ${dataPath}: restored ${snapshot.id}`));
  session.on('warning', ({ code, message }) => {
    if (code !== 'storage') console.log(`    ${dataPath}: warning ${code}: ${message}`); // not about the bot
  });
  bots.push(bot);
  return bot;
}

async function start({ client, session }: Bot): Promise<void> {
  const ready = waitForEvent(client, 'ready', PATIENCE_MS);
  await session.initialize();
  await ready;
}

async function logIn(bot: Bot, account: string): Promise<void> {
  const ready = waitForEvent(bot.client, 'ready', PATIENCE_MS);
  await bot.session.initialize();
  const qr = bot.codes.at(-1);
  await simulator.scan({ account, ...(qr !== undefined && { qr }) });
  await ready;
}

async function expectAccounts(anna: Bot, ben: Bot): Promise<void> {
  for (const [bot, account] of [
    [anna, ANNA],
    [ben, BEN],
  ] as const) {
    const page = await pageState(bot.client);
    steps.expect(page.account?.startsWith(account) === true, `the page is of ${account} (${page.account})`);
  }
}

function restores({ session }: Bot): number {
  return session.status().lastRestore === undefined ? 0 : 1;
}
