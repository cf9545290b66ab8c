import { describe, expect, it } from 'vitest';
import { StoreOwnership } from '../../../src/lease/store/store-ownership.js';
import { silentLogger } from '../../../src/logger.js';
import { StartWaits } from '../../../src/start-waits.js';
import { type StoreProcess, StoreWorld } from './store-world.js';

function ownershipOf(process: StoreProcess) {
  const { store, clock } = process;
  const lease = process.lease();
  const ownership = new StoreOwnership({
    ...{
      store,
      lease,
      clock,
      logger: silentLogger,
      startWaits: new StartWaits({ clock, warn: () => undefined }),
    },
    onLate: () => undefined,
    onHeldElsewhere: () => undefined,
    onLost: (reason) => process.lost.push(reason),
    onUnable: () => undefined,
  });
  return { lease, ownership };
}

describe('the ownership of a session among machines', () => {
  it('is given up also where it was taken again while its first release still hung', async () => {
    const world = new StoreWorld();
    const { lease, ownership } = ownershipOf(world.process('one'));
    const finish = async (work: Promise<unknown>) => {
      let isDone = false;
      work.finally(() => {
        isDone = true;
      });
      for (let step = 0; step < 200 && !isDone; step++) await world.clock.advance(100);
      await work;
    };
    await ownership.take(undefined);
    const { put } = world.memory;
    let isFirst = true;
    world.memory.put = async (key, body, options) => {
      const hangs = isFirst && key.startsWith('.leases');
      if (hangs) isFirst = false;
      if (hangs) await new Promise<void>((resolve) => void world.clock.setTimeout(resolve, 9000));
      return put.call(world.memory, key, body, options);
    };
    await finish(ownership.giveUp());
    await finish(ownership.take(undefined));
    await finish(ownership.giveUp());
    await world.clock.advance(60_000);
    expect(lease.isHeld()).toBe(false);
    expect(await world.read('.leases/shop.json')).toMatchObject({ released: true });
  });

  it('keeps a number that can be read, however often a store refuses it', async () => {
    const world = new StoreWorld();
    const { lease, ownership } = ownershipOf(world.process('one'));
    await ownership.take(undefined);
    for (let time = 0; time < 60; time++) {
      await ownership.onFencedOff(ownership.generation);
      await world.clock.advance(1000);
    }
    expect(lease.isHeld()).toBe(true);
    await ownership.giveUp();
    const next = ownershipOf(world.process('two'));
    await next.ownership.take(undefined);
    expect(next.lease.isHeld()).toBe(true);
  });

  it('stays with the live owner when the store comes back from an older state', async () => {
    const world = new StoreWorld();
    const first = ownershipOf(world.process('one'));
    await first.ownership.take(undefined);
    await first.ownership.giveUp();
    const older = await world.read('.leases/shop.json');
    const process = world.process('two');
    const { lease, ownership } = ownershipOf(process);
    await ownership.take(undefined);
    const before = ownership.generation;
    await world.memory.put('.leases/shop.json', Buffer.from(JSON.stringify(older)));
    await world.clock.advance(60_000);
    expect([lease.isHeld(), process.lost]).toEqual([true, []]);
    expect(ownership.generation).toBeGreaterThan(before);
  });

  it('is waited for no longer than 5 minutes, also where the store fails after it has told of another owner', async () => {
    const world = new StoreWorld();
    await ownershipOf(world.process('one')).ownership.take(undefined);
    const { ownership } = ownershipOf(world.process('two'));
    const outcomes: unknown[] = [];
    ownership.take(undefined).then(
      () => outcomes.push('taken'),
      (error: unknown) => outcomes.push(error),
    );
    await world.clock.advance(20_000);
    world.memory.setDown(true);
    await world.clock.advance(240_000);
    expect(outcomes).toEqual([]);
    await world.clock.advance(60_000);
    expect(outcomes).toEqual([
      expect.objectContaining({
        code: 'LEASE_HELD',
        message: expect.stringMatching(/process \d+ on host one.*shared, which fails now/),
        cause: expect.objectContaining({ code: 'STORE' }),
      }),
    ]);
  });

  it('is waited for as long as the store fails by a session that had gone on without the lease', async () => {
    const world = new StoreWorld();
    const first = ownershipOf(world.process('one'));
    await first.ownership.take(undefined);
    const process = world.process('two');
    process.network = 'cut';
    const { lease, ownership } = ownershipOf(process);
    const taking = ownership.take(undefined);
    await world.clock.advance(1000);
    await taking;
    process.network = 'up';
    await world.clock.advance(20_000);
    world.memory.setDown(true);
    await world.clock.advance(900_000);
    world.memory.setDown(false);
    await first.ownership.giveUp();
    await world.clock.advance(20_000);
    expect([lease.isHeld(), process.lost]).toEqual([true, []]);
  });
});
