import { errnoOf } from '../errors.js';
import type { ProcessEntry, ProcessSource } from './process-entry.js';
import { processSource } from './process-source.js';

/**
 * Identifies one process, so that it is never mistaken for another one that gets the same pid later. The start
 * time is opaque: compare it, don't interpret it. On Linux it contains the boot id, so that no process seems to
 * survive a reboot by accident.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

/** The identity of this process. */
export async function selfIdentity(source: ProcessSource = processSource): Promise<ProcessIdentity> {
  const self = await identityOf(process.pid, source).catch(() => undefined);
  // When the machine reports no processes (no /proc, no ps), node's own start time is used.
  return self ?? { pid: process.pid, startTime: `node:${Math.round(performance.timeOrigin)}` };
}

/**
 * The process that has this pid now; `undefined` when there is none (a zombie does not count).
 *
 * @throws the system's error when the machine does not answer (no `ps`, a deadline)
 */
export async function identityOf(
  pid: number,
  source: ProcessSource = processSource,
): Promise<ProcessIdentity | undefined> {
  if (!isPid(pid)) return undefined;
  const entry = await source.entry(pid);
  return entry === undefined || entry.zombie ? undefined : toIdentity(entry);
}

/**
 * Whether exactly this process is still alive. In doubt (the pid is in use, but its start time is hidden or
 * unknown) the answer is yes, because kills and takeovers rely on it.
 */
export async function isSameProcessAlive(
  identity: ProcessIdentity,
  source: ProcessSource = processSource,
): Promise<boolean> {
  if (!isPidTaken(identity.pid)) return false;
  const entry = await source.entry(identity.pid).catch(() => undefined);
  if (entry === undefined) return isPidTaken(identity.pid);
  return !entry.zombie && entry.startTime === identity.startTime;
}

/** All descendants of `pid`, parents before their children, without `pid` itself and without zombies. */
export async function listDescendants(
  pid: number,
  source: ProcessSource = processSource,
): Promise<readonly ProcessIdentity[]> {
  const all = await source.all();
  const childrenOf = new Map<number, ProcessEntry[]>();
  for (const entry of all) childrenOf.set(entry.ppid, [...(childrenOf.get(entry.ppid) ?? []), entry]);
  const seen = new Set([pid]);
  const found: ProcessIdentity[] = [];
  const queue = [pid];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const child of childrenOf.get(next) ?? []) {
      // The table is read line by line and may contain a loop, when a pid was given away meanwhile.
      if (seen.has(child.pid)) continue;
      seen.add(child.pid);
      queue.push(child.pid);
      if (!child.zombie) found.push(toIdentity(child));
    }
  }
  return found;
}

/**
 * The command line of `pid`, arguments separated by spaces; `undefined` when it ended or the machine does not
 * report it.
 */
export async function commandLine(
  pid: number,
  source: ProcessSource = processSource,
): Promise<string | undefined> {
  if (!isPid(pid)) return undefined;
  const line = await source.commandLine(pid).catch(() => undefined);
  return line === undefined || line.trim() === '' ? undefined : line.trim();
}

/**
 * Names the process table that our pids belong to: equal strings mean the same machine, boot and container.
 * `undefined` when the machine does not report it; then no pid found in a file proves anything.
 */
export function processNamespace(source: ProcessSource = processSource): Promise<string | undefined> {
  return source.namespace().catch(() => undefined);
}

/** Whether `pid` is a positive integer that a pid can be; the system takes 0 and negative numbers for whole groups. */
export function isPid(pid: number): boolean {
  return Number.isInteger(pid) && pid > 0 && pid <= 2 ** 31 - 1;
}

function isPidTaken(pid: number): boolean {
  if (!isPid(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'; // with EPERM it is alive, but belongs to another user
  }
}

function toIdentity({ pid, startTime }: ProcessEntry): ProcessIdentity {
  return { pid, startTime };
}
