import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import type { LocalLease } from '../../src/lease/local-lease.js';
import { HEARTBEAT_MS, TAKEOVER_MS } from '../../src/lease/timing.js';
import { Dice } from '../support/dice.js';
import { follow, LeaseWorld } from './lease-world.js';
import { PausedClock } from './paused-clock.js';

const NOTE = '/s/lease/shop.lease-watched';
/** More with `SCHEDULES=500`; `SEED=…` replays a run. */
const SCHEDULES = Number(process.env.SCHEDULES ?? 8);

/** A container: a host of its own, whose clock shares the time of the world and can be stopped. */
class Container {
  readonly clock: PausedClock;
  readonly lease: LocalLease;
  readonly attempt: { readonly outcome: () => unknown };
  isDead = false;

  constructor(world: LeaseWorld, name: string, fs?: FileSystem) {
    this.clock = new PausedClock(world.clock);
    const machine = { host: name, namespace: name, pid: 1 };
    this.lease = world.lease(machine, { clock: this.clock, ...(fs && { fs }) });
    this.attempt = follow(this.lease.acquire({ waitMs: 60_000 }));
  }

  want(): void {
    this.lease.acquire({ waitMs: 60_000 }).catch(() => undefined);
  }

  kill(): void {
    this.isDead = true;
    this.clock.suspend();
  }

  isHeld(): boolean {
    return !this.isDead && this.lease.isHeld();
  }
}

/** A session whose owner, in another container, was killed right after its last heartbeat. */
async function killedOwner() {
  const world = new LeaseWorld();
  const owner = new Container(world, 'owner');
  await world.clock.advance(2 * HEARTBEAT_MS);
  expect(owner.isHeld()).toBe(true);
  owner.kill();
  const diedAt = world.clock.monotonic();
  let count = 0;
  const start = (fs?: FileSystem) => new Container(world, `next-${++count}`, fs);
  /** Starts containers one after another, each killed after `eachMs`. Resolves to how many it took. */
  const restart = async (eachMs: number, most = 10) => {
    for (let starts = 1; starts <= most; starts++) {
      const next = start();
      await world.clock.advance(eachMs);
      if (next.isHeld()) return starts;
      next.kill();
    }
    return Number.POSITIVE_INFINITY;
  };
  return { world, start, restart, sinceDeath: () => world.clock.monotonic() - diedAt };
}

/** How long a container waits until it has the lease, ms. */
async function waited(world: LeaseWorld, container: Container): Promise<number> {
  const from = world.clock.monotonic();
  while (!container.isHeld() && world.clock.monotonic() - from < 120_000) await world.clock.advance(1000);
  return world.clock.monotonic() - from;
}

const noted = (world: LeaseWorld): Record<string, unknown> => JSON.parse(String(world.fs.readFileSync(NOTE)));

