import { expect, it } from 'vitest';
import type { StoreLease } from '../../../src/lease/store/store-lease.js';
import { Dice } from '../../support/dice.js';
import { type StoreProcess, StoreWorld } from './store-world.js';

/** More with `SCHEDULES=500`; `SEED=…` replays a run. */
const SCHEDULES = Number(process.env.SCHEDULES ?? 8);
const STEPS = 60;

/** What befalls the processes and the store. */
interface Troubles {
  /** Whether the server tells its time and keeps fences. */
  readonly hasTime: boolean;
  /** Whether wall clocks are set, and the server's clock jumps, further than two clocks can disagree by mistake. */
  readonly clocks: 'sound' | 'server-jumps' | 'all-set';
}

/** Knows which puts under a fence the store has taken, and of whom. */
class Ledger {
  highest = 0;
  readonly #owners = new Map<number, Contender>();
  #puts = 0;

  /** Puts like a save does that was under way before the lease was lost: whatever is known by now. */
  put(contender: Contender, where: string): void {
    const { process, lease } = contender;
    const { generation } = lease;
    if (generation === 0) return;
    const taken = () => {
      this.highest = Math.max(this.highest, generation);
      const owner = this.#owners.get(generation) ?? contender;
      this.#owners.set(generation, owner);
      if (owner !== contender)
        this.twice.push(`${where}: two owners have put under the number ${generation}`);
    };
    process.putFenced(`shop/${++this.#puts}`, generation).then(taken, () => undefined);
  }

  readonly twice: string[] = [];
}

/** A process that wants the session again and again, as a platform starts a bot again. */
class Contender {
  readonly process: StoreProcess;
  readonly lease: StoreLease;

  constructor(process: StoreProcess, highestKnown?: () => Promise<number>) {
    this.process = process;
    this.lease = process.lease('shop', highestKnown);
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
      const restarted = (one: Contender, step: number) => {
        one.process.kill();
        const next = new Contender(world.process(`p${step}`));
        next.want();
        return next;
      };
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
        const act = dice.below(11);
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
        if (act >= 9 && !one.lease.isHeld()) contenders[index] = restarted(one, step);
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

it.each<Troubles>([
  { hasTime: true, clocks: 'sound' },
  { hasTime: true, clocks: 'server-jumps' },
  { hasTime: true, clocks: 'all-set' },
  { hasTime: false, clocks: 'sound' },
])(
  'never has two owners whose puts are taken, whatever sleeps, is removed, or tells a wrong time ($hasTime, $clocks)',
  async ({ hasTime, clocks }) => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    const dice = new Dice(seed);
    for (let schedule = 0; schedule < SCHEDULES; schedule++) {
      const world = new StoreWorld({ hasTime });
      const ledger = new Ledger();
      const start = (name: string) => new Contender(world.process(name), async () => ledger.highest);
      const contenders = ['a', 'b', 'c'].map(start);
      for (const contender of contenders) contender.want();
      const look = (step: number) => {
        const where = `seed ${seed}, schedule ${schedule}, step ${step}`;
        const owners = contenders.filter(({ lease, process }) => !process.isDead && lease.isHeld());
        expect(ledger.twice, where).toEqual([]);
        // A machine can only tell by its wall clock that it slept.
        if (clocks !== 'all-set') expect(owners.length, where).toBeLessThanOrEqual(1);
        for (const owner of owners) ledger.put(owner, where);
      };
      const removeLease = async () => {
        // Before its first snapshot nothing but the fence tells of an owner.
        if (ledger.highest > 0) await world.memory.delete('.leases/shop.json');
      };
      for (let step = 0; step < STEPS; step++) {
        const index = dice.below(contenders.length);
        const one = contenders[index];
        if (one === undefined) continue;
        const act = dice.below(14);
        if (act === 0) one.process.suspend();
        if (act === 1 || act === 2) one.process.resume();
        if (act === 3) one.process.suspendMachine();
        if (act === 4) one.process.network = dice.below(2) === 0 ? 'cut' : 'deaf';
        if (act === 5) one.process.network = 'up';
        if (act === 6) one.want();
        if (act === 7 && !one.lease.isUnproven()) void one.lease.release();
        if (act === 8) await removeLease();
        if (act === 9 && clocks !== 'sound') world.serverAheadMs += (dice.below(5) - 2) * 45_000;
        if (act === 10 && clocks === 'all-set') one.process.setClock((dice.below(5) - 2) * 45_000);
        if (act === 11 && dice.below(3) === 0) {
          one.process.kill();
          contenders[index] = start(`p${step}`);
        }
        // A platform kills who waits, and starts the next.
        if (act >= 12 && !one.lease.isHeld()) {
          one.process.kill();
          const next = start(`p${step}`);
          next.want();
          contenders[index] = next;
        }
        ledger.put(one, `seed ${seed}, schedule ${schedule}, step ${step}`);
        const until = dice.below(40) * 500;
        for (let ms = 0; ms < until; ms += 500) {
          await world.clock.advance(500);
          look(step);
        }
      }
      for (const { process } of contenders) {
        process.network = 'up';
        process.resume();
      }
      const isHeld = () => contenders.some(({ lease }) => lease.isHeld());
      for (let ms = 0; ms < 600_000 && (ms < 60_000 || !isHeld()); ms += 1000) {
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
