import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UnreadableSnapshot } from '../../src/snapshot/repository.js';
import { isOutlived, type RetentionPolicy, selectForRemoval } from '../../src/snapshot/retention.js';
import type { SnapshotInfo } from '../../src/types.js';

const NOW = Date.parse('2026-11-23T12:00:00.000Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const POLICY: RetentionPolicy = {
  saves: { keepLast: 10 },
  backups: { keepLast: 12, keepDaily: 7 },
  maxTotalMb: 1024,
};

function snapshot(ageMs: number, overrides: Partial<SnapshotInfo> = {}): SnapshotInfo {
  const createdAt = new Date(NOW - ageMs).toISOString();
  return {
    id: `${createdAt}-${overrides.kind ?? 'save'}`,
    kind: 'save',
    store: 'disk',
    clientId: 'shop',
    lineage: 'l',
    run: 1,
    createdAt,
    sizeBytes: 1,
    storedBytes: 1,
    files: 1,
    capture: 'hot',
    settled: true,
    revoked: false,
    ...overrides,
  };
}

/** One that can't be read. */
function unreadable(ageMs: number, storedBytes = 1): UnreadableSnapshot {
  const createdAt = new Date(NOW - ageMs).toISOString();
  return { key: 'k', id: 'unreadable', createdAt, storedBytes, problem: 'torn', isNewer: false };
}

const ages = (list: readonly SnapshotInfo[]) => list.map(({ createdAt }) => NOW - Date.parse(createdAt));

