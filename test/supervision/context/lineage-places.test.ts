import { describe, expect, it } from 'vitest';
import { isReplaced, placesOfLineages } from '../../../src/supervision/context/lineage-places.js';
import type { SnapshotInfo } from '../../../src/types.js';

const NOW = Date.parse('2026-12-01T00:00:00.000Z');

function snapshot(lineage: string, path: string | undefined, day: number, run = 1): SnapshotInfo {
  return {
    id: `${lineage}-${day}-${run}`,
    kind: 'save',
    store: 'file-system',
    clientId: 'shop',
    ...(path !== undefined && { profile: { path } }),
    lineage,
    run,
    createdAt: `2026-11-${String(day).padStart(2, '0')}T00:00:00.000Z`,
    sizeBytes: 1,
    storedBytes: 1,
    files: 1,
    capture: 'hot',
    settled: true,
    revoked: false,
  };
}

function lastPlaces(...snapshots: readonly SnapshotInfo[]): Record<string, string | undefined> {
  const places = placesOfLineages(snapshots, NOW);
  return Object.fromEntries([...places].map(([lineage, { last }]) => [lineage, last?.profile?.path]));
}

describe('the place of a login', () => {
  it('is where its newest snapshot was made', () => {
    expect(lastPlaces(snapshot('A', '/old', 1), snapshot('A', '/new', 2), snapshot('B', '/old', 3))).toEqual({
      A: '/new',
      B: '/old',
    });
  });

  it('is told by the run first: the clocks of two machines differ', () => {
    expect(lastPlaces(snapshot('A', '/old', 9, 1), snapshot('A', '/new', 2, 2))).toEqual({ A: '/new' });
  });

  it('is unknown where no snapshot names one', () => {
    expect(lastPlaces(snapshot('A', undefined, 1))).toEqual({ A: undefined });
    expect(lastPlaces(snapshot('A', undefined, 2), snapshot('A', '/old', 1))).toEqual({ A: '/old' });
  });
});

describe('a login is replaced', () => {
  function replaced(...snapshots: readonly SnapshotInfo[]): readonly string[] {
    const all = placesOfLineages(snapshots, NOW);
    return [...all.values()]
      .filter((one) => isReplaced(one, all.values(), NOW))
      .map(({ lineage }) => lineage);
  }

  it('by a later one at the place where it was last, wherever that one has gone since', () => {
    expect(replaced(snapshot('A', '/old', 1), snapshot('B', '/old', 2), snapshot('B', '/new', 3, 2))).toEqual(
      ['A'],
    );
  });

  it('not by one at another place, nor at one that it has left before', () => {
    expect(replaced(snapshot('A', '/one', 1), snapshot('B', '/two', 2))).toEqual([]);
    expect(replaced(snapshot('A', '/old', 1), snapshot('A', '/new', 2, 2), snapshot('B', '/old', 3))).toEqual(
      [],
    );
  });
});
