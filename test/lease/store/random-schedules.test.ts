import { expect, it } from 'vitest';
import type { StoreLease } from '../../../src/lease/store/store-lease.js';
import { Dice } from '../../support/dice.js';
import { type StoreProcess, StoreWorld } from './store-world.js';

/** More with `SCHEDULES=500`; `SEED=…` replays a run. */
const SCHEDULES = Number(process.env.SCHEDULES ?? 8);
const STEPS = 60;

/** A process that wants the session again and again, as a platform starts a bot again. */
class Contender {
  readonly process: StoreProcess;
  readonly lease: StoreLease;

  constructor(process: StoreProcess) {
    this.process = process;
    this.lease = process.lease();
  }

  want(): void {
    this.lease.acquire({ waitMs: 120_000 }).catch(() => undefined);
  }
}

it.each([true, false])(
  'never has two owners, and never a lower number, whatever is suspended, killed or cut off (server time: %s)',
  async (hasTime) => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    const dice = new Dice(seed);
    for (let schedule = 0; schedule < SCHEDULES; schedule++) {
      const world = new StoreWorld({ hasTime });
      const contenders = ['a', 'b', 'c'].map((name) => new Contender(world.process(name)));
      for (const contender of contenders) contender.want();
      let highest = 0;
      const look = (step: number) => {
        const owners = contenders.filter(({ lease, process }) => !process.isDead && lease.isHeld());
        const where = `seed ${seed}, schedule ${schedule}, step ${step}`;
        expect(owners.length, where).toBeLessThanOrEqual(1);
        for (const { lease } of owners) {
          expect(lease.generation, where).toBeGreaterThanOrEqual(highest);
          highest = lease.generation;
        }
      };
      for (let step = 0; step < STEPS; step++) {
        const index = dice.below(contenders.length);
        const one = contenders[index];
        if (one === undefined) continue;
        const act = dice.below(9);
        if (act === 0) one.process.suspend();
        if (act === 1) one.process.resume();
        if (act === 2) one.process.network = 'cut';
        if (act === 3) one.process.network = 'deaf';
        if (act === 4) one.process.network = 'up';
        if (act === 5) one.want();
        if (act === 6 && !one.lease.isUnproven()) void one.lease.release();
        if (act === 7 && dice.below(3) === 0) {
          one.process.kill();
          contenders[index] = new Contender(world.process(`p${step}`));
        }
        const until = dice.below(40) * 500;
        for (let ms = 0; ms < until; ms += 500) {
          await world.clock.advance(500);
          look(step);
        }
      }
      // Once all is well again, somebody gets it.
      for (const { process } of contenders) {
        process.network = 'up';
        process.resume();
      }
      for (let ms = 0; ms < 600_000 && !contenders.some(({ lease }) => lease.isHeld()); ms += 1000) {
        if (ms % 10_000 === 0) for (const contender of contenders) contender.want();
        await world.clock.advance(1000);
        look(STEPS);
      }
      expect(
        contenders.filter(({ lease }) => lease.isHeld()).length,
        `seed ${seed}, schedule ${schedule}`,
      ).toBe(1);
    }
  },
);
