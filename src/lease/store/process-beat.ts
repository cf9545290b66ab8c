import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.js';
import { describeError, StoreError } from '../../errors.js';
import { LogThrottle } from '../../log-throttle.js';
import type { Logger } from '../../logger.js';
import { Mutex } from '../../mutex.js';
import type { SessionStore } from '../../stores/session-store.js';
import { WritePermit } from '../../write-permit.js';
import { describeHolder, type Machine } from '../judge-holder.js';
import type { LeaseHolder } from '../lease-record.js';
import { type ProcessRecord, processKey, putRecord, readProcess } from './lease-objects.js';
import { type BeatTiming, RETRY_MS, timingOf } from './timing.js';

/** A session whose lease lives as long as this process shows that it lives. */
export interface BeatMember {
  /**
   * The process was taken for dead, or its object was removed: this session has to claim its lease anew, or learns that
   * somebody else has it. A failure is tried again with the next beat.
   */
  reclaim(): Promise<void>;
  /** Looks whether the lease is still this session's own. */
  check(): Promise<void>;
}

/** The object of each lease is looked at once in this many beats; that of a single session at each. */
const CHECK_EVERY_BEATS = 20;
/** How many sessions are looked at at once. */
const AT_ONCE = 8;

export interface ProcessBeatParts {
  /** Every call of it must end: see `WatchedStore`. */
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly machine: Machine;
}

/**
 * The sign of life of this process in one store: one object for all its sessions, so that a thousand sessions make no
 * thousand heartbeats.
 *
 * Whoever takes over a session first changes the object of the process that has it, from the very version that it has watched
 * stand still. So a process that wakes up finds out at its next beat that it was taken for dead, and until that beat its
 * permit has long run out.
 */
export class ProcessBeat {
  readonly #parts: ProcessBeatParts;
  readonly timing: BeatTiming;
  readonly #members = new Set<BeatMember>();
  /** Members that have to claim their leases anew. */
  readonly #unclaimed = new Set<BeatMember>();
  readonly #turns = new Mutex();
  readonly #throttle: LogThrottle;
  #holder: LeaseHolder | undefined;
  #token = '';
  #version: string | undefined;
  #beat = 0;
  #permit = new WritePermit();
  #timer: unknown;
  #lastFailure: unknown;
  /** Where the round of checks goes on. */
  #checked = 0;

  constructor(parts: ProcessBeatParts) {
    this.#parts = parts;
    this.timing = timingOf(parts.store);
    this.#throttle = new LogThrottle(parts.clock);
  }

  /** Identifies the process in leases; another one after it was taken for dead. */
  get token(): string {
    return this.#token;
  }

