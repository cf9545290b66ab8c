import { type Moment, momentOf, orAborted } from '../../clock.js';
import { ClosedError, describeError, StoreError } from '../../errors.js';
import { Mutex } from '../../mutex.js';
import { notProvenOwner, notTheOwner, WritePermit } from '../../write-permit.js';
import type { AcquireOptions, LeaseGrant } from '../local-lease.js';
import { guarded } from './guarded.js';
import type { BeatMember } from './lease-checks.js';
import { leaseKey, putLease, readLease } from './lease-objects.js';
import { lastOwnerIn, OwnerWatch } from './owner-watch.js';
import type { ProcessBeat } from './process-beat.js';
import { claimInStore, claimWhenFree, MAX_CLAIMS, type StoreClaim, stands } from './store-claim.js';
import type { StoreLeaseParts, StoreLeaseView } from './store-lease-parts.js';

/** The most by which a number is raised at once, as a power of two: raised without bound it would be no number any more. */
const MAX_RAISE = 16;

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
  #claim: StoreClaim | undefined;
  #isLost = false;
  /** The release that is under way: the next acquisition begins after it. */
  #releasing: Promise<void> | undefined;
  /** How often the release was asked for: an acquisition that waits for one is ended by the next. */
  #releases = 0;
  /**
   * Valid for the takeover time after the object was seen to be ours: a process that finds it missing waits for that long,
   * and then becomes the owner without touching the object of this process.
   */
  readonly #seen = new WritePermit();
  #watch: OwnerWatch | undefined;
  /** Two looks at once would take each other's new claim for another process's. */
  readonly #checks = new Mutex();
  /** How often the number had to be raised. */
  #renumbered = 0;

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
    const { beat, clock } = this.#parts;
    const isOurs = !this.#isLost && this.#claim?.record.process === beat.token;
    return isOurs && beat.isProven() && this.#seen.isValid(clock);
  }

  /** Whether another process was found to be the owner. */
  get isLost(): boolean {
    return this.#isLost;
  }

  get view(): StoreLeaseView {
    const { beat } = this.#parts;
    const { storeName, isLost } = this;
    const grant = this.#claim && !isLost ? { grant: this.#grant(this.#claim) } : {};
    const times = { provenAgoMs: beat.provenForMs, takeoverMs: beat.timing.takeoverMs };
    return { storeName, ...grant, isHeld: this.isHeld(), isLost, ...times };
  }

  /** Whether no new owner is known, and yet we can't tell at this moment whether the lease is ours. */
  isUnproven(): boolean {
    return this.#claim !== undefined && !this.#isLost && !this.isHeld();
  }

  /** Like {@link isHeld}, but makes a new proof first where the last one is too old. Never rejects. */
  async confirm(): Promise<boolean> {
    if (this.isUnproven()) await this.#parts.beat.prove();
    if (this.isUnproven()) await this.check().catch(() => undefined);
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
    void beat.proveIfDoubtful();
    const cause = failure ?? beat.lastFailure;
    throw notProvenOwner(clientId, { place: `in the store ${store.name}`, cause });
  }

  /** Who claimed the lease last, whether it lives or not. Claims nothing. */
  lastOwner(): Promise<'nobody' | 'this-process' | 'another'> {
    return lastOwnerIn(this.#parts);
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
    if (ending !== undefined) {
      const releases = this.#releases;
      return ending.then(() => {
        if (releases !== this.#releases) throw releasedMeanwhile();
        return this.acquire(options);
      });
    }
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
    this.#releases += 1;
    this.#releasing ??= this.#release().finally(() => {
      this.#releasing = undefined;
    });
    return this.#releasing;
  }

  async #release(): Promise<void> {
    if (this.#acquiring !== undefined) {
      this.#acquiring.closing.abort(releasedMeanwhile());
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

  isListed(versions: ReadonlyMap<string, string>, begunAt: Moment): boolean {
    const claim = this.#claim;
    if (claim === undefined) return true;
    const { clientId, beat } = this.#parts;
    if (versions.get(leaseKey(clientId)) !== claim.version || claim.record.process !== beat.token)
      return false;
    this.#seenOurs(begunAt);
    return true;
  }

  check(): Promise<void> {
    return this.#checks.runExclusive(() => this.#check());
  }

  /**
   * A store has refused this fencing number: either another process has the session, or the store has seen a higher number
   * under a lease that is gone. Then the lease is claimed anew.
   */
  renumber(refused: number): Promise<void> {
    return this.#checks.runExclusive(() =>
      this.generation === refused ? this.#check(2 ** Math.min(this.#renumbered++, MAX_RAISE)) : undefined,
    );
  }

  /** @param raise by how much our own number is too low */
  async #check(raise?: number): Promise<void> {
    const { store, clientId, beat, clock } = this.#parts;
    const claim = this.#claim;
    if (claim === undefined || this.#isLost) return;
    const above = claim.record.generation + (raise ?? 1) - 1;
    for (let attempt = 0; attempt < MAX_CLAIMS; attempt++) {
      const begunAt = momentOf(clock);
      const seen = await readLease(store, clientId);
      if (this.#claim !== claim) return; // released meanwhile
      const isAnothers = seen?.record !== undefined && seen.record.token !== claim.record.token;
      // A store that has come back from an older state has a lease that was released before ours began.
      const isOlder = seen?.record?.released === true && seen.record.generation < claim.record.generation;
      if ((isAnothers && !isOlder) || seen?.isNewer) return this.#lose();
      const isOurs = seen?.record?.token === claim.record.token && claim.record.process === beat.token;
      if (isOurs && raise === undefined) return this.#seenOurs(begunAt);
      const isDoubtful = seen?.record === undefined && !this.#seen.isValid(clock);
      if (isDoubtful) await this.#assertNobodys();
      const next = await claimInStore(this.#parts, seen, above);
      if (next === undefined || (isDoubtful && !(await stands(this.#parts, next)))) continue;
      if (this.#claim !== claim) return void (await this.#putReleased(next).catch(() => undefined));
      this.#parts.machine.heldTokens.delete(claim.record.token);
      this.#claim = next;
      this.#seenOurs(begunAt);
      this.#tell(() => this.#parts.onReclaimed(this.#grant(next)));
      return;
    }
    throw new StoreError(`the lease in the store ${store.name} changes faster than it can be claimed`);
  }

  async #acquire(options: AcquireOptions, signal: AbortSignal): Promise<LeaseGrant> {
    const { beat, machine } = this.#parts;
    if (this.#claim !== undefined) machine.heldTokens.delete(this.#claim.record.token);
    const above = this.generation;
    this.#renumbered = 0;
    this.#claim = undefined;
    this.#isLost = false;
    await orAborted(beat.join(this), signal).catch(async (error: unknown) => {
      await beat.leave(this);
      throw error;
    });
    try {
      const claim = await claimWhenFree(this.#parts, options, above, signal);
      this.#claim = claim;
      this.#seenOurs(claim.begunAt);
      return this.#grant(claim);
    } catch (error) {
      await beat.leave(this);
      throw error;
    }
  }

  /** The object is missing, and another process may have had it since it was last seen to be ours: we wait like a new one. */
  async #assertNobodys(): Promise<void> {
    this.#watch ??= new OwnerWatch(this.#parts);
    const { verdict } = await this.#watch.look(false, new AbortController().signal);
    if (verdict === 'free') return;
    throw new StoreError(`the lease in the store ${this.storeName} was removed: another process may have it`);
  }

  #seenOurs(begunAt: Moment): void {
    this.#watch?.end({ isOver: true });
    this.#watch = undefined;
    this.#seen.extend(begunAt, this.#parts.beat.timing.takeoverMs);
  }

  async #putReleased({ record, version }: StoreClaim): Promise<void> {
    const at = new Date(this.#parts.clock.now()).toISOString();
    await putLease(this.#parts, { ...record, released: true, at }, version);
  }

  #lose(): void {
    if (this.#isLost || this.#claim === undefined) return;
    this.#isLost = true;
    this.#parts.machine.heldTokens.delete(this.#claim.record.token);
    this.#tell(() => this.#parts.onLost('another process took the session over'));
  }

  #grant({ record: { holder, generation } }: StoreClaim): LeaseGrant {
    return { owner: `${holder.host}:${holder.pid}`, generation };
  }

  #tell(listener: () => void): void {
    guarded(listener, (error) => this.#say('a listener of the lease failed', describeError(error)));
  }

  #say(message: string, fields: object): void {
    guarded(() => this.#parts.logger.warn(message, { clientId: this.#parts.clientId, ...fields }));
  }
}

function releasedMeanwhile(): ClosedError {
  return new ClosedError('the lease was released while it was being acquired');
}
