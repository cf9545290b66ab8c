/**
 * Launches Chromium on profiles damaged in every known way, without letting it open a page, and compares every file of
 * the login before and after. Exits 0 only if IndexedDB was never touched, because a start relies on that
 * (docs/chromium-facts.md F1.12).
 *
 *     npm run chaos:launch -- --seed 7 --stay 1500 --only "Local Storage"
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSimulator } from '../simulator/server.js';
import { Dice } from '../support/dice.js';
import { readArguments } from './read-arguments.js';
import { allDamages, type Damage, damagesOfBlobs, damagesOfYoungLocalStorage } from './real/damages.js';
import { DATABASE_NAMES, type DatabaseName } from './real/database.js';
import { type Ending, type Launch, tryLaunch } from './real/launches.js';
import { growProfile } from './real/profiles.js';

const { seed, only = '', stay } = readArguments({ stay: 1500 }, ['only']);
console.log(`chaos:launch --seed ${seed} --stay ${stay}${only === '' ? '' : ` --only "${only}"`}\n`);

const UNDAMAGED: Damage = { name: 'no damage', apply: async () => '' };
const ENDINGS: readonly Ending[] = ['closed', 'killed'];
const folder = await mkdtemp(join(tmpdir(), 'wwebjs-launch-'));
const simulator = await startSimulator();
const launches: Launch[] = [];
try {
  const grow = (name: string, account: string, runs: number) =>
    growProfile(simulator, join(folder, name), { account, megabytes: 12, runs });
  const grown = await grow('grown', '4915100000001', 3);
  const young = await grow('young', '4915100000008', 1);
  const other = await grow('other', '4915100000009', 3);
  const cases = [
    ...[UNDAMAGED, ...allDamages(), ...damagesOfBlobs()].map((damage) => ({ damage, good: grown })),
    ...[UNDAMAGED, ...damagesOfYoungLocalStorage()].map((damage) => ({ damage, good: young })),
  ];
  for (const [index, { damage, good }] of cases.entries()) {
    if (!damage.name.toLowerCase().includes(only.toLowerCase())) continue;
    const dice = new Dice(seed + index);
    const ending = ENDINGS[index % ENDINGS.length] ?? 'closed';
    const options = { simulator, good, other, damage, dice, folder: join(folder, 'case') };
    const launch = await tryLaunch({ ...options, ending, stayMs: stay });
    launches.push(launch);
    console.log(`${index + 1}. ${damage.name}, ${ending}: ${told(launch)}`);
  }
} finally {
  await simulator.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

const failed = launches.filter(({ failure }) => failure !== undefined);
const touched = (database: DatabaseName) =>
  launches.filter((launch) => differencesIn(launch, database).length > 0).length;
console.log(
  `\n${launches.length} launches without a page (seed ${seed}), of which ${failed.length} failed: ` +
    DATABASE_NAMES.map((name) => `${touched(name)} touched ${name}`).join(', '),
);
process.exitCode = launches.length > 0 && failed.length === 0 && touched('IndexedDB') === 0 ? 0 : 1;

function told(launch: Launch): string {
  const { failure } = launch;
  const touched = DATABASE_NAMES.map((name) => {
    const differences = differencesIn(launch, name);
    return `${name} ${differences.length === 0 ? 'untouched' : `touched: ${differences.join(' ')}`}`;
  });
  return [...(failure === undefined ? [] : [`FAILED: ${failure}`]), ...touched].join('; ');
}

/** What differs in one half of the login, as far as it belongs to the login, by file name. */
function differencesIn({ whileOpen, afterwards }: Launch, database: DatabaseName): string[] {
  const folder = `Default/${database}`;
  return [...new Set([...whileOpen, ...afterwards])]
    .filter(
      (difference) => difference.slice(2).startsWith(folder) && !/\/LO(?:CK|G|G\.old)$/.test(difference),
    )
    .map((difference) => difference.replace(/^(. ).*\//, '$1'));
}
