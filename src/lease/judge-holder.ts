import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { isSameProcessAlive, type ProcessIdentity, processNamespace, selfIdentity } from '../processes.js';
import { heldTokens } from './held-tokens.js';
import type { SeenLease } from './lease-files.js';
import type { LeaseHolder } from './lease-record.js';

/**
 * - `free`: there is no lease, or its holder released it
 * - `dead`: its holder is proven dead, so it can be taken over at once
 * - `held`: its holder is proven alive
 * - `unproven`: it belongs to another machine or container, or can't be read, so it must be watched
 */
export type Verdict = 'free' | 'dead' | 'held' | 'unproven';

/** The facts about the machine that a lease needs. */
export interface Machine {
  readonly hostname: () => string;
  readonly namespace: () => Promise<string | undefined>;
  readonly identity: () => Promise<ProcessIdentity>;
  readonly isAlive: (identity: ProcessIdentity) => Promise<boolean>;
  /** The tokens of the leases that this thread holds now. */
  readonly heldTokens: Set<string>;
}

export const thisMachine: Machine = {
  hostname,
  namespace: () => processNamespace(),
  identity: () => selfIdentity(),
  isAlive: (identity) => isSameProcessAlive(identity),
  heldTokens,
};

/** Describes this process as a lease holder. */
export async function describeHolder(machine: Machine): Promise<LeaseHolder> {
  const namespace = await machine.namespace();
  const { pid, startTime } = await machine.identity();
  const holder = { host: machine.hostname(), pid, startTime, thread: threadId };
  return namespace === undefined ? holder : { ...holder, namespace };
}

/** Decides what is known about the holder of a lease. `self` describes this process. */
export async function judgeHolder(
  seen: SeenLease | undefined,
  self: LeaseHolder,
  machine: Machine,
): Promise<Verdict> {
  if (seen === undefined) return 'free';
  if (seen.record === undefined) return 'unproven';
  const { holder, released, token } = seen.record;
  if (released) return 'free';
  if (machine.heldTokens.has(token)) return 'held';
  if (!isSameMachine(holder, self)) return 'unproven';
  if (isSameProcess(holder, self)) {
    // This thread no longer holds the token: its session lost the lease or could not release it. Of another thread
    // we know nothing.
    return holder.thread === self.thread ? 'dead' : 'unproven';
  }
  return (await machine.isAlive(holder)) ? 'held' : 'dead';
}

/** Whether both describe the same process. */
export function isSameProcess(one: LeaseHolder, other: LeaseHolder): boolean {
  return isSameMachine(one, other) && one.pid === other.pid && one.startTime === other.startTime;
}

/**
 * Whether the pids of both come from the same process table. The same host name is not enough: two containers may
 * share it, and each has its own process 1. Without a namespace a pid proves nothing.
 */
function isSameMachine(one: LeaseHolder, other: LeaseHolder): boolean {
  return one.namespace !== undefined && one.namespace === other.namespace && one.host === other.host;
}

/**
 * Whether both are the same process and thread. Compares also holders without a namespace: that is no proof for ending a
 * process or taking its lease, but enough to recognise ourselves.
 */
export function isSameHolder(one: LeaseHolder, other: LeaseHolder): boolean {
  const keys = ['host', 'namespace', 'pid', 'startTime', 'thread'] as const;
  return keys.every((key) => one[key] === other[key]);
}
