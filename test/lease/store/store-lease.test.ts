import { describe, expect, it } from 'vitest';
import type { StoreLease } from '../../../src/lease/store/store-lease.js';
import { LOOK_EVERY_MS } from '../../../src/lease/store/timing.js';
import { follow } from '../lease-world.js';
import { settle } from '../manual-clock.js';
import { StoreWorld } from './store-world.js';

const held = { code: 'LEASE_HELD', retryable: true };
const KEY = '.leases/shop.json';

/** Advances the world until the work has ended. */
async function finish<T>(world: StoreWorld, work: Promise<T>, maxMs = 600_000): Promise<T> {
  const followed = follow(work);
  for (let waited = 0; waited < maxMs && followed.outcome() === 'pending'; waited += 1000)
    await world.clock.advance(1000);
  return work;
}

describe.each([
  { hasTime: true, beatMs: 10_000, takeoverMs: 30_000 },
  { hasTime: false, beatMs: 30_000, takeoverMs: 90_000 },
])('a lease in a store whose server tells its time: $hasTime', ({ hasTime, beatMs, takeoverMs }) => {
  const setup = () => {
    const world = new StoreWorld({ hasTime });
    const [a, b, c] = [world.process('a'), world.process('b'), world.process('c')];
    return { world, a, b, c };
  };

  it('is had at once where nobody has it, with the first fencing number', async () => {
    const { a } = setup();
    const lease = a.lease();
    expect([lease.isHeld(), lease.isUnproven(), lease.generation]).toEqual([false, false, 0]);
    expect(await lease.acquire()).toEqual({ owner: 'a:100', generation: 1 });
    expect([lease.isHeld(), lease.isUnproven()]).toEqual([true, false]);
    expect(() => lease.assertHeld()).not.toThrow();
    expect(await lease.acquire()).toEqual({ owner: 'a:100', generation: 1 });
  });

  it('is had by exactly one of many that ask at once', async () => {
    const world = new StoreWorld({ hasTime });
    const leases = Array.from({ length: 12 }, (_, index) => world.process(`p${index}`).lease());
    const attempts = leases.map((lease) => follow(finish(world, lease.acquire())));
    await world.clock.advance(2 * beatMs + 5000);
    expect(leases.filter((lease) => lease.isHeld())).toHaveLength(1);
    const refused = attempts.filter(({ outcome }) => outcome() instanceof Error);
    expect(refused).toHaveLength(11);
  });

  it('keeps another machine out for as long as its owner lives, and says who it is', async () => {
    const { world, a, b } = setup();
    const lease = a.lease();
    await lease.acquire();
    const refusal = await finish(world, b.lease().acquire()).catch((error: unknown) => error);
    expect(refusal).toMatchObject(held);
    expect(String(refusal)).toContain('process 100 on host a');
    await world.clock.advance(10 * takeoverMs);
    expect(lease.isHeld()).toBe(true);
    expect(a.lost).toEqual([]);
  });

  it('is taken over within 3 s of its release', async () => {
    const { world, a, b } = setup();
    const first = a.lease();
    await first.acquire();
    const waiting = follow(b.lease().acquire({ waitMs: 300_000 }));
    await world.clock.advance(3 * beatMs);
    expect(waiting.outcome()).toBe('pending');
    await first.release();
    await world.clock.advance(3000);
    expect(waiting.outcome()).toMatchObject({ generation: 2 });
    expect(await world.keys()).toEqual([KEY, `.processes/${b.beat.token}.json`]);
  });

  it('is waited for, and refused when the wait is over', async () => {
    const { world, a, b } = setup();
    await a.lease().acquire();
    const told: unknown[] = [];
    const waiting = follow(
      b.lease().acquire({ waitMs: 60_000, onWatch: (holder, maxMs) => told.push([holder?.pid, maxMs]) }),
    );
    await world.clock.advance(58_000);
    expect(waiting.outcome()).toBe('pending');
    await world.clock.advance(beatMs + 5000);
    expect(waiting.outcome()).toMatchObject(held);
    expect(told).toEqual([[100, Math.max(60_000, takeoverMs)]]);
  });

  it('of a killed process is taken over after its takeover time, and not before', async () => {
    const { world, a, b } = setup();
    await a.lease().acquire();
    a.kill();
    const waiting = follow(b.lease().acquire());
    await world.clock.advance(takeoverMs - 3000);
    expect(waiting.outcome()).toBe('pending');
    await world.clock.advance(6000);
    expect(waiting.outcome()).toMatchObject({ generation: 2 });
  });

  it('of a process that is proven dead on this machine is taken over at once', async () => {
    const world = new StoreWorld({ hasTime });
    const [a, b] = [world.process('a', 'machine'), world.process('b', 'machine')];
    await a.lease().acquire();
    await expect(b.lease().acquire()).rejects.toMatchObject(held);
    a.kill();
    expect(await b.lease().acquire()).toMatchObject({ generation: 2 });
  });

  it('is not held any more by a suspended owner before another one has it, and it finds out when it wakes up', async () => {
    const { world, a, b } = setup();
    const old = a.lease();
    await old.acquire();
    await world.clock.advance(beatMs / 2);
    a.suspend();
    const next = b.lease();
    const waiting = follow(next.acquire());
    for (let ms = 0; ms < 2 * takeoverMs && waiting.outcome() === 'pending'; ms += 500) {
      await world.clock.advance(500);
      expect(old.isHeld() && next.isHeld()).toBe(false);
    }
    expect(waiting.outcome()).toMatchObject({ generation: 2 });
    a.resume();
    expect(old.isHeld()).toBe(false);
    await world.clock.advance(beatMs + 1000);
    expect(a.lost).toEqual(['another process took the session over']);
    expect(() => old.assertHeld()).toThrow(expect.objectContaining({ code: 'LEASE_LOST' }));
    expect(next.isHeld()).toBe(true);
  });

  it('goes on after a suspension in which nobody wanted it', async () => {
    const { world, a } = setup();
    const lease = a.lease();
    await lease.acquire();
    a.suspend();
    await world.clock.advance(3 * takeoverMs);
    a.resume();
    expect([lease.isHeld(), lease.isUnproven()]).toEqual([false, true]);
    expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ code: 'STORE', retryable: true }));
    expect(await finish(world, lease.confirm())).toBe(true);
    expect([a.lost, lease.generation]).toEqual([[], 1]);
  });

  it('is claimed anew by an owner that was marked as dead, if nobody has taken it', async () => {
    const { world, a, b } = setup();
    const [one, other] = [a.lease('one'), a.lease('other')];
    await one.acquire();
    await other.acquire();
    a.suspend();
    await finish(world, b.lease('one').acquire()); // marks the whole process as dead
    a.resume();
    await world.clock.advance(beatMs + 6000);
    expect([one.isHeld(), other.isHeld()]).toEqual([false, true]);
    expect([a.lost.length, a.reclaimed]).toEqual([1, [2]]);
    await expect(finish(world, b.lease('other').acquire())).rejects.toMatchObject(held);
  });

  it('is unproven, and not lost, while the store does not answer', async () => {
    const { world, a } = setup();
    const lease = a.lease();
    await lease.acquire();
    a.network = 'cut';
    await world.clock.advance(takeoverMs + 1000);
    expect([lease.isHeld(), lease.isUnproven(), a.lost]).toEqual([false, true, []]);
    expect(() => lease.assertHeld()).toThrow(/the network is cut/);
    a.network = 'up';
    await world.clock.advance(6000);
    expect([lease.isHeld(), a.lost, lease.generation]).toEqual([true, [], 1]);
  });

  it('bears lost answers: what was put is not taken for that of another process', async () => {
    const { world, a, b } = setup();
    a.network = 'deaf';
    const acquiring = follow(a.lease().acquire());
    await world.clock.advance(1000);
    expect(acquiring.outcome()).toMatchObject({ code: 'STORE' });
    a.network = 'up';
    const lease = a.lease();
    expect((await finish(world, lease.acquire())).generation).toBeGreaterThan(0);
    a.network = 'deaf';
    await world.clock.advance(beatMs);
    a.network = 'up';
    await world.clock.advance(beatMs);
    expect([lease.isHeld(), a.lost, a.reclaimed]).toEqual([true, [], []]);
    await expect(finish(world, b.lease().acquire())).rejects.toMatchObject(held);
  });

  it('is had if only the answer of the put was lost', async () => {
    const { world, a, b } = setup();
    a.fault = (call, key) => (call === 'put' && key === KEY ? 'after' : undefined);
    const lease = a.lease();
    expect(await lease.acquire()).toMatchObject({ generation: 1 });
    expect(lease.isHeld()).toBe(true);
    await expect(finish(world, b.lease().acquire())).rejects.toMatchObject(held);
  });

  it('is not held by a process that shows itself again before it could look whether somebody has taken it', async () => {
    const { world, a, b } = setup();
    const [old, next] = [a.lease(), b.lease()];
    await old.acquire();
    a.suspend();
    await finish(world, next.acquire());
    a.fault = (call, key) => (call === 'get' && key === KEY ? 'before' : undefined);
    a.resume();
    await world.clock.advance(beatMs + 6000);
    expect(a.beat.isProven()).toBe(true);
    expect([old.isHeld(), old.isUnproven(), next.isHeld()]).toEqual([false, true, true]);
    a.fault = () => undefined;
    await world.clock.advance(6000);
    expect([old.isUnproven(), a.lost.length]).toEqual([false, 1]);
  });

  it('is waited for, once its owner is known to live, also while the store fails for a while', async () => {
    const { world, a, b } = setup();
    const first = a.lease();
    await first.acquire();
    const next = b.lease();
    const told: unknown[] = [];
    const waiting = follow(next.acquire({ waitMs: 300_000, onWatch: (holder) => told.push(holder?.pid) }));
    await world.clock.advance(5000);
    expect(told).toEqual([100]);
    b.network = 'cut';
    await world.clock.advance(20_000);
    expect(waiting.outcome()).toBe('pending');
    b.network = 'up';
    await world.clock.advance(20_000);
    expect([waiting.outcome(), first.isHeld()]).toEqual(['pending', true]);
    await first.release();
    await world.clock.advance(beatMs + 5000);
    expect(waiting.outcome()).toMatchObject({ generation: 2 });
  });

  it('that is acquired again while its release goes on is had by the next acquisition, and stays proven', async () => {
    const { world, a, b } = setup();
    const lease = a.lease();
    await lease.acquire();
    a.suspend(); // no answer comes
    const releasing = lease.release();
    const again = follow(lease.acquire());
    await world.clock.advance(1000);
    a.resume();
    await releasing;
    await world.clock.advance(1000);
    expect(again.outcome()).toMatchObject({ generation: 2 });
    await world.clock.advance(3 * takeoverMs);
    expect(lease.isHeld()).toBe(true);
    await expect(finish(world, b.lease().acquire())).rejects.toMatchObject(held);
  });

  it('that is released and acquired again while a first acquisition hangs is had in the end', async () => {
    const { world, a } = setup();
    const lease = a.lease();
    a.suspend();
    const first = follow(lease.acquire());
    await settle();
    void lease.release();
    const again = follow(lease.acquire());
    a.resume();
    await world.clock.advance(beatMs + 5000);
    expect(first.outcome()).toMatchObject({ code: 'CLOSED' });
    expect(again.outcome()).toMatchObject({ generation: expect.any(Number) });
    expect(lease.isHeld()).toBe(true);
  });

  it('stays proven in a process that starts a session every few seconds', async () => {
    const { world, a, b } = setup();
    const first = a.lease('first');
    await first.acquire();
    const rival = follow(b.lease('first').acquire({ waitMs: 300_000 }));
    for (let index = 0; index < 20; index++) {
      await a.lease(`bot-${index}`).acquire();
      for (let second = 0; second < 6; second++) {
        await world.clock.advance(1000);
        expect(first.isHeld()).toBe(true);
      }
    }
    expect(rival.outcome()).toBe('pending');
  });

  it.each(['', '{"half', '{"format":1,"generation":9007199254740991}'])(
    'is claimed again by its owner where its object is damaged: %s',
    async (text) => {
      const { world, a } = setup();
      const lease = a.lease();
      await lease.acquire();
      await world.memory.put(KEY, Buffer.from(text));
      await world.clock.advance(beatMs);
      expect([lease.isHeld(), lease.generation, a.lost]).toEqual([true, 2, []]);
    },
  );

  it("is another owner's where a newer version of the library has written it", async () => {
    const { world, a } = setup();
    const lease = a.lease();
    await lease.acquire();
    await world.memory.put(KEY, Buffer.from('{"format":2}'));
    await world.clock.advance(beatMs);
    expect([lease.isHeld(), a.lost.length]).toEqual([false, 1]);
  });

  it('is had at last where its answer was lost and the machine tells nothing of its processes', async () => {
    const { world, a } = setup();
    Object.assign(a.machine, { namespace: async () => undefined });
    await a.lease('another session that keeps the process alive').acquire();
    a.fault = (call, key) => (key === KEY ? (call === 'put' ? 'after' : 'before') : undefined);
    const lease = a.lease();
    await expect(finish(world, lease.acquire())).rejects.toMatchObject({ code: 'STORE' });
    let isFirstLook = true;
    a.fault = (call, key) => {
      if (key !== KEY) return undefined;
      if (call === 'get' && isFirstLook) {
        isFirstLook = false;
        return undefined;
      }
      return call === 'put' ? 'after' : 'before';
    };
    await expect(finish(world, lease.acquire())).rejects.toMatchObject({ code: 'STORE' });
    a.fault = () => undefined;
    await expect(finish(world, lease.acquire())).resolves.toMatchObject({ owner: 'a:100' });
  });

  it('is not held by the owner on a machine that slept, although its monotonic time stood still', async () => {
    const { world, a, b } = setup();
    const [old, next] = [a.lease(), b.lease()];
    await old.acquire();
    await world.clock.advance(beatMs / 2);
    a.suspendMachine();
    const waiting = follow(next.acquire());
    for (let ms = 0; ms < 2 * takeoverMs && waiting.outcome() === 'pending'; ms += 500) {
      await world.clock.advance(500);
      expect(old.isHeld() && next.isHeld()).toBe(false);
    }
    expect(next.isHeld()).toBe(true);
    a.resume();
    expect([old.isHeld(), old.isUnproven(), a.beat.provenForMs >= takeoverMs]).toEqual([false, true, true]);
    expect(() => old.assertHeld()).toThrow(expect.objectContaining({ code: 'STORE' }));
    await world.clock.advance(500); // far less than a beat
    expect(a.lost).toEqual(['another process took the session over']);
  });

  it.each([-86_400_000, -60_000, 60_000, 86_400_000])(
    'goes on under a wall clock that is set by %s ms',
    async (byMs) => {
      const { world, a, b } = setup();
      const lease = a.lease();
      await lease.acquire();
      await world.clock.advance(beatMs / 2);
      a.setClock(byMs);
      expect(await finish(world, lease.confirm())).toBe(true);
      await world.clock.advance(3 * takeoverMs);
      expect([lease.isHeld(), lease.generation, a.lost, a.reclaimed]).toEqual([true, 1, [], []]);
      await expect(finish(world, b.lease().acquire())).rejects.toMatchObject(held);
    },
  );

  it('whose object was removed is not taken over while its owner lives and has put snapshots', async () => {
    const { world, a, b } = setup();
    const lease = a.lease();
    await lease.acquire();
    await world.memory.delete(KEY);
    const next = b.lease('shop', async () => 1);
    const told: unknown[] = [];
    const waiting = follow(next.acquire({ onWatch: (holder, maxMs) => told.push([holder?.pid, maxMs]) }));
    for (let ms = 0; ms < 2 * takeoverMs; ms += 500) {
      await world.clock.advance(500);
      expect(lease.isHeld() && next.isHeld()).toBe(false);
    }
    expect(told).toEqual([
      [undefined, takeoverMs],
      [100, takeoverMs],
    ]);
    expect([lease.isHeld(), lease.generation, a.lost]).toEqual([true, 2, []]);
    expect(waiting.outcome()).toMatchObject(held);
  });

  it('whose object was removed with its owner is had after the takeover time, with a higher number', async () => {
    const { world, a, b } = setup();
    await a.lease().acquire();
    a.kill();
    await world.memory.delete(KEY);
    const waiting = follow(b.lease('shop', async () => 1).acquire());
    await world.clock.advance(takeoverMs - 3000);
    expect(waiting.outcome()).toBe('pending');
    await world.clock.advance(6000 + (hasTime ? 0 : 2 * LOOK_EVERY_MS));
    expect(waiting.outcome()).toMatchObject({ generation: 2 });
  });

  it('has one owner also when its object is removed once more before the others have seen the claim', async () => {
    const { world, a, b, c } = setup();
    await a.lease().acquire();
    a.kill();
    await world.memory.delete(KEY);
    const leases = [b, c].map((process) => process.lease('shop', async () => 1));
    const attempts: { outcome(): unknown }[] = [];
    for (const lease of leases) {
      attempts.push(follow(lease.acquire()));
      await world.clock.advance(LOOK_EVERY_MS / 2);
    }
    let removals = 1;
    for (let ms = 0; ms < 3 * takeoverMs; ms += 500) {
      await world.clock.advance(500);
      if (removals > 0 && (await world.memory.head(KEY)) !== undefined) {
        removals -= 1;
        await world.memory.delete(KEY);
      }
      // Where the store keeps fences, the older of two has its writes refused.
      if (!hasTime) expect(leases.every((lease) => lease.isHeld())).toBe(false);
    }
    expect(removals).toBe(0);
    expect(leases.filter((lease) => lease.isHeld())).toHaveLength(1);
    expect(attempts.map(({ outcome }) => outcome())).toContainEqual(
      expect.objectContaining({ owner: expect.any(String) }),
    );
  });

  it('of each of many sessions of a process is put back within a beat', async () => {
    const { world, a } = setup();
    const leases = Array.from({ length: 30 }, (_, index) => a.lease(`client-${index}`));
    for (const lease of leases) await lease.acquire();
    for (const index of [3, 29]) await world.memory.delete(`.leases/client-${index}.json`);
    await world.clock.advance(beatMs + 1000);
    expect(leases.map(({ generation }) => generation)).toEqual(
      leases.map((_, index) => (index === 3 || index === 29 ? 2 : 1)),
    );
    expect(leases.every((lease) => lease.isHeld())).toBe(true);
  });

  it('is claimed again when somebody has removed its object', async () => {
    const { world, a, b } = setup();
    const lease = a.lease();
    await lease.acquire();
    await world.memory.delete(KEY);
    await world.clock.advance(beatMs);
    expect([lease.isHeld(), lease.generation, a.lost]).toEqual([true, 2, []]);
    for (const key of await world.keys()) await world.memory.delete(key);
    const stolen = b.lease();
    await stolen.acquire();
    await world.clock.advance(beatMs);
    expect([lease.isHeld(), stolen.isHeld(), a.lost.length]).toEqual([false, true, 1]);
  });

  it('never counts backwards, even if the store has lost it and kept the snapshots', async () => {
    const { world, a } = setup();
    const acquiring = finish(world, a.lease('shop', async () => 41).acquire());
    expect(await acquiring).toMatchObject({ generation: 42 });
  });

  it('whose object is damaged is watched, and then replaced with a higher number', async () => {
    const { world, a } = setup();
    await world.memory.put(KEY, Buffer.from('{"half'));
    const waiting = follow(a.lease('shop', async () => 7).acquire());
    await world.clock.advance(takeoverMs - 3000);
    expect(waiting.outcome()).toBe('pending');
    await world.clock.advance(6000);
    expect(waiting.outcome()).toMatchObject({ generation: 8 });
  });

  it('costs one object for all sessions of a process, and one put for each beat', async () => {
    const { world, a } = setup();
    const leases: StoreLease[] = [];
    for (let index = 0; index < 100; index++) {
      const lease = a.lease(`client-${index}`);
      await lease.acquire();
      leases.push(lease);
    }
    const puts: string[] = [];
    const { put } = world.memory;
    world.memory.put = (key, body, options) => {
      puts.push(key);
      return put.call(world.memory, key, body, options);
    };
    await world.clock.advance(10 * beatMs);
    expect(leases.every((lease) => lease.isHeld())).toBe(true);
    expect(puts.length).toBeLessThanOrEqual(11);
    expect(new Set(puts).size).toBe(1);
  });

  it('is released while it is being acquired', async () => {
    const { world, a, b } = setup();
    await a.lease().acquire();
    const lease = b.lease();
    const waiting = follow(lease.acquire({ waitMs: 300_000 }));
    await world.clock.advance(5000);
    await lease.release();
    expect(waiting.outcome()).toMatchObject({ code: 'CLOSED' });
    await settle();
    expect((await world.keys()).filter((key) => key.startsWith('.processes/'))).toHaveLength(1);
  });

  it('tells whether this process had it last', async () => {
    const { world, a, b } = setup();
    const [mine, yours] = [a.lease(), b.lease()];
    expect(await mine.lastOwner()).toBe('nobody');
    await mine.acquire();
    await mine.release();
    expect([await mine.lastOwner(), await yours.lastOwner()]).toEqual(['this-process', 'another']);
    await finish(world, yours.acquire());
    expect(await mine.lastOwner()).toBe('another');
  });
});

