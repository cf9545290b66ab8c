/**
 * Plays every fault that supervision must heal, with the real client in real Chromium against the simulator. Each case
 * must end in the expected state with the expected events, without a QR unless the phone logged out, and with no
 * Chromium left. Exits 0 only if all cases do.
 *
 *     npm run chaos:supervise -- --only "SIGTERM" --seed 7
 */

import { Dice } from '../support/dice.js';
import { readArguments } from './read-arguments.js';
import { column } from './real/table.js';
import { SUPERVISE_CASES } from './supervising/cases.js';
import { type SuperviseTrial, trySuperviseCase } from './supervising/trial.js';

const WIDTHS = [60, 88, 4, 9, 9, 7];
const MAX_HISTORY = 80;

const { seed, only = '' } = readArguments({}, ['only']);
console.log(`chaos:supervise --seed ${seed}${only === '' ? '' : ` --only "${only}"`}\n`);
console.log(row('fault', 'what happened', 'QRs', 'to ready', 'Chromium', 'seconds'));

const startedAt = performance.now();
const trials: SuperviseTrial[] = [];
for (const [index, one] of SUPERVISE_CASES.entries()) {
  if (!one.name.toLowerCase().includes(only.toLowerCase())) continue;
  // Each case has its own dice, so that `--only` repeats it exactly.
  const trial = await trySuperviseCase(one, new Dice(seed + index));
  trials.push(trial);
  print(trial);
}

const failed = trials.filter(({ outcome }) => outcome === 'failed');
const skipped = trials.filter(({ outcome }) => outcome === 'skipped');
const left = trials.reduce((sum, trial) => sum + trial.left, 0);
const passed = trials.length - failed.length - skipped.length;
console.log(
  `\n${passed} of ${trials.length} faults ended as they should` +
    `${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}; ${left} Chromium processes left ` +
    `(seed ${seed}, ${Math.round((performance.now() - startedAt) / 1000)} s)`,
);
for (const { name, problem } of failed) console.log(`FAILED: ${name}: ${problem}`);
process.exitCode = passed > 0 && failed.length === 0 ? 0 : 1;

function print({ name, happened, sighting, left, seconds, outcome, problem, history }: SuperviseTrial): void {
  const toReady = sighting.secondsToReady?.toFixed(1) ?? '-';
  const verdict = outcome === 'passed' ? '' : `  ${outcome.toUpperCase()}`;
  console.log(
    row(name, happened || 'stays ready', String(sighting.qrs), toReady, String(left), seconds.toFixed(1)) +
      verdict,
  );
  if (outcome !== 'failed') return;
  console.log(`  ${problem}`);
  for (const line of history.slice(-MAX_HISTORY)) console.log(`    ${line}`);
}

function row(...cells: readonly string[]): string {
  return cells.map((cell, index) => column(cell, WIDTHS[index] ?? 10)).join('');
}
