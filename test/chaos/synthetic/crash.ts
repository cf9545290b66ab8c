import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dice } from '../../support/dice.js';
import { type ChildKind, SyntheticChild } from './child.js';
import { CrashLane } from './crash-lane.js';
import { KillMoments } from './crash-moments.js';

/** The operations that a kill interrupts. `start` is a start that restores because the profile is lost. */
export const CRASH_OPERATIONS = ['save', 'backup', 'restore', 'prune', 'clear', 'start', 'import'] as const;
export type CrashOperation = (typeof CRASH_OPERATIONS)[number];

/** The results of the kills of one operation. */
export interface CrashTally {
  kills: number;
  oldState: number;
  newState: number;
  /** The number of kills that came after the end of the operation. */
  finished: number;
  violations: number;
}

export interface CrashReport {
  readonly tallies: Readonly<Record<CrashOperation, CrashTally>>;
  readonly violations: readonly string[];
  /** The largest numbers that were ever seen after a start had cleaned up. */
  readonly most: {
    orphans: number;
    leaseFiles: number;
    quarantined: number;
    files: number;
    staleRecords: number;
  };
}

export interface CrashPlan {
  /** Kills for each operation. If one needs a snapshot and there is none, an additional save is killed. */
  readonly kills: number;
  readonly seed: number;
  readonly kind: ChildKind;
  /** The number of bots that are killed in parallel. */
  readonly lanes: number;
  /** The number of kills in one folder, before a new folder is used. */
  readonly killsPerFolder: number;
  /** Whether the saves lie in a remote store, in packs. Default false. */
  readonly isRemote?: boolean;
  readonly onProgress?: (done: number) => void;
}

/** Kills children at random instants of every operation and checks each time what is left. */
export async function crash(plan: CrashPlan): Promise<CrashReport> {
  const report = emptyReport();
  const moments = new KillMoments();
  let done = 0;
  const runLane = async (lane: number) => {
    const children = new WarmChildren(plan.kind);
    const kills = Math.floor(plan.kills / plan.lanes) + (lane < plan.kills % plan.lanes ? 1 : 0);
    const left = new Map(CRASH_OPERATIONS.map((operation) => [operation, kills]));
    const isDone = () => [...left.values()].every((count) => count <= 0);
    try {
      for (let round = 0; !isDone(); round++) {
        const folder = await mkdtemp(join(tmpdir(), 'wwebjs-crash-'));
        const dice = new Dice(plan.seed * 7919 + lane * 104_729 + round);
        const current = new CrashLane({
          folder,
          dice,
          report,
          moments,
          left,
          isRemote: plan.isRemote === true,
          nextChild: () => children.take(),
        });
        for (let kill = 0; kill < plan.killsPerFolder && !isDone(); kill++) {
          await current.killOnce();
          plan.onProgress?.(++done);
        }
        await current.finish();
        await rm(folder, { recursive: true, force: true });
      }
    } finally {
      await children.dispose();
    }
  };
  await Promise.all(Array.from({ length: plan.lanes }, (_, lane) => runLane(lane)));
  return report;
}

/** Starts the next child while the present one works, because starting takes most of the time. */
class WarmChildren {
  readonly #kind: ChildKind;
  #next: SyntheticChild;

  constructor(kind: ChildKind) {
    this.#kind = kind;
    this.#next = new SyntheticChild(kind);
  }

  take(): SyntheticChild {
    const child = this.#next;
    this.#next = new SyntheticChild(this.#kind);
    return child;
  }

  dispose(): Promise<void> {
    return this.#next.kill();
  }
}

function emptyReport(): CrashReport {
  const tally = (): CrashTally => ({ kills: 0, oldState: 0, newState: 0, finished: 0, violations: 0 });
  return {
    tallies: {
      save: tally(),
      backup: tally(),
      restore: tally(),
      prune: tally(),
      clear: tally(),
      start: tally(),
      import: tally(),
    },
    violations: [],
    most: { orphans: 0, leaseFiles: 0, quarantined: 0, files: 0, staleRecords: 0 },
  };
}