describe('a fence', () => {
  it('lets two owners that never saw each other put under different numbers, and the later one only', async () => {
    const world = new StoreWorld();
    const [a, b] = [world.process('a'), world.process('b')];
    const [old, next] = [a.lease(), b.lease()];
    await old.acquire();
    await world.memory.delete(KEY);
    await next.acquire(); // nothing tells of an owner: it has put no snapshot yet
    expect([old.isHeld(), next.isHeld()]).toEqual([true, true]);
    expect(next.generation).toBeGreaterThan(old.generation);
    await expect(a.putFenced('shop/a', old.generation)).rejects.toMatchObject({ code: 'LEASE_LOST' });
    await b.putFenced('shop/b', next.generation);
  });

  it('refuses the old owner from the moment of the next claim on, before that has put anything', async () => {
    const world = new StoreWorld();
    const [a, b] = [world.process('a'), world.process('b')];
    const [old, next] = [a.lease(), b.lease()];
    await old.acquire();
    const { generation } = old;
    a.suspend();
    await finish(world, next.acquire());
    a.resume();
    await expect(a.putFenced('shop/a', generation)).rejects.toMatchObject({ code: 'LEASE_LOST' });
  });

  it('that has seen a higher number than the lease is passed by the next claim', async () => {
    const world = new StoreWorld();
    const a = world.process('a');
    await a.putFenced('shop/a', 41);
    const lease = a.lease();
    expect((await lease.acquire()).generation).toBeGreaterThan(41);
    await a.putFenced('shop/b', lease.generation);
  });

  it('that refuses the number of the owner makes it take a higher one, or find out that it is no more', async () => {
    const world = new StoreWorld();
    const [a, b] = [world.process('a'), world.process('b')];
    const [lease, next] = [a.lease(), b.lease()];
    await lease.acquire();
    await world.memory.put('shop/x', Buffer.from('x'), { fence: { name: 'shop', generation: 7 } });
    await Promise.all([lease.renumber(1), lease.renumber(1)]);
    expect([lease.isHeld(), a.lost, a.reclaimed]).toEqual([true, [], [lease.generation]]);
    await a.putFenced('shop/a', lease.generation);
    await world.memory.delete(KEY);
    await next.acquire();
    await lease.renumber(lease.generation);
    expect([lease.isHeld(), a.lost.length]).toEqual([false, 1]);
  });
});

