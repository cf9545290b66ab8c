import { describe, expect, it } from 'vitest';
import {
  type CandidatePolicy,
  restoreCandidates,
} from '../../../src/supervision/context/restore-candidates.js';
import type { SnapshotInfo } from '../../../src/types.js';

const OPEN: CandidatePolicy = {
  revokedLineages: [],
  rejectedSnapshots: [],
  rejectedLineages: [],
  now: Date.parse('2026-11-23T05:14:09.123Z'),
};

function snapshot(id: string, fields: Partial<SnapshotInfo> = {}): SnapshotInfo {
  return {
    id,
    kind: 'save',
    store: 'file-system',
    clientId: 'shop',
    lineage: 'A',
    run: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    sizeBytes: 1,
    storedBytes: 1,
    files: 1,
    capture: 'hot',
    settled: true,
    revoked: false,
    ...fields,
  };
}

function ids(snapshots: readonly SnapshotInfo[], policy: Partial<CandidatePolicy> = {}): readonly string[] {
  return restoreCandidates(snapshots, { ...OPEN, ...policy }).map(({ id }) => id);
}

describe('the snapshots that may be restored by themselves', () => {
  it('are those of one lineage: the given one, else the newest', () => {
    const all = [
      snapshot('a', { lineage: 'A', run: 9 }),
      snapshot('b', { lineage: 'B', createdAt: '2026-01-02T00:00:00.000Z' }),
    ];
    expect(ids(all)).toEqual(['b']);
    expect(ids(all, { lineage: 'A' })).toEqual(['a']);
    expect(ids([])).toEqual([]);
  });

  it('come after all others of their run where their time lies far in the future', () => {
    const far = { createdAt: '9999-12-31T23:59:59.999Z' };
    const all = [
      snapshot('far', far),
      snapshot('believed'),
      snapshot('of another login', { ...far, lineage: 'B' }),
    ];
    expect(ids(all)).toEqual(['believed', 'far']);
  });

  it('come the newest run first, then settled before unsettled, then the newest capture', () => {
    const all = [
      snapshot('old run', { run: 1, createdAt: '2026-01-09T00:00:00.000Z' }),
      snapshot('unsettled', { run: 2, settled: false, createdAt: '2026-01-03T00:00:00.000Z' }),
      snapshot('settled', { run: 2, createdAt: '2026-01-01T00:00:00.000Z' }),
      snapshot('settled, newer', { run: 2, createdAt: '2026-01-02T00:00:00.000Z' }),
    ];
    expect(ids(all, { lineage: 'A' })).toEqual(['settled, newer', 'settled', 'unsettled', 'old run']);
  });

  it('of one moment: the save before the backup, then by the name of the store', () => {
    const all = [
      snapshot('zip in b', { kind: 'backup', store: 'b' }),
      snapshot('zip in a', { kind: 'backup', store: 'a' }),
      snapshot('save', { store: 'z' }),
    ];
    expect(ids(all)).toEqual(['save', 'zip in a', 'zip in b']);
  });

  it('are none of a lineage that was revoked, here or in a store, nor of one that was rejected', () => {
    const all = [snapshot('a')];
    expect(ids(all, { revokedLineages: ['A'] })).toEqual([]);
    expect(ids(all, { rejectedLineages: ['A'] })).toEqual([]);
    expect(ids([snapshot('a', { revoked: true })])).toEqual([]);
  });

  it('never fall back to an older lineage when the newest is revoked: its pairing made the older one worthless', () => {
    const all = [
      snapshot('a', { lineage: 'A' }),
      snapshot('b', { lineage: 'B', createdAt: '2026-01-02T00:00:00.000Z', revoked: true }),
    ];
    expect(ids(all)).toEqual([]);
  });

  it('are none that was restored before and met a QR', () => {
    const all = [snapshot('first', { run: 2 }), snapshot('second')];
    expect(ids(all, { rejectedSnapshots: ['first'] })).toEqual(['second']);
  });
});
