/**
 * Damages profiles of the real client in real Chromium in every known way (docs/chromium-facts.md F1.8) and in random
 * ways, and starts a new bot on each. The bot must be `ready` without a QR, with the data of its last snapshot. Exits 0
 * only if every bot is.
 *
 *     npm run chaos:corruption -- --seed 7 --rounds 40 --only "Local Storage"
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSimulator } from '../simulator/server.js';
import { Dice } from '../support/dice.js';
import { readArguments } from './read-arguments.js';
import { allDamages, damagesOfBlobs, damagesOfYoungLocalStorage } from './real/damages.js';
import { randomFlips } from './real/flips.js';
import { growProfile } from './real/profiles.js';
import { column, printTrial, TRIAL_HEAD } from './real/table.js';
import { type Trial, tryDamage } from './real/trial.js';

const { seed, only = '', rounds } = readArguments({ rounds: 48 }, ['only']);
console.log(`chaos:corruption --seed ${seed} --rounds ${rounds}${only === '' ? '' : ` --only "${only}"`}\n`);

const folder = await mkdtemp(join(tmpdir(), 'wwebjs-corruption-'));
const simulator = await startSimulator();
const trials: Trial[] = [];
try {
  const grow = (name: string, account: string, runs: number) =>
    growProfile(simulator, join(folder, name), { account, megabytes: 12, runs });
  const grown = await grow('grown', '4915100000001', 3);
  const young = await grow('young', '4915100000008', 1);
  const other = await grow('other', '4915100000009', 3);
  console.log(`${column('#', 4)}${TRIAL_HEAD}`);

  const cases = [
    ...allDamages().map((damage) => ({ damage, good: grown })),
    ...damagesOfYoungLocalStorage().map((damage) => ({ damage, good: young })),
    ...randomFlips(rounds).map((damage) => ({ damage, good: grown })),
    ...damagesOfBlobs().map((damage) => ({ damage, good: grown })),
  ];
  for (const [index, { damage, good }] of cases.entries()) {
    if (!damage.name.toLowerCase().includes(only.toLowerCase())) continue;
    // Each case has its own dice, so that `--only` repeats it exactly.
    const dice = new Dice(seed + index);
    const trial = await tryDamage({ simulator, good, other, damage, dice, folder: join(folder, 'case') });
    trials.push(trial);
    console.log(`${column(String(index + 1), 4)}${printTrial(trial)}`);
  }
} finally {
  await simulator.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

const failed = trials.filter(({ ok }) => !ok);
for (const trial of failed) console.log(`\nFAILED: ${trial.damage} (${trial.file}): ${trial.told}`);
const count = (fits: (trial: Trial) => boolean) => trials.filter(fits).length;
const seconds = trials.map((trial) => trial.seconds).sort((a, b) => a - b);
console.log(
  `\n${trials.length - failed.length} of ${trials.length} ready without a QR, with the same data (seed ${seed})\n` +
    `  restored before the browser saw it: ${count(({ restored, told }) => restored !== '-' && told !== 'silent-logout')}` +
    `, after a QR that was held back: ${count(({ told }) => told === 'silent-logout')}` +
    `, without effect: ${count(({ told }) => told === 'no effect')}\n` +
    `  initialize(): median ${(seconds[Math.floor(seconds.length / 2)] ?? 0).toFixed(1)} s, longest ${(seconds.at(-1) ?? 0).toFixed(1)} s`,
);
process.exitCode = trials.length > 0 && failed.length === 0 ? 0 : 1;
