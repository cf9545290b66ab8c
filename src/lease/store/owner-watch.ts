import type { Clock } from '../../clock.js';
import { isStoreError, LeaseHeldError } from '../../errors.js';
import type { SessionStore } from '../../stores/session-store.js';
import { describeHolder, isSameHolder, judgeHolder, type Machine } from '../judge-holder.js';
import { KeptWatch } from '../kept-watch.js';
import type { LeaseHolder } from '../lease-record.js';
import {
  leaseKey,
  type ProcessRecord,
  processKey,
  putRecord,
  readLease,
  readProcess,
  type Seen,
  type SessionLeaseRecord,
} from './lease-objects.js';
import type { ProcessBeat } from './process-beat.js';
import { boundedTakeover, LOOK_EVERY_MS, noteTimingOf } from './timing.js';
import { watchNoteObject } from './watch-note-object.js';

/** What is known of the owner of a lease. */
type Verdict = 'free' | 'held' | 'watched';

export interface OwnerWatchParts {
  readonly clientId: string;
  readonly store: SessionStore;
  readonly beat: ProcessBeat;
  readonly clock: Clock;
  readonly machine: Machine;
  /** See `StoreLeaseParts`. */
  readonly highestKnown?: () => Promise<number>;
}

/** What is watched in place of a process where the lease is missing. No process has this token. */
const MISSING = 'none';

/** Finds out whether the owner of a lease lives. */
export class OwnerWatch {
  readonly #parts: OwnerWatchParts;
  #watch: KeptWatch | undefined;
  #watchedProcess: string | undefined;
  /** The highest fencing number that the snapshots told. */
  #highest = 0;
  /** How long the owner has to be watched at most, ms. */
  maxMs = 0;

  constructor(parts: OwnerWatchParts) {
    this.#parts = parts;
  }

  /** Whether the lease was found missing although somebody has had it. */
  get isOfRemoved(): boolean {
    return this.#highest > 0;
  }

  /** Ends the work on the note of what was watched. `isOver`: nobody needs the note, because the lease is had. */
  end(how: { readonly isOver: boolean }): void {
    this.#watch?.end(how);
  }

