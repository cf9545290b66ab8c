import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { BackupDirStore } from '../../src/stores/backup-dir-store.js';
import type { SessionStore } from '../../src/stores/session-store.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { useFakeStage } from '../support/fake-stage.js';

/** A session that saves only when it is told to. */
const BY_HAND = {
  forceSaveIntervalMs: 0,
  backupIntervalMs: 0,
  sessionValidationIntervalMs: 0,
  healthCheckIntervalMs: 0,
};
/** Longer than a session takes to settle: then the last good snapshot is one, not two. */
const SETTLED_MS = 100_000;

describe('retention, with two folders of backups', () => {
  const stage = useFakeStage();

  it.each([
    ['keepLast', { backups: { keepLast: 2, keepDaily: 0 } }, 2],
    ['a size that leaves only the last good one', { maxTotalMb: 0.000_001 }, 1],
  ])('counts in each of them by itself: %s', async (_, retention, kept) => {
    const { fs } = stage();
    const backupStore = ['/near', '/far'].map((root) => new BackupDirStore(root, { fs }));
    const bot = stage().bot({ session: { ...BY_HAND, backupStore, retention } });
    await bot.logIn();
    await stage().clock.advance(SETTLED_MS);
    for (let round = 0; round < 4; round++) {
      await bot.backUp(`round ${round}`);
      await stage().clock.advance(1000);
    }
    for (const folder of ['/near', '/far']) {
      const zips = (await stage().filesBelow(folder)).filter((path) => path.endsWith('.zip'));
      expect(zips).toHaveLength(kept);
    }
    const stores = (await bot.session.listSnapshots()).map(({ store }) => store);
    expect(stores.filter((name) => name === 'backup-dir')).toHaveLength(kept);
    expect(stores.filter((name) => name === 'backup-dir-2')).toHaveLength(kept);
  });
});

describe('a full disk under the profile', () => {
  const stage = useFakeStage();
  const MB = 1024 * 1024;
  const BACKUPS = 5;
  let isFull = false;

  /** What a full disk has, and what it gets back for every zip that is gone from `/bot/backup`. */
  interface Disk {
    readonly freeMb: number;
    readonly mbPerZip: number;
    readonly hasNumber?: boolean;
  }

  /** A force-save on it, of a bot with five backups in the given store; resolves to its result and to what is left. */
  async function saveOn(disk: Disk, backupStore?: SessionStore) {
    const fs = withDisks(disk);
    const bot = stage().bot({ session: { ...BY_HAND, fs, ...(backupStore && { backupStore }) } });
    await bot.logIn();
    await stage().clock.advance(SETTLED_MS);
    const taken: string[] = [];
    for (let round = 0; round < BACKUPS; round++) {
      taken.push((await bot.backUp(`round ${round}`)).id);
      await stage().clock.advance(1000);
    }
    isFull = true;
    await bot.note('to be saved');
    const result = await bot.finish(bot.session.forceSave());
    const listed = (await bot.session.listSnapshots()).filter(({ kind }) => kind === 'backup');
    isFull = false;
    return { result, taken: taken.reverse(), left: listed.map(({ id }) => id) };
  }

  /** The disk in memory, which says that `/bot` is one disk, `/nas` another. */
  function withDisks({ freeMb, mbPerZip, hasNumber = true }: Disk): FileSystem {
    const { fs } = stage();
    const statfs = async () => {
      const zips = (await stage().filesBelow('/bot/backup')).filter((path) => path.endsWith('.zip'));
      const free = isFull ? freeMb + mbPerZip * (BACKUPS - zips.length) : 1000;
      return { bavail: free, bsize: MB };
    };
    const stat = async (path: string) => {
      const dev = path.startsWith('/nas') ? 2 : 1;
      return Object.assign(await fs.promises.stat(path), { dev: hasNumber ? dev : undefined });
    };
    const promises = new Proxy(fs.promises, {
      get: (target, name) =>
        name === 'statfs' ? statfs : name === 'stat' ? stat : Reflect.get(target, name),
    });
    const { createReadStream, createWriteStream } = fs;
    return { promises, createReadStream, createWriteStream };
  }

  it('takes the oldest snapshots that lie on it, no more than are needed', async () => {
    const { result, taken, left } = await saveOn({ freeMb: 1, mbPerZip: 10 });
    expect(result).toHaveProperty('snapshot');
    expect(left).toEqual(taken.slice(0, 3));
  });

  it('takes none out of a remote store: that would make no room', async () => {
    const { result, taken, left } = await saveOn({ freeMb: 1, mbPerZip: 0 }, new MemoryStore());
    expect(result).toEqual({ skipped: 'no-space' });
    expect(left).toEqual(taken);
  });

  it('takes none from another disk', async () => {
    const nas = new BackupDirStore('/nas/backup', { fs: stage().fs });
    const { result, taken, left } = await saveOn({ freeMb: 1, mbPerZip: 0 }, nas);
    expect(result).toEqual({ skipped: 'no-space' });
    expect(left).toEqual(taken);
  });

  it('takes one and no more where that made no room', async () => {
    const { result, taken, left } = await saveOn({ freeMb: 1, mbPerZip: 0 });
    expect(result).toEqual({ skipped: 'no-space' });
    expect(left).toEqual(taken.slice(0, BACKUPS - 1));
  });

  it('is found out by trying where disks have no numbers', async () => {
    const nas = new BackupDirStore('/nas/backup', { fs: stage().fs });
    const { taken, left } = await saveOn({ freeMb: 1, mbPerZip: 0, hasNumber: false }, nas);
    expect(left).toEqual(taken.slice(0, BACKUPS - 1));
  });
});