  get holder(): LeaseHolder {
    if (this.#holder === undefined) throw new StoreError('the process has not shown itself yet');
    return this.#holder;
  }

  /** Valid until another process may have taken this one for dead. A new one for each {@link token}. */
  get permit(): WritePermit {
    return this.#permit;
  }

  get lastFailure(): unknown {
    return this.#lastFailure;
  }

  isProven(): boolean {
    return this.#permit.isValid(this.#parts.clock);
  }

  /**
   * Shows that the process lives, from now on until the last member leaves.
   *
   * @throws StoreError when the store fails; then nothing has begun for this member
   */
  async join(member: BeatMember): Promise<void> {
    this.#members.add(member);
    try {
      await this.#turns.runExclusive(async () => {
        if (this.#version !== undefined && this.isProven()) return;
        await this.#beatOnce();
        this.#schedule(this.timing.beatMs);
      });
    } catch (error) {
      await this.leave(member);
      throw error;
    }
    // A beat that is due must not be put off by every session that joins.
    if (this.#timer === undefined) this.#schedule(this.timing.beatMs);
  }

  /** Idempotent. The last one to leave ends the beats and removes the object. Never rejects. */
  async leave(member: BeatMember): Promise<void> {
    this.#members.delete(member);
    this.#unclaimed.delete(member);
    if (this.#members.size > 0) return;
    this.#parts.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#turns.runExclusive(async () => {
      if (this.#members.size > 0 || this.#version === undefined) return;
      const { store } = this.#parts;
      const ifVersion = this.#version;
      this.#permit.end();
      this.#version = undefined;
      const own = store.capabilities.conditionalDelete === true ? { ifVersion } : {};
      await store.delete(processKey(this.#token), own).catch(() => undefined);
    });
  }

  /** Shows a sign of life now, if the last one is too old. Never rejects. */
  async prove(): Promise<void> {
    if (this.isProven() && this.#unclaimed.size === 0) return;
    await this.#beatNow();
  }

  #schedule(ms: number): void {
    const { clock } = this.#parts;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#members.size === 0) return;
    this.#timer = clock.setTimeout(() => void this.#beatNow(), ms);
  }

  async #beatNow(): Promise<void> {
    this.#timer = undefined;
    let next = this.timing.beatMs;
    await this.#turns
      .runExclusive(() => (this.#members.size === 0 ? undefined : this.#beatOnce()))
      .catch((error: unknown) => {
        next = Math.min(next, RETRY_MS);
        this.#tellFailure(error);
      });
    if (this.#unclaimed.size > 0) next = Math.min(next, RETRY_MS);
    this.#schedule(next);
  }

  async #beatOnce(): Promise<void> {
    if (this.#version === undefined) await this.#begin();
    else if (!(await this.#goOn())) await this.#beginAnew();
    this.#lastFailure = undefined;
    const told = this.#throttle.end('failed');
    if (told !== undefined) this.#say('info', 'the store keeps the signs of life again', told);
    await this.#reclaimAll();
    await this.#checkSome();
  }

  /** The first object of this process, or of its next life. */
  async #begin(): Promise<void> {
    const { store, clock, machine } = this.#parts;
    this.#holder ??= await describeHolder(machine);
    this.#token = randomUUID();
    this.#beat = 0;
    this.#permit = new WritePermit();
    const begunAt = clock.monotonic();
    this.#version = await putRecord(store, processKey(this.#token), this.#next(), undefined);
    if (this.#version === undefined)
      throw new StoreError(`${store.name} has an object of a name that is new`);
    this.#permit.extendTo(begunAt + this.timing.takeoverMs);
  }

  /** `false` if the object is not ours any more. */
  async #goOn(): Promise<boolean> {
    const { store, clock } = this.#parts;
    for (const isLast of [false, true]) {
      const begunAt = clock.monotonic();
      const version = await putRecord(store, processKey(this.#token), this.#next(), this.#version);
      if (version !== undefined) {
        this.#version = version;
        this.#permit.extendTo(begunAt + this.timing.takeoverMs);
        return true;
      }
      // A put whose answer was lost may have been done.
      const seen = await readProcess(store, this.#token);
      if (isLast || seen?.record?.token !== this.#token || seen.record.state !== 'alive') return false;
      this.#version = seen.version;
    }
    return false;
  }

  /** Nothing that was claimed before counts any more. */
  async #beginAnew(): Promise<void> {
    this.#permit.end();
    this.#version = undefined;
    for (const member of this.#members) this.#unclaimed.add(member);
    this.#say(
      'warn',
      'this process was taken for dead, or its object was removed: it claims its leases anew',
      {},
    );
    await this.#begin();
  }

  async #reclaimAll(): Promise<void> {
    await this.#ofEach([...this.#unclaimed], async (member) => {
      await member.reclaim();
      this.#unclaimed.delete(member);
    });
  }

  /** Somebody may have removed or replaced the object of a lease, and left that of the process. */
  async #checkSome(): Promise<void> {
    const members = [...this.#members];
    const count = Math.ceil(members.length / CHECK_EVERY_BEATS);
    this.#checked = members.length === 0 ? 0 : this.#checked % members.length;
    const some = [...members, ...members].slice(this.#checked, this.#checked + count);
    this.#checked += count;
    await this.#ofEach(some, (member) => member.check());
  }

  /** A failure of one session stops no other; the first one is thrown at the end. */
  async #ofEach(members: readonly BeatMember[], work: (member: BeatMember) => Promise<void>): Promise<void> {
    const failures: unknown[] = [];
    for (let from = 0; from < members.length; from += AT_ONCE) {
      const results = await Promise.allSettled(members.slice(from, from + AT_ONCE).map(work));
      failures.push(...results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])));
    }
    if (failures.length > 0) throw failures[0];
  }

  #next(): ProcessRecord {
    const at = new Date(this.#parts.clock.now()).toISOString();
    const { takeoverMs } = this.timing;
    return {
      format: 1,
      token: this.#token,
      holder: this.holder,
      beat: ++this.#beat,
      takeoverMs,
      state: 'alive',
      at,
    };
  }

  #tellFailure(error: unknown): void {
    this.#lastFailure = error;
    const told = this.isProven() ? undefined : this.#throttle.next('failed');
    if (told !== undefined) {
      this.#say('warn', "it can't be confirmed that this process still owns its sessions", {
        code: describeError(error).code, // what the store refuses tells why
        ...told,
      });
    }
  }

  #say(level: 'info' | 'warn', message: string, fields: object): void {
    try {
      this.#parts.logger[level](message, { store: this.#parts.store.name, ...fields });
    } catch {
      // A logger that throws must not stop the beats.
    }
  }
}
