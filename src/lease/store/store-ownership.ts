import { type Clock, resultWithin, type TimerHandle } from '../../clock.js';
import { describeError, isSessionError } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { StartWaits } from '../../start-waits.js';
import type { SessionStore } from '../../stores/session-store.js';
import type { LeaseHolder } from '../lease-record.js';
import type { LeaseGrant } from '../local-lease.js';
import type { StoreLease } from './store-lease.js';

/** How long a start waits for the process that it replaces: platforms stop the old one when the new one is up for a while, ms. */
export const REPLACEMENT_WAIT_MS = 300_000;
/** How long a start waits for a store that says nothing, ms: with all else that it asks stores for no more than 5 s. */
const SILENT_MS = 3000;
/** How often a store that does not answer is asked again, ms. */
const ASK_AGAIN_MS = 5000;
/** How long a stop waits for the release, ms. */
const RELEASE_MS = 2000;

export interface StoreOwnershipParts {
  /** The store that the lease lies in. */
  readonly store: SessionStore;
  readonly lease: StoreLease;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly startWaits: StartWaits;
  /** Called when another process turns out to own the session that runs here. */
  readonly onLost: (reason: string) => void;
  /** Called when the store keeps no conditions, so that it can't tell who owns the session. */
  readonly onUnable: () => void;
}

/**
 * The ownership of a session among machines that share a store.
 *
 * A store that is down must not stop a bot whose profile is sound: then the session starts, nothing is put into the store,
 * and the lease is claimed as soon as the store answers. If another process has it then, this session stops.
 */
export class StoreOwnership {
  readonly #parts: StoreOwnershipParts;
  #isWanted = false;
  #isUnable = false;
  #timer: TimerHandle;

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
    if (!this.#isUnable) this.#parts.lease.assertHeld();
  }

  /** Like {@link isHeld}, but makes a new proof first where the last one is too old. Never rejects. */
  async confirm(): Promise<boolean> {
    return this.#isUnable || this.#parts.lease.confirm();
  }

  /** Who had the session last. A store that does not answer is no reason to refuse anything. */
  async lastOwner(): Promise<'nobody' | 'this-process' | 'another'> {
    const { clock, lease } = this.#parts;
    const owner = await resultWithin(clock, SILENT_MS, lease.lastOwner()).catch(() => undefined);
    return owner ?? 'nobody';
  }

  /**
   * Becomes the owner, or goes on without while the store does not answer.
   *
   * @throws LeaseHeldError when a live process has the session, also after 5 minutes; the reason of `signal`
   */
  async take(signal: AbortSignal | undefined): Promise<LeaseGrant | undefined> {
    const { clock, lease, startWaits } = this.#parts;
    this.#isWanted = true;
    let hasAnswered = false;
    let end: (() => void) | undefined;
    const acquiring = lease.acquire({
      waitMs: REPLACEMENT_WAIT_MS,
      ...(signal && { signal }),
      onWatch: (holder, maxMs) => {
        hasAnswered = true;
        end?.();
        end = startWaits.begin({ kind: 'lease', holder: holderOf(holder) }, maxMs);
      },
    });
    try {
      const grant = await resultWithin(clock, SILENT_MS, acquiring);
      if (grant !== undefined || hasAnswered) return await acquiring;
      this.#goOnWithout(acquiring);
    } catch (error) {
      if (!this.#isOutage(error, signal)) {
        this.#isWanted = false;
        throw error;
      }
      this.#askLater(error);
    } finally {
      end?.();
    }
    return undefined;
  }

  /** Idempotent. Never rejects; a lease that could not be released is taken over later. */
  async giveUp(): Promise<void> {
    const { clock, lease } = this.#parts;
    this.#isWanted = false;
    clock.clearTimeout(this.#timer);
    await resultWithin(clock, RELEASE_MS, lease.release()).catch(() => undefined);
  }

  #goOnWithout(acquiring: Promise<LeaseGrant>): void {
    acquiring.catch((error: unknown) => {
      if (!this.#isWanted) return;
      if (this.#isOutage(error, undefined)) this.#askLater(error);
      else this.#parts.onLost(describeError(error).message);
    });
  }

  #askLater(error: unknown): void {
    const { clock, lease, logger, store } = this.#parts;
    if (store.capabilities.conditionalPut !== true) return this.#giveUpOnStore();
    logger.debug('the lease in the store could not be claimed yet', {
      store: store.name,
      ...describeError(error),
    });
    this.#timer = clock.setTimeout(() => {
      if (this.#isWanted) this.#goOnWithout(lease.acquire());
    }, ASK_AGAIN_MS);
  }

  #giveUpOnStore(): void {
    if (this.#isUnable) return;
    this.#isUnable = true;
    this.#parts.onUnable();
  }

  /** Whether the store failed, and not somebody else has the session, or the wait was ended. */
  #isOutage(error: unknown, signal: AbortSignal | undefined): boolean {
    if (signal?.aborted === true || !isSessionError(error)) return false;
    return error.code === 'STORE' || error.code === 'TIMEOUT';
  }
}

function holderOf(
  holder: LeaseHolder | undefined,
): { readonly host: string; readonly pid: number } | undefined {
  return holder && { host: holder.host, pid: holder.pid };
}
