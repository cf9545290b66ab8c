import { errnoOf } from '../errors.js';
import type { ProcessEntry, ProcessSource } from './process-entry.js';
import { processSource } from './process-source.js';

/**
 * One process, never mistaken for another one that got the same pid later.
 * The start time is opaque: compare it, don't read it. On Linux it carries the boot id, so that no process
 * survives a reboot by accident.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

/** Who we are. */
export async function selfIdentity(source: ProcessSource = processSource): Promise<ProcessIdentity> {
  const self = await identityOf(process.pid, source).catch(() => undefined);
  // A machine that tells nothing (no /proc, no ps): what node knows of its own start has to do.
  return self ?? { pid: process.pid, startTime: `node:${Math.round(performance.timeOrigin)}` };
}

/**
 * Who has this pid now; `undefined` when nobody has (a zombie is nobody).
 *
 * @throws the system's error when the machine does not tell (no `ps`, a deadline).
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
 * Whether this very process still lives. In doubt (the machine hides or does not tell the start time, but the pid
 * is taken) the answer is yes: what rests on it are kills and takeovers.
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

/** Everything that descends from `pid`, parents before their children, without `pid` itself and without zombies. */
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
      // A table read line by line may contain a loop: a pid that was given away meanwhile.
      if (seen.has(child.pid)) continue;
      seen.add(child.pid);
      queue.push(child.pid);
      if (!child.zombie) found.push(toIdentity(child));
    }
  }
  return found;
}

/** The command line of `pid`, arguments separated by spaces; `undefined` when it ended or the machine does not tell. */
export async function commandLine(
  pid: number,
  source: ProcessSource = processSource,
): Promise<string | undefined> {
  if (!isPid(pid)) return undefined;
  const line = await source.commandLine(pid).catch(() => undefined);
  return line === undefined || line.trim() === '' ? undefined : line.trim();
}

/**
 * Names the table of processes that our pids belong to: equal strings, same machine (and boot, and container).
 * `undefined` when the machine does not tell; then no pid found in a file proves anything.
 */
export function processNamespace(source: ProcessSource = processSource): Promise<string | undefined> {
  return source.namespace().catch(() => undefined);
}

/** A positive integer that a pid can be; 0 and negative ones mean whole groups to the system. */
export function isPid(pid: number): boolean {
  return Number.isInteger(pid) && pid > 0 && pid <= 2 ** 31 - 1;
}

function isPidTaken(pid: number): boolean {
  if (!isPid(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'; // EPERM: it lives, under another user
  }
}

function toIdentity({ pid, startTime }: ProcessEntry): ProcessIdentity {
  return { pid, startTime };
}
