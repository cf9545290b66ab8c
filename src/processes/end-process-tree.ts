import { type Clock, sleep, systemClock } from '../clock.js';
import { errnoOf, SessionError, TimeoutError } from '../errors.js';
import { identityOf, isPid, isSameProcessAlive, listDescendants, type ProcessIdentity } from './identity.js';
import type { ProcessSource } from './process-entry.js';
import { processSource } from './process-source.js';

/** How long between two looks at who is left, ms. */
const LOOK_EVERY_MS = 50;
/** More generations of a process than any machine has: a bound, should a table of processes contain a loop. */
const MAX_ANCESTORS = 64;

export interface EndProcessTreeOptions {
  readonly clock?: Clock;
  /**
   * How long the root may close by itself after a SIGTERM, ms; 0 (the default): killed at once.
   * Chromium answers SIGTERM by an orderly close, which saves up to a minute of Local Storage (docs/chromium-facts.md F1.5).
   */
  readonly graceMs?: number;
  /** How long to wait, after the kill, until all are gone, ms. Default 5000. */
  readonly deadlineMs?: number;
  /** @internal */
  readonly source?: ProcessSource;
}

/**
 * Ends a process and everything that descends from it, and waits until all are gone.
 * The start time is read again right before every signal: a pid that was given away is left alone.
 *
 * @returns the pids that were alive at the call and are gone now, the root first; none when it was gone already.
 * @throws TimeoutError when some are still there after `deadlineMs`.
 * @throws SessionError (INTERNAL) when the root is pid 1, this process or one of its ancestors, or may not be signalled.
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

  // Collected before the first signal: whoever loses its parent is handed to init and can't be found any more.
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
  // Proven, not assumed: where the machine hides the start time, nothing is signalled.
  const now = await identityOf(member.pid, source);
  if (now?.startTime !== member.startTime) return;
  try {
    process.kill(member.pid, name);
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return; // ended by itself in this very moment
    throw new SessionError('INTERNAL', `may not end process ${member.pid}`, { cause: error });
  }
}

/** Looks again and again until `done` or the time is over; tells which. */
async function until(clock: Clock, withinMs: number, done: () => Promise<boolean>): Promise<boolean> {
  const end = clock.monotonic() + withinMs;
  while (!(await done())) {
    const left = end - clock.monotonic();
    if (left <= 0) return false;
    await sleep(clock, Math.min(LOOK_EVERY_MS, left));
  }
  return true;
}
