/**
 * Runs one session in one process with a random fault in each of many rounds. Every round must end `ready`, node's
 * memory and handles must stay flat (the first tenth of the rounds against the last), and at the end no process and no
 * temporary file may be left. Exits 0 only then.
 *
 *     npm run soak -- --cycles 200 --seed 7
 *     npm run soak -- --cycles 30 --only "page crash"
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dice } from '../support/dice.js';
import { printTable } from './print-table.js';
import { readArguments } from './read-arguments.js';
import { column } from './real/table.js';
import { SOAK_ROUNDS } from './soaking/rounds.js';
import { Soak } from './soaking/soak.js';
import { judgeGrowth, median } from './soaking/verdict.js';

const WIDTHS = [6, 38, 8, 9, 9, 8, 8, 9, 10, 6];

const { seed, only = '', cycles, every } = readArguments({ cycles: 200, every: 10 }, ['only']);
const rounds = SOAK_ROUNDS.filter(({ name }) => name.toLowerCase().includes(only.toLowerCase()));
console.log(`soak --cycles ${cycles} --seed ${seed}${only === '' ? '' : ` --only "${only}"`}\n`);

const folder = await mkdtemp(join(tmpdir(), 'wwebjs-soak-'));
const dice = new Dice(seed);
const startedAt = performance.now();
const minutes = () => ((performance.now() - startedAt) / 60_000).toFixed(1);
let soak: Soak | undefined;
let problems: string[] = [];
let left: string[] = [];
try {
  soak = await Soak.start(folder, dice);
  console.log(
    row(
      'round',
      'the last fault',
      'seconds',
      'heap MB',
      'rss MB',
      'handles',
      'fds',
      'Chromium',
      'temporary',
      'files',
    ),
  );
  for (let round = 1; round <= cycles; round++) {
    const fault = dice.pick(rounds);
    const seconds = await soak.round(round, fault);
    if (round % Math.max(1, every) === 0) printRound(round, fault.name, seconds);
    if (soak.problems.length > 0) break; // rounds after a session that did not come back show nothing
  }
} catch (error) {
  problems.push(error instanceof Error ? error.message : String(error));
} finally {
  left = (await soak?.stop()) ?? [];
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

const measures = soak?.measures ?? [];
const comparisons = judgeGrowth(measures);
problems = [...problems, ...(soak?.problems ?? []), ...left];
if (existsSync(folder)) problems.push(`the folder can't be removed: ${folder}`);
for (const { what, first, last, flat } of comparisons) {
  if (!flat) problems.push(`${what} grew from ${first} to ${last}`);
}

console.log(`\nfault by fault, over ${measures.length} rounds:`);
printTable(
  ['fault', 'rounds', 'median s', 'longest s'],
  rounds.map(({ name }) => {
    const times = soak?.secondsOf(name) ?? [];
    return [name, times.length, median(times).toFixed(1), Math.max(0, ...times).toFixed(1)];
  }),
);
console.log(
  `\nmedian of the first tenth against that of the last (${Math.max(1, Math.floor(measures.length / 10))} rounds each):`,
);
printTable(
  ['what', 'first', 'last', 'allowed', ''],
  comparisons.map(({ what, first, last, allowed, flat }) => [
    what,
    Number(first.toFixed(2)),
    Number(last.toFixed(2)),
    allowed,
    flat ? '' : 'GREW',
  ]),
);
for (const problem of problems) console.log(`FAILED: ${problem}`);
const verdict =
  problems.length === 0 ? 'all came back, nothing grew, nothing is left' : `${problems.length} problems`;
console.log(`\n${measures.length} of ${cycles} rounds, ${minutes()} minutes: ${verdict} (seed ${seed})`);
process.exitCode = problems.length === 0 && measures.length === cycles && cycles > 0 ? 0 : 1;

function printRound(round: number, fault: string, seconds: number): void {
  const at = soak?.measures.at(-1);
  if (at === undefined) return;
  const sum = (counts: Readonly<Record<string, number>>) =>
    String(Object.values(counts).reduce((total, count) => total + count, 0));
  console.log(
    row(
      String(round),
      fault,
      seconds.toFixed(1),
      at.heapMb.toFixed(1),
      at.rssMb.toFixed(0),
      sum(at.resources),
      sum(at.descriptors),
      String(at.browserProcesses),
      String(at.temporaryFiles),
      String(at.keptFiles),
    ),
  );
}

function row(...cells: readonly string[]): string {
  return cells.map((cell, index) => column(cell, WIDTHS[index] ?? 10)).join('');
}
