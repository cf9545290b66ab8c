// Runs the reconnect through thousands of outages of random causes and lengths on a manual clock. See
// synthetic/outages.ts for the conditions that must hold. If an outage heals within the attempts, the session must come
// back; about four in five do, so the default number gives more than ten thousand such outages.
//
//   npm run chaos:outages
//   npm run chaos:outages -- --outages 500 --seed 7

import { printTable } from './print-table.js';
import { readArguments } from './read-arguments.js';
import { simulateOutages } from './synthetic/outages.js';

const { outages, seed } = readArguments({ outages: 13_000 });
const startedAt = Date.now();
console.log(`${outages} outages, seed ${seed}`);

const { rows, starts, violations } = await simulateOutages({
  outages,
  seed,
  onProgress: (done) => {
    if (done % 2500 === 0 && done < outages) console.log(`${seconds()} s: ${done} outages`);
  },
});
printTable(
  ['cause', 'outages', 'heal in time', 'recovered', 'gave up', 'mean attempts', 'most attempts'],
  rows.map((row) => [
    row.cause,
    row.outages,
    row.healing,
    row.recovered,
    row.gaveUp,
    (row.attemptsUsed / row.outages).toFixed(1),
    row.mostAttempts,
  ]),
);
for (const violation of violations.slice(0, 40)) console.error(`VIOLATION ${violation}`);
const sum = (key: 'healing' | 'recovered') => rows.reduce((total, row) => total + row[key], 0);
console.log(
  `${sum('recovered')} of ${sum('healing')} that healed within the attempts came back, ${starts} starts, ` +
    `${violations.length} violations, ${seconds()} s`,
);
process.exitCode = violations.length === 0 && sum('recovered') === sum('healing') ? 0 : 1;

function seconds(): number {
  return Math.round((Date.now() - startedAt) / 1000);
}
