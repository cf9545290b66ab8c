import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../../src/file-system.js';
import type { Disk } from '../../../src/stores/file-system/disk.js';
import { breakLock, createLock, readLock } from '../../../src/stores/file-system/lock-file.js';
import { Stamps } from '../../../src/stores/file-system/stamps.js';
import { isProvenDead, thisWriter } from '../../../src/stores/file-system/writer.js';
import { ManualClock } from '../../../src/testing/index.js';
import { memoryFileSystem } from '../fixtures/temporary-root.js';

describe('Stamps', () => {
  it('are a millisecond apart at least, also when the clock stands still or goes back a little', () => {
    const clock = new ManualClock({ now: 1_000_000 });
    const stamps = new Stamps(clock);
    const drawn = [0, 0, 0, -500, 0, 250].map((shift) => {
      clock.setNow(clock.now() + shift);
      return Math.floor(stamps.next() * 1000);
    });
    expect(drawn).toEqual([1_000_000, 1_000_001, 1_000_002, 1_000_003, 1_000_004, 1_000_005]);
  });

  it('follow a clock that was set right', () => {
    const clock = new ManualClock({ now: 10_000_000 });
    const stamps = new Stamps(clock);
    stamps.next();
    clock.setNow(9_000_000);
    expect(Math.floor(stamps.next() * 1000)).toBe(9_000_000);
    clock.setNow(11_000_000);
    expect(Math.floor(stamps.next() * 1000)).toBe(11_000_000);
  });

  it('have microseconds by lot, for several processes draw them', () => {
    const drawn = Array.from({ length: 20 }, () => new Stamps(new ManualClock()).next());
    expect(new Set(drawn).size).toBeGreaterThan(1);
  });
});

describe('isProvenDead', () => {
  it('is sure of a process of this machine only, and names no host', async () => {
    const { host, pid } = await thisWriter();
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    const deadPid = dead.pid ?? 0;
    expect(await isProvenDead({ host, pid: deadPid })).toBe(true);
    expect(await isProvenDead({ host: 'beef', pid: deadPid })).toBe(false);
    expect(await isProvenDead({ host, pid })).toBe(false);
    expect(await isProvenDead({ host, pid: 1 })).toBe(false);
    expect(await isProvenDead(undefined)).toBe(false);
    expect(host).toMatch(/^[0-9a-f]{12}$/);
    expect(host).not.toContain(hostname());
  });
});

describe('breakLock', () => {
  it('leaves a lock that somebody made after the abandoned one was seen', async () => {
    const disk = diskOn(memoryFileSystem().fs);
    await createLock(disk, '/.lock-a');
    const abandoned = await readLock(disk, '/.lock-a');
    await disk.fs.promises.unlink('/.lock-a');
    const fresh = await createLock(disk, '/.lock-a');
    if (abandoned === undefined) throw new Error('no lock');
    expect(await breakLock(disk, '/.lock-a', abandoned)).toBeUndefined();
    expect((await readLock(disk, '/.lock-a'))?.id).toBe(fresh);
    expect(await readLock(disk, '/.unlock-a')).toBeUndefined();
  });
});

function diskOn(fs: FileSystem): Disk {
  const clock = new ManualClock();
  return { fs, clock, platform: 'linux', root: '/', stamps: new Stamps(clock), onNotice: () => undefined };
}
