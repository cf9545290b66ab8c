import { type Clock, sleep, systemClock } from '../clock.js';
import { describeError, errnoOf, SessionError, TimeoutError } from '../errors.js';
import { identityOf, isPid, isSameProcessAlive, listDescendants, type ProcessIdentity } from './identity.js';
import type { ProcessSource } from './process-entry.js';
import { processSource } from './process-source.js';

/** Time between two checks of which processes are left, ms. */
const LOOK_EVERY_MS = 50;
/** More generations of a process than any machine has: it bounds the search if the process table contains a loop. */
const MAX_ANCESTORS = 64;

export interface EndProcessTreeOptions {
  readonly clock?: Clock;
  /**
   * How long the root may take to close by itself after a SIGTERM, ms; with 0 (the default) it is killed at once.
   * Chromium answers SIGTERM with an orderly close, which saves up to a minute of Local Storage
   * (docs/chromium-facts.md F1.5).
   */
  readonly graceMs?: number;
  /** How long to wait, after the kill, until all are gone, ms. Default 5000. */
  readonly deadlineMs?: number;
  /** @internal */
  readonly source?: ProcessSource;
}

/**
 * Ends a process and everything that descends from it, and waits until all are gone. The start time is read again
 * right before every signal, so that a pid which was given to another process is left alone.
 *
 * @returns the pids that were alive at the call and are gone now, the root first; empty when the root was gone
 * already.
 * @throws TimeoutError when some processes are still alive after `deadlineMs`.
 * @throws SessionError (INTERNAL) when the root is pid 1, this process or one of its ancestors, or when a process
 * may not be signalled.
 */
export async function endProcessTree(
  root: ProcessIdentity,
  options: EndProcessTreeOptions = {},
): Promise<readonly number[]> {
  const { clock = systemClock, graceMs = 0, deadlineMs = 5000, source = processSource } = options;
  const spared = await ourselvesAndAncestors(source);
  if (!isPid(root.pid) || spared.has(root.pid)) {
    throw new SessionError('INTERNAL', `refusing to end process ${root.pid}: it is the system's or our own`);
  }
  if (!(await isSameProcessAlive(root, source))) return [];

  // Collected before the first signal: a process that loses its parent becomes a child of init and can't be found
  // any more.
  const tree = new Map([[root.pid, root]]);
  const collect = async () => {
    for (const member of [...tree.values()]) {
      if (!(await isSameProcessAlive(member, source))) continue;
      for (const child of await listDescendants(member.pid, source)) {
        if (!spared.has(child.pid) && !tree.has(child.pid)) tree.set(child.pid, child);
      }
    }
  };
  const living = async () => {
    const alive = await Promise.all([...tree.values()].map((member) => isSameProcessAlive(member, source)));
    return [...tree.values()].filter((_, index) => alive[index]);
  };

  await collect();
  if (graceMs > 0) {
    await signal(root, 'SIGTERM', source);
    await until(clock, graceMs, async () => (await living()).length === 0);
  }
  const killed = await until(clock, deadlineMs, async () => {
    await collect(); // a browser may have started another renderer meanwhile
    for (const member of await living()) await signal(member, 'SIGKILL', source);
    return (await living()).length === 0;
  });
  if (!killed) {
    const left = (await living()).map(({ pid }) => pid).join(', ');
    throw new TimeoutError(`processes still alive ${deadlineMs} ms after they were killed: ${left}`);
  }
  return [...tree.keys()];
}

async function ourselvesAndAncestors(source: ProcessSource): Promise<ReadonlySet<number>> {
  const spared = new Set([0, 1, process.pid, process.ppid]);
  let pid = process.ppid;
  for (let generation = 0; generation < MAX_ANCESTORS && pid > 1; generation++) {
    pid = (await source.entry(pid))?.ppid ?? 0;
    spared.add(pid);
  }
  return spared;
}

async function signal(member: ProcessIdentity, name: NodeJS.Signals, source: ProcessSource): Promise<void> {
  // The identity must be proven: when the machine hides the start time, nothing is signalled.
  const now = await identityOf(member.pid, source);
  if (now?.startTime !== member.startTime) return;
  try {
    process.kill(member.pid, name);
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return; // it ended by itself at this moment
    throw new SessionError('INTERNAL', `may not end process ${member.pid}: ${describeError(error).message}`, {
      cause: error,
    });
  }
}

/** Checks again and again until `done` or until the time is over; returns whether it was done. */
async function until(clock: Clock, withinMs: number, done: () => Promise<boolean>): Promise<boolean> {
  const end = clock.monotonic() + withinMs;
  while (!(await done())) {
    const left = end - clock.monotonic();
    if (left <= 0) return false;
    await sleep(clock, Math.min(LOOK_EVERY_MS, left));
  }
  return true;
}
