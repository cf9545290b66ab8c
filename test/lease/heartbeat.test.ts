import { describe, expect, it, vi } from 'vitest';
import { sleep } from '../../src/clock.js';
import { HEARTBEAT_MS, TAKEOVER_MS } from '../../src/lease/timing.js';
import { LeaseWorld } from './lease-world.js';

const A = { host: 'web-1', namespace: 'boot-1 pid:1', pid: 100 };
const B = { host: 'web-1', namespace: 'boot-1 pid:1', pid: 200 };

/** A world whose owner's disk can be broken. */
async function owned() {
  const world = new LeaseWorld();
  const waiting = new Set<() => void>();
  const disk = {
    state: 'fine' as 'fine' | 'broken' | 'hangs',
    /** How long each opening of a file takes. */
    slowMs: 0,
    /** What hung goes on, as on a network share that is back. */
    mend() {
      disk.state = 'fine';
      for (const goOn of waiting) goOn();
    },
  };
  const open = async (...args: Parameters<typeof world.fs.promises.open>) => {
    if (disk.state === 'broken') throw Object.assign(new Error('EROFS: read-only'), { code: 'EROFS' });
    if (disk.slowMs > 0) await sleep(world.clock, disk.slowMs);
    if (disk.state === 'hangs') await new Promise<void>((resolve) => waiting.add(resolve));
    return world.fs.promises.open(...args);
  };
  const onLost = vi.fn();
  const onReclaimed = vi.fn();
  const warn = vi.fn();
  const levels: string[] = [];
  const write = (level: string) => (message: string) => {
    levels.push(level);
    warn(message);
  };
  const logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const lease = world.lease(A, { fs: world.fsWith({ open } as object), onLost, onReclaimed, logger });
  await lease.acquire();
  return { world, disk, lease, onLost, onReclaimed, warn, levels };
}

describe('a heartbeat', () => {
  it('shows others that the owner lives, every 5 s, in a file that keeps its size', async () => {
    const { world, lease } = await owned();
    const size = world.fs.statSync('/s/lease/shop.1.lease').size;
    for (const beat of [1, 2, 3]) {
      await world.clock.advance(HEARTBEAT_MS);
      expect(world.read('shop.1.lease')).toMatchObject({ beat, released: false });
    }
    expect(world.read('shop.1.lease').at).toBe(new Date(world.clock.now()).toISOString());
    expect(world.fs.statSync('/s/lease/shop.1.lease').size).toBe(size);
    expect(world.clock.pendingTimers).toBe(1);
    expect(lease.isHeld()).toBe(true);
  });

  it('goes on although nobody listens and the logger throws', async () => {
    const { world, disk, lease, warn } = await owned();
    warn.mockImplementation(() => {
      throw new Error('disk full');
    });
    disk.state = 'broken';
    await world.clock.advance(HEARTBEAT_MS);
    disk.state = 'fine';
    await world.clock.advance(HEARTBEAT_MS);
    expect(lease.isHeld()).toBe(true);
    expect(world.read('shop.1.lease').beat).toBeGreaterThan(0);
  });
});