describe('what was watched', () => {
  it.each([12_000, 20_000, 25_000])(
    'is not lost with a watcher that is killed after %i ms: a later one goes on from it',
    async (eachMs) => {
      const { restart, sinceDeath, world } = await killedOwner();
      expect(await restart(eachMs)).toBeLessThanOrEqual(eachMs < 20_000 ? 6 : 3);
      expect(sinceDeath()).toBeGreaterThanOrEqual(TAKEOVER_MS);
      expect(world.files()).toEqual(['shop.2.lease']);
    },
  );

  it('is kept in a file that only its owner may read, and that names the state by its digest', async () => {
    const { world, start } = await killedOwner();
    start();
    await world.clock.advance(13_000);
    expect(noted(world)).toEqual({
      format: 1,
      state: expect.stringMatching(/^[\da-f]{64}$/),
      watchedMs: 12_000,
    });
    expect(world.fs.statSync(NOTE).mode & 0o777).toBe(0o600);
    expect(world.files()).toEqual(['shop.1.lease', 'shop.lease-watched']);
  });

  it('by several at once is never added up', async () => {
    const { world, start, sinceDeath } = await killedOwner();
    for (let round = 0; round < 2; round++) {
      const together = [start(), start(), start()];
      await world.clock.advance(13_000);
      expect(together.some((one) => one.isHeld())).toBe(false);
      for (const one of together) one.kill();
      expect(noted(world).watchedMs).toBeLessThanOrEqual(sinceDeath());
    }
    const last = start();
    await world.clock.advance(TAKEOVER_MS - sinceDeath() - 1);
    expect(last.isHeld()).toBe(false);
    expect(await waited(world, last)).toBeLessThanOrEqual(10_000);
  });

  it('while another one watched, too, counts from when the note was read', async () => {
    const { world, start, sinceDeath } = await killedOwner();
    const readFile = (path: string) => path === NOTE;
    // The note comes late: meanwhile the first has watched on, and so has the one that reads.
    const slow = world.fsWith({
      lstat: (async (path: string) => {
        if (readFile(path)) await new Promise<void>((done) => world.clock.setTimeout(done, 8000));
        return world.fs.promises.lstat(path);
      }) as never,
    });
    const first = start();
    await world.clock.advance(3000);
    const second = start(slow);
    await world.clock.advance(10_000);
    first.kill();
    await waited(world, second);
    expect(sinceDeath()).toBeGreaterThanOrEqual(TAKEOVER_MS);
  });

  it('does not hold for a state that has changed since', async () => {
    const { world, start } = await killedOwner();
    const first = start();
    await world.clock.advance(25_000);
    first.kill();
    const lease = world.read('shop.1.lease');
    const beaten = { ...lease, beat: Number(lease.beat) + 1 };
    world.fs.writeFileSync('/s/lease/shop.1.lease', JSON.stringify(beaten));
    expect(await waited(world, start())).toBe(TAKEOVER_MS);
  });

  it.each<[string, (note: Record<string, unknown>) => unknown]>([
    ['that is no JSON', () => undefined],
    ['of another format', (note) => ({ ...note, format: 2 })],
    ['of no number', (note) => ({ ...note, watchedMs: '29000' })],
    ['of a number that is not whole', (note) => ({ ...note, watchedMs: 29_000.5 })],
    ['of less than nothing', (note) => ({ ...note, watchedMs: -1 })],
    ['of more than anybody watches', (note) => ({ ...note, watchedMs: TAKEOVER_MS + 1 })],
    ['of another state', (note) => ({ ...note, state: 'f'.repeat(64) })],
    ['that is null', () => null],
  ])('is not taken from a note %s, and the note is replaced', async (_, change) => {
    const { world, start } = await killedOwner();
    const first = start();
    await world.clock.advance(25_000);
    first.kill();
    world.fs.writeFileSync(NOTE, JSON.stringify(change(noted(world))) ?? '{"format":1,"wat');
    const next = start();
    await world.clock.advance(13_000);
    expect(noted(world)).toMatchObject({ format: 1, watchedMs: 12_000 });
    expect((await waited(world, next)) + 13_000).toBe(TAKEOVER_MS);
  });

  it('is worth 20 s at most: an owner that beats again is seen by everybody who waits', async () => {
    const { world, start } = await killedOwner();
    const first = start();
    await world.clock.advance(28_000);
    first.kill();
    expect(noted(world).watchedMs).toBe(27_000);
    expect(await waited(world, start())).toBe(11_000); // the note is counted from the second look on
  });

  it('does not count what passed while its watcher was suspended', async () => {
    const { world, start } = await killedOwner();
    const first = start();
    await world.clock.advance(8000);
    first.clock.suspend();
    await world.clock.advance(600_000);
    first.clock.resume();
    await world.clock.advance(6000);
    first.kill();
    expect(noted(world).watchedMs).toBeLessThanOrEqual(16_000);
  });

  it('is not noted of an owner that lives, and its owner is never overtaken', async () => {
    const world = new LeaseWorld();
    const owner = new Container(world, 'owner');
    await world.clock.advance(100);
    let watchers: Container[] = [];
    for (let step = 0; step < 60; step++) {
      if (step % 3 === 0) for (const one of watchers.splice(0)) one.kill();
      watchers = [...watchers, new Container(world, `w${step}`)];
      await world.clock.advance(4300);
      expect(owner.isHeld()).toBe(true);
      expect(watchers.some((one) => one.isHeld())).toBe(false);
      expect(world.files()).toEqual(['shop.1.lease']);
    }
  });
});

