import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { growDatabases, tryFollow } from '../chaos/real/follow-trial.js';
import { tryLoss } from '../chaos/real/lost-trial.js';
import { Dice } from '../support/dice.js';
import { useStage } from './setup.js';

/** The long run is `npm run chaos:follow`. */
const SEED = 20261123;
const FOLLOW_TIMEOUT_MS = 400_000;

describe('a followed database, in short', () => {
  const stage = useStage();

  it(
    `holds after a kill what the killed profile holds (seed ${SEED})`,
    async () => {
      const dice = new Dice(SEED);
      const grown = join(stage.folder, 'grown');
      const usual = { recordBytes: 4000, databases: 2, blobs: true, seed: SEED, copies: 2, reloads: false };
      const quick = { ...usual, bytesPerSecond: 2_000_000, deletes: false, misses: false, loses: false };
      await growDatabases(grown, quick, 6);
      for (const one of [
        quick,
        { ...quick, bytesPerSecond: 1_000_000, deletes: true, misses: true, loses: true },
      ]) {
        const folder = join(stage.folder, `trial-${one.deletes}`);
        await mkdir(folder);
        expect(await tryFollow(one, { grown, folder, dice })).toMatchObject({ differences: [] });
      }
    },
    FOLLOW_TIMEOUT_MS,
  );

  it(
    `brings back what the last tick had, after all but the store is lost (seed ${SEED})`,
    async () => {
      const dice = new Dice(SEED);
      const grown = join(stage.folder, 'grown');
      const usual = { recordBytes: 4000, databases: 2, blobs: true, seed: SEED, copies: 2, reloads: false };
      const one = { ...usual, bytesPerSecond: 300_000, deletes: true, misses: true, loses: false };
      await growDatabases(grown, one, 6);
      const folder = join(stage.folder, 'lost');
      await mkdir(folder);
      const trial = await tryLoss(one, { grown, folder, dice });
      expect(trial).toMatchObject({ differences: [] });
      expect(trial.ticks).toBeGreaterThan(0);
    },
    FOLLOW_TIMEOUT_MS,
  );
});
