/**
 * Follows the database of a real Chromium under load: copies it several times by its base and its logs, misses logs on
 * purpose, kills the browser, and compares every record of the last copy with the killed profile. A difference fails, unless
 * a new base has answered it. With `--lost` it also saves into a store and ticks, kills the browser, loses all but the store,
 * and compares what comes back. Exits 0 only if there is no difference.
 *
 *     npm run chaos:follow -- --trials 200 --lost 20 --megabytes 24 --seed 7
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dice } from '../support/dice.js';
import { readArguments } from './read-arguments.js';
import { assertSpace } from './real/captures.js';
import { drawCase, type FollowTrial, growDatabases, tryFollow } from './real/follow-trial.js';
import { type LostTrial, tryLoss } from './real/lost-trial.js';
import { column } from './real/table.js';

const { seed, trials, lost, megabytes } = readArguments({ trials: 40, lost: 10, megabytes: 24 });
console.log(`chaos:follow --seed ${seed} --trials ${trials} --lost ${lost} --megabytes ${megabytes}\n`);

const dice = new Dice(seed);
const folder = await mkdtemp(join(tmpdir(), 'wwebjs-follow-'));
await assertSpace(folder, 2048);
const done: FollowTrial[] = [];
/** Bytes a second. */
const MOST_TICKED = 1024 * 1024;
const losses: LostTrial[] = [];
let failures = 0;
try {
  const grown = join(folder, 'grown');
  const load = { ...drawCase(dice), recordBytes: 3000, databases: 2, blobs: true };
  await growDatabases(grown, load, megabytes);
  console.log(
    row(
      'trial',
      'MB/s',
      'record',
      'dbs',
      'with',
      'followed',
      'last copy',
      'MB',
      'records',
      'open ms',
      'result',
    ),
  );
  for (let number = 1; number <= trials; number++) {
    const one = drawCase(dice);
    const place = join(folder, `trial-${number}`);
    const own = new Dice(dice.below(2 ** 31));
    try {
      await mkdir(place);
      const trial = await tryFollow(one, { grown, folder: place, dice: own });
      done.push(trial);
      if (trial.differences.length > 0) failures++;
      console.log(line(number, trial));
    } catch (error) {
      failures++;
      console.log(
        `${column(String(number), 6)}threw ${error instanceof Error ? error.stack : String(error)}`,
      );
    } finally {
      await rm(place, { recursive: true, force: true, maxRetries: 5 });
    }
  }
  await loseEverything(grown);
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

const lastFollowed = done.filter(({ isLastFollowed }) => isLastFollowed);
const reasons = new Map<string, number>();
for (const reason of done.flatMap(({ newBases }) => newBases)) {
  const kind = reason.replace(/\d+/g, 'n');
  reasons.set(kind, (reasons.get(kind) ?? 0) + 1);
}
console.log(
  `\n${done.length - done.filter(({ differences }) => differences.length > 0).length} of ${trials} trials without a difference (seed ${seed})\n` +
    `  ${done.reduce((sum, { followed }) => sum + followed, 0)} copies followed a base; ` +
    `${lastFollowed.length} of the restored ones, ${lastFollowed.filter(({ logs }) => logs > 1).length} of these with several logs\n` +
    `  ${losses.filter(({ differences }) => differences.length === 0).length} of ${lost} losses without a difference, ${losses.filter(({ records }) => records > 0).length} of them compared, ` +
    `${losses.reduce((sum, { ticks }) => sum + ticks, 0)} ticks, ${losses.reduce((sum, { broken }) => sum + broken.length, 0)} answered by a save\n` +
    `  new bases: ${[...reasons].map(([reason, count]) => `${count} x ${reason}`).join('; ') || 'none'}`,
);
process.exitCode = failures === 0 && done.length === trials && losses.length === lost ? 0 : 1;

/** Only a store survives. A page that writes more is saved more often than it ticks, so that there is nothing to compare. */
async function loseEverything(grown: string): Promise<void> {
  if (lost > 0) console.log('\nall but the store is lost');
  for (let number = 1; number <= lost; number++) {
    const place = join(folder, `loss-${number}`);
    const own = new Dice(dice.below(2 ** 31));
    try {
      await mkdir(place);
      const drawn = drawCase(dice);
      const trial = await tryLoss(
        { ...drawn, bytesPerSecond: Math.min(drawn.bytesPerSecond, MOST_TICKED) },
        { grown, folder: place, dice: own },
      );
      losses.push(trial);
      if (trial.differences.length > 0) failures++;
      const { case: one, store, saves, ticks, broken, tailFiles, megabytesUp, records, differences } = trial;
      console.log(
        `${column(String(number), 6)}${(one.bytesPerSecond / 1024 / 1024).toFixed(1)} MB/s, ${store}: ${saves} saves, ` +
          `${ticks} ticks (${megabytesUp.toFixed(1)} MB), ${broken.length} broken, tail of ${tailFiles} files, ${records} records: ` +
          (differences.length === 0
            ? 'same'
            : `DIFFERS ${differences.length}: ${differences.slice(0, 3).join(', ')}`),
      );
    } catch (error) {
      failures++;
      console.log(
        `${column(String(number), 6)}threw ${error instanceof Error ? error.stack : String(error)}`,
      );
    } finally {
      await rm(place, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}

function line(number: number, trial: FollowTrial): string {
  const {
    case: one,
    followed,
    newBases,
    isLastFollowed,
    logs,
    logMegabytes,
    baseMegabytes,
    differences,
  } = trial;
  const kinds = [
    one.blobs && 'blobs',
    one.deletes && 'deletes',
    one.misses && 'misses',
    one.loses && 'loses',
    one.reloads && 'reloads',
  ];
  const last = `${isLastFollowed ? 'followed' : 'new base'}, ${logs} logs`;
  const result =
    differences.length === 0
      ? 'same'
      : `DIFFERS ${differences.length}: ${differences.slice(0, 3).join(', ')}`;
  return row(
    String(number),
    (one.bytesPerSecond / 1024 / 1024).toFixed(1),
    String(one.recordBytes),
    String(one.databases),
    kinds.filter((kind) => kind !== false).join(' ') || '-',
    `${followed}/${followed + newBases.length}`,
    last,
    `${baseMegabytes.toFixed(0)}+${logMegabytes.toFixed(1)}`,
    String(trial.records),
    trial.openMs.map((ms) => ms.toFixed(0)).join('/'),
    result,
  );
}

function row(...cells: readonly string[]): string {
  return cells
    .map((cell, index) => column(cell, [6, 5, 7, 4, 28, 9, 18, 9, 8, 12, 120][index] ?? 10))
    .join('');
}
