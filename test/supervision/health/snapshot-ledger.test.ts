import { beforeEach, describe, expect, it } from 'vitest';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import type { SessionContext } from '../../../src/supervision/context/session-context.js';
import { SnapshotLedger } from '../../../src/supervision/health/snapshot-ledger.js';
import { EMPTY_RECORD, type SessionRecord } from '../../../src/supervision/record/session-record.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { threadStopped } from '../../../src/thread-fault.js';
import type { SnapshotInfo, SnapshotKind } from '../../../src/types.js';

class FakeRepository {
  lists = 0;
  answer: () => Promise<readonly SnapshotInfo[]> = async () => [];
  readonly store: { readonly name: string };

  constructor(
    readonly kind: SnapshotKind,
    name: string,
  ) {
    this.store = { name };
  }

  list(): Promise<readonly SnapshotInfo[]> {
    this.lists++;
    return this.answer();
  }
}

describe('the ledger of snapshots', () => {
  let clock: ManualClock;
  let saves: FakeRepository;
  let near: FakeRepository;
  let far: FakeRepository;
  let record: SessionRecord;
  let ledger: SnapshotLedger;

  beforeEach(() => {
    clock = new ManualClock();
    saves = new FakeRepository('save', 'disk');
    near = new FakeRepository('backup', 'disk');
    far = new FakeRepository('backup', 's3');
    record = EMPTY_RECORD;
    const context = {
      clock,
      options: { puppeteerTimeoutMs: 5000 },
      logger: { debug: () => undefined },
      record: {
        get current() {
          return record;
        },
      },
      saves: saves as unknown as SnapshotRepository,
      backups: [near, far] as unknown as SnapshotRepository[],
    };
    ledger = new SnapshotLedger(context as unknown as SessionContext);
  });

  let ids = 0;
  function snapshot(change: Partial<SnapshotInfo> = {}): SnapshotInfo {
    return {
      id: `id-${++ids}`,
      kind: 'save',
      store: 'disk',
      clientId: 'shop',
      lineage: 'a',
      run: 1,
      createdAt: new Date(clock.now()).toISOString(),
      sizeBytes: 100,
      storedBytes: 10,
      files: 1,
      capture: 'hot',
      settled: true,
      verifiedAt: new Date(clock.now()).toISOString(),
      revoked: false,
      ...change,
    };
  }

  const taken = (info: SnapshotInfo) =>
    ledger.note(`${info.kind}:completed`, { snapshot: info, durationMs: 1, bytesWritten: 1 });

  it('knows nothing before it has listed, and lists again only after five minutes', async () => {
    expect(ledger.facts('save')).toMatchObject({ count: undefined, bytes: undefined, unreachable: [] });
    saves.answer = async () => [snapshot(), snapshot()];
    await Promise.all([ledger.refresh(), ledger.refresh()]);
    expect(ledger.facts('save')).toMatchObject({ count: 2, bytes: 20, last: { ageMs: 0, isVerified: true } });
    await clock.advance(299_999);
    await ledger.refresh();
    expect(saves.lists).toBe(1);
    await clock.advance(1);
    await ledger.refresh();
    expect(saves.lists).toBe(2);
  });

  it('follows what is taken, found unchanged, failed and removed', async () => {
    await ledger.refresh();
    const first = snapshot();
    taken(first);
    await clock.advance(60_000);
    expect(ledger.facts('save')).toMatchObject({ count: 1, confirmedAgeMs: 60_000 });
    ledger.note('save:skipped', { reason: 'not-ready' });
    expect(ledger.facts('save').confirmedAgeMs).toBe(60_000);
    ledger.note('save:skipped', { reason: 'unchanged' });
    expect(ledger.facts('save')).toMatchObject({ confirmedAgeMs: 0, last: { ageMs: 60_000 } });
    ledger.note('save:failed', { error: { code: 'CLOSED', message: '' } });
    expect(ledger.facts('save').hasFailed, 'a stop came between').toBe(false);
    ledger.note('save:failed', { error: { code: 'STORE', message: '' } });
    expect(ledger.facts('save').hasFailed).toBe(true);
    taken(snapshot());
    expect(ledger.facts('save')).toMatchObject({ count: 2, hasFailed: false });
    ledger.note('snapshots:pruned', { removed: [first.id], freedBytes: 1 });
    expect(ledger.facts('save').count).toBe(1);
    expect(saves.lists).toBe(1);
  });

  it('looks at the copies of the present login only, and never at revoked ones', async () => {
    saves.answer = async () => [
      snapshot({ lineage: 'b' }),
      snapshot({ lineage: 'a', createdAt: '2025-01-01T00:00:00.000Z' }),
      snapshot({ lineage: 'c', revoked: true }),
    ];
    await ledger.refresh();
    expect(ledger.hasUsable).toBe(true);
    record = { ...EMPTY_RECORD, lineage: 'a' };
    expect(ledger.facts('save')).toMatchObject({ count: 3, last: { createdAt: '2025-01-01T00:00:00.000Z' } });
    record = { ...EMPTY_RECORD, lineage: 'c' };
    expect(ledger.facts('save').last).toBeUndefined();
    record = { ...EMPTY_RECORD, revokedLineages: ['a', 'b'] };
    expect(ledger.hasUsable).toBe(false);
  });

  it('names a store that does not answer, keeps what it knew of it, and asks again after a minute', async () => {
    far.answer = async () => [snapshot({ kind: 'backup', store: 's3' })];
    await ledger.refresh();
    far.answer = () => new Promise(() => undefined);
    await clock.advance(300_000);
    const refreshed = ledger.refresh();
    await clock.advance(5000);
    await refreshed;
    expect(ledger.facts('backup')).toMatchObject({ count: 1, unreachable: [{ name: 's3', forMs: 0 }] });
    expect(ledger.facts('save').unreachable).toEqual([]);
    far.answer = async () => [];
    await clock.advance(60_000);
    await ledger.refresh();
    expect(ledger.facts('backup')).toMatchObject({ count: 0, unreachable: [] });
  });

  it('tells a worker thread that stopped from a store that fails, until a listing succeeds', async () => {
    near.answer = () => Promise.reject(threadStopped(new Error('out of memory')));
    far.answer = () => Promise.reject(new Error('403'));
    await ledger.refresh();
    const [thread, store] = ledger.facts('backup').unreachable;
    expect(thread).toMatchObject({ name: 'disk', isOfThread: true });
    expect(thread?.error?.message).toContain('out of memory');
    expect([store?.name, store?.isOfThread]).toEqual(['s3', undefined]);
    near.answer = async () => [];
    await clock.advance(60_000);
    await ledger.refresh();
    expect(ledger.facts('backup').unreachable.map(({ name }) => name)).toEqual(['s3']);
  });

  it('misses nothing that was taken while it listed', async () => {
    let listed: (infos: readonly SnapshotInfo[]) => void = () => undefined;
    saves.answer = () =>
      new Promise((resolve) => {
        listed = resolve;
      });
    const refreshed = ledger.refresh();
    const meanwhile = snapshot();
    taken(meanwhile);
    listed([snapshot()]);
    await refreshed;
    expect(ledger.facts('save').count).toBe(2);
  });

  it('forgets everything after a clear(), and lists again after a logout', async () => {
    saves.answer = async () => [snapshot()];
    await ledger.refresh();
    ledger.note('session:revoked', { cause: 'phone' });
    await ledger.refresh();
    expect(saves.lists).toBe(2);
    ledger.note('session:cleared', { snapshots: 1 });
    expect(ledger.facts('save')).toMatchObject({
      count: undefined,
      last: undefined,
      confirmedAgeMs: undefined,
    });
  });

  it('knows which ones were found damaged', async () => {
    const rotten = snapshot();
    saves.answer = async () => [rotten];
    await ledger.refresh();
    ledger.note('corruption:detected', { where: 'snapshot', snapshot: rotten, findings: [] });
    expect(ledger.facts('save').last?.isCorrupt).toBe(true);
  });
});
