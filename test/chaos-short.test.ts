import { describe, expect, it } from 'vitest';
import { childrenOfSources } from './chaos/synthetic/child.js';
import { CRASH_OPERATIONS, crash } from './chaos/synthetic/crash.js';
import type { FaultOperation } from './chaos/synthetic/fault-scenarios.js';
import { injectFaults } from './chaos/synthetic/faults.js';
import { fuzz } from './chaos/synthetic/fuzz.js';
import { checkIdentity } from './chaos/synthetic/identity.js';

// Short versions of the chaos scripts (`npm run chaos:crash`, `chaos:faults`, `chaos:fuzz`), with a fixed seed.
const SEED = 20261123;
const PATIENCE_MS = 60_000;

describe('a process that is killed at a random instant', () => {
  it(
    'leaves whole snapshots, the old profile or the new one, and nothing behind',
    async () => {
      const plan = { kills: 1, seed: SEED, lanes: 1, killsPerFolder: 20, kind: childrenOfSources() };
      const { tallies, violations } = await crash(plan);
      expect(violations, `seed ${SEED}`).toEqual([]);
      expect(CRASH_OPERATIONS.filter((operation) => tallies[operation].kills < 1)).toEqual([]);
    },
    PATIENCE_MS,
  );
});

describe('a call of the file system that fails', () => {
  it.each<[FaultOperation, string, number, number]>([
    ['force-save', 'EIO', 11, 90],
    ['backup', 'ENOSPC', 23, 150],
    ['restore', 'EACCES', 3, 150],
    ['prune', 'EBUSY', 29, 90],
    ['clear', 'EIO', 37, 60],
    ['first-start', 'EMFILE', 7, 50],
    ['restoring-start', 'EIO', 17, 130],
    ['stop', 'EMFILE', 13, 130],
    ['import', 'EIO', 19, 190],
  ])(
    'leaves the old state or the new one, a typed error, and a next run that works: %s, %s',
    async (operation, errno, first, every) => {
      const { rows, violations } = await injectFaults({
        operations: [operation],
        errnos: [errno],
        first,
        every,
      });
      expect(violations).toEqual([]);
      expect(rows[0]?.calls).toBeGreaterThan(2);
    },
    PATIENCE_MS,
  );
});

describe('a stored byte that changes', () => {
  it(
    'is noticed, or is of no effect on what is restored',
    async () => {
      const { violations } = await fuzz({ cases: 200, seed: SEED });
      expect(violations, `seed ${SEED}`).toEqual([]);
    },
    PATIENCE_MS,
  );
});

describe('a captured tree with odd names', () => {
  it(
    'comes back as it was, or is refused before anything is stored',
    async () => {
      const { identical } = await checkIdentity(SEED, 20);
      expect(identical).toBeGreaterThan(5);
    },
    PATIENCE_MS,
  );
});
