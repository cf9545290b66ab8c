import { type Clock, resultWithin, type TimerHandle } from '../../clock.js';
import { describeError, isSessionError } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { StartWaits } from '../../start-waits.js';
import type { SessionStore } from '../../stores/session-store.js';
import type { LeaseHolder } from '../lease-record.js';
import type { LeaseGrant } from '../local-lease.js';
import type { StoreLease } from './store-lease.js';
import type { StoreLeaseView } from './store-lease-parts.js';

/** How long a start waits for the process that it replaces: platforms stop the old one when the new one is up for a while, ms. */
export const REPLACEMENT_WAIT_MS = 300_000;
/** How long a start waits for the first answer of the store, ms: with all else that it asks stores for no more than 5 s. */
const FIRST_ANSWER_MS = 500;
/** How long a restore waits for the store to tell who has the session, ms. */
const ANSWER_MS = 10_000;
/** How long a copy waits for a lease that could not be had before, ms: other stores must not be delayed by more. */
const CONFIRM_MS = 100;
/** How long it is waited for who had the session last, ms. */
const LAST_OWNER_MS = 3000;
/** When a store that has failed is asked again, ms: at once for a refused connection, and then less often. */
const ASK_AGAIN_MS = [200, 1000, 5000] as const;
/** How often it is told again that another process has the session: a start that is under way can't be ended by it, ms. */
const TELL_AGAIN_MS = 3000;
/** How long a stop waits for the release, ms. */
const RELEASE_MS = 2000;

export interface StoreOwnershipParts {
  /** The store that the lease lies in. */
  readonly store: SessionStore;
  readonly lease: StoreLease;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly startWaits: StartWaits;
  /** Called when the lease was had only after the start had gone on without it. */
  readonly onLate: (grant: LeaseGrant) => void;
  /** Called again and again while another process has the session and this one goes on without the lease. */
  readonly onHeldElsewhere: (holder: LeaseHolder | undefined) => void;
  /** Called when another process turns out to own the session that runs here. */
  readonly onLost: (reason: string) => void;
  /** Called when the store keeps no conditions, so that it can't tell who owns the session. */
  readonly onUnable: () => void;
}

/**
 * The ownership of a session among machines that share a store.
 *
 * A store that is down must not stop a bot whose profile is sound: then the session starts, nothing is put into the store,
 * and the lease is claimed as soon as the store answers. If another process has it then, this session closes its browser and
 * waits.
 */
export class StoreOwnership {
  readonly #parts: StoreOwnershipParts;
  #isWanted = false;
  /** Raised when the lease is taken and given up: what was asked before says nothing about the run that asks now. */
  #run = 0;
  #isUnable = false;
  /** Whether the start goes on, with or without the lease: who learns only then that another has it closes its browser. */
  #isTaken = false;
  #timer: TimerHandle;
  #telling: TimerHandle;
  /** Ends the pause before the store is asked again. */
  #wake: () => void = () => undefined;
  /** The claim that is under way. */
  #asking: Promise<void> | undefined;
  /** Whether the store has told of another process that has the session. */
  #hasAnswered = false;
  /** Resolves when {@link #hasAnswered} becomes true. */
  #answer: Promise<void> = Promise.resolve();
  #refusal: unknown;
  /** Why the lease could not be had yet. */
  #failure: unknown;

  constructor(parts: StoreOwnershipParts) {
    this.#parts = parts;
  }

  /** The fencing number; 0 while the lease was never had. */
  get generation(): number {
    return this.#parts.lease.generation;
  }

  /** Whether this process is known to be the owner, or the store can't tell who is. */
  isHeld(): boolean {
    return this.#isUnable || this.#parts.lease.isHeld();
  }

