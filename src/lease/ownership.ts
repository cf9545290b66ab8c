import { type Clock, type Moment, momentOf, withDeadline } from '../clock.js';
import { ClosedError, describeError, isSessionError } from '../errors.js';
import { LogThrottle } from '../log-throttle.js';
import type { Logger } from '../logger.js';
import { Mutex } from '../mutex.js';
import { WritePermit } from '../write-permit.js';
import { type Claim, claimLease } from './claim-lease.js';
import type { Machine } from './judge-holder.js';
import type { LeaseFiles } from './lease-files.js';
import type { LeaseRecord } from './lease-record.js';
import { FILES_DEADLINE_MS, HEARTBEAT_MS, TAKEOVER_MS } from './timing.js';

/** The only reason for which a lease is lost. */
const TAKEN_OVER = 'another process took the session over';

export interface OwnershipParts {
  readonly files: LeaseFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly machine: Machine;
  readonly onLost: (reason: string) => void;
  /** Called when our lease file was gone, nobody else owned the session, and the lease was claimed again. */
  readonly onReclaimed: () => void;
}

/**
 * The time from a claim to its release or loss: writes the heartbeats, and knows whether we may still write to the
 * stores.
 *
 * Reading the lease files has three possible results. The lease is ours: we may write for 30 s more. A newer owner
 * has it: it is lost. The disk fails or hangs, so we can't tell: writing pauses once the last proof is 30 s old,
 * the files are read again every 5 s, and writing goes on after the next proof.
 */
export class Ownership {
  readonly #parts: OwnershipParts;
  readonly #ending = new AbortController();
  #claim: Claim;
  #contesting: Promise<void> | undefined;
  /** A heartbeat and the release write the same file, so they must take turns. */
  readonly #writing = new Mutex();
  #held = true;
  /** Valid until another machine may have taken over. */
  readonly permit = new WritePermit();
  #beat = 0;
  #timer: unknown;
  /** The running heartbeat; it ends at its deadline. */
  #proving: Promise<void> | undefined;
  /** The proof of the running heartbeat, or of an earlier one that goes on after its deadline. */
  #proof: Promise<void> | undefined;
  readonly #throttle: LogThrottle;
  #lastFailure: unknown;

  constructor(parts: OwnershipParts, claim: Claim) {
    this.#parts = parts;
    this.#throttle = new LogThrottle(parts.clock);
    this.#claim = claim;
    this.#extendPermit(claim.begunAt);
    this.#scheduleBeat();
  }

  get owner(): string {
    const { host, pid } = this.#claim.record.holder;
    return `${host}:${pid}`;
  }

  get generation(): number {
    return this.#claim.generation;
  }

  /** Also false when the last proof is so old that another machine may have taken over. */
  isHeld(): boolean {
    return this.permit.isValid(this.#parts.clock);
  }

  /** Whether no new owner is known, and yet the lease is not proven ours at this moment. */
  isUnproven(): boolean {
    return this.#held && !this.isHeld();
  }

  /** Why the last heartbeat failed; `undefined` when it did not. */
  get lastFailure(): unknown {
    return this.#lastFailure;
  }

  /** Like `isHeld`, but when the last proof is too old, a new one is made first. Never rejects. */
  async confirm(): Promise<boolean> {
    if (this.#held && !this.isHeld()) await this.#beatNow();
    return this.isHeld();
  }

  /** Ends the ownership without writing to the file. */
  abandon(): void {
    this.#held = false;
    this.permit.end();
    this.#parts.machine.heldTokens.delete(this.#claim.record.token);
    this.#parts.clock.clearTimeout(this.#timer);
    this.#ending.abort(new ClosedError('the lease was given up'));
  }

  /** Ends the ownership and marks the file as released, or removes it with `withoutTrace`. Never rejects. */
  async release({ withoutTrace = false } = {}): Promise<void> {
    const { files, clock } = this.#parts;
    this.abandon();
    const write = this.#writing.runExclusive(async () => {
      const found = await files.rewrite(this.generation, { ...this.#nextRecord(), released: true });
      if (found === 'ours') await files.removeOlder(this.generation);
      if (found === 'ours' && withoutTrace) await files.withdraw(this.generation);
    });
    try {
      await withDeadline(clock, FILES_DEADLINE_MS, 'releasing the lease', write);
    } catch (error) {
      this.#say('the lease could not be released; the next owner has to wait', describeError(error));
    }
  }

  #scheduleBeat(): void {
    const { clock } = this.#parts;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => void this.#beatNow(), HEARTBEAT_MS);
  }

  /** Joins the heartbeat that is already running, if there is one. */
  #beatNow(): Promise<void> {
    this.#proving ??= this.#beatOnce()
      .catch(() => undefined)
      .finally(() => {
        this.#proving = undefined;
      });
    return this.#proving;
  }

