import { randomUUID } from 'node:crypto';
import { type Clock, type Moment, momentOf, sleep } from '../../clock.js';
import { isSessionError, StoreError } from '../../errors.js';
import type { SessionStore } from '../../stores/session-store.js';
import type { Machine } from '../judge-holder.js';
import type { LeaseHolder } from '../lease-record.js';
import type { AcquireOptions } from '../local-lease.js';
import { putLease, readLease, type Seen, type SessionLeaseRecord } from './lease-objects.js';
import { heldBy, OwnerWatch } from './owner-watch.js';
import type { ProcessBeat } from './process-beat.js';
import { LOOK_EVERY_MS } from './timing.js';

/** A lease that this process has claimed. */
export interface StoreClaim {
  readonly record: SessionLeaseRecord;
  readonly version: string;
  /** When the claim was begun. */
  readonly begunAt: Moment;
}

export interface StoreClaimParts {
  readonly clientId: string;
  readonly store: SessionStore;
  readonly beat: ProcessBeat;
  readonly clock: Clock;
  readonly machine: Machine;
  /** See `StoreLeaseParts`. */
  readonly highestKnown?: () => Promise<number>;
}

/** How often a claim that another process has overtaken is made again. */
export const MAX_CLAIMS = 20;
/** The distance to the next number doubles with each that the store refuses, so this many reach any. */
const MAX_NUMBERS = 45;

/**
 * Waits until the owner of a lease has released it, or is dead, and claims it.
 *
 * @throws LeaseHeldError when a live process has it after the wait, or, with the fault as its cause, the store fails then;
 * StoreError when the store fails before it has told of an owner; the reason of `signal`
 */
export async function claimWhenFree(
  parts: StoreClaimParts,
  options: AcquireOptions,
  above: number,
  signal: AbortSignal,
): Promise<StoreClaim> {
  const watch = new OwnerWatch(parts);
  let isOver = false;
  try {
    const claim = await claimWatched(parts, watch, options, above, signal);
    isOver = true;
    return claim;
  } finally {
    watch.end({ isOver });
  }
}

async function claimWatched(
  parts: StoreClaimParts,
  watch: OwnerWatch,
  { waitMs = 0, onWatch }: AcquireOptions,
  above: number,
  signal: AbortSignal,
): Promise<StoreClaim> {
  const { store, clock } = parts;
  const waitUntil = clock.monotonic() + waitMs;
  let told: string | undefined;
  let holder: LeaseHolder | undefined;
  let watchUntil = 0;
  for (let claims = 0; claims < MAX_CLAIMS; ) {
    signal.throwIfAborted();
    // Who knows of an owner that lives waits for it also while the store fails, and no longer than it would otherwise.
    const { seen, verdict, failure } = await watch.look(told !== undefined, signal);
    if (verdict === 'free') {
      const claim = await claimInStore(parts, seen, above, signal);
      const isSure = seen !== undefined || !watch.isOfRemoved;
      if (claim !== undefined && (isSure || (await stands(parts, claim, signal)))) return claim;
      claims++; // somebody else was first: find out who
      continue;
    }
    const isWaitOver = clock.monotonic() >= Math.max(waitUntil, watchUntil);
    if (failure !== undefined && isWaitOver) throw heldBy(parts, holder, failure);
    if (verdict === 'held' && clock.monotonic() >= waitUntil) throw heldBy(parts, seen?.record?.holder);
    const owner = seen?.record?.token ?? 'unknown';
    if (failure === undefined && owner !== told) {
      told = owner;
      holder = seen?.record?.holder;
      watchUntil = clock.monotonic() + watch.maxMs;
      onWatch?.(holder, Math.max(waitMs, watch.maxMs));
    }
    await sleep(clock, LOOK_EVERY_MS, signal);
  }
  throw new StoreError(`the lease in the store ${store.name} changes faster than it can be claimed`);
}

/**
 * Whether a claim in place of a removed object still stands when every process that waits has looked again. One that has missed
 * it, because the object was removed once more, has watched a missing object for long enough, and claims it, too. Where the
 * store keeps fences, the number is enough.
 */
export async function stands(
  { store, clientId, clock, machine }: StoreClaimParts,
  { record, version }: StoreClaim,
  signal?: AbortSignal,
): Promise<boolean> {
  if (store.capabilities.fencedPut === true) return true;
  let isThere = false;
  try {
    await sleep(clock, 2 * LOOK_EVERY_MS, signal);
    isThere = (await readLease(store, clientId, signal))?.version === version;
  } finally {
    if (!isThere) machine.heldTokens.delete(record.token);
  }
  return isThere;
}

/**
 * Claims a lease in place of what was seen, under a fencing number that nobody has had. Resolves to `undefined` if another
 * process was first.
 *
 * @param above a number that this process has had
 * @throws StoreError when the store fails
 */
export async function claimInStore(
  parts: StoreClaimParts,
  seen: Seen<SessionLeaseRecord> | undefined,
  above: number,
  signal?: AbortSignal,
): Promise<StoreClaim | undefined> {
  const { beat, clock, machine, highestKnown, store } = parts;
  const known = seen?.record?.generation ?? (await highestKnown?.()) ?? 0;
  const token = randomUUID();
  let generation = Math.max(known, above) + 1;
  machine.heldTokens.add(token); // before another session of this process can see it
  let version: string | undefined;
  try {
    for (let refused = 0; refused < MAX_NUMBERS; refused++) {
      const at = new Date(clock.now()).toISOString();
      const record: SessionLeaseRecord = {
        ...{ format: 1, generation, token, process: beat.token },
        ...{ holder: beat.holder, released: false, at },
      };
      try {
        const begunAt = momentOf(clock);
        version = await putLease(parts, record, seen?.version, signal);
        return version === undefined ? undefined : { record, version, begunAt };
      } catch (error) {
        // The store knows of a higher number than the lease and the snapshots do.
        if (!isSessionError(error) || error.code !== 'LEASE_LOST') throw error;
        generation += 2 ** refused;
      }
    }
  } finally {
    if (version === undefined) machine.heldTokens.delete(token);
  }
  throw new StoreError(`the store ${store.name} refuses every number of the lease`);
}
