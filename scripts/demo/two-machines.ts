/**
 * Shows a login that outlives its machine: the saves lie in a real Postgres, Redis or S3 gateway on loopback. Machine A logs in
 * and is killed with its whole disk; machine B starts on an empty one, and is ready without a QR. While it runs, machine C
 * waits: exactly one of them runs.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startSimulator } from '../../test/simulator/server.js';
import { type StoreServer, startServer } from '../../test/stores/servers/start-server.js';
import { BotProcess } from '../../test/support/bot-process.js';
import { ensureChromium } from '../chromium.js';
import { Steps } from './steps.js';

const DEADLINE_MS = 240_000;
const ACCOUNT = '4915100000001';
/** How long machine C is watched while B has the session, ms. */
const WATCHED_MS = 10_000;

const { values } = parseArgs({ options: { store: { type: 'string' } } });

const steps = new Steps();
const watchdog = setTimeout(() => {
  steps.fail(new Error(`the demo took longer than ${DEADLINE_MS / 1000} s`));
  steps.printTable();
  process.exit(1);
}, DEADLINE_MS);
console.log(`Chromium: ${ensureChromium()}\n`);
const folder = await mkdtemp(join(tmpdir(), 'wwebjs-machines-'));
const simulator = await startSimulator();
const machines: BotProcess[] = [];
let server: StoreServer | undefined;

try {
  await steps.run(`a ${values.store} server starts`, async () => {
    server = await startServer(values.store);
    return 'on loopback';
  });
  const a = machine('bot');
  await steps.run('machine A logs in and saves', async () => {
    await a.waitFor('qr');
    await simulator.scan({ account: ACCOUNT });
    await a.waitFor('state:changed', ({ to }) => to === 'ready');
    const { payload } = await a.waitFor('save:completed');
    return `snapshot ${(payload.snapshot as { id: string }).id}`;
  });
  await steps.run('machine A is lost: SIGKILL, and its disk is gone', async () => {
    const { payload } = await a.waitFor('initialized');
    a.kill('SIGKILL');
    await a.exit;
    if (typeof payload.browser === 'number') process.kill(payload.browser, 'SIGKILL');
    await rm(join(folder, 'bot'), { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    return 'nothing is left of it but the store';
  });
  const b = machine('bot');
  await steps.run('machine B starts on an empty disk', async () => {
    await b.waitFor('state:changed', ({ to }) => to === 'ready');
    steps.expect(!told(b, 'qr'), 'no QR');
    steps.expect(told(b, 'restore:completed'), 'a restore');
    const { payload } = await b.waitFor('lease:acquired');
    return `ready without a QR, as owner number ${payload.generation}`;
  });
  await steps.run('machine C starts while B runs', async () => {
    const c = machine('bot-on-c');
    await c.waitFor('warning', ({ message }) => String(message).includes('still has this session'));
    await pause(WATCHED_MS);
    steps.expect(!c.lines.some(({ payload }) => payload.to === 'starting'), 'C launches no browser');
    steps.expect(!told(b, 'lease:lost'), 'B keeps the session');
    await stop(c);
    await stop(b);
    return 'C waits for B, and only B runs';
  });
} catch (error) {
  steps.fail(error);
} finally {
  for (const one of machines) await stop(one).catch(() => undefined);
  await simulator.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  clearTimeout(watchdog);
}
steps.printTable();
process.exitCode = steps.failed ? 1 : 0;

/** @param path where the bot lies on its machine; the same on A and B, as after a redeploy */
function machine(path: string): BotProcess {
  const process = new BotProcess(join(folder, path), simulator.port, {
    storeUrl: server?.urlAt(server.port) ?? '',
    session: { backupIntervalMs: 0 },
  });
  machines.push(process);
  return process;
}

function told(bot: BotProcess, name: string): boolean {
  return bot.lines.some((line) => line.name === name);
}

async function stop(bot: BotProcess): Promise<void> {
  bot.kill('SIGTERM');
  await bot.exit;
}
