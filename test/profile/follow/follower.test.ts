import fs from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import type { FileSystem } from '../../../src/file-system.js';
import { captureTask } from '../../../src/profile/capture-task.js';
import { Follower } from '../../../src/profile/follow/follower.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { temporaryFolder } from '../profiles.js';
import { contentsOf, LiveDatabase } from './live-database.js';

const ROOM = 1024 ** 3;

describe('the follower of a running browser', () => {
  let database: LiveDatabase;
  let clock: ManualClock;
  let root: string;
  let made: number;

  beforeEach(async () => {
    database = await LiveDatabase.create();
    clock = new ManualClock();
    root = await temporaryFolder();
    made = 0;
  });

  function follow(on: FileSystem = fs, create?: () => Promise<string>): Follower {
    return new Follower({
      profileDir: database.profileDir,
      fs: on,
      clock,
      folders: {
        create:
          create ??
          (async () => {
            const folder = path.join(root, `follow-${made++}`);
            await mkdir(folder);
            return folder;
          }),
        remove: (folder) => rm(folder, { recursive: true, force: true }),
      },
    });
  }

  async function take(follower: Follower) {
    const offered = await follower.offer(ROOM);
    const targetDir = path.join(await temporaryFolder(), 'copy');
    const input = { profileDir: database.profileDir, targetDir, mode: 'hot' as const };
    const taken = await captureTask.run(
      { ...input, ...(offered && { follow: offered }) },
      { fs, clock: systemClock },
    );
    if (offered) follower.accept(offered, taken.base);
    return taken;
  }

  const look = () => clock.advanceUntil(new Promise<void>((done) => clock.setTimeout(done, 4500)));

  it('keeps each log that it sees, so that a copy needs nothing else', async () => {
    const follower = follow();
    await take(follower);
    for (let round = 0; round < 4; round++) {
      await database.write([[`k${round}`, `${round}`], ['a']]);
      await look();
      await database.flush();
    }
    await database.write([['z', 'last']]);
    await look();
    const second = await take(follower);
    expect(second.newBaseBecause).toBeUndefined();
    expect(await contentsOf(second.tree.directory)).toEqual(new Map(database.contents));
    await follower.stop();
  });

  it('does nothing before the first copy and nothing after the stop, and removes what it kept', async () => {
    const follower = follow();
    expect(clock.pendingTimers).toBe(0);
    await take(follower);
    expect(clock.pendingTimers).toBe(1);
    expect(await readdir(root)).toEqual(['follow-0']);
    await follower.stop();
    expect(clock.pendingTimers).toBe(0);
    expect(await readdir(root)).toEqual([]);
    expect(follower.base).toBeUndefined();
    await take(follower);
    expect(await readdir(root)).toEqual(['follow-1']);
    await follower.stop();
  });

  it('takes no base of a copy that ended after the stop', async () => {
    const follower = follow();
    const offered = await follower.offer(ROOM);
    await follower.stop();
    const { base } = await take(follow());
    if (offered) follower.accept(offered, base);
    expect(follower.base).toBeUndefined();
    expect(clock.pendingTimers).toBe(1); // the other one's
  });

  it('keeps the logs of the time that the first copy takes', async () => {
    const follower = follow();
    const offered = await follower.offer(ROOM);
    await look();
    await database.write([['x', '1']]);
    await look();
    expect(await readdir(offered?.folder ?? '')).toContain(database.logName);
    await follower.stop();
  });

  it('makes no folder anew that somebody has removed', async () => {
    const follower = follow();
    await take(follower);
    await rm(root, { recursive: true });
    await database.write([['z', '1']]);
    await database.flush();
    await look();
    expect(fs.existsSync(root)).toBe(false);
    await take(follower);
    await follower.stop();
    expect(fs.existsSync(root)).toBe(false);
  });

  it('offers nothing where no folder can be made', async () => {
    const follower = follow(fs, () => Promise.reject(new Error('EROFS')));
    expect(await follower.offer(ROOM)).toBeUndefined();
    expect((await take(follower)).report.verdict).toBe('sound');
  });

  it('reads the kept logs again after a doubt', async () => {
    const follower = follow();
    await take(follower);
    await database.write([['z', '1']]);
    await look();
    await database.flush();
    await database.write([['z', '2']]);
    await take(follower);
    expect(follower.base?.completeLogs.size).toBe(1);
    follower.doubt();
    expect(follower.base?.completeLogs.size).toBe(0);
    await follower.stop();
  });

  it('looks more often while the newest log grows fast', async () => {
    const delays: number[] = [];
    const follower = follow();
    await take(follower);
    const schedule = clock.setTimeout.bind(clock);
    clock.setTimeout = (callback, delayMs) => {
      if (delayMs <= 4000) delays.push(delayMs);
      return schedule(callback, delayMs);
    };
    for (let quiet = 0; quiet < 20 && !delays.includes(4000); quiet++) await look();
    expect(delays).toContain(4000);
    delays.length = 0;
    for (let busy = 0; busy < 20 && Math.min(...delays) >= 1000; busy++) {
      await fs.promises.appendFile(database.pathOf(database.logName), Buffer.alloc(9_000_000));
      await look();
    }
    expect(Math.min(...delays)).toBeLessThan(1000);
    await follower.stop();
  });

  it('gives up after far too many logs without a copy', async () => {
    const follower = follow();
    await take(follower);
    for (let log = 0; log < 70; log++) await fs.promises.writeFile(database.pathOf(`${100 + log}.log`), '');
    for (let wait = 0; wait < 20 && follower.base !== undefined; wait++) await look();
    expect(follower.base).toBeUndefined();
    await follower.stop();
    expect(clock.pendingTimers).toBe(0);
    expect(await readdir(root)).toEqual([]);
  });
});
