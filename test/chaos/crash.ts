// At least 1,000 kill -9 at random instants of every operation; see synthetic-crash.ts for what is looked at after each.
//
//   npm run chaos:crash -- --kills 1000 --seed 1
//
// The seed decides operations and moments; the machine decides what has happened by then.

import { ChaosArguments, printTable } from './support/synthetic-arguments.js';
import { childrenOfBuild } from './support/synthetic-child.js';
import { CRASH_OPERATIONS, crash } from './support/synthetic-crash.js';

const given = new ChaosArguments(['kills', 'seed', 'lanes']);
const kills = given.count('kills', 1000);
const seed = given.count('seed', 1);
const lanes = given.count('lanes', 3);

console.log(`chaos:crash --kills ${kills} --seed ${seed} --lanes ${lanes}`);
const kind = await childrenOfBuild();
const startedAt = Date.now();
const report = await crash({
  kills,
  seed,
  kind,
  lanes,
  killsPerFolder: 50,
  onProgress: (done) => {
    if (done % 50 === 0) console.log(`${done} kills, ${Math.round((Date.now() - startedAt) / 1000)} s`);
  },
}).finally(() => kind.dispose());

printTable(
  ['operation', 'kills', 'old state', 'new state', 'ended before the kill', 'violations'],
  CRASH_OPERATIONS.map((operation) => {
    const { kills, oldState, newState, finished, violations } = report.tallies[operation];
    return [operation, kills, oldState, newState, finished, violations];
  }),
);
console.log(`the most seen after a start's cleaning: ${JSON.stringify(report.most)}`);
for (const violation of report.violations.slice(0, 50)) console.error(`VIOLATION ${violation}`);
console.log(`${report.violations.length} violations, seed ${seed}`);
process.exitCode = report.violations.length === 0 ? 0 : 1;
