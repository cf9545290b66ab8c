import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSimulator } from '../../simulator/server.js';
import { Dice } from '../../support/dice.js';
import { RealCrashBot } from './crash-bot.js';
import { processesOf } from './crash-child.js';

/** The operations that a kill interrupts. `start` has a whole profile, or restores because the profile is lost. */
export const REAL_OPERATIONS = ['save', 'backup', 'prune', 'restore', 'clear', 'start', 'stop'] as const;
export type RealOperation = (typeof REAL_OPERATIONS)[number];

/** The processes to kill. */
export const VICTIMS = ['node', 'Chromium', 'both'] as const;
export type Victim = (typeof VICTIMS)[number];

export interface RealKill {
  readonly number: number;
  readonly operation: RealOperation;
  /** The processes that were killed; in the middle of a restore no browser runs. */
  readonly killed: string;
  readonly afterMs: number;
  /** Whether the operation had ended before the kill came. */
  readonly finished: boolean;
  /** `ready`, or `QR` after a clear. */
  readonly nextStart: string;
  readonly seconds: number;
  readonly violations: readonly string[];
}

export interface RealCrashPlan {
  readonly kills: number;
  readonly seed: number;
  /** The address of the library's entry. */
  readonly library: string;
  readonly onKill?: (kill: RealKill) => void;
}

const TRAFFIC = { bytesPerSecond: 1_000_000, keepMegabytes: 8 };

/**
 * Kills a bot in a real Chromium at random instants of every operation during traffic, and each time checks the start
 * of a new process. The seed decides operations, victims and moments.
 */
export async function crashReal({ kills, seed, library, onKill }: RealCrashPlan): Promise<RealKill[]> {
  const dice = new Dice(seed);
  const operations = dealt(dice, REAL_OPERATIONS, kills);
  const victims = dealt(dice, VICTIMS, kills);
  const folder = await mkdtemp(join(tmpdir(), 'wwebjs-real-crash-'));
  const simulator = await startSimulator();
  const bot = new RealCrashBot({ folder, simulator, library, dice });
  const done: RealKill[] = [];
  try {
    await simulator.startTraffic(TRAFFIC);
    await bot.start();
    for (const [index, operation] of operations.entries()) {
      const victim = victims[index] ?? 'both';
      const kill = await bot.killOnce(index + 1, operation, victim);
      done.push(kill);
      onKill?.(kill);
    }
    await bot.stop();
  } finally {
    await bot.kill();
    // Kills only processes on this run's own folder; there are some only if a check has failed.
    for (const { pid } of await processesOf(folder)) process.kill(pid, 'SIGKILL');
    await simulator.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
  return done;
}

/** Returns `count` of the items in random order, each equally often. */
function dealt<T>(dice: Dice, from: readonly T[], count: number): T[] {
  const cards = Array.from({ length: count }, (_, index) => from[index % from.length] as T);
  for (let end = cards.length - 1; end > 0; end--) {
    const other = dice.below(end + 1);
    [cards[end], cards[other]] = [cards[other] as T, cards[end] as T];
  }
  return cards;
}
