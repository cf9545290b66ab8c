import { orAborted } from '../../clock.js';
import { describeError } from '../../errors.js';
import type { SavedBase } from '../../profile/follow/follower.js';
import { isSameBase, type KeptBase } from '../../profile/follow/kept-base.js';
import type { KeptLog } from '../../profile/follow/prove-logs.js';
import { readTailTask, type TailReading } from '../../profile/follow/read-tail.js';
import type { OperationQueue } from '../context/operation-queue.js';
import type { SessionContext } from '../context/session-context.js';
import type { ProfileProof } from '../login/profile-proof.js';
import { captureGate } from './capture-gate.js';
import type { SaveRequests } from './save-requests.js';
import type { SettleWatch } from './settle-watch.js';
import { isStillLoggedIn } from './still-logged-in.js';

export interface TailTicksParts {
  readonly operations: OperationQueue;
  readonly proof: ProfileProof;
  readonly saves: Pick<SaveRequests, 'forceSave' | 'isSaving'>;
  readonly settleWatch: SettleWatch;
}

/**
 * Puts, between two saves, what the page has written to IndexedDB since the newest one: its tail. A loss of machine and disk
 * then costs the time between two ticks, not between two saves (docs/following.md).
 */
export class TailTicks {
  readonly #context: SessionContext;
  readonly #parts: TailTicksParts;
  /** The save that the last tick belonged to, and the logs at that time. */
  #last: { readonly snapshot: string; readonly logs: readonly KeptLog[] } | undefined;
  /** When a save was last taken because a tick could not be, monotonic ms. */
  #savedEarlyAt: number | undefined;
  #isFailing = false;

  constructor(context: SessionContext, parts: TailTicksParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Takes one tick, if there is a save that it continues. Never rejects; a failure is told once as long as it goes on. */
  async tick(): Promise<void> {
    const { operations } = this.#parts;
    const { signal } = operations;
    try {
      await orAborted(this.#tick(signal), signal);
    } catch (error) {
      if (!signal.aborted && this.#isReady()) this.#noteFailure(error);
    }
  }

  async #tick(signal: AbortSignal): Promise<void> {
    const { saves, settleWatch, operations } = this.#parts;
    const { clock, follower } = this.#context;
    const { base, saved } = follower;
    if (!this.#isReady() || saves.isSaving || base === undefined || saved === undefined) return;
    if (!(await settleWatch.isSettled())) return;
    if (!isSameBase(base, saved.base)) return this.#saveInstead('a backup has made a new base');
    const at = new Date(clock.now()).toISOString();
    const reading = await operations.exclusive(() => this.#read(base, saved, signal));
    if (reading.kind === 'broken') return this.#saveInstead(reading.because);
    if (reading.kind === 'read') await operations.beside(() => this.#put(saved, at, reading, signal));
  }

  async #read(base: KeptBase, saved: SavedBase, signal: AbortSignal): Promise<TailReading> {
    const { runner, profileDir, clock, options, follower } = this.#context;
    if (!this.#isReady() || follower.saved !== saved) return { kind: 'same' };
    if ((await this.#parts.proof.doubt()) !== undefined) return { kind: 'same' }; // the next save tells why
    const last = this.#last?.snapshot === saved.snapshot ? this.#last.logs : undefined;
    const read = () =>
      runner.run(readTailTask, { profileDir, base, ...(last !== undefined && { last }) }, { signal });
    return captureGate.run(read, { limit: options.maxConcurrentCaptures, signal, clock });
  }

  async #put(
    { snapshot }: SavedBase,
    at: string,
    { files, base, logs }: Extract<TailReading, { kind: 'read' }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { saves, lease, assertOwned, follower } = this.#context;
    follower.advance(base);
    if (!(await lease.confirm())) return;
    // What a logout leaves behind must not be kept.
    if (!(await isStillLoggedIn(this.#context))) return;
    await assertOwned();
    const put = await saves.putTail({ snapshot, at, files }, { signal });
    this.#noteSuccess();
    if (put.kind === 'refused') return this.#saveInstead(put.because);
    if (put.kind !== 'interrupted') this.#last = { snapshot, logs };
  }

  /** A tick that can't be taken is answered by a save, but no more often than twice in the interval of the saves. */
  async #saveInstead(because: string): Promise<void> {
    const { clock, options, logger } = this.#context;
    const now = clock.monotonic();
    if (this.#savedEarlyAt !== undefined && now - this.#savedEarlyAt < options.forceSaveIntervalMs) return;
    this.#savedEarlyAt = now;
    logger.debug('a save is taken before its time', { because });
    await this.#parts.saves.forceSave().catch(() => undefined); // it announces its own failure
  }

  #noteFailure(error: unknown): void {
    const { warn, saves, lease } = this.#context;
    const { code, message } = describeError(error);
    if (code === 'CLOSED' || code === 'LEASE_LOST' || !lease.isHeld()) return; // told by what ended it
    if (this.#isFailing) return;
    this.#isFailing = true;
    warn(
      'tail-failed',
      `what the page writes between two saves can't be put into ${saves.store.name}; saves go on: ${message}`,
    );
  }

  #noteSuccess(): void {
    if (this.#isFailing) this.#context.logger.info('what the page writes between two saves is put again');
    this.#isFailing = false;
  }

  #isReady(): boolean {
    return this.#context.state() === 'ready';
  }
}
