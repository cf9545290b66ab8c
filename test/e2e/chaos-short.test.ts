import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bootCapture } from '../chaos/real/boots.js';
import { type Capture, LiveProfile } from '../chaos/real/captures.js';
import { allDamages, damagesOfBlobs } from '../chaos/real/damages.js';
import { randomFlips } from '../chaos/real/flips.js';
import { growProfile } from '../chaos/real/profiles.js';
import { tryDamage } from '../chaos/real/trial.js';
import { Dice } from '../support/dice.js';
import { useStage } from './setup.js';

/** The long runs are `npm run chaos:corruption` and `chaos:capture`. */
const SEED = 20261123;
const NAMED = [
  'IndexedDB: log of another login in its place',
  'IndexedDB: two tables swapped',
  "Local Storage: log with its last record's length raised",
  'both: what a killed copy leaves',
  'profile: folder of another login in its place',
  'blobs: folder deleted',
];
const FLIPS = 3;
/** A damaged table costs one launch more: the check goes on beside the first one. */
const DAMAGE_TIMEOUT_MS = 400_000;

describe('chaos, in short', () => {
  const stage = useStage();

  it(
    `starts without a QR, with the same data, whatever was damaged (seed ${SEED})`,
    async () => {
      const { simulator, folder } = stage;
      const grow = (name: string, account: string) =>
        growProfile(simulator, join(folder, name), { account, megabytes: 10, runs: 2 });
      const good = await grow('good', '4915100000001');
      const other = await grow('other', '4915100000009');
      const damages = [
        ...[...allDamages(), ...damagesOfBlobs()].filter(({ name }) => NAMED.includes(name)),
        ...randomFlips(FLIPS),
      ];
      expect(damages).toHaveLength(NAMED.length + FLIPS);
      const dice = new Dice(SEED);
      for (const damage of damages) {
        const trial = await tryDamage({ simulator, good, other, damage, dice, folder: join(folder, 'case') });
        expect(trial).toMatchObject({ state: 'ready', qrs: 0, differing: [], ok: true });
      }
    },
    DAMAGE_TIMEOUT_MS,
  );

  it('copies a live profile whole while Chromium writes to it', async () => {
    const { simulator, folder } = stage;
    const live = new LiveProfile({
      simulator,
      folder,
      bulkMegabytes: 12,
      bytesPerSecond: 3_000_000,
      ringMegabytes: 6,
    });
    const captures: Capture[] = [];
    try {
      await live.start();
      for (let number = 1; number <= 8; number++) captures.push(await live.capture(number));
      const last = captures.at(-1);
      if (last !== undefined) expect(await live.killAndCompare(last)).toBe('');
    } finally {
      await live.stop();
    }
    expect(captures.filter(({ sound }) => !sound)).toEqual([]);
    await simulator.stopTraffic();
    for (const capture of captures.slice(-2)) {
      expect(await bootCapture(simulator, folder, capture)).toMatchObject({ outcome: 'ready', losses: '' });
    }
  });
});