describe('a note that can’t be had', () => {
  const failing = (what: 'fails' | 'hangs') => async (world: LeaseWorld) => {
    const refuse = () =>
      what === 'fails'
        ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
        : new Promise<never>(() => undefined);
    const { lstat, open, rename, unlink } = world.fs.promises;
    const unlessNote =
      (call: (...args: never[]) => unknown) =>
      (...args: unknown[]) =>
        String(args[0]).includes('lease-watched') ? refuse() : call(...(args as never[]));
    return world.fsWith({
      lstat: unlessNote(lstat),
      open: unlessNote(open),
      rename: unlessNote(rename),
      unlink: unlessNote(unlink),
    } as object);
  };

  it.each(['fails', 'hangs'] as const)('(%s) neither fails nor delays the start', async (what) => {
    const { world, start } = await killedOwner();
    const broken = start(await failing(what)(world));
    expect(await waited(world, broken)).toBe(TAKEOVER_MS);
  });

  it('does not delay one that finds the lease free', async () => {
    const world = new LeaseWorld();
    const container = new Container(world, 'only', await failing('hangs')(world));
    await world.clock.advance(100);
    expect(container.isHeld()).toBe(true);
  });
});

it('never has two owners of one folder, whatever is suspended or killed, and however many watch', async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  const dice = new Dice(seed);
  for (let schedule = 0; schedule < SCHEDULES; schedule++) {
    const world = new LeaseWorld();
    let count = 0;
    const start = () => new Container(world, `c${++count}`);
    const containers = [start(), start(), start(), start()];
    let highest = 0;
    const look = (step: number) => {
      const where = `seed ${seed}, schedule ${schedule}, step ${step}`;
      const owners = containers.filter((one) => one.isHeld());
      expect(owners.length, where).toBeLessThanOrEqual(1);
      for (const { lease } of owners) {
        expect(lease.generation, where).toBeGreaterThanOrEqual(highest);
        highest = lease.generation;
      }
    };
    for (let step = 0; step < 60; step++) {
      const index = dice.below(containers.length);
      const one = containers[index];
      if (one === undefined) continue;
      const act = dice.below(8);
      if (act === 0) one.clock.suspend();
      if (act === 1) one.clock.suspend({ isMachine: true });
      if (act === 2 || act === 3) one.clock.resume();
      if (act === 4) one.want();
      if (act === 5 && dice.below(3) === 0) void one.lease.release();
      // A watcher is killed and started again more often than an owner.
      if (act >= 6 && (!one.lease.isHeld() || dice.below(3) === 0)) {
        one.kill();
        containers[index] = start();
      }
      const until = dice.below(30) * 500;
      for (let ms = 0; ms < until; ms += 500) {
        await world.clock.advance(500);
        look(step);
      }
    }
    // Once all is well again, somebody gets it.
    for (const { clock } of containers) clock.resume();
    for (let ms = 0; ms < 300_000 && !containers.some((one) => one.isHeld()); ms += 1000) {
      if (ms % 10_000 === 0) for (const one of containers) one.want();
      await world.clock.advance(1000);
      look(60);
    }
    expect(containers.filter((one) => one.isHeld()).length, `seed ${seed}, schedule ${schedule}`).toBe(1);
  }
});
