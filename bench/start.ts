/**
 * Measures the time from `initialize()` to `ready` on a sound profile that was stopped in order: the plain client with
 * LocalAuth, and the same with this library, in real Chromium against the local simulator. The sides take turns, each
 * start in a process of its own, after one start that is not counted. Writes the table to bench/results/start.md.
 *
 *     npm run bench:start -- --megabytes 20,100,500 --rounds 9 --against ../other/dist/index.js
 *     npm run bench:start -- --check                     exits 1 if ours takes more than 1.05 times as long
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureChromium } from '../scripts/chromium.js';
import { systemFileSystem } from '../src/file-system.js';
import { listEssentialFiles } from '../src/profile/essential-files.js';
import { chromiumArguments, closeBot, createBot, waitForEvent } from '../test/simulator/client.js';
import { startSimulator, type WhatsAppSimulator } from '../test/simulator/server.js';
import type { BotStartFigures, BotStartOrder } from './children/bot-start.js';
import { BUILT, compileChild } from './support/compiled-child.js';
import { describeMachine } from './support/machine.js';
import { markdown, plain } from './support/tables.js';

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '20,100' },
    rounds: { type: 'string', default: '7' },
    against: { type: 'string' },
    results: { type: 'string', default: fileURLToPath(new URL('results/start.md', import.meta.url)) },
    check: { type: 'boolean', default: false },
  },
});
const PATIENCE_MS = 120_000;
/** The most that the time of ours may be, as a multiple of the plain client's. */
const MOST_OF_PLAIN = 1.05;
const rounds = Number(values.rounds);
const sides: readonly { readonly name: string; readonly library: string | undefined }[] = [
  { name: 'plain', library: undefined },
  { name: 'ours', library: BUILT.library },
  ...(values.against === undefined
    ? []
    : [{ name: 'against', library: pathToFileURL(resolve(values.against)).href }]),
];
const machine = await describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'wwebjs-bench-start-'));
const rows: string[][] = [['MB', 'side', 'ready, ms: median', 'least', 'most', 'of plain', 'target', 'met']];
try {
  const script = await compileChild('bot-start', folder);
  for (const megabytes of values.megabytes.split(',').map(Number)) {
    const simulator = await startSimulator(); // knows only the logins that it has given
    const times = new Map<string, number[]>();
    let bytes = 0;
    try {
      const grown = join(folder, 'grown');
      bytes = await grow(simulator, grown, megabytes);
      for (const { name } of sides) {
        const profile = join(folder, name, 'auth/session-bot');
        await rm(join(folder, name), { recursive: true, force: true });
        await cp(join(grown, 'session-bot'), profile, { recursive: true, verbatimSymlinks: true });
      }
      for (let round = 0; round <= rounds; round++) {
        for (const { name, library } of sides) {
          const { readyMs } = await start(script, {
            whatsApp: import.meta.resolve('whatsapp-web.js'),
            library,
            folder: join(folder, name),
            executablePath: ensureChromium(),
            args: chromiumArguments(simulator.port),
          });
          if (round > 0) times.set(name, [...(times.get(name) ?? []), readyMs]);
        }
      }
    } finally {
      await simulator.close();
    }
    rows.push(...rowsOf((bytes / 1e6).toFixed(0), times));
    const about = `Measured ${new Date().toISOString().slice(0, 10)} on ${machine.cpu}, ${machine.cores} cores, node ${machine.node}, ${rounds} rounds.`;
    console.log(`\n${about}\n\n${plain(rows)}`);
    await mkdir(dirname(values.results), { recursive: true });
    await writeFile(
      values.results,
      `# From initialize() to ready\n\nWritten by \`npm run bench:start\`; see docs/performance.md.\n\n${about}\n\n${markdown(rows)}\n`,
    );
    if (values.check && rows.some((row) => row.at(-1) === 'NO')) process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Makes a profile of about this many megabytes, in two runs of the plain client; returns the size of its login. */
async function grow(simulator: WhatsAppSimulator, dataPath: string, megabytes: number): Promise<number> {
  await rm(dataPath, { recursive: true, force: true, maxRetries: 5 });
  for (const run of [0, 1]) {
    const client = createBot({ simulator, dataPath, clientId: 'bot' });
    try {
      const ready = waitForEvent(client, 'ready', PATIENCE_MS);
      ready.catch(() => undefined); // initialize() reports the error first
      await Promise.all([client.initialize(), run === 0 && simulator.scan({ timeoutMs: PATIENCE_MS })]);
      await ready;
      await simulator.writeBulk(megabytes / 2, { timeoutMs: PATIENCE_MS + megabytes * 2000 });
    } finally {
      await closeBot(client, PATIENCE_MS);
    }
  }
  const files = await listEssentialFiles(join(dataPath, 'session-bot'), { fs: systemFileSystem });
  return files.reduce((sum, { size }) => sum + size, 0);
}

function rowsOf(megabytes: string, times: ReadonlyMap<string, readonly number[]>): string[][] {
  const medians = new Map([...times].map(([name, all]) => [name, median(all)]));
  const base = medians.get('plain') ?? Number.NaN;
  return [...times].map(([name, all]) => {
    const own = medians.get(name) ?? Number.NaN;
    const hasTarget = name === 'ours';
    return [
      megabytes,
      name,
      own.toFixed(0),
      Math.min(...all).toFixed(0),
      Math.max(...all).toFixed(0),
      (own / base).toFixed(2),
      hasTarget ? `<= ${MOST_OF_PLAIN}` : '',
      hasTarget ? (own / base <= MOST_OF_PLAIN ? 'yes' : 'NO') : '',
    ];
  });
}

function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function start(script: string, order: BotStartOrder): Promise<BotStartFigures> {
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return new Promise((done, reject) => {
    let told: BotStartFigures | undefined;
    child.on('message', (message) => {
      told = message as BotStartFigures;
    });
    child.on('error', reject);
    child.on('exit', (code) =>
      told === undefined ? reject(new Error(`the child ended with ${code}`)) : done(told),
    );
    child.send(order);
  });
}
