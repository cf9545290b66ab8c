import { lstat } from 'node:fs/promises';
// Loads here what the library loads on first use, because a module that is being loaded is not visible as activity.
import 'archiver';
import 'unzipper/lib/Open/directory.js';
import type { ManualClock } from '../../src/testing/manual-clock.js';
import { piecesInPool } from './pool-activity.js';

/** Shows whether work is going on: the calls of the (wrapped) file system. */
export interface Activity {
  readonly calls: readonly unknown[];
}

export interface World {
  readonly clock: ManualClock;
  readonly fs: Activity;
  /** Whether its files lie in memory, so that no work goes on in the system while nothing here is seen of it. */
  readonly isInMemory?: boolean;
}

export interface UntilOptions {
  /** How far the manual clock may move, ms. Default one hour. */
  readonly limitMs?: number;
  /** How far the clock moves in one step, ms. Default one second. */
  readonly stepMs?: number;
}

const QUIET_TURNS = 20;
/** So many steps in which no timer is due pass in a row before the work that nobody sees gets its real milliseconds. */
const IDLE_STEPS = 10;
/** Other work in the thread pool is not visible, so it gets some turns of the pool and some real milliseconds. */
const POOL_ROUNDS = 2;
/** Node's default. */
const POOL_THREADS = 4;
const REAL_LIMIT_MS = 15_000;

/** Lets all running work continue as far as it can without the clock. Limited to 15 real seconds. */
export async function settle(activity: Activity): Promise<void> {
  const realEnd = Date.now() + REAL_LIMIT_MS;
  for (let round = 0; round < POOL_ROUNDS && Date.now() < realEnd; ) {
    const before = activity.calls.length;
    await quietTurns(activity, realEnd);
    await turnOfPool();
    await new Promise((resolve) => setTimeout(resolve, 1));
    round = activity.calls.length === before ? round + 1 : 0;
  }
}

/**
 * Moves the clock in steps until `condition` holds; between two steps all running work continues as far as it can.
 *
 * @throws Error that names `what` if the condition does not hold within `limitMs` of the clock.
 */
export async function until(
  world: World,
  what: string,
  condition: () => boolean,
  { limitMs = 3_600_000, stepMs = 1000 }: UntilOptions = {},
): Promise<void> {
  const { clock } = world;
  const end = clock.monotonic() + limitMs;
  for (let idle = 0; ; ) {
    // In memory nothing can be under way after a step in which no timer was due.
    if (world.isInMemory !== true || idle % IDLE_STEPS === 0) await settle(world.fs);
    if (condition()) return;
    const left = end - clock.monotonic();
    if (left <= 0) throw new Error(`did not come within ${limitMs} ms: ${what}`);
    const step = Math.min(stepMs, left);
    idle = (clock.nextTimerInMs ?? Number.POSITIVE_INFINITY) > step ? idle + 1 : 0;
    await clock.advance(step);
  }
}

/** Moves the clock until `work` settles, and settles in the same way. */
export async function untilSettled<T>(world: World, work: Promise<T>, options?: UntilOptions): Promise<T> {
  let isSettled = false;
  const note = () => {
    isSettled = true;
  };
  work.then(note, note);
  await until(world, 'the end of the work', () => isSettled, options);
  return work;
}

async function quietTurns(activity: Activity, realEnd: number): Promise<void> {
  for (let quiet = 0, seen = activity.calls.length; quiet < QUIET_TURNS && Date.now() < realEnd; ) {
    await new Promise((resolve) => setImmediate(resolve));
    const isSystemBusy = piecesInPool() > 0 || process.getActiveResourcesInfo().some(isFileRequest);
    quiet = isSystemBusy || activity.calls.length !== seen ? 0 : quiet + 1;
    seen = activity.calls.length;
    // The work goes on without this loop, which would only take its processor time.
    if (isSystemBusy) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function isFileRequest(resource: string): boolean {
  return resource.startsWith('FSReq');
}

/**
 * Waits until the thread pool has come to what is in its queue now: on a busy machine that takes longer than any number of
 * milliseconds. Closing a file is such work, and `process.getActiveResourcesInfo()` lists it also when it is done.
 */
async function turnOfPool(): Promise<void> {
  await Promise.all(Array.from({ length: POOL_THREADS }, () => lstat('/')));
}