describe('retention', () => {
  it('keeps the newest saves and removes the rest, oldest first', () => {
    const saves = Array.from({ length: 13 }, (_, index) => snapshot(index * HOUR));
    expect(ages(selectForRemoval(saves, POLICY))).toEqual([12 * HOUR, 11 * HOUR, 10 * HOUR]);
  });

  it('takes those of a time that can not be believed for the oldest', () => {
    const wrong = Array.from({ length: 10 }, (_, index) => snapshot(-(73 * 365 * DAY) - index));
    const saves = [...wrong, snapshot(2), snapshot(1)];
    expect(selectForRemoval(saves, POLICY, NOW)).toEqual([wrong[0], wrong[1]]);
    expect(
      isOutlived(
        unreadable(-(74 * 365 * DAY)),
        [...saves, snapshot(3)],
        POLICY,
        saves[0] ?? snapshot(1),
        NOW,
      ),
    ).toBe(false);
  });

  it('keeps the newest backup of each of the last days that have any', () => {
    const backups = Array.from({ length: 24 * 10 }, (_, index) => snapshot(index * HOUR, { kind: 'backup' }));
    const removed = new Set(selectForRemoval(backups, POLICY));
    const kept = backups.filter((one) => !removed.has(one));
    expect(kept.slice(0, 12)).toEqual(backups.slice(0, 12));
    expect(kept.slice(12).map(({ createdAt }) => createdAt.slice(0, 16))).toEqual([
      '2026-11-22T23:00',
      '2026-11-21T23:00',
      '2026-11-20T23:00',
      '2026-11-19T23:00',
      '2026-11-18T23:00',
      '2026-11-17T23:00',
    ]);
  });

  it('keeps the last good one of each profile that shares the client id', () => {
    const anna = [100, 101].map((hours) =>
      snapshot(hours * HOUR, { lineage: 'anna', profile: { path: '/anna' } }),
    );
    const ben = Array.from({ length: 12 }, (_, hours) =>
      snapshot(hours * HOUR, { lineage: 'ben', profile: { path: '/ben' } }),
    );
    expect(ages(selectForRemoval([...anna, ...ben], POLICY))).toEqual([101 * HOUR, 11 * HOUR, 10 * HOUR]);
  });

  it('keeps nothing more for the places where a login was before', () => {
    const moved = Array.from({ length: 12 }, (_, hours) =>
      snapshot(hours * HOUR, { profile: { path: `/release/${hours}` } }),
    );
    expect(ages(selectForRemoval(moved, POLICY))).toEqual([11 * HOUR, 10 * HOUR]);
  });

  it('counts days with backups, not days of the calendar: a long pause loses none', () => {
    const old = [30, 31, 32].map((days) => snapshot(days * DAY, { kind: 'backup' }));
    const policy = { ...POLICY, backups: { keepLast: 1, keepDaily: 3 } };
    expect(selectForRemoval(old, policy)).toEqual([]);
  });

  it('applies to each store and kind by itself', () => {
    const policy = { ...POLICY, saves: { keepLast: 1 }, backups: { keepLast: 1 } };
    const list = [
      snapshot(1, { store: 'a' }),
      snapshot(2, { store: 'b' }),
      snapshot(3, { kind: 'backup' }),
      snapshot(4, { store: 'a' }),
    ];
    expect(ages(selectForRemoval(list, policy))).toEqual([4]);
  });

  it('never removes the newest good one nor the newest settled one, whatever the policy', () => {
    const nothing = { saves: { keepLast: 0 }, backups: { keepLast: 0 }, maxTotalMb: 0 };
    const list = [
      snapshot(1, { revoked: true }),
      snapshot(2, { settled: false }),
      snapshot(3, { settled: false }),
      snapshot(4),
      snapshot(5),
    ];
    expect(ages(selectForRemoval(list, nothing))).toEqual([5, 3, 1]);
  });

  it('makes room by removing the oldest of all kinds', () => {
    const mb = 1024 * 1024;
    const list = [
      snapshot(1 * HOUR, { storedBytes: 400 * mb }),
      snapshot(2 * HOUR, { storedBytes: 400 * mb, kind: 'backup' }),
      snapshot(3 * HOUR, { storedBytes: 400 * mb }),
      snapshot(4 * HOUR, { storedBytes: 400 * mb, kind: 'backup' }),
    ];
    expect(ages(selectForRemoval(list, POLICY))).toEqual([4 * HOUR, 3 * HOUR]);
  });

  it('keeps its promises for any list and policy (property)', () => {
    const anySnapshot = fc
      .record({
        age: fc.integer({ min: -DAY * 3, max: DAY * 30 }),
        kind: fc.constantFrom('save' as const, 'backup' as const),
        store: fc.constantFrom('a', 'b'),
        revoked: fc.boolean(),
        settled: fc.boolean(),
        storedBytes: fc.integer({ min: 0, max: 4 * 1024 * 1024 }),
      })
      .map(({ age, ...rest }) => snapshot(age, rest));
    const rule = fc.record({ keepLast: fc.nat(6), keepDaily: fc.nat(4) });
    const anyPolicy = fc.record({ saves: rule, backups: rule, maxTotalMb: fc.nat(40) });
    fc.assert(
      fc.property(fc.array(anySnapshot, { maxLength: 30 }), anyPolicy, (list, policy) => {
        const removed = selectForRemoval(list, policy);
        const kept = list.filter((one) => !removed.includes(one));
        expect(new Set(removed).size).toBe(removed.length);
        expect(removed.every((one) => list.includes(one))).toBe(true);
        for (const shelf of ['savea', 'saveb', 'backupa', 'backupb']) {
          const group = list.filter(({ kind, store }) => `${kind}${store}` === shelf);
          const good = group.filter(({ revoked }) => !revoked);
          const here = (one: SnapshotInfo) => kept.includes(one);
          expect(good.some(here)).toBe(good.length > 0);
          expect(good.some((one) => one.settled && here(one))).toBe(good.some(({ settled }) => settled));
          const newest = [...good].sort((a, b) => b.createdAt.localeCompare(a.createdAt))[0];
          const asNew = good.filter(({ createdAt }) => createdAt === newest?.createdAt);
          expect(asNew.some(here)).toBe(good.length > 0);
        }
        // Idempotent: what is kept once is kept when nothing new came.
        expect(selectForRemoval(kept, policy)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a snapshot that can not be read', () => {
  const SAVES = { kind: 'save', store: 'disk' } as const;
  const TWO: RetentionPolicy = { ...POLICY, saves: { keepLast: 2 }, backups: { keepLast: 2, keepDaily: 2 } };
  const saves = (...agesMs: number[]) => agesMs.map((age) => snapshot(age));

  it('is outlived once the newest so many are all newer', () => {
    expect(isOutlived(unreadable(3), saves(1, 2), TWO, SAVES)).toBe(true);
    expect(isOutlived(unreadable(3), saves(1, 4, 5), TWO, SAVES)).toBe(false);
    expect(isOutlived(unreadable(3), [], TWO, SAVES)).toBe(false);
  });

  it('counts those of its own store and kind only', () => {
    const elsewhere = [snapshot(1, { store: 'nas' }), snapshot(2, { kind: 'backup' })];
    expect(isOutlived(unreadable(3), elsewhere, TWO, SAVES)).toBe(false);
  });

  it('is not outlived as the newest of a day that is kept', () => {
    const backups = [snapshot(1, { kind: 'backup' }), snapshot(2, { kind: 'backup' })];
    const shelf = { kind: 'backup', store: 'disk' } as const;
    expect(isOutlived(unreadable(DAY), backups, TWO, shelf)).toBe(false);
    expect(isOutlived(unreadable(3), backups, TWO, shelf)).toBe(true);
  });

  it('is not outlived while it may be the last good one: all newer are revoked, or none is settled', () => {
    const revoked = [snapshot(1, { revoked: true }), snapshot(2, { revoked: true })];
    const unsettled = [snapshot(1, { settled: false }), snapshot(2, { settled: false })];
    expect(isOutlived(unreadable(3), revoked, TWO, SAVES)).toBe(false);
    expect(isOutlived(unreadable(3), unsettled, TWO, SAVES)).toBe(false);
  });

  it('is outlived when it is the oldest of more than there may be', () => {
    const mb = 1024 * 1024;
    const large = [1, 2].map((age) => snapshot(age, { storedBytes: 600 * mb }));
    expect(isOutlived(unreadable(3), large, POLICY, SAVES)).toBe(true);
    expect(isOutlived(unreadable(3), large.slice(1), POLICY, SAVES)).toBe(false);
  });

  it('is never outlived without a newer one on its shelf that is good and settled (property)', () => {
    const anyWhole = fc
      .record({
        age: fc.integer({ min: 0, max: 20 }),
        store: fc.constantFrom('disk', 'nas'),
        revoked: fc.boolean(),
        settled: fc.boolean(),
        storedBytes: fc.nat(3),
      })
      .map(({ age, ...rest }) => snapshot(age, rest));
    const anyPolicy = fc.record({ keepLast: fc.nat(3), maxTotalMb: fc.constantFrom(0, 1) });
    fc.assert(
      fc.property(fc.array(anyWhole, { maxLength: 12 }), anyPolicy, (whole, { keepLast, maxTotalMb }) => {
        const policy = { saves: { keepLast }, backups: { keepLast }, maxTotalMb };
        if (!isOutlived(unreadable(10), whole, policy, SAVES)) return;
        const good = whole.filter(({ store, revoked, settled }) => store === 'disk' && !revoked && settled);
        expect(Math.min(...ages(good))).toBeLessThanOrEqual(10);
      }),
      { numRuns: 500 },
    );
  });
});
