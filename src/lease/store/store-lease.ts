import { randomUUID } from 'node:crypto';
import { type Clock, orAborted, sleep } from '../../clock.js';
import { ClosedError, describeError, StoreError } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { SessionStore } from '../../stores/session-store.js';
import { notProvenOwner, notTheOwner } from '../../write-permit.js';
import { describeHolder, isSameHolder, type Machine } from '../judge-holder.js';
import type { AcquireOptions, LeaseGrant } from '../local-lease.js';
import { putLease, readLease, type Seen, type SessionLeaseRecord } from './lease-objects.js';
import { heldBy, OwnerWatch } from './owner-watch.js';
import type { BeatMember, ProcessBeat } from './process-beat.js';
import { LOOK_EVERY_MS } from './timing.js';

/** How often a claim that another process has overtaken is made again. */
const MAX_CLAIMS = 20;

export interface StoreLeaseParts {
  readonly clientId: string;
  /** The store that the lease lies in. Every call of it must end: see `WatchedStore`. */
  readonly store: SessionStore;
  readonly beat: ProcessBeat;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly machine: Machine;
  /**
   * The highest fencing number that anything in the store tells, 0 if none does. A store may lose its lease and keep the
   * snapshots, such as a Redis that was restarted from an older dump.
   */
  readonly highestKnown?: () => Promise<number>;
  /** Called once when an acquired lease turns out to be another process's. */
  readonly onLost: (reason: string) => void;
  /** Called when the lease had to be claimed anew, and no other process had it. */
  readonly onReclaimed: (grant: LeaseGrant) => void;
}

/** A lease that this process has claimed. */
interface Claim {
  readonly record: SessionLeaseRecord;
  readonly version: string;
}

/**
 * Ensures that a session has one owner across machines that share a store (docs/invariants.md I6). The store must keep the
 * conditions of a put.
 *
 * The owner is who has put its token into the object of the lease; each owner has a higher fencing number than the one
 * before. It stays the owner as long as its process shows that it lives ({@link ProcessBeat}), which costs one object for
 * all sessions of the process. A released lease is free at once. That of a process on this machine that is proven dead is,
 * too. That of any other is taken over when the process has shown no sign of life for its takeover time, by the store's own
 * clock where it has one, else by watching; it is then marked as dead first, so that it finds out when it wakes up.
 *
 * @example
 * const lease = new StoreLease({ clientId, store, beat, clock, logger, machine, onLost, onReclaimed });
 * const { generation } = await lease.acquire({ waitMs: 300_000, signal });
 */
export class StoreLease implements BeatMember {
  readonly #parts: StoreLeaseParts;
  #acquiring: { readonly result: Promise<LeaseGrant>; readonly closing: AbortController } | undefined;
  #claim: Claim | undefined;
  #isLost = false;
  /** The release that is under way: the next acquisition begins after it. */
  #releasing: Promise<void> | undefined;

  constructor(parts: StoreLeaseParts) {
    this.#parts = parts;
  }

  /** The fencing number of the lease that we have, or had last; 0 before the first. */
  get generation(): number {
    return this.#claim?.record.generation ?? 0;
  }

  get storeName(): string {
    return this.#parts.store.name;
  }

  /** Whether we may write into the store now. */
  isHeld(): boolean {
    const { beat } = this.#parts;
    return !this.#isLost && this.#claim?.record.process === beat.token && beat.isProven();
  }

  /** Whether no new owner is known, and yet we can't tell at this moment whether the lease is ours. */
  isUnproven(): boolean {
    return this.#claim !== undefined && !this.#isLost && !this.isHeld();
  }

  /** Like {@link isHeld}, but makes a new proof first where the last one is too old. Never rejects. */
  async confirm(): Promise<boolean> {
    if (this.isUnproven()) await this.#parts.beat.prove();
    return this.isHeld();
  }

