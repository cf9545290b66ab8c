// Sends kill -9 at random instants of every operation, and checks each time what is left. See synthetic/crash.ts for a
// synthetic profile, and real/crash.ts for the real client in a real Chromium.
//
//   npm run chaos:crash -- --kills 1000 --real 36 --seed 1
//   npm run chaos:crash -- --kills 0 --real 100 --seed 7
//
// `--remote 1` keeps the saves of the synthetic profile where no path leads, as over a network: in packs.
// `--kills` is the number for each operation. The seed decides operations and moments, but what has happened by then
// depends on the machine. A full run takes most of an hour on two cores.

import { printTable } from './print-table.js';
import { readArguments } from './read-arguments.js';
import { crashReal, REAL_OPERATIONS, type RealKill } from './real/crash.js';
import { childrenOfBuild } from './synthetic/child.js';
import { CRASH_OPERATIONS, crash } from './synthetic/crash.js';

const { kills, real, seed, lanes, remote } = readArguments({
  kills: 1000,
  real: 36,
  seed: 1,
  lanes: 3,
  remote: 0,
});

console.log(`chaos:crash --kills ${kills} --real ${real} --seed ${seed} --lanes ${lanes} --remote ${remote}`);
const kind = await childrenOfBuild();
const violations: string[] = [];
try {
  if (kills > 0) violations.push(...(await synthetic()));
  if (real > 0) violations.push(...(await inChromium()));
} finally {
  await kind.dispose();
}
for (const violation of violations.slice(0, 50)) console.error(`VIOLATION ${violation}`);
console.log(`${violations.length} violations, seed ${seed}`);
process.exitCode = violations.length === 0 ? 0 : 1;

async function synthetic(): Promise<readonly string[]> {
  const startedAt = Date.now();
  const report = await crash({
    kills,
    seed,
    kind,
    lanes,
    killsPerFolder: 50,
    isRemote: remote > 0,
    onProgress: (done) => {
      if (done % 50 === 0) console.log(`${done} kills, ${Math.round((Date.now() - startedAt) / 1000)} s`);
    },
  });
  printTable(
    ['operation', 'kills', 'old state', 'new state', 'ended before the kill', 'violations'],
    CRASH_OPERATIONS.map((operation) => {
      const { kills, oldState, newState, finished, violations } = report.tallies[operation];
      return [operation, kills, oldState, newState, finished, violations];
    }),
  );
  console.log(`the most seen after a start's cleaning: ${JSON.stringify(report.most)}\n`);
  return report.violations;
}

async function inChromium(): Promise<readonly string[]> {
  const done = await crashReal({
    kills: real,
    seed,
    library: kind.library,
    onKill: ({ number, operation, killed, afterMs, finished, nextStart, seconds, violations }) => {
      const when = `${Math.round(afterMs)} ms${finished ? ', at its end' : ''}`;
      const verdict = violations.length === 0 ? '' : `  VIOLATED: ${violations.join('; ')}`;
      console.log(
        `${number}/${real} ${operation}, ${killed} killed after ${when}: ${nextStart}, ${seconds.toFixed(1)} s${verdict}`,
      );
    },
  });
  const countOf = (operation: string, fits: (kill: RealKill) => boolean) =>
    done.filter((kill) => kill.operation === operation && fits(kill)).length;
  printTable(
    [
      'in Chromium',
      'kills',
      'node',
      'Chromium',
      'both',
      'no browser ran',
      'at its end',
      'ready',
      'QR',
      'violations',
    ],
    REAL_OPERATIONS.map((operation) => [
      operation,
      countOf(operation, () => true),
      countOf(operation, ({ killed }) => killed === 'node'),
      countOf(operation, ({ killed }) => killed === 'Chromium'),
      countOf(operation, ({ killed }) => killed === 'both'),
      countOf(operation, ({ killed }) => killed === 'node, no browser ran'),
      countOf(operation, ({ finished }) => finished),
      countOf(operation, ({ nextStart }) => nextStart === 'ready'),
      countOf(operation, ({ nextStart }) => nextStart === 'QR'),
      countOf(operation, ({ violations }) => violations.length > 0),
    ]),
  );
  return done.flatMap(({ number, operation, killed, violations }) =>
    violations.map((violation) => `kill ${number}, ${killed} during ${operation}: ${violation}`),
  );
}
