import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { isSameProcessAlive, type ProcessIdentity, processNamespace, selfIdentity } from '../processes.js';
import { heldTokens } from './held-tokens.js';
import type { SeenLease } from './lease-files.js';
import type { LeaseHolder } from './lease-record.js';

/**
 * - `free`: nobody has it, or its holder let go
 * - `dead`: its holder is proven dead: to be taken over at once
 * - `held`: its holder is proven alive
 * - `unproven`: another machine's or container's, or unreadable: to be watched
 */
export type Verdict = 'free' | 'dead' | 'held' | 'unproven';

/** What a lease needs to know of the machine. */
export interface Machine {
  readonly hostname: () => string;
  readonly namespace: () => Promise<string | undefined>;
  readonly identity: () => Promise<ProcessIdentity>;
  readonly isAlive: (identity: ProcessIdentity) => Promise<boolean>;
  /** The tokens of the leases that this thread holds now. */
  readonly heldTokens: Set<string>;
}

/** This machine. */
export const thisMachine: Machine = {
  hostname,
  namespace: () => processNamespace(),
  identity: () => selfIdentity(),
  isAlive: (identity) => isSameProcessAlive(identity),
  heldTokens,
};

/** Who we are to others. */
export async function describeHolder(machine: Machine): Promise<LeaseHolder> {
  const namespace = await machine.namespace();
  const { pid, startTime } = await machine.identity();
  const holder = { host: machine.hostname(), pid, startTime, thread: threadId };
  return namespace === undefined ? holder : { ...holder, namespace };
}

/** Says what is known of the holder of a lease. `self` is us. */
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
    // We hold it no more (a session that lost it, or could not release it); of another thread we know nothing.
    return holder.thread === self.thread ? 'dead' : 'unproven';
  }
  return (await machine.isAlive(holder)) ? 'held' : 'dead';
}

/** Whether both are one and the same process. */
export function isSameProcess(one: LeaseHolder, other: LeaseHolder): boolean {
  return isSameMachine(one, other) && one.pid === other.pid && one.startTime === other.startTime;
}

/**
 * Whether the pids of both mean the same. The same host name is not enough: two containers may share it, and each
 * has its own process 1. Without a namespace a pid proves nothing.
 */
function isSameMachine(one: LeaseHolder, other: LeaseHolder): boolean {
  return one.namespace !== undefined && one.namespace === other.namespace && one.host === other.host;
}