describe('a lease whose last proof is too old to tell', () => {
  /** Suspended for longer than a takeover needs: the time went on, no timer fired. */
  async function suspended() {
    const one = await owned();
    const monotonic = one.world.clock.monotonic.bind(one.world.clock);
    one.world.clock.monotonic = () => monotonic() + 2 * TAKEOVER_MS;
    expect(one.lease.isHeld()).toBe(false);
    return one;
  }

  it('is confirmed by a new one', async () => {
    const { world, lease, onLost } = await suspended();
    expect(await Promise.all([lease.confirm(), lease.confirm()])).toEqual([true, true]);
    expect(lease.isHeld()).toBe(true);
    expect(world.read('shop.1.lease')).toMatchObject({ beat: 1 });
    expect(onLost).not.toHaveBeenCalled();
    expect(world.clock.pendingTimers).toBe(1);
  });

  it('is found lost when another took over, and said so', async () => {
    const { world, lease, onLost } = await suspended();
    world.fs.writeFileSync('/s/lease/shop.2.lease', 'anything');
    expect(await lease.confirm()).toBe(false);
    expect(onLost.mock.calls).toEqual([['another process took the session over']]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('is neither confirmed nor lost while its disk can not tell', async () => {
    const { disk, lease, onLost } = await suspended();
    disk.state = 'broken';
    expect(await lease.confirm()).toBe(false);
    expect(lease.isUnproven()).toBe(true);
    disk.state = 'fine';
    expect(await lease.confirm()).toBe(true);
    expect(lease.isUnproven()).toBe(false);
    expect(onLost).not.toHaveBeenCalled();
  });

  it('is not looked at again while it is held, nor once it was released', async () => {
    const { world, lease } = await owned();
    expect(await lease.confirm()).toBe(true);
    expect(world.read('shop.1.lease')).toMatchObject({ beat: 0 });
    await lease.release();
    expect(await lease.confirm()).toBe(false);
  });
});

describe('a lease is lost', () => {
  it('when another process took over: said once, and no timer stays', async () => {
    const { world, lease, onLost } = await owned();
    world.kill(A);
    const next = world.lease(B);
    await next.acquire();
    await world.clock.advance(HEARTBEAT_MS);
    expect(lease.isHeld()).toBe(false);
    expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ code: 'LEASE_LOST' }));
    expect(onLost.mock.calls).toEqual([['another process took the session over']]);
    await next.release();
    await world.clock.advance(TAKEOVER_MS);
    expect(onLost).toHaveBeenCalledTimes(1);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('when a newer generation stands beside its own file', async () => {
    const { world, lease, onLost } = await owned();
    world.fs.writeFileSync('/s/lease/shop.2.lease', 'anything');
    await world.clock.advance(HEARTBEAT_MS);
    expect([lease.isHeld(), onLost.mock.calls.length]).toEqual([false, 1]);
    expect(world.files()).toContain('shop.2.lease');
  });

  it('when its number is in the hands of another that lives', async () => {
    const { world, lease, onLost } = await owned();
    world.fs.rmSync('/s', { recursive: true });
    const other = world.lease(B);
    expect(await other.acquire()).toMatchObject({ generation: 1 });
    await world.clock.advance(HEARTBEAT_MS);
    expect([lease.isHeld(), other.isHeld()]).toEqual([false, true]);
    expect(onLost.mock.calls).toEqual([['another process took the session over']]);
    expect(world.files()).toEqual(['shop.1.lease']);
  });

  it('and can be acquired again', async () => {
    const { world, lease, onLost } = await owned();
    world.kill(A);
    const next = world.lease(B);
    await next.acquire();
    await world.clock.advance(HEARTBEAT_MS);
    await next.release();
    expect(await lease.acquire()).toEqual({ owner: 'web-1:100', generation: 3 });
    await world.clock.advance(HEARTBEAT_MS);
    expect([lease.isHeld(), onLost.mock.calls.length]).toEqual([true, 1]);
  });

  it('for good: a heartbeat that was under way brings nothing back', async () => {
    const { world, lease } = await owned();
    const permit = lease.permit;
    let goOn: () => void = () => undefined;
    const { open } = world.fs.promises;
    world.fs.promises.open = (async (...args: Parameters<typeof open>) => {
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      return open(...args);
    }) as typeof open;
    await world.clock.advance(HEARTBEAT_MS);
    const released = lease.release();
    world.fs.promises.open = open;
    goOn();
    await released;
    expect(permit?.isValid(world.clock)).toBe(false);
  });

  it('although the handler of it throws', async () => {
    const world = new LeaseWorld();
    const lease = world.lease(A, {
      onLost: () => {
        throw new Error('in the bot');
      },
    });
    await lease.acquire();
    world.fs.writeFileSync('/s/lease/shop.2.lease', 'anything');
    await world.clock.advance(HEARTBEAT_MS);
    expect(lease.isHeld()).toBe(false);
  });
});

describe('a lease whose file is gone or can not be read is not lost', () => {
  it.each([
    ['removed', (world: LeaseWorld) => world.fs.unlinkSync('/s/lease/shop.1.lease')],
    ['removed with its folder', (world: LeaseWorld) => world.fs.rmSync('/s', { recursive: true })],
  ])('when its file was %s: it is claimed anew, under a higher number', async (_, tamper) => {
    const { world, lease, onLost, onReclaimed } = await owned();
    tamper(world);
    await world.clock.advance(HEARTBEAT_MS);
    expect(lease.isHeld()).toBe(true);
    expect(world.files()).toEqual(['shop.2.lease']);
    expect(onReclaimed.mock.calls).toEqual([[{ owner: 'web-1:100', generation: 2 }]]);
    expect([lease.generation, onLost.mock.calls.length, world.clock.pendingTimers]).toEqual([2, 0, 1]);
    await expect(world.lease(B).acquire()).rejects.toMatchObject({ code: 'LEASE_HELD' });
  });

  it('when somebody wrote nonsense over it: it is watched, then claimed anew', async () => {
    const { world, lease, onLost } = await owned();
    world.fs.writeFileSync('/s/lease/shop.1.lease', 'nonsense');
    await world.clock.advance(HEARTBEAT_MS);
    expect([lease.isHeld(), lease.isUnproven()]).toEqual([false, true]);
    await world.clock.advance(2 * TAKEOVER_MS);
    expect([lease.isHeld(), lease.generation]).toEqual([true, 2]);
    expect(onLost).not.toHaveBeenCalled();
  });

  it('when a symbolic link lies in its place: nothing is read or written behind it, and it is claimed anew', async () => {
    const { world, lease, onLost } = await owned();
    world.fs.renameSync('/s/lease/shop.1.lease', '/elsewhere');
    world.fs.symlinkSync('/elsewhere', '/s/lease/shop.1.lease');
    const before = String(world.fs.readFileSync('/elsewhere'));
    await world.clock.advance(HEARTBEAT_MS);
    expect([lease.isHeld(), lease.isUnproven()]).toEqual([false, true]);
    await world.clock.advance(2 * TAKEOVER_MS);
    expect([lease.isHeld(), lease.generation]).toEqual([true, 2]);
    expect(onLost).not.toHaveBeenCalled();
    expect(String(world.fs.readFileSync('/elsewhere'))).toBe(before);
  });

  it.each(['broken', 'hangs'] as const)(
    'when its disk %s: not held after 30 s, asked again and again, and held again afterwards',
    async (state) => {
      const { world, disk, lease, onLost } = await owned();
      disk.state = state;
      await world.clock.advance(TAKEOVER_MS - 1);
      expect(lease.isHeld()).toBe(true);
      await world.clock.advance(1);
      expect([lease.isHeld(), lease.isUnproven()]).toEqual([false, true]);
      expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ code: 'STORE', retryable: true }));
      await world.clock.advance(10 * TAKEOVER_MS);
      disk.mend();
      await world.clock.advance(HEARTBEAT_MS + 10_000);
      expect([lease.isHeld(), lease.isUnproven(), lease.generation]).toEqual([true, false, 1]);
      expect(onLost).not.toHaveBeenCalled();
    },
  );

  it('but is, when another took it over while its disk was broken', async () => {
    const { world, disk, lease, onLost } = await owned();
    disk.state = 'broken';
    await world.clock.advance(2 * TAKEOVER_MS);
    world.fs.writeFileSync('/s/lease/shop.2.lease', 'anything');
    disk.mend();
    await world.clock.advance(HEARTBEAT_MS);
    expect(lease.isHeld()).toBe(false);
    expect(onLost.mock.calls).toEqual([['another process took the session over']]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'has exactly one owner in the end, whoever comes %i ms around the heartbeat that finds it gone',
    async (ms) => {
      const { world, lease, onLost } = await owned();
      await world.clock.advance(HEARTBEAT_MS - 4);
      world.fs.rmSync('/s', { recursive: true });
      await world.clock.advance(ms - 1);
      const other = world.lease(B);
      const outcome = await Promise.all([other.acquire().catch(() => 'refused'), world.clock.advance(10)]);
      await world.clock.advance(4 * HEARTBEAT_MS);
      expect([lease.isHeld(), other.isHeld()].filter(Boolean)).toHaveLength(1);
      expect(outcome[0] === 'refused').toBe(lease.isHeld());
      expect(onLost.mock.calls.length).toBe(lease.isHeld() ? 0 : 1);
    },
  );

  it('when somebody deletes its folder again and again: it is told to be unproven, and claimed anew afterwards', async () => {
    const { world, lease, onLost } = await owned();
    const { link } = world.fs.promises;
    world.fs.rmSync('/s', { recursive: true });
    world.fs.promises.link = async () => {
      world.fs.rmSync('/s', { recursive: true, force: true });
      throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    };
    await world.clock.advance(3 * HEARTBEAT_MS);
    expect([lease.isHeld(), lease.isUnproven()]).toEqual([false, true]);
    world.fs.promises.link = link;
    await world.clock.advance(HEARTBEAT_MS);
    expect([lease.isHeld(), lease.generation]).toEqual([true, 2]);
    expect(onLost).not.toHaveBeenCalled();
  });

  it('leaves nothing behind where it was released while it was contested', async () => {
    const { world, lease } = await owned();
    world.fs.writeFileSync('/s/lease/shop.1.lease', 'nonsense');
    await world.clock.advance(HEARTBEAT_MS + 1000);
    await lease.release();
    await world.clock.advance(2 * TAKEOVER_MS);
    expect(world.files()).toEqual(['shop.1.lease']);
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('an owner whose machine slept, so that its monotonic time stood still', () => {
  it('does not count as the owner until the lease is proven again, and loses nothing by a clock that was only set', async () => {
    const { world, lease, onLost } = await owned();
    world.clock.setWall(TAKEOVER_MS);
    expect([lease.isHeld(), lease.isUnproven()]).toEqual([false, true]);
    expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ code: 'STORE' }));
    expect(await lease.confirm()).toBe(true);
    world.clock.setWall(-86_400_000);
    expect([lease.isHeld(), onLost.mock.calls]).toEqual([true, []]);
    await world.clock.advance(3 * TAKEOVER_MS);
    expect(lease.isHeld()).toBe(true);
  });
});

describe('an owner that was suspended', () => {
  it('does not write before it has proven that nobody took over, then goes on', async () => {
    const { world, lease, onLost } = await owned();
    world.clock.jump(TAKEOVER_MS);
    expect(lease.isHeld()).toBe(false);
    await world.clock.advance(0);
    expect(lease.isHeld()).toBe(true);
    expect(onLost).not.toHaveBeenCalled();
  });

  it('may compete at once', async () => {
    const { world, lease } = await owned();
    world.clock.jump(TAKEOVER_MS);
    expect((await lease.acquire()).generation).toBe(2);
    await world.clock.advance(HEARTBEAT_MS);
    expect(lease.isHeld()).toBe(true);
    expect(world.clock.pendingTimers).toBe(1);
  });
});

describe('the log of a lease that can not be proven', () => {
  it('has a line when that begins, one each 10 minutes, and one when it is over', async () => {
    const { world, disk, lease, warn } = await owned();
    disk.state = 'broken';
    await world.clock.advance(60 * 60_000);
    const lines = () => warn.mock.calls.map(([message]) => String(message));
    const unproven = () => lines().filter((line) => line.includes("can't be confirmed"));
    expect(unproven().length).toBeGreaterThanOrEqual(5);
    expect(unproven().length).toBeLessThanOrEqual(6);
    disk.state = 'fine';
    await world.clock.advance(2 * HEARTBEAT_MS);
    expect(lease.isHeld()).toBe(true);
    expect(lines().at(-1)).toContain('proven again');
    expect(lines().filter((line) => !line.includes('heartbeat'))).toHaveLength(unproven().length + 1);
    warn.mockClear();
    await world.clock.advance(60 * 60_000);
    expect(lines()).toEqual([]);
  });

  it('has no line above debug level for a heartbeat that fails while an older proof holds', async () => {
    const { world, disk, lease, levels } = await owned();
    disk.state = 'broken';
    await world.clock.advance(2 * HEARTBEAT_MS);
    disk.state = 'fine';
    await world.clock.advance(2 * HEARTBEAT_MS);
    expect(lease.isHeld()).toBe(true);
    expect(levels).toEqual(['debug', 'debug']);
  });
});

describe('a heartbeat that comes through after its deadline', () => {
  it('proves the lease from the moment it began, so that a slow disk loses nothing', async () => {
    const { world, disk, lease, onLost } = await owned();
    disk.slowMs = 12_000;
    for (let second = 0; second < 300; second++) {
      await world.clock.advance(1000);
      expect(lease.isHeld(), `after ${second} s`).toBe(true);
    }
    expect(onLost).not.toHaveBeenCalled();
  });

  it('still hears of a newer owner, and of a file that is gone', async () => {
    const { world, disk, onLost, onReclaimed } = await owned();
    disk.slowMs = 12_000;
    await world.clock.advance(HEARTBEAT_MS + 1000);
    await world.fs.promises.unlink('/s/lease/shop.1.lease');
    disk.slowMs = 0;
    await world.clock.advance(60_000);
    expect(onReclaimed).toHaveBeenCalledOnce();
    expect(onLost).not.toHaveBeenCalled();
    expect(world.files()).toEqual(['shop.2.lease']);
  });
});