  /**
   * @param failure why it could not be acquired, if it was not
   * @throws LeaseLostError if another process has it; StoreError if it can't be told now
   */
  assertHeld(failure?: unknown): void {
    if (this.isHeld()) return;
    const { clientId, beat, store } = this.#parts;
    if (this.#isLost) throw notTheOwner(clientId);
    const cause = failure ?? beat.lastFailure;
    throw notProvenOwner(clientId, { place: `in the store ${store.name}`, cause });
  }

  /** Who claimed the lease last, whether it lives or not. Claims nothing. */
  async lastOwner(): Promise<'nobody' | 'this-process' | 'another'> {
    const { store, clientId, machine } = this.#parts;
    const seen = await readLease(store, clientId);
    if (seen === undefined) return 'nobody';
    const holder = seen.record?.holder;
    return holder !== undefined && isSameHolder(holder, await describeHolder(machine))
      ? 'this-process'
      : 'another';
  }

  /**
   * Becomes the owner. A second call joins the one that runs. Who is the owner gets the present lease.
   *
   * @param options `waitMs`: how long to wait for a live owner to release it
   * @throws LeaseHeldError when a live process has it; StoreError when the store fails or keeps no conditions; ClosedError
   * when `release()` is called meanwhile
   */
  acquire(options: AcquireOptions = {}): Promise<LeaseGrant> {
    const ending = this.#releasing;
    if (ending !== undefined) return ending.then(() => this.acquire(options));
    if (this.#acquiring !== undefined) return this.#acquiring.result;
    if (this.#claim !== undefined && this.isHeld()) return Promise.resolve(this.#grant(this.#claim));
    const closing = new AbortController();
    const signals = options.signal === undefined ? [closing.signal] : [closing.signal, options.signal];
    const result = this.#acquire(options, AbortSignal.any(signals)).finally(() => {
      this.#acquiring = undefined;
    });
    this.#acquiring = { result, closing };
    return result;
  }

  /** Marks the lease as free, so that the next owner need not wait. Never rejects. */
  release(): Promise<void> {
    this.#releasing ??= this.#release().finally(() => {
      this.#releasing = undefined;
    });
    return this.#releasing;
  }

  async #release(): Promise<void> {
    if (this.#acquiring !== undefined) {
      this.#acquiring.closing.abort(new ClosedError('the lease was released while it was being acquired'));
      await this.#acquiring.result.catch(() => undefined);
    }
    const claim = this.#claim;
    const isOurs = claim !== undefined && !this.#isLost;
    this.#claim = undefined;
    this.#isLost = false;
    if (isOurs) {
      this.#parts.machine.heldTokens.delete(claim.record.token);
      await this.#putReleased(claim).catch((error: unknown) =>
        this.#say('the lease could not be released; the next owner has to wait', {
          code: describeError(error).code,
        }),
      );
    }
    await this.#parts.beat.leave(this);
  }

  async reclaim(): Promise<void> {
    await this.check();
  }

  async check(): Promise<void> {
    const { store, clientId, beat } = this.#parts;
    const claim = this.#claim;
    if (claim === undefined || this.#isLost) return;
    for (let attempt = 0; attempt < MAX_CLAIMS; attempt++) {
      const seen = await readLease(store, clientId);
      if (this.#claim !== claim) return; // released meanwhile
      const isAnothers = seen?.record !== undefined && seen.record.token !== claim.record.token;
      if (isAnothers || seen?.isNewer) return this.#lose();
      if (seen?.record !== undefined && claim.record.process === beat.token) return;
      const next = await this.#claimAfter(seen, claim.record.generation);
      if (next === undefined) continue;
      if (this.#claim !== claim) return void (await this.#putReleased(next).catch(() => undefined));
      this.#parts.machine.heldTokens.delete(claim.record.token);
      this.#claim = next;
      this.#tell(() => this.#parts.onReclaimed(this.#grant(next)));
      return;
    }
    throw new StoreError(`the lease in the store ${store.name} changes faster than it can be claimed`);
  }

  async #acquire(options: AcquireOptions, signal: AbortSignal): Promise<LeaseGrant> {
    const { beat, machine } = this.#parts;
    if (this.#claim !== undefined) machine.heldTokens.delete(this.#claim.record.token);
    const above = this.generation;
    this.#claim = undefined;
    this.#isLost = false;
    await orAborted(beat.join(this), signal).catch(async (error: unknown) => {
      await beat.leave(this);
      throw error;
    });
    try {
      const claim = await this.#claimWhenFree(options, above, signal);
      this.#claim = claim;
      return this.#grant(claim);
    } catch (error) {
      await beat.leave(this);
      throw error;
    }
  }

  async #claimWhenFree(
    { waitMs = 0, onWatch }: AcquireOptions,
    above: number,
    signal: AbortSignal,
  ): Promise<Claim> {
    const { store, clock } = this.#parts;
    const watch = new OwnerWatch(this.#parts);
    const waitUntil = clock.monotonic() + waitMs;
    let told: string | undefined;
    for (let claims = 0; claims < MAX_CLAIMS; ) {
      signal.throwIfAborted();
      // Who knows of an owner that lives waits for it also while the store fails for a while.
      const mayFail = told !== undefined && clock.monotonic() < waitUntil;
      const { seen, verdict } = await watch.look(mayFail, signal);
      if (verdict === 'free') {
        const claim = await this.#claimAfter(seen, above, signal);
        if (claim !== undefined) return claim;
        claims++; // somebody else was first: find out who
        continue;
      }
      if (verdict === 'held' && clock.monotonic() >= waitUntil)
        throw heldBy(this.#parts, seen?.record?.holder);
      const owner = seen?.record?.token ?? 'unknown';
      if (seen !== undefined && owner !== told) {
        told = owner;
        onWatch?.(seen?.record?.holder, Math.max(waitMs, watch.maxMs));
      }
      await sleep(clock, LOOK_EVERY_MS, signal);
    }
    throw new StoreError(`the lease in the store ${store.name} changes faster than it can be claimed`);
  }

  /** `undefined` if another process was first. */
  async #claimAfter(
    seen: Seen<SessionLeaseRecord> | undefined,
    above: number,
    signal?: AbortSignal,
  ): Promise<Claim | undefined> {
    const { beat, clock, machine, highestKnown } = this.#parts;
    const known = seen?.record?.generation ?? (await highestKnown?.()) ?? 0;
    const token = randomUUID();
    const record: SessionLeaseRecord = {
      ...{ format: 1, generation: Math.max(known, above) + 1, token, process: beat.token },
      ...{ holder: beat.holder, released: false, at: new Date(clock.now()).toISOString() },
    };
    machine.heldTokens.add(token); // before another session of this process can see it
    let version: string | undefined;
    try {
      version = await putLease(this.#parts, record, seen?.version, signal);
    } finally {
      if (version === undefined) machine.heldTokens.delete(token);
    }
    return version === undefined ? undefined : { record, version };
  }

  async #putReleased({ record, version }: Claim): Promise<void> {
    const at = new Date(this.#parts.clock.now()).toISOString();
    await putLease(this.#parts, { ...record, released: true, at }, version);
  }

  #lose(): void {
    if (this.#isLost || this.#claim === undefined) return;
    this.#isLost = true;
    this.#parts.machine.heldTokens.delete(this.#claim.record.token);
    this.#tell(() => this.#parts.onLost('another process took the session over'));
  }

  #grant({ record: { holder, generation } }: Claim): LeaseGrant {
    return { owner: `${holder.host}:${holder.pid}`, generation };
  }

  #tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#say('a listener of the lease failed', describeError(error));
    }
  }

  #say(message: string, fields: object): void {
    try {
      this.#parts.logger.warn(message, { clientId: this.#parts.clientId, ...fields });
    } catch {
      // A logger that throws must not disturb the lease.
    }
  }
}