  /** Throws unless {@link isHeld}. */
  assertHeld(): void {
    if (!this.#isUnable) this.#parts.lease.assertHeld(this.#failure);
  }

  /** Throws if another process is known to own the session. */
  assertNotLost(): void {
    const { lease } = this.#parts;
    if (!this.#isUnable && lease.isLost) lease.assertHeld();
  }

  /** `undefined` where the store can't tell who owns the session, or nobody has asked it to. */
  get view(): StoreLeaseView | undefined {
    return this.#isUnable || !this.#isWanted ? undefined : this.#parts.lease.view;
  }

  /** A store has refused a put under this number. Never rejects: what could not be found out is looked at again later. */
  async onFencedOff(generation: number): Promise<void> {
    await this.#parts.lease.renumber(generation).catch(() => undefined);
  }

  /** Like {@link isHeld}, but makes a new proof first where the last one is too old. Never rejects. */
  async confirm(): Promise<boolean> {
    const { clock, lease } = this.#parts;
    if (this.#isUnable) return true;
    if (!lease.isHeld() && !lease.isUnproven() && !lease.isLost && this.#isWanted) {
      if (this.#asking === undefined) this.#ask(0);
      else this.#wake(); // the store may be back
      await resultWithin(clock, CONFIRM_MS, this.#asking ?? Promise.resolve());
    }
    return (await resultWithin(clock, CONFIRM_MS, lease.confirm())) ?? false;
  }

  /** Who had the session last. A store that does not answer is no reason to refuse anything. */
  async lastOwner(): Promise<'nobody' | 'this-process' | 'another'> {
    const { clock, lease } = this.#parts;
    const owner = await resultWithin(clock, LAST_OWNER_MS, lease.lastOwner()).catch(() => undefined);
    return owner ?? 'nobody';
  }

  /**
   * Becomes the owner, or goes on without while the store does not answer.
   *
   * @throws LeaseHeldError when a live process has the session, also after 5 minutes; the reason of `signal`
   */
  async take(signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#parts;
    this.#isWanted = true;
    this.#run += 1;
    this.#ask(REPLACEMENT_WAIT_MS, signal);
    await resultWithin(clock, FIRST_ANSWER_MS, this.#asking ?? Promise.resolve());
    await this.settle();
    this.#isTaken = true;
  }

  /**
   * Waits for the process that this one replaces, if the store has answered. Call before the browser is launched.
   *
   * @param options `forAnswer`: also waits for the store itself, 10 s at most
   * @returns whether another process had the session until now: what was read of the stores before is outdated
   * @throws LeaseHeldError when a live process has the session
   */
  async settle({ forAnswer = false } = {}): Promise<boolean> {
    const asking = this.#asking;
    if (forAnswer && asking !== undefined)
      await resultWithin(this.#parts.clock, ANSWER_MS, Promise.race([asking, this.#answer]));
    const hasWaited = asking !== undefined && this.#hasAnswered;
    if (hasWaited) await asking;
    if (this.#refusal === undefined) return hasWaited;
    this.#isWanted = false;
    throw this.#refusal;
  }

  /** Idempotent. Never rejects; a lease that could not be released is taken over later. */
  async giveUp(): Promise<void> {
    const { clock, lease } = this.#parts;
    this.#isWanted = false;
    this.#isTaken = false;
    this.#run += 1;
    clock.clearTimeout(this.#timer);
    this.#wake();
    await resultWithin(clock, RELEASE_MS, lease.release()).catch(() => undefined);
  }

  /** Never rejects: a refusal is thrown by {@link settle}, or reported where nobody waits for it any more. */
  #ask(waitMs: number, signal?: AbortSignal): void {
    const run = this.#run;
    this.#hasAnswered = false;
    this.#refusal = undefined;
    let tell: () => void = () => undefined;
    this.#answer = new Promise((resolve) => {
      tell = resolve;
    });
    const isOutdated = () => run !== this.#run;
    const asking: Promise<void> = this.#claim({ waitMs, signal, isOutdated, tell })
      .catch((error: unknown) => {
        if (!isOutdated()) this.#onRefused(error);
      })
      .finally(() => {
        if (this.#asking === asking) this.#asking = undefined;
      });
    this.#asking = asking;
  }

  /** Claims the lease, again and again while the store fails. */
  async #claim(how: {
    readonly waitMs: number;
    readonly signal: AbortSignal | undefined;
    readonly isOutdated: () => boolean;
    readonly tell: () => void;
  }): Promise<void> {
    const { clock, lease, startWaits } = this.#parts;
    const { isOutdated, tell } = how;
    let { signal } = how;
    const until = clock.monotonic() + how.waitMs;
    for (let failures = 0; !isOutdated(); failures++) {
      let end: (() => void) | undefined;
      try {
        const grant = await lease.acquire({
          waitMs: Math.max(0, until - clock.monotonic()),
          ...(signal && { signal }),
          onWatch: (holder, maxMs) => {
            if (isOutdated()) return;
            this.#hasAnswered = true;
            tell();
            end?.();
            end = startWaits.begin({ kind: 'lease', holder: holderOf(holder) }, maxMs);
            this.#tellHeldElsewhere(holder, isOutdated);
          },
        });
        if (isOutdated()) return;
        this.#failure = undefined;
        if (this.#isTaken && this.#isWanted) this.#parts.onLate(grant);
        return;
      } catch (error) {
        // The end of the start that has asked is none of the ownership, once it is taken.
        const isEndOfStart = signal?.aborted === true && this.#isTaken;
        if (isOutdated() || (!isEndOfStart && !this.#isOutage(error, signal))) throw error;
        if (isEndOfStart) {
          signal = undefined;
          continue;
        }
        this.#failure = error;
        if (!this.#mayAskAgain(error)) return;
      } finally {
        end?.();
        clock.clearTimeout(this.#telling);
      }
      const pauseMs = ASK_AGAIN_MS[Math.min(failures, ASK_AGAIN_MS.length - 1)] ?? 0;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#timer = clock.setTimeout(resolve, pauseMs);
      });
    }
  }

  /** A session that has come up without the lease closes its browser, and waits like any start. */
  #tellHeldElsewhere(holder: LeaseHolder | undefined, isOutdated: () => boolean): void {
    const { clock, onHeldElsewhere } = this.#parts;
    clock.clearTimeout(this.#telling);
    if (isOutdated()) return;
    if (this.#isTaken) onHeldElsewhere(holder);
    const again = () => this.#tellHeldElsewhere(holder, isOutdated);
    this.#telling = clock.setTimeout(again, TELL_AGAIN_MS);
  }

  #onRefused(error: unknown): void {
    this.#refusal = error;
    if (this.#isTaken && this.#isWanted) this.#parts.onLost(describeError(error).message);
  }

  #mayAskAgain(error: unknown): boolean {
    const { logger, store } = this.#parts;
    if (store.capabilities.conditionalPut !== true) {
      this.#giveUpOnStore();
      return false;
    }
    // The copies that the store refuses tell why.
    const fields = { store: store.name, code: describeError(error).code };
    logger.debug('the lease in the store could not be claimed yet', fields);
    return true;
  }

  #giveUpOnStore(): void {
    if (this.#isUnable) return;
    this.#isUnable = true;
    this.#parts.onUnable();
  }

  /** Whether the store failed, and not somebody else has the session, or the wait was ended. */
  #isOutage(error: unknown, signal: AbortSignal | undefined): boolean {
    if (signal?.aborted === true || !isSessionError(error)) return false;
    // A session that was up waits on: who starts it again gets no more than a store that is silent.
    const isOutdated = error.code === 'LEASE_HELD' && error.cause !== undefined;
    return error.code === 'STORE' || error.code === 'TIMEOUT' || (isOutdated && this.#isTaken);
  }
}

function holderOf(
  holder: LeaseHolder | undefined,
): { readonly host: string; readonly pid: number } | undefined {
  return holder && { host: holder.host, pid: holder.pid };
}
