import { describe, expect, it, vi } from 'vitest';
import { HEARTBEAT_MS, TAKEOVER_MS } from '../../src/lease/timing.js';
import { follow, LeaseWorld } from './lease-world.js';
import { settle } from './manual-clock.js';

const A = { host: 'web-1', namespace: 'boot-1 pid:1', pid: 100 };
const B = { host: 'web-1', namespace: 'boot-1 pid:1', pid: 200 };
const ELSEWHERE = { host: 'web-2', namespace: 'boot-2 pid:1', pid: 100 };
/** The same host name and the same pid, in another container. */
const OTHER_CONTAINER = { host: 'web-1', namespace: 'boot-1 pid:2', pid: 100 };

const held = { code: 'LEASE_HELD', retryable: true };

describe('an unowned session', () => {
  it('is acquired at once, with the first fencing number', async () => {
    const world = new LeaseWorld();
    const lease = world.lease(A);
    expect([lease.isHeld(), lease.generation]).toEqual([false, 0]);
    expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ code: 'LEASE_LOST' }));
    expect(await lease.acquire()).toEqual({ owner: 'web-1:100', generation: 1 });
    expect([lease.isHeld(), lease.generation]).toEqual([true, 1]);
    expect(() => lease.assertHeld()).not.toThrow();
  });

  it('gets a file that only its owner may read, in a folder of the same kind, and nothing beside it', async () => {
    const world = new LeaseWorld();
    await world.lease(A).acquire();
    expect(world.files()).toEqual(['shop.1.lease']);
    expect(world.fs.statSync('/s/lease/shop.1.lease').mode & 0o777).toBe(0o600);
    expect(world.fs.statSync('/s/lease').mode & 0o777).toBe(0o700);
    expect(world.read('shop.1.lease')).toMatchObject({
      format: 1,
      beat: 0,
      released: false,
      holder: { pid: 100 },
    });
  });

  it('does not mind the sessions of other clients, whatever their names begin with', async () => {
    const world = new LeaseWorld();
    await world.lease(A, { clientId: 'shop-2' }).acquire();
    await world.lease(A, { clientId: 'sho' }).acquire();
    expect((await world.lease(B).acquire()).generation).toBe(1);
    expect(world.files()).toEqual(['sho.1.lease', 'shop-2.1.lease', 'shop.1.lease']);
  });

  it('is acquired once by calls at the same time, and kept by later ones', async () => {
    const world = new LeaseWorld();
    const lease = world.lease(A);
    const grants = await Promise.all([lease.acquire(), lease.acquire()]);
    expect([...grants, await lease.acquire()].map(({ generation }) => generation)).toEqual([1, 1, 1]);
  });
});

describe('an owner that lives on the same machine', () => {
  it('keeps others out, and the message says who, and what to do', async () => {
    const world = new LeaseWorld();
    await world.lease(A).acquire();
    const attempt = world.lease(B).acquire();
    await expect(attempt).rejects.toMatchObject(held);
    await expect(attempt).rejects.toThrow(
      /'shop' is in use by process 100 on host web-1.*stop the other one/,
    );
    expect(world.files()).toEqual(['shop.1.lease']);
  });

  it('keeps out a second session of its own process', async () => {
    const world = new LeaseWorld();
    await world.lease(A).acquire();
    await expect(world.lease(A).acquire()).rejects.toThrow(
      'another session of this process (pid 100 on web-1)',
    );
  });

  it.each([A, B])(
    'has nothing to say in a copy of its folder, whose next owner is process $pid',
    async (next) => {
      const world = new LeaseWorld();
      const original = world.lease(A);
      await original.acquire();
      world.fs.mkdirSync('/copy/lease', { recursive: true });
      world.fs.copyFileSync('/s/lease/shop.1.lease', '/copy/lease/shop.1.lease');
      const copied = world.lease(next, { directory: '/copy/lease' });
      expect((await copied.acquire()).generation).toBe(2);
      expect(await original.confirm()).toBe(true);
      await expect(world.lease(B).acquire()).rejects.toMatchObject(held);
      await expect(world.lease(B, { directory: '/copy/lease' }).acquire()).rejects.toMatchObject(held);
    },
  );

  it('keeps others out by whatever path they see its folder', async () => {
    const world = new LeaseWorld();
    await world.lease(A).acquire();
    world.fs.symlinkSync('/s', '/link');
    await expect(world.lease(B, { directory: '/link/lease' }).acquire()).rejects.toMatchObject({
      ...held,
      message: expect.stringContaining('which its owner knows as /s/lease'),
    });
    const onTwoDisks = world.fsWith({
      stat: (async (path: string) => ({ dev: path.length, ino: path.length })) as never,
    });
    await expect(
      world.lease(B, { directory: '/link/lease', fs: onTwoDisks }).acquire(),
    ).rejects.toMatchObject(held);
  });

  it('may be waited for', async () => {
    const world = new LeaseWorld();
    const owner = world.lease(A);
    await owner.acquire();
    const waiting = follow(world.lease(B).acquire({ waitMs: 10_000 }));
    await world.clock.advance(4000);
    expect(waiting.outcome()).toBe('pending');
    await owner.release();
    await world.clock.advance(1000);
    expect(waiting.outcome()).toEqual({ owner: 'web-1:200', generation: 2 });
  });

  it('is waited for no longer than asked', async () => {
    const world = new LeaseWorld();
    await world.lease(A).acquire();
    const waiting = follow(world.lease(B).acquire({ waitMs: 10_000 }));
    await world.clock.advance(9999);
    expect(waiting.outcome()).toBe('pending');
    await world.clock.advance(1000);
    expect(waiting.outcome()).toMatchObject(held);
  });
});