describe("the server's clock", () => {
  it.each([60_000, 3_600_000, 86_400_000])(
    'that jumps ahead by %s ms makes no live owner look dead',
    async (ms) => {
      const world = new StoreWorld();
      const [a, b] = [world.process('a'), world.process('b')];
      const [old, next] = [a.lease(), b.lease()];
      await old.acquire();
      await world.clock.advance(9000);
      world.serverAheadMs = ms;
      const waiting = follow(next.acquire());
      await world.clock.advance(60_000);
      expect(waiting.outcome()).toMatchObject(held);
      expect([old.isHeld(), a.lost, a.reclaimed]).toEqual([true, [], []]);
    },
  );

  it('that jumps ahead lets a dead owner be followed within the takeover time', async () => {
    const world = new StoreWorld();
    const [a, b] = [world.process('a'), world.process('b')];
    await a.lease().acquire();
    a.kill();
    world.serverAheadMs = 3_600_000;
    const waiting = follow(b.lease().acquire());
    await world.clock.advance(33_000);
    expect(waiting.outcome()).toMatchObject({ generation: 2 });
  });

  it('that is set back keeps a dead owner for no longer than the takeover time', async () => {
    const world = new StoreWorld();
    const [a, b] = [world.process('a'), world.process('b')];
    await a.lease().acquire();
    await world.clock.advance(25_000);
    a.kill();
    world.serverAheadMs = -3_600_000;
    const waiting = follow(b.lease().acquire());
    await world.clock.advance(33_000);
    expect(waiting.outcome()).toMatchObject({ generation: 2 });
  });
});