  /**
   * Reads the lease, and judges its owner.
   *
   * @param mayFail whether a store that fails means no more than that nothing new is known
   */
  async look(
    mayFail: boolean,
    signal: AbortSignal,
  ): Promise<{
    /** `undefined` where the object is missing, or the store has failed. */
    readonly seen: Seen<SessionLeaseRecord> | undefined;
    readonly verdict: Verdict;
    /** Why the store has failed, if it has. */
    readonly failure?: unknown;
  }> {
    try {
      const seen = await readLease(this.#parts.store, this.#parts.clientId, signal);
      return { seen, verdict: await this.#judge(seen, signal) };
    } catch (error) {
      if (!mayFail || signal.aborted || !isStoreError(error)) throw error;
      return { seen: undefined, verdict: 'watched', failure: error };
    }
  }

  async #judge(seen: Seen<SessionLeaseRecord> | undefined, signal: AbortSignal): Promise<Verdict> {
    const { machine } = this.#parts;
    if (seen === undefined) return this.#judgeMissing();
    const { record, version } = seen;
    if (record === undefined) return this.#look(version, version, this.#parts.beat.timing.takeoverMs);
    // This process has given the claim up, or never heard that it was done.
    if (record.process === this.#parts.beat.token && !machine.heldTokens.has(record.token)) return 'free';
    const self = await describeHolder(machine);
    const { generation, holder, token, released } = record;
    const local = { format: 1, token, holder, released, beat: 0, at: record.at } as const;
    const verdict = await judgeHolder({ generation, text: version, record: local }, self, machine);
    if (verdict === 'held') return 'held';
    return verdict === 'unproven' ? this.#judgeProcess(seen, record, signal) : 'free';
  }

  /**
   * Nobody has had a lease of which no snapshot tells a number. Any other was removed, and its owner may live: it puts its
   * lease back within the takeover time.
   */
  async #judgeMissing(): Promise<Verdict> {
    // Before, there may have been none.
    this.#highest ||= (await this.#parts.highestKnown?.()) ?? 0;
    if (this.#highest === 0) return 'free';
    return this.#look(MISSING, MISSING, this.#parts.beat.timing.takeoverMs);
  }

  /** The owner is on another machine: only its sign of life tells. */
  async #judgeProcess(
    lease: Seen<SessionLeaseRecord>,
    { process }: SessionLeaseRecord,
    signal: AbortSignal,
  ): Promise<Verdict> {
    const { store, beat } = this.#parts;
    const seen = await readProcess(store, process, signal);
    if (seen?.record?.state === 'dead') return 'free';
    const takeoverMs = boundedTakeover(seen?.record?.takeoverMs ?? beat.timing.takeoverMs);
    const sign = seen === undefined ? `none ${lease.version}` : seen.version;
    const watched = this.#look(process, sign, takeoverMs);
    if (seen === undefined) return watched;
    const isOver = watched === 'free' || (await this.#isExpired(seen, takeoverMs, signal));
    if (!isOver) return watched;
    return (await this.#declareDead(process, seen, takeoverMs)) ? 'free' : 'watched';
  }

  /**
   * Whether the server's clock says that the process has shown no sign of life for its takeover time. That clock may have
   * jumped, as after a failover to another server: what the wall clocks of both machines do not confirm has to be watched.
   */
  async #isExpired(
    { modifiedAt, record }: Seen<ProcessRecord>,
    takeoverMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { store, clock } = this.#parts;
    if (store.capabilities.serverTime !== true || store.serverTime === undefined) return false;
    const now = await store.serverTime({ signal });
    if (now - modifiedAt.getTime() < takeoverMs) return false;
    return record !== undefined && clock.now() - Date.parse(record.at) >= takeoverMs;
  }

  /** `false` if the process has shown a sign of life at this very moment. */
  async #declareDead(token: string, seen: Seen<ProcessRecord>, takeoverMs: number): Promise<boolean> {
    const { store, clock, beat } = this.#parts;
    const at = new Date(clock.now()).toISOString();
    const { holder = beat.holder, beat: count = 0 } = seen.record ?? {};
    const dead = { format: 1, token, holder, beat: count + 1, takeoverMs, state: 'dead', at } as const;
    return (await putRecord(store, processKey(token), dead, seen.version)) !== undefined;
  }

  #look(process: string, sign: string, takeoverMs: number): Verdict {
    if (this.#watchedProcess !== process || this.#watch === undefined) {
      const { clock, store, clientId, beat } = this.#parts;
      this.#watch?.end({ isOver: false });
      this.#watchedProcess = process;
      this.#watch = new KeptWatch({
        ...{ clock, neededMs: takeoverMs, lookEveryMs: LOOK_EVERY_MS, ...noteTimingOf(beat.timing) },
        // A lease may be missing, be put back, and be missing again: what was watched before proves nothing then.
        place: process === MISSING ? undefined : watchNoteObject(store, clientId),
      });
    }
    this.maxMs = takeoverMs;
    const state = this.#watch.look(`${process} ${sign}`);
    if (state === 'over') return 'free';
    return state === 'moved' ? 'held' : 'watched';
  }
}

/** Who claimed a lease last, whether it lives or not. */
export async function lastOwnerIn({
  store,
  clientId,
  machine,
}: Pick<OwnerWatchParts, 'store' | 'clientId' | 'machine'>): Promise<'nobody' | 'this-process' | 'another'> {
  const seen = await readLease(store, clientId);
  if (seen === undefined) return 'nobody';
  const holder = seen.record?.holder;
  const isOurs = holder !== undefined && isSameHolder(holder, await describeHolder(machine));
  return isOurs ? 'this-process' : 'another';
}

/**
 * The refusal of a session that a live process has.
 *
 * @param cause why nothing newer is known of that process
 */
export function heldBy(
  { clientId, store }: Pick<OwnerWatchParts, 'clientId' | 'store'>,
  holder: LeaseHolder | undefined,
  cause?: unknown,
): LeaseHeldError {
  const { pid = '(unknown)', host = '(unknown)' } = holder ?? {};
  return new LeaseHeldError(
    `the session '${clientId}' is in use by process ${pid} on host ${host}. A session can run only once: stop the other one, ` +
      'or give this one a clientId or a store of its own. ' +
      `The lease is ${leaseKey(clientId)} in the store ${store.name}${cause === undefined ? '' : ', which fails now'}`,
    cause === undefined ? {} : { cause },
  );
}