  async #beatOnce(): Promise<void> {
    try {
      await (this.#contesting === undefined ? this.#beatInFile() : this.#contested());
    } catch (error) {
      this.#tellFailure(error);
    }
    if (this.#held) this.#scheduleBeat();
  }

  /** A proof that comes after the deadline still counts, so a beat joins the one that is under way. */
  #beatInFile(): Promise<void> {
    const { clock } = this.#parts;
    this.#proof ??= this.#proveInFile().finally(() => {
      this.#proof = undefined;
    });
    return withDeadline(
      clock,
      FILES_DEADLINE_MS,
      `the heartbeat of the lease in ${this.#parts.files.directory}`,
      this.#proof,
    );
  }

  async #proveInFile(): Promise<void> {
    const { begunAt, answer } = await this.#writing.runExclusive(() => this.#prove());
    if (!this.#held) return;
    if (answer === 'ours') return this.#extendPermit(begunAt);
    if (answer === 'taken-over') return this.#lose(TAKEN_OVER);
    this.permit.end(); // another process finds no lease file now and may become the owner
    if (this.#throttle.next('gone')) {
      this.#say('the lease file was removed or replaced: this process tries to acquire the lease again', {});
    }
    await this.#contested();
  }

  /** When our file is gone, any process may become the owner: we compete again, and exactly one wins. */
  #contested(): Promise<void> {
    const { clock } = this.#parts;
    this.#contesting ??= this.#contestAnew().finally(() => {
      this.#contesting = undefined;
    });
    // Another machine's lease may have to be watched for 30 s: the next heartbeat asks for the result.
    return withDeadline(clock, FILES_DEADLINE_MS, 'contesting the lease', this.#contesting);
  }

  async #contestAnew(): Promise<void> {
    const { files, clock, machine, onReclaimed } = this.#parts;
    const contest = { files, clock, machine, waitMs: 0, signal: this.#ending.signal, above: this.generation };
    try {
      const claim = await claimLease(contest);
      if (!this.#held) {
        machine.heldTokens.delete(claim.record.token);
        return await files.withdraw(claim.generation);
      }
      machine.heldTokens.delete(this.#claim.record.token);
      this.#claim = claim;
      this.#extendPermit(claim.begunAt);
      this.#tell(onReclaimed);
    } catch (error) {
      if (!isSessionError(error) || error.code !== 'LEASE_HELD') throw error;
      this.#lose(TAKEN_OVER);
    }
  }

  /** @param begunAt when the proof that we are the owner was *begun* */
  #extendPermit(begunAt: Moment): void {
    if (!this.#held) return;
    this.#lastFailure = undefined;
    this.permit.extend(begunAt, TAKEOVER_MS);
    const told = this.isHeld() ? this.#throttle.end('unproven') : undefined;
    if (told) this.#say('the lease is proven again: writing goes on', told, 'info');
  }

  #tellFailure(error: unknown): void {
    if (!this.#held) return;
    this.#lastFailure = error;
    const described = describeError(error);
    if (this.isHeld()) return this.#say('a heartbeat of the lease failed', described, 'debug');
    const told = this.#throttle.next('unproven');
    const message =
      "it can't be confirmed that this process still owns the session: nothing is written until it can";
    if (told) this.#say(message, { ...described, ...told });
  }

  /** Writes a heartbeat, then looks for a newer owner. The order matters: see `createUncontested` in claim-lease.ts. */
  async #prove(): Promise<{ begunAt: Moment; answer: 'ours' | 'taken-over' | 'gone' }> {
    const { files, clock } = this.#parts;
    const begunAt = momentOf(clock);
    if (!this.#held) return { begunAt, answer: 'gone' };
    const found = await files.rewrite(this.generation, this.#nextRecord());
    return { begunAt, answer: (await files.isSuperseded(this.generation)) ? 'taken-over' : found };
  }

  #lose(reason: string): void {
    if (!this.#held) return;
    this.abandon();
    this.#tell(() => this.#parts.onLost(reason));
  }

  #tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#say('a listener of the lease failed', describeError(error));
    }
  }

  #nextRecord(): LeaseRecord {
    this.#beat++;
    const at = new Date(this.#parts.clock.now()).toISOString();
    return { ...this.#claim.record, beat: this.#beat, at };
  }

  #say(message: string, fields: object, level: 'debug' | 'info' | 'warn' = 'warn'): void {
    try {
      this.#parts.logger[level](message, { clientId: this.#parts.files.clientId, ...fields });
    } catch {
      // A logger that throws must not stop the heartbeat.
    }
  }
}
