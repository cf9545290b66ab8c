import { describe, expect, it } from 'vitest';
import { SnapshotCorruptError, SnapshotNotFoundError, StoreError } from '../../../src/errors.js';
import type { LocatedSnapshot } from '../../../src/snapshot/located-snapshot.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import { RestoreSearch } from '../../../src/supervision/restore/restore-search.js';

const TABLE = 'Default/IndexedDB/000005.ldb';

describe('a search for a snapshot to restore', () => {
  /** One whose snapshots, by id, hold the given content of the table. */
  function repository(kind: 'save' | 'backup', tables: Readonly<Record<string, string>> = {}) {
    const manifest = async (id: string) => {
      if (tables[id] === undefined) throw new SnapshotNotFoundError('gone');
      return { files: [{ path: TABLE, size: 1, sha256: tables[id] }] };
    };
    return { kind, manifest } as unknown as SnapshotRepository;
  }

  const located = (id: string, from: SnapshotRepository) =>
    ({ info: { id }, repository: from }) as unknown as LocatedSnapshot;

  it('goes on after any number of corrupt ones up to a hundred', async () => {
    const search = new RestoreSearch();
    const saves = repository('save');
    for (let attempt = 0; attempt < 100; attempt++) {
      expect(await search.isWorthAnAttempt(located(`${attempt}`, saves))).toBe(true);
      await search.passOver(located(`${attempt}`, saves), new SnapshotCorruptError('torn'));
    }
    expect(await search.isWorthAnAttempt(located('next', saves))).toBe(false);
    expect(await search.isWorthAnAttempt(located('next', repository('backup')))).toBe(false);
    expect(() => search.assertAllRead()).not.toThrow();
  });

  it('asks a store that can not be read three times, other stores all the same, and tells its first fault', async () => {
    const search = new RestoreSearch();
    const [saves, backups] = [repository('save'), repository('backup')];
    const first = new StoreError('first');
    await search.passOver(located('1', saves), first);
    await search.passOver(located('2', saves), new StoreError('second'));
    expect(await search.isWorthAnAttempt(located('3', saves))).toBe(true);
    await search.passOver(located('3', saves), new StoreError('third'));
    expect(await search.isWorthAnAttempt(located('4', saves))).toBe(false);
    expect(await search.isWorthAnAttempt(located('4', backups))).toBe(true);
    await search.passOver(located('4', backups), new SnapshotCorruptError('torn'));
    expect(() => search.assertAllRead()).toThrow(first);
  });

  it.each([
    ['rotten', new SnapshotCorruptError('rotten', { file: TABLE })],
    ['unreadable', new StoreError('unreadable', { file: TABLE })],
  ])('passes over the saves that need an object found %s, at no cost', async (_, error) => {
    const search = new RestoreSearch();
    const saves = repository('save', { newest: 'bad', newer: 'bad', older: 'good' });
    const others = repository('save', { elsewhere: 'bad' });
    await search.passOver(located('newest', saves), error);
    expect(await search.isWorthAnAttempt(located('newer', saves))).toBe(false);
    expect(await search.isWorthAnAttempt(located('older', saves))).toBe(true);
    expect(await search.isWorthAnAttempt(located('elsewhere', others))).toBe(true); // another copy of the object
    expect(await search.isWorthAnAttempt(located('unknown', saves))).toBe(true);
  });

  it('passes over no other zip for a rotten file: each has its own bytes', async () => {
    const search = new RestoreSearch();
    const backups = repository('backup', { newest: 'bad', older: 'bad' });
    await search.passOver(located('newest', backups), new SnapshotCorruptError('rotten', { file: TABLE }));
    expect(await search.isWorthAnAttempt(located('older', backups))).toBe(true);
  });
});