describe('an owner that died on the same machine', () => {
  it('is taken over at once, and its file goes', async () => {
    const world = new LeaseWorld();
    await world.lease(A).acquire();
    world.kill(A);
    expect((await world.lease(B).acquire()).generation).toBe(2);
    expect(world.files()).toEqual(['shop.2.lease']);
  });

  it('is taken over although another process has its pid now', async () => {
    const world = new LeaseWorld();
    const owner = { ...A, startTime: 'boot:1' };
    await world.lease(owner).acquire();
    world.kill(owner);
    expect((await world.lease({ ...A, startTime: 'boot:99' }).acquire()).generation).toBe(2);
  });
});

describe('an owner on another machine, or in another container', () => {
  it.each([
    ['on another machine', ELSEWHERE],
    ['in another container of the same name, with the same pid', OTHER_CONTAINER],
    ['on a machine that tells nothing of its processes', { ...A, namespace: undefined }],
  ])('%s keeps others out as soon as its heart is seen to beat', async (_, owner) => {
    const world = new LeaseWorld();
    await world.lease(owner).acquire();
    const attempt = follow(world.lease(B).acquire());
    await world.clock.advance(HEARTBEAT_MS - 1);
    expect(attempt.outcome()).toBe('pending');
    await world.clock.advance(2000);
    expect(attempt.outcome()).toMatchObject(held);
    expect(world.files()).toEqual(['shop.1.lease']);
  });

  it('is never proven dead where no machine tells of its processes', async () => {
    const world = new LeaseWorld();
    const mute = { ...A, namespace: undefined };
    await world.lease(mute, { clock: new LeaseWorld().clock }).acquire();
    world.kill(mute);
    const attempt = follow(world.lease({ ...mute, pid: 200 }).acquire());
    await world.clock.advance(TAKEOVER_MS - 1);
    expect(attempt.outcome()).toBe('pending');
    await world.clock.advance(1);
    expect(attempt.outcome()).toMatchObject({ generation: 2 });
  });

  it('is taken over when its heart stood still for 30 s, not before', async () => {
    const world = new LeaseWorld();
    await world.lease(ELSEWHERE, { clock: new LeaseWorld().clock }).acquire(); // a clock that never moves again
    const attempt = follow(world.lease(A).acquire());
    await world.clock.advance(TAKEOVER_MS - 1);
    expect(attempt.outcome()).toBe('pending');
    await world.clock.advance(1);
    expect(attempt.outcome()).toEqual({ owner: 'web-1:100', generation: 2 });
    expect(world.files()).toEqual(['shop.2.lease']);
  });

  it('is not judged by its wall clock, however wrong that is', async () => {
    const world = new LeaseWorld();
    const owner = world.lease(ELSEWHERE);
    await owner.acquire();
    vi.spyOn(world.clock, 'now').mockReturnValue(Date.UTC(1999, 0, 1));
    const attempt = follow(world.lease(A).acquire());
    await world.clock.advance(7000);
    expect(attempt.outcome()).toMatchObject(held);
    expect(owner.isHeld()).toBe(true);
  });

  it('lets the next one in at once when it let go', async () => {
    const world = new LeaseWorld();
    const owner = world.lease(ELSEWHERE);
    await owner.acquire();
    await owner.release();
    expect((await world.lease(A).acquire()).generation).toBe(2);
  });

  it('is let alone by one who was suspended meanwhile and saw nothing of the time', async () => {
    const world = new LeaseWorld();
    await world.lease(ELSEWHERE, { clock: new LeaseWorld().clock }).acquire();
    const attempt = follow(world.lease(A).acquire());
    await world.clock.advance(3000);
    world.clock.jump(600_000);
    await world.clock.advance(TAKEOVER_MS - 10_000);
    expect(attempt.outcome()).toBe('pending');
    await world.clock.advance(10_000);
    expect(attempt.outcome()).toMatchObject({ generation: 2 });
  });

  it('is let alone when it wakes in the very moment of the takeover', async () => {
    const world = new LeaseWorld();
    const asleep = new LeaseWorld().clock;
    const owner = world.lease(ELSEWHERE, { clock: asleep });
    await owner.acquire();
    // Its heart beats between our last look and our first file.
    const link: typeof world.fs.promises.link = async (from, to) => {
      await asleep.advance(HEARTBEAT_MS);
      return world.fs.promises.link(from, to);
    };
    const attempt = follow(world.lease(A, { fs: world.fsWith({ link } as object) }).acquire());
    await world.clock.advance(TAKEOVER_MS);
    for (let turn = 0; turn < 10; turn++) await settle(); // the other clock's heartbeat settles within ours
    expect(attempt.outcome()).toMatchObject(held);
    expect(world.files()).toEqual(['shop.1.lease']);
    expect(owner.isHeld()).toBe(true);
  });
});