describe('the objects of killed processes', () => {
  const DAY_MS = 86_400_000;
  const processes = async (world: StoreWorld) =>
    (await world.keys()).filter((key) => key.startsWith('.processes/'));

  it.each([true, false])('are removed after a day, and no sooner (server time: %s)', async (hasTime) => {
    const world = new StoreWorld({ hasTime });
    const [dead, unreplaced, late] = [
      world.process('dead'),
      world.process('unreplaced'),
      world.process('late'),
    ];
    await dead.lease().acquire();
    await unreplaced.lease('another').acquire();
    for (const one of [dead, unreplaced]) one.kill();
    await world.clock.advance(DAY_MS - 3_600_000);
    await late.lease('late').acquire();
    late.kill();
    const owner = world.process('owner');
    await finish(world, owner.lease().acquire());
    await world.clock.advance(120_000);
    expect(await processes(world)).toHaveLength(4);
    await world.clock.advance(DAY_MS + 7 * 3_600_000); // a day after it was marked as dead
    expect(await processes(world)).toEqual(
      [unreplaced, late, owner].map(({ beat }) => `.processes/${beat.token}.json`).sort(),
    );
  });

  it('are left where a lease can not be read, which may name any of them', async () => {
    const world = new StoreWorld();
    const dead = world.process('dead');
    await dead.lease().acquire();
    dead.kill();
    await world.clock.advance(DAY_MS);
    await world.memory.put('.leases/other.json', Buffer.from('{"format":2}'));
    const owner = world.process('owner');
    await finish(world, owner.lease().acquire());
    await world.clock.advance(60_000);
    expect(await processes(world)).toHaveLength(2);
  });

  it('are removed a hundred at a time', async () => {
    const world = new StoreWorld();
    for (let index = 0; index < 130; index++) {
      await world.memory.put(`.processes/${index}.json`, Buffer.from('{}'));
    }
    await world.clock.advance(DAY_MS);
    await world.process('owner').lease().acquire();
    await world.clock.advance(60_000);
    expect(await processes(world)).toHaveLength(31);
  });

  it('do not end an owner that was only suspended for so long', async () => {
    const world = new StoreWorld();
    const [sleeper, owner] = [world.process('sleeper'), world.process('owner')];
    const lease = sleeper.lease('sleeper');
    await lease.acquire();
    sleeper.suspend();
    await world.clock.advance(DAY_MS);
    await owner.lease().acquire();
    await world.clock.advance(60_000);
    expect(await processes(world)).toHaveLength(2); // its lease names it
    sleeper.resume();
    expect(await finish(world, lease.confirm())).toBe(true);
  });
});

it('of a process that has stood still for long is taken over at once where the server tells its time', async () => {
  const world = new StoreWorld();
  const [a, b] = [world.process('a'), world.process('b')];
  await a.lease().acquire();
  a.kill();
  await world.clock.advance(3_600_000);
  expect(await b.lease().acquire()).toMatchObject({ generation: 2 });
});
