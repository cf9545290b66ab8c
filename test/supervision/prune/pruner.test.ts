import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../../src/file-system.js';
import { BackupDirStore } from '../../../src/stores/backup-dir-store.js';
import type { SessionStore } from '../../../src/stores/session-store.js';
import { MemoryStore } from '../../../src/testing/memory-store.js';
import { BY_HAND, type FakeBot } from '../../support/fake-bot.js';
import { useFakeStage } from '../../support/fake-stage.js';

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

  it('takes no saves whose room would not come back: one that can not be read may need all they hold', async () => {
    const fs = withDisks({ freeMb: 1, mbPerZip: 0 });
    const bot = stage().bot({ session: { ...BY_HAND, fs } });
    await bot.logIn();
    await stage().clock.advance(SETTLED_MS);
    const taken: string[] = [];
    for (let round = 0; round < 3; round++) {
      taken.unshift((await bot.save(`round ${round}`)).id);
      await stage().clock.advance(1000);
    }
    await fs.promises.writeFile(`/bot/session/store/shop/snapshots/${taken[0]}.json`, 'torn');
    isFull = true;
    await bot.note('to be saved');
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'no-space' });
    isFull = false;
    expect((await bot.session.listSnapshots()).map(({ id }) => id)).toEqual(taken.slice(1));
  });

  it('is found out by trying where disks have no numbers', async () => {
    const nas = new BackupDirStore('/nas/backup', { fs: stage().fs });
    const { taken, left } = await saveOn({ freeMb: 1, mbPerZip: 0, hasNumber: false }, nas);
    expect(left).toEqual(taken.slice(0, BACKUPS - 1));
  });
});

describe('a manifest that can not be read', () => {
  const stage = useFakeStage();
  const STORE = '/bot/session/store/shop';
  const DAY_MS = 24 * 60 * 60 * 1000;
  const TWO = { saves: { keepLast: 2 } };

  async function botWithOneSave(session = {}): Promise<{ bot: FakeBot; path: string; text: string }> {
    const bot = stage().bot({ session: { ...BY_HAND, retention: TWO, ...session } });
    await bot.logIn();
    await stage().clock.advance(SETTLED_MS);
    const path = join(STORE, 'snapshots', `${(await bot.save('first')).id}.json`);
    return { bot, path, text: String(await stage().fs.promises.readFile(path, 'utf8')) };
  }

  /** Saves so many times; resolves to how many objects there were after each. */
  async function saveTimes(bot: FakeBot, times: number): Promise<readonly number[]> {
    const counts: number[] = [];
    for (let round = 0; round < times; round++) {
      await stage().clock.advance(1000);
      await bot.save(`round ${round}`);
      counts.push((await stage().filesBelow(join(STORE, 'objects'))).length);
    }
    return counts;
  }

  /** As on a disk, whose time stamps tell two writes of one millisecond apart; those in memory do not. */
  async function write(path: string, text: string): Promise<void> {
    await stage().fs.promises.writeFile(path, text);
    const later = new Date(Date.now() + 1000);
    await stage().fs.promises.utimes(path, later, later);
  }
  const removals = (bot: FakeBot) =>
    bot.payloads('warning').filter(({ message }) => message.includes('was removed'));

  it('is removed, by name, once newer ones have outlived it, and the objects are bounded again', async () => {
    const { bot, path, text } = await botWithOneSave();
    await write(path, text.replace('"run": 1', '"run": 3'));
    const counts = await saveTimes(bot, 12);
    expect(new Set(counts.slice(4)).size).toBe(1);
    expect(await stage().exists(path)).toBe(false);
    const [told, ...others] = removals(bot);
    expect(told).toMatchObject({ code: 'corrupt-snapshot' });
    expect(told?.message).toContain(path.slice(-'20261123T051409123Z-1a2b3c4d.json'.length, -'.json'.length));
    expect(others).toEqual([]);
    expect((await bot.finish(bot.session.verify())).corrupt).toEqual([]);
  });

  it('stays while nothing newer is whole, and so does every object that it may need', async () => {
    const { bot, path } = await botWithOneSave();
    await write(path, 'torn');
    const objects = await stage().filesBelow(join(STORE, 'objects'));
    await bot.finish(bot.session.prune());
    expect(await stage().exists(path)).toBe(true);
    expect(await stage().filesBelow(join(STORE, 'objects'))).toEqual(objects);
    expect(removals(bot)).toEqual([]);
  });

  it('goes with prune(), too', async () => {
    const { bot, path } = await botWithOneSave({ retention: { saves: { keepLast: 9 } } });
    await saveTimes(bot, 2);
    await bot.stop();
    await write(path, 'torn');
    const next = stage().bot({ session: { ...BY_HAND, retention: TWO } });
    expect((await next.finish(next.session.prune())).freedBytes).toBeGreaterThan('torn'.length);
    expect(await stage().exists(path)).toBe(false);
    expect(removals(next)).toHaveLength(1);
  });

  it('is no hindrance, and stays, where it is a copy of a whole one under another name', async () => {
    const { bot, path, text } = await botWithOneSave();
    const copy = path.replace('.json', ' (copy).json');
    await write(copy, text);
    const counts = await saveTimes(bot, 6);
    expect(new Set(counts.slice(3)).size).toBe(1);
    expect(await stage().exists(copy)).toBe(true);
    expect(removals(bot)).toEqual([]);
  });

  it('of a newer version of the library stays for as long as it could be restored by itself', async () => {
    const { bot, path, text } = await botWithOneSave({ maxRollbackMs: 3 * DAY_MS });
    await write(path, text.replace('"format": 1', '"format": 2'));
    await saveTimes(bot, 4);
    expect(await stage().exists(path)).toBe(true);
    stage().clock.setNow(stage().clock.now() + 3 * DAY_MS);
    await saveTimes(bot, 1);
    expect(await stage().exists(path)).toBe(false);
    expect(removals(bot)[0]?.message).toContain('a newer version wrote it');
  });

  it('stays when it is the store that does not deliver it, and hinders nothing', async () => {
    const { bot, path } = await botWithOneSave({ retention: { saves: { keepLast: 9 } } });
    await saveTimes(bot, 2);
    await bot.stop();
    const next = stage().bot({ session: { ...BY_HAND, retention: TWO } });
    stage().fs.arm({ operation: 'handle.read', path, failOn: 1, times: Number.POSITIVE_INFINITY });
    await next.finish(next.session.prune());
    expect(next.warnings).toContain('snapshot-unreadable');
    stage().fs.arm({});
    expect(await stage().exists(path)).toBe(true);
    expect(removals(next)).toEqual([]);
  });
});