describe('a race', () => {
  it('for a session nobody owns has one winner', async () => {
    const world = new LeaseWorld();
    const leases = Array.from({ length: 8 }, (_, index) => world.lease({ ...A, pid: 1000 + index }));
    const results = await Promise.allSettled(leases.map((lease) => lease.acquire()));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(leases.filter((lease) => lease.isHeld())).toHaveLength(1);
    expect(world.files()).toEqual(['shop.1.lease']);
  });

  it('for a dead owner’s session has one winner', async () => {
    const world = new LeaseWorld();
    await world.lease(A).acquire();
    world.kill(A);
    const leases = Array.from({ length: 8 }, (_, index) => world.lease({ ...A, pid: 1000 + index }));
    await Promise.allSettled(leases.map((lease) => lease.acquire()));
    expect(leases.filter((lease) => lease.isHeld()).map(({ generation }) => generation)).toEqual([2]);
    expect(world.files()).toEqual(['shop.2.lease']);
  });

  it('between two hosts that both saw it stand still has one winner', async () => {
    const world = new LeaseWorld();
    await world.lease(ELSEWHERE, { clock: new LeaseWorld().clock }).acquire();
    const [one, two] = [world.lease(A), world.lease({ ...OTHER_CONTAINER, host: 'web-3' })];
    const attempts = [follow(one.acquire()), follow(two.acquire())];
    await world.clock.advance(TAKEOVER_MS + 10_000);
    expect([one, two].filter((lease) => lease.isHeld())).toHaveLength(1);
    expect(
      attempts.filter(({ outcome }) => (outcome() as { code?: string }).code === 'LEASE_HELD'),
    ).toHaveLength(1);
  });
});

describe('the last owner', () => {
  it('is known after its release, and by its own process only', async () => {
    const world = new LeaseWorld();
    const [one, other] = [world.lease(A), world.lease(B)];
    expect(await one.lastOwner()).toBe('nobody');
    expect(world.fs.existsSync('/s')).toBe(false);
    await one.acquire();
    await one.release();
    expect([await one.lastOwner(), await other.lastOwner()]).toEqual(['this-process', 'another']);
    await other.acquire();
    await other.release();
    expect([await one.lastOwner(), await other.lastOwner()]).toEqual(['another', 'this-process']);
    expect([one.isHeld(), other.isHeld(), world.clock.pendingTimers]).toEqual([false, false, 0]);
  });
});

