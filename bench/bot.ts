/**
 * Runs four bots side by side, each in a node process of its own with real Chromium against the local simulator: the
 * plain client with LocalAuth, the same with this library, with this library without backups (to tell what these cost),
 * and RemoteAuth with the cheapest store, saving every minute. Their pages write records of 2 to 6 KB under random keys. Prints what each node process costs, and what ours costs
 * beyond the plain one as a share of what RemoteAuth does; writes the table to bench/results/bot.md.
 *
 *     npm run bench:bot                                            100 MB, 80 KB/s, 6 minutes
 *     npm run bench:bot -- --minutes 1 --profile-mb 20 --rate 40 --results /tmp/bot.md
 *     npm run bench:bot -- --check                                 exits 1 if a target is missed
 *     npm run bench:bot -- --cpu-prof out                          a CPU profile of our process and of its worker thread
 *
 * Ours and RemoteAuth have stored the session in an earlier run. Costs count from the call of `initialize()` on,
 * without the orderly stop at the end.
 */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureChromium } from '../scripts/chromium.js';
import { chromiumArguments } from '../test/simulator/client.js';
import { startSimulator } from '../test/simulator/server.js';
import type { BotOrder, BotSample, BotSide } from './children/bot-at-work.js';
import { remoteAuth } from './children/remote-auth.js';
import { type BotFigures, botVerdicts } from './support/bot-figures.js';
import { BotProcess } from './support/bot-process.js';
import { BUILT, compileChild, ROOT } from './support/compiled-child.js';
import { growBot } from './support/grow-bot.js';
import { describeMachine } from './support/machine.js';
import { keysFor } from './support/page-of-records.js';
import { markdown, plain } from './support/tables.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '6' },
    'profile-mb': { type: 'string', default: '100' },
    rate: { type: 'string', default: '80' },
    results: { type: 'string', default: fileURLToPath(new URL('results/bot.md', import.meta.url)) },
    check: { type: 'boolean', default: false },
    'cpu-prof': { type: 'string' },
  },
});
const SIDES: readonly BotSide[] = ['plain', 'ours', 'saves', 'remoteAuth'];
const SAMPLE_MS = 10_000;
const WHATSAPP = import.meta.resolve('whatsapp-web.js');
const REMOTE_AUTH = pathToFileURL(
  join(ROOT, 'node_modules/whatsapp-web.js/src/authStrategies/RemoteAuth.js'),
);
const minutes = positive('minutes', values.minutes);
const megabytes = positive('profile-mb', values['profile-mb']);
const rate = positive('rate', values.rate);

const machine = await describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'wwebjs-bench-bot-'));
const simulator = await startSimulator();
const started: BotProcess[] = [];
try {
  const script = await compileChild('bot-at-work', folder);
  const sizes = [];
  for (const [index, side] of SIDES.entries()) {
    const auth = join(folder, side, 'auth');
    sizes.push(await growBot(simulator, auth, `491510000000${index + 1}`, megabytes));
  }
  await storeOnce(script);
  const figures = await sideBySide(script);
  const verdicts = botVerdicts(figures);
  const table = [
    [
      '',
      'plain',
      'ours',
      'no backups',
      'RemoteAuth',
      'no backups beyond plain',
      'ours beyond plain',
      'target',
      'met',
    ],
    ...verdicts.map(({ name, cells, beyond, savesBeyond, target, met }) => [
      name,
      ...cells,
      savesBeyond,
      beyond,
      target,
      target === '' ? '' : met ? 'yes' : 'NO',
    ]),
    ['start to ready, s', ...SIDES.map((side) => (figures[side].readyMs / 1000).toFixed(2)), '', '', '', ''],
    [
      'written by the page, MB',
      ...SIDES.map((side) => (figures[side].pageBytes / 1e6).toFixed(1)),
      '',
      '',
      '',
    ],
    ['stored', ...SIDES.map((side) => told(figures[side].events)), '', '', '', ''],
  ];
  const about =
    `Measured ${new Date().toISOString().slice(0, 10)} on ${machine.cpu}, ${machine.cores} cores, node ` +
    `${machine.node}, ${machine.chromium}. Profiles of ${sizes.map((bytes) => (bytes / 1e6).toFixed(0)).join(', ')} MB, ` +
    `${rate} KB/s, ${minutes} minutes.`;
  console.log(`\n${about}\n\n${plain(table)}`);
  await mkdir(dirname(values.results), { recursive: true });
  await writeFile(
    values.results,
    `# Bots side by side\n\nWritten by \`npm run bench:bot\`; see docs/performance.md.\n\n${about}\n\n${markdown(table)}\n`,
  );
  if (values.check && verdicts.some(({ met }) => !met)) process.exitCode = 1;
} finally {
  for (const bot of started) bot.kill();
  await simulator.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Lets ours and RemoteAuth store the session, as an earlier run of the bot would have done. */
async function storeOnce(script: string): Promise<void> {
  for (const side of ['ours', 'saves'] as const) {
    const ours = begin(script, side);
    await ours.start(orderOf(side));
    if (side === 'ours') await ours.backUp();
    await ours.end();
  }
  const theirs = join(folder, 'remoteAuth');
  await rename(join(theirs, 'auth/session-bot'), join(theirs, 'auth/RemoteAuth-bot'));
  const contender = await remoteAuth({
    ...BUILT,
    side: 'remoteAuth',
    operation: 'first force-save',
    step: 'prepare',
    folder: theirs,
    before: '',
    after: '',
    remoteAuth: REMOTE_AUTH.href,
  });
  await contender.save();
}

async function sideBySide(script: string): Promise<Record<BotSide, BotFigures>> {
  const profiled = values['cpu-prof'];
  const bots = {} as Record<BotSide, BotProcess>;
  const readyMs = {} as Record<BotSide, number>;
  const samples: Record<BotSide, BotSample[]> = { plain: [], ours: [], saves: [], remoteAuth: [] };
  for (const side of SIDES) {
    const flags =
      profiled === undefined || side !== 'ours' ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiled}`];
    bots[side] = begin(script, side, flags);
  }
  // One after the other, so that a start is not slowed down by another one.
  for (const side of SIDES) readyMs[side] = await bots[side].start(orderOf(side));
  const from = performance.now();
  for (let due = SAMPLE_MS; due <= minutes * 60_000; due += SAMPLE_MS) {
    await pause(Math.max(0, from + due - performance.now()));
    for (const side of SIDES) samples[side].push(await bots[side].sample());
  }
  const figures = {} as Record<BotSide, BotFigures>;
  for (const side of SIDES) {
    const { pageBytes, events } = await bots[side].page();
    figures[side] = { readyMs: readyMs[side], samples: samples[side], pageBytes, events };
  }
  for (const side of SIDES) await bots[side].end();
  return figures;
}

function begin(script: string, side: BotSide, flags: readonly string[] = []): BotProcess {
  const bot = BotProcess.spawn(script, side, flags);
  started.push(bot);
  return bot;
}

function orderOf(side: BotSide): BotOrder {
  return {
    side,
    whatsApp: WHATSAPP,
    library: BUILT.library,
    folder: join(folder, side),
    executablePath: ensureChromium(),
    args: chromiumArguments(simulator.port),
    load: { bytesPerSecond: rate * 1000, keys: keysFor(megabytes) },
  };
}

function told(events: Readonly<Record<string, number>>): string {
  return Object.entries(events)
    .map(([name, times]) => `${times} ${name}`)
    .join(', ');
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 10_000) return value;
  throw new Error(`--${name}: "${text}" is not accepted; expected a number from 0 to 10000`);
}
