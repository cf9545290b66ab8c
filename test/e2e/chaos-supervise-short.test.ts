import { describe, expect, it } from 'vitest';
import { SUPERVISE_CASES } from '../chaos/supervising/cases.js';
import { trySuperviseCase } from '../chaos/supervising/trial.js';
import { Dice } from '../support/dice.js';

/** The long run is `npm run chaos:supervise`. */
const SEED = 20261123;
const SUPERVISED = [
  'browser killed, and the next one while it starts',
  'server away for 1 retry',
  'CONFLICT with takeover',
  'disk full during a save (ENOSPC from the file system)',
  'SIGTERM in restoring, while a snapshot is being restored',
  'SIGTERM in reconnecting, before the first attempt',
];
const SUPERVISE_TIMEOUT_MS = 400_000;

describe('supervision, in short', () => {
  it.each(SUPERVISED)(
    'ends as it should: %s',
    async (name) => {
      const one = SUPERVISE_CASES.find((each) => each.name === name);
      if (one === undefined) throw new Error(`no case has the name ${name}`);
      const trial = await trySuperviseCase(one, new Dice(SEED));
      expect(trial, trial.history.join('\n')).toMatchObject({ outcome: 'passed', problem: '', left: 0 });
    },
    SUPERVISE_TIMEOUT_MS,
  );
});
