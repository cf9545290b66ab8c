import { randomUUID } from 'node:crypto';
import { type Clock, type Moment, momentOf } from '../../clock.js';
import { ClosedError, describeError, StoreError } from '../../errors.js';
import { LogThrottle } from '../../log-throttle.js';
import type { Logger } from '../../logger.js';
import { Mutex } from '../../mutex.js';
import type { SessionStore } from '../../stores/session-store.js';
import { WritePermit } from '../../write-permit.js';
import { describeHolder, type Machine } from '../judge-holder.js';
import type { LeaseHolder } from '../lease-record.js';
import { guarded } from './guarded.js';
import { type BeatMember, checkLeases, ofEach } from './lease-checks.js';
import { type ProcessRecord, processKey, putRecord, readProcess } from './lease-objects.js';
import { sweepProcesses } from './process-sweep.js';
import { type BeatTiming, RETRY_MS, timingOf } from './timing.js';

/** When the first sweep is due, in beats: who crashes again and again has to come to it, too. */
const FIRST_SWEEP_BEATS = 2;
const SWEEP_EVERY_MS = 6 * 3_600_000;

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
  /** When the last proof was begun. */
  #provenAt: Moment | undefined;
  #proving: Promise<void> | undefined;
  /** When the next sweep is due, monotonic ms. */
  #sweepAt = 0;
  #sweeping: AbortController | undefined;

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

  /** How long ago the last proof was begun, by the clock that tells more, ms; 0 before the first. */
  get provenForMs(): number {
    if (this.#provenAt === undefined) return 0;
    const { monotonicMs, wallMs } = momentOf(this.#parts.clock);
    return Math.max(0, monotonicMs - this.#provenAt.monotonicMs, wallMs - this.#provenAt.wallMs);
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
    this.#sweeping?.abort(new ClosedError('the last session was closed'));
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
    this.#proving ??= this.#beatNow().finally(() => {
      this.#proving = undefined;
    });
    await this.#proving;
  }

  /**
   * Like {@link prove}, but only where the wall clock has moved by more than the takeover time since the last sign of life,
   * and the monotonic one has not: the machine was suspended, or its clock was set. Never rejects.
   */
  async proveIfDoubtful(): Promise<void> {
    if (this.#permit.isDoubtful(this.#parts.clock)) await this.prove();
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
    void this.#sweepIfDue();
    await checkLeases(this.#parts, [...this.#members]);
  }

  /** The first object of this process, or of its next life. */
  async #begin(): Promise<void> {
    const { store, clock, machine } = this.#parts;
    this.#holder ??= await describeHolder(machine);
    this.#token = randomUUID();
    this.#beat = 0;
    this.#permit = new WritePermit();
    const begunAt = momentOf(clock);
    this.#sweepAt ||= begunAt.monotonicMs + FIRST_SWEEP_BEATS * this.timing.beatMs;
    this.#version = await putRecord(store, processKey(this.#token), this.#next(), undefined);
    if (this.#version === undefined)
      throw new StoreError(`${store.name} has an object of a name that is new`);
    this.#proven(begunAt);
  }

  /** `false` if the object is not ours any more. */
  async #goOn(): Promise<boolean> {
    const { store, clock } = this.#parts;
    for (const isLast of [false, true]) {
      const begunAt = momentOf(clock);
      const version = await putRecord(store, processKey(this.#token), this.#next(), this.#version);
      if (version !== undefined) {
        this.#version = version;
        this.#proven(begunAt);
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

  #proven(begunAt: Moment): void {
    this.#provenAt = begunAt;
    this.#permit.extend(begunAt, this.timing.takeoverMs);
  }

  async #reclaimAll(): Promise<void> {
    await ofEach([...this.#unclaimed], async (member) => {
      await member.reclaim();
      this.#unclaimed.delete(member);
    });
  }

  /** Never rejects; what could not be removed is removed later. */
  async #sweepIfDue(): Promise<void> {
    const { clock, store, logger } = this.#parts;
    if (this.#sweeping !== undefined || clock.monotonic() < this.#sweepAt) return;
    this.#sweepAt = clock.monotonic() + SWEEP_EVERY_MS;
    this.#sweeping = new AbortController();
    try {
      await sweepProcesses(store, this.#token, this.#sweeping.signal);
    } catch (error) {
      const fields = { store: store.name, code: describeError(error).code };
      guarded(() => logger.debug('objects of dead processes could not be removed', fields));
    } finally {
      this.#sweeping = undefined;
    }
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
    guarded(() => this.#parts.logger[level](message, { store: this.#parts.store.name, ...fields }));
  }
}
