// Makes at least 10,000 damages to stored zips, objects and manifests: each must be noticed, or must not change the
// restored data. Then stores unusual trees: each must come back unchanged, or be refused before anything is stored.
//
//   npm run chaos:fuzz -- --cases 10000 --seed 1
//
// The same seed gives the same cases.

import { printTable } from './print-table.js';
import { readArguments } from './read-arguments.js';
import { fuzz } from './synthetic/fuzz.js';
import { checkIdentity, checkLargeFile } from './synthetic/identity.js';

const { cases, seed, trees } = readArguments({ cases: 10_000, seed: 1, trees: 500 });
const LARGE_FILE_BYTES = 100 * 1024 * 1024;

console.log(`chaos:fuzz --cases ${cases} --seed ${seed} --trees ${trees}`);
const startedAt = Date.now();
const { rows, violations } = await fuzz({
  cases,
  seed,
  onProgress: (done) => {
    if (done % 1000 === 0) console.log(`${done} cases, ${Math.round((Date.now() - startedAt) / 1000)} s`);
  },
});
printTable(
  ['damage', 'cases', 'outcomes'],
  [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, outcomes]) => [
      key,
      [...outcomes.values()].reduce((sum, count) => sum + count, 0),
      [...outcomes].map(([outcome, count]) => `${outcome} ${count}`).join(', '),
    ]),
);
for (const violation of violations.slice(0, 50)) console.error(`VIOLATION ${violation}`);

let broken = violations.length;
try {
  const { identical, refused } = await checkIdentity(seed, trees);
  console.log(`${trees} odd trees: ${identical} came back as they were, ${refused} were refused as unsafe`);
  await checkLargeFile(LARGE_FILE_BYTES);
  console.log('a file of 100 MiB came back as it was');
} catch (error) {
  broken++;
  console.error(`VIOLATION ${error instanceof Error ? error.message : String(error)}`);
}
console.log(`${broken} violations, seed ${seed}`);
process.exitCode = broken === 0 ? 0 : 1;
