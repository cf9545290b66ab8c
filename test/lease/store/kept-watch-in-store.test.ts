import { describe, expect, it, vi } from 'vitest';
import type { StoreLease } from '../../../src/lease/store/store-lease.js';
import { follow } from '../lease-world.js';
import { type StoreProcess, StoreWorld } from './store-world.js';

const KEY = '.leases/shop.json';
const NOTE = '.processes/shop.watched.json';

/** A container that waits for the session from its start on. */
class Container {
  readonly process: StoreProcess;
  readonly lease: StoreLease;
  readonly attempt: { readonly outcome: () => unknown };

  constructor(world: StoreWorld, name: string, highestKnown?: () => Promise<number>) {
    this.process = world.process(name);
    // The wall clock of who waits confirms nothing that the server's clock says, so that it has to watch.
    if (name !== 'owner') this.process.setClock(-3_600_000);
    this.lease = this.process.lease('shop', highestKnown);
    this.attempt = follow(this.lease.acquire({ waitMs: 300_000 }));
  }

  isHeld(): boolean {
    return !this.process.isDead && this.lease.isHeld();
  }
}

describe.each([
  { hasTime: true, beatMs: 10_000, takeoverMs: 30_000 },
  { hasTime: false, beatMs: 30_000, takeoverMs: 90_000 },
])('what was watched in a store whose server tells its time: $hasTime', ({ hasTime, beatMs, takeoverMs }) => {
  async function killedOwner() {
    const world = new StoreWorld({ hasTime });
    const owner = new Container(world, 'owner');
    await world.clock.advance(2 * beatMs);
    expect(owner.isHeld()).toBe(true);
    owner.process.kill();
    const diedAt = world.clock.monotonic();
    let count = 0;
    const start = () => new Container(world, `next-${++count}`);
    const restart = async (eachMs: number, most = 10) => {
      for (let starts = 1; starts <= most; starts++) {
        const next = start();
        await world.clock.advance(eachMs);
        if (next.isHeld()) return starts;
        next.process.kill();
      }
      return Number.POSITIVE_INFINITY;
    };
    return { world, owner, start, restart, sinceDeath: () => world.clock.monotonic() - diedAt };
  }

  /** How long a container waits until it has the lease, ms. */
  async function waited(world: StoreWorld, container: Container): Promise<number> {
    const from = world.clock.monotonic();
    while (!container.isHeld() && world.clock.monotonic() - from < 300_000) await world.clock.advance(1000);
    return world.clock.monotonic() - from;
  }

  it.each([25_000, 60_000])(
    'is not lost with a watcher that is killed after %i ms: a later one goes on from it',
    async (eachMs) => {
      const { restart, sinceDeath, world } = await killedOwner();
      expect(await restart(eachMs)).toBeLessThanOrEqual(hasTime || eachMs === 60_000 ? 3 : 6);
      expect(sinceDeath()).toBeGreaterThanOrEqual(takeoverMs);
      expect(await world.keys()).not.toContain(NOTE);
    },
  );

  it('by several at once is never added up', async () => {
    const { world, start, sinceDeath } = await killedOwner();
    while (sinceDeath() < takeoverMs - 20_000) {
      const together = [start(), start(), start()];
      await world.clock.advance(17_000);
      expect(together.some((one) => one.isHeld())).toBe(sinceDeath() > takeoverMs);
      for (const one of together) one.process.kill();
      expect((await world.read(NOTE)).watchedMs).toBeLessThanOrEqual(sinceDeath());
    }
    const last = start();
    await waited(world, last);
    expect(sinceDeath()).toBeGreaterThanOrEqual(takeoverMs);
  });

  it('does not hold for an owner that has shown a sign of life since', async () => {
    const world = new StoreWorld({ hasTime });
    const owner = new Container(world, 'owner');
    await world.clock.advance(2 * beatMs);
    owner.process.network = 'cut';
    const first = new Container(world, 'first');
    await world.clock.advance(takeoverMs - 8000);
    first.process.kill();
    expect(await world.keys()).toContain(NOTE);
    owner.process.network = 'up';
    await world.clock.advance(6000);
    expect(owner.isHeld()).toBe(true);
    owner.process.kill();
    const next = new Container(world, 'next');
    expect(await waited(world, next)).toBeGreaterThanOrEqual(takeoverMs);
  });

  it('never lets anybody in while the owner lives, however many watch and are killed', async () => {
    const world = new StoreWorld({ hasTime });
    const owner = new Container(world, 'owner');
    await world.clock.advance(100);
    let watchers: Container[] = [];
    for (let step = 0; step < 60; step++) {
      if (step % 4 === 0) for (const one of watchers.splice(0)) one.process.kill();
      watchers = [...watchers, new Container(world, `w${step}`)];
      await world.clock.advance(7300);
      expect(owner.isHeld()).toBe(true);
      expect(watchers.some((one) => one.isHeld())).toBe(false);
    }
    expect(owner.process.lost).toEqual([]);
  });

  it('costs a put every 5 s at most, and next to none while the owner lives', async () => {
    const { world, start } = await killedOwner();
    const put = vi.spyOn(world.memory, 'put');
    const get = vi.spyOn(world.memory, 'get');
    const noted = (calls: readonly (readonly unknown[])[]) => calls.filter(([key]) => key === NOTE).length;
    const first = start();
    await world.clock.advance(takeoverMs - 1000);
    expect(noted(put.mock.calls)).toBeLessThanOrEqual((takeoverMs - 10_000) / (hasTime ? 5000 : 10_000));
    expect([noted(put.mock.calls) > 0, noted(get.mock.calls)]).toEqual([true, 1]);
    await waited(world, first);
    put.mockClear();
    start();
    await world.clock.advance(299_000);
    expect(noted(put.mock.calls)).toBeLessThanOrEqual(hasTime ? 0 : 20);
  });

  it.each(['fails', 'hangs'] as const)('neither fails nor delays a start where its note %s', async (what) => {
    const { world, start } = await killedOwner();
    const { get, put } = world.memory;
    const broken =
      <Answer>(call: (...args: never[]) => Promise<Answer>) =>
      async (...args: unknown[]): Promise<Answer> => {
        if (args[0] !== NOTE) return call.apply(world.memory, args as never[]);
        if (what === 'fails') throw new Error('the note is broken');
        return new Promise<never>(() => undefined);
      };
    vi.spyOn(world.memory, 'get').mockImplementation(broken(get));
    vi.spyOn(world.memory, 'put').mockImplementation(broken(put));
    expect(await waited(world, start())).toBeLessThanOrEqual(takeoverMs + 1000);
  });

  it('is not kept of a missing lease, which may be put back and be missing again', async () => {
    const world = new StoreWorld({ hasTime });
    const known = async () => 7;
    const first = new Container(world, 'first', known);
    await world.clock.advance(takeoverMs - 3000);
    first.process.kill();
    expect(await world.keys()).not.toContain(NOTE);
    const next = new Container(world, 'next', known);
    expect(await waited(world, next)).toBeGreaterThanOrEqual(takeoverMs);
  });

  it('of a missing lease lets nobody in beside an owner that has put it back, and is cut off when it is removed again', async () => {
    const world = new StoreWorld({ hasTime });
    const known = async () => 7;
    const owner = new Container(world, 'owner', known);
    const removed = async () => {
      const isFresh = () => owner.isHeld() && owner.process.beat.provenForMs < 1000;
      for (let ms = 0; ms < 2 * takeoverMs && (ms < 1000 || !isFresh()); ms += 500)
        await world.clock.advance(500);
      expect(owner.isHeld()).toBe(true);
      owner.process.network = 'cut';
      await world.memory.delete(KEY);
    };
    await removed();
    const first = new Container(world, 'first', known);
    await world.clock.advance(takeoverMs - 8000);
    first.process.kill();
    owner.process.network = 'up';
    await world.clock.advance(6000);
    expect(await world.keys()).toContain(KEY);
    await removed();
    const next = new Container(world, 'next', known);
    for (let ms = 0; ms < takeoverMs; ms += 500) {
      await world.clock.advance(500);
      expect(owner.isHeld() && next.isHeld()).toBe(false);
    }
    expect(await waited(world, next)).toBeLessThanOrEqual(10_000);
  });

  it('is removed with the objects of dead processes after a day, when nobody has come for the lease', async () => {
    const { world, start } = await killedOwner();
    const first = start();
    await world.clock.advance(25_000);
    first.process.kill();
    expect(await world.keys()).toContain(NOTE);
    await world.clock.advance(25 * 3_600_000);
    await world.process('other').lease('other').acquire();
    await world.clock.advance(3 * beatMs);
    expect(await world.keys()).not.toContain(NOTE);
    expect(await world.keys()).toContain(KEY);
  });
});
