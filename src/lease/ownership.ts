import { type Clock, withDeadline } from '../clock.js';
import { describeError } from '../errors.js';
import type { Logger } from '../logger.js';
import { Mutex } from '../mutex.js';
import { WritePermit } from '../write-permit.js';
import type { Claim } from './contest.js';
import type { LeaseFiles } from './lease-files.js';
import type { LeaseRecord } from './lease-record.js';
import { FILES_DEADLINE_MS, HEARTBEAT_MS, TAKEOVER_MS } from './timing.js';

export interface OwnershipParts {
  readonly files: LeaseFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The tokens of the leases that this thread holds now. */
  readonly heldTokens: Set<string>;
  readonly onLost: (reason: string) => void;
}

/** The time from a claim to its release or loss: keeps the heart beating, and knows whether we may still write. */
export class Ownership {
  readonly #parts: OwnershipParts;
  readonly #claim: Claim;
  /** A heartbeat and the release write the same file: one after the other. */
  readonly #writing = new Mutex();
  #held = true;
  /** Valid until another machine may have taken over. */
  readonly permit = new WritePermit();
  #beat = 0;
  #timer: unknown;
  #proving: Promise<void> | undefined;

  constructor(parts: OwnershipParts, claim: Claim) {
    this.#parts = parts;
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

  /** False, too, when the last proof is so old that another machine may have taken over. */
  isHeld(): boolean {
    return this.permit.isValid(this.#parts.clock);
  }

  /** The same, but where the last proof is too old to tell, a new one is made first. Never rejects. */
  async confirm(): Promise<boolean> {
    if (this.#held && !this.isHeld()) await this.#beatNow();
    return this.isHeld();
  }

  /** Ends it without a trace in the file. */
  abandon(): void {
    this.#held = false;
    this.permit.end();
    this.#parts.heldTokens.delete(this.#claim.record.token);
    this.#parts.clock.clearTimeout(this.#timer);
  }

  /** Ends it and says so in the file. Never rejects. */
  async release(): Promise<void> {
    const { files, clock } = this.#parts;
    this.abandon();
    const write = this.#writing.runExclusive(async () => {
      const ours = await files.rewrite(this.generation, { ...this.#nextRecord(), released: true });
      if (ours) await files.removeOlder(this.generation);
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

  /** Joins the heartbeat that is under way, if one is. */
  #beatNow(): Promise<void> {
    this.#proving ??= this.#beatOnce()
      .catch(() => undefined)
      .finally(() => {
        this.#proving = undefined;
      });
    return this.#proving;
  }

  async #beatOnce(): Promise<void> {
    const { clock } = this.#parts;
    const begunAt = clock.monotonic();
    try {
      const proof = this.#writing.runExclusive(() => this.#prove());
      const lost = await withDeadline(clock, FILES_DEADLINE_MS, 'the heartbeat of the lease', proof);
      if (lost !== undefined) this.#lose(lost);
      else this.#extendPermit(begunAt);
    } catch (error) {
      if (!this.isHeld()) {
        this.#lose(`no heartbeat could be written for ${TAKEOVER_MS / 1000} s`);
      } else {
        this.#say('a heartbeat of the lease failed', describeError(error));
      }
    }
    if (this.#held) this.#scheduleBeat();
  }

  /** @param begunAt when the proof that we are the owner was *begun*, monotonic ms */
  #extendPermit(begunAt: number): void {
    if (this.#held) this.permit.extendTo(begunAt + TAKEOVER_MS);
  }

  /** Writes a heartbeat, then looks for a newer owner (in this order: see contest.ts). Why it is lost, if it is. */
  async #prove(): Promise<string | undefined> {
    if (!this.#held) return undefined;
    const { files } = this.#parts;
    const ours = await files.rewrite(this.generation, this.#nextRecord());
    if (await files.isSuperseded(this.generation)) return 'another process took the session over';
    return ours ? undefined : 'the lease file was removed or replaced';
  }

  #lose(reason: string): void {
    if (!this.#held) return;
    this.abandon();
    this.#say('the lease was lost', { reason });
    try {
      this.#parts.onLost(reason);
    } catch (error) {
      this.#say('the handler of a lost lease failed', describeError(error));
    }
  }

  #nextRecord(): LeaseRecord {
    this.#beat++;
    const at = new Date(this.#parts.clock.now()).toISOString();
    return { ...this.#claim.record, beat: this.#beat, at };
  }

  #say(message: string, fields: Readonly<Record<string, unknown>>): void {
    try {
      this.#parts.logger.warn(message, { clientId: this.#parts.files.clientId, ...fields });
    } catch {
      // A logger that throws must not stop the heartbeat.
    }
  }
}