describe('release', () => {
  it('is said in the file, keeps the fencing number growing, and stops every timer', async () => {
    const world = new LeaseWorld();
    const lease = world.lease(A);
    await lease.acquire();
    await lease.release();
    expect([lease.isHeld(), lease.generation, world.clock.pendingTimers]).toEqual([false, 0, 0]);
    expect(world.read('shop.1.lease')).toMatchObject({ released: true });
    expect((await lease.acquire()).generation).toBe(2);
    expect(world.files()).toEqual(['shop.2.lease']);
  });

  it('does nothing where there is nothing to release', async () => {
    const world = new LeaseWorld();
    const lease = world.lease(A);
    await lease.release();
    expect(world.fs.existsSync('/s')).toBe(false);
    await lease.acquire();
    await Promise.all([lease.release(), lease.release()]);
    expect(lease.isHeld()).toBe(false);
  });

  it('without a trace removes its own file, and no other', async () => {
    const world = new LeaseWorld();
    const lease = world.lease(A);
    await lease.acquire();
    await lease.release({ withoutTrace: true });
    expect(world.files()).toEqual([]);
    await lease.acquire();
    world.kill(A);
    await world.lease(B).acquire();
    await lease.release({ withoutTrace: true });
    expect(world.files()).toEqual(['shop.2.lease']);
  });

  it('leaves the file of a newer owner alone', async () => {
    const world = new LeaseWorld();
    const old = world.lease(A);
    await old.acquire();
    world.kill(A); // as the others see it
    await world.lease(B).acquire();
    await old.release();
    expect(world.files()).toEqual(['shop.2.lease']);
    expect(world.read('shop.2.lease')).toMatchObject({ released: false });
  });

  it('ends an acquisition that is waiting', async () => {
    const world = new LeaseWorld();
    await world.lease(ELSEWHERE).acquire();
    const lease = world.lease(A);
    const attempt = follow(lease.acquire());
    await world.clock.advance(1000);
    await lease.release();
    expect(attempt.outcome()).toMatchObject({ code: 'CLOSED' });
    expect(lease.isHeld()).toBe(false);
  });

  it('gives back a lease that came through at the last moment', async () => {
    const world = new LeaseWorld();
    const abort = new AbortController();
    const link: typeof world.fs.promises.link = async (from, to) => {
      await world.fs.promises.link(from, to);
      abort.abort(new Error('the bot is closing'));
    };
    const lease = world.lease(A, { fs: world.fsWith({ link } as object) });
    await expect(lease.acquire({ signal: abort.signal })).rejects.toThrow('the bot is closing');
    expect(lease.isHeld()).toBe(false);
    expect(world.read('shop.1.lease')).toMatchObject({ released: true });
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('never rejects, and says when the file could not be written', async () => {
    const world = new LeaseWorld();
    const warn = vi.fn();
    const logger = { debug: warn, info: warn, warn, error: warn };
    let broken = false;
    const open = async (...args: Parameters<typeof world.fs.promises.open>) => {
      if (broken) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      return world.fs.promises.open(...args);
    };
    const lease = world.lease(A, { fs: world.fsWith({ open } as object), logger });
    await lease.acquire();
    broken = true;
    await lease.release();
    expect(lease.isHeld()).toBe(false);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('could not be released'), expect.anything());
    broken = false;
    expect(
      (await world.lease(A).acquire()).generation,
      'another session of this process is not kept out',
    ).toBe(2);
  });
});

describe('acquire', () => {
  it('is ended by its signal', async () => {
    const world = new LeaseWorld();
    await world.lease(ELSEWHERE).acquire();
    const abort = new AbortController();
    const attempt = follow(world.lease(A).acquire({ signal: abort.signal }));
    await world.clock.advance(1000);
    abort.abort(new Error('enough'));
    await settle();
    expect(attempt.outcome()).toMatchObject({ message: 'enough' });
    await expect(world.lease(A).acquire({ signal: AbortSignal.abort() })).rejects.toThrow('aborted');
  });

  it('does not wait for ever for a file system that hangs', async () => {
    const world = new LeaseWorld();
    const readdir = () => new Promise<never>(() => undefined);
    const attempt = follow(world.lease(A, { fs: world.fsWith({ readdir } as object) }).acquire());
    await world.clock.advance(60_000);
    expect(attempt.outcome()).toMatchObject({ code: 'TIMEOUT' });
  });
});
