import { orAborted, resultWithin, type TimerHandle } from '../../clock.js';
import { describeError, isSessionError } from '../../errors.js';
import type { OperationQueue } from '../context/operation-queue.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionOwnership } from '../ownership/session-ownership.js';
import { type ShutdownCoordinator, shutdownCoordinator } from '../ownership/shutdown-signals.js';
import type { RemovedProfile } from '../watch/removed-profile.js';

/** Times of the checks, ms after the bot has closed its client. */
const LOOKS_MS = [1_000, 5_000, 30_000, 120_000, 600_000] as const;

/** How long the next use waits for a login that is being held, ms. A disk that hangs must not keep it waiting. */
const HOLD_PATIENCE_MS = 30_000;

export interface RemovalWatchParts {
  readonly operations: OperationQueue;
  readonly ownership: SessionOwnership;
  readonly removed: RemovedProfile;
  /** How long a process that is told to end waits for the last check, ms. */
  readonly budgetMs: number;
  readonly coordinator?: ShutdownCoordinator;
}

/**
 * Watches the profile for ten minutes after the bot has closed its client. A gateway that deletes an account closes
 * its client first and then removes the folder. A profile that disappears in that time was removed on purpose, and
 * its login is held before another process can restore it.
 *
 * Only after the bot's own `client.destroy()`: after `session.destroy()`, a missing profile may also be a lost disk.
 */
export class RemovalWatch {
  readonly #context: SessionContext;
  readonly #parts: RemovalWatchParts;
  /** The closed session that is watched. */
  #watched: object | undefined;
  /** The closed session that was watched to the end. */
  #done: object | undefined;
  #since = 0;
  #timer: TimerHandle;
  #unregister: () => void = () => undefined;
  #looking: Promise<void> | undefined;
  #holding: Promise<unknown> | undefined;
  #isIncompleteTold = false;

  constructor(context: SessionContext, parts: RemovalWatchParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Call when the session has stopped: starts watching if the bot has closed its client. */
  begin(): void {
    const { clock, folders, options } = this.#context;
    const { left } = folders.presence;
    if (left === undefined || left === this.#watched || left === this.#done) return;
    this.#stop();
    this.#watched = left;
    this.#since = clock.monotonic();
    this.#isIncompleteTold = false;
    const { coordinator = shutdownCoordinator, budgetMs } = this.#parts;
    const shutdown = () => this.conclude();
    this.#unregister = coordinator.register({ signals: options.shutdownSignals, shutdown, budgetMs });
    this.#schedule(0);
  }

  /** Call when a stopped session is closed again, by the bot or by somebody else. */
  async closedAgain({ byBot = false } = {}): Promise<void> {
    const { presence } = this.#context.folders;
    if (!byBot) {
      await this.conclude();
      return presence.dismiss();
    }
    presence.leave();
    this.begin();
  }

  /**
   * Call when the session is used again: no further check begins. Resolves when no login is being held any more, or
   * after a deadline; a hold that has not begun by then finds that it is not wanted. Rejects only with the signal's
   * reason.
   */
  async end(signal?: AbortSignal): Promise<void> {
    this.#stop();
    this.#done = undefined;
    if (this.#holding === undefined) return;
    const { clock, startWaits } = this.#context;
    const held = resultWithin(clock, HOLD_PATIENCE_MS, this.#holding);
    const wait = () => (signal === undefined ? held : orAborted(held, signal));
    await startWaits.during({ kind: 'hold' }, HOLD_PATIENCE_MS, wait);
  }

  /** Call when the process may be about to end: makes one last check. Never rejects. */
  async conclude(): Promise<void> {
    await this.#looking;
    if (this.#watched === undefined) return;
    await this.#look();
    this.#done = this.#watched ?? this.#done;
    this.#stop();
  }

  #stop(): void {
    this.#context.clock.clearTimeout(this.#timer);
    this.#unregister();
    this.#watched = undefined;
  }

  #schedule(index: number): void {
    const { clock } = this.#context;
    const dueMs = LOOKS_MS[index];
    const watched = this.#watched;
    if (watched === undefined) return;
    if (dueMs === undefined) {
      this.#done = watched;
      return this.#stop();
    }
    const delayMs = Math.max(0, this.#since + dueMs - clock.monotonic());
    this.#timer = clock.setTimeout(() => {
      void this.#look().then(() => {
        if (this.#watched === watched) this.#schedule(index + 1);
      });
    }, delayMs);
  }

  #look(): Promise<void> {
    this.#looking ??= this.#lookNow().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookNow(): Promise<void> {
    const { presence } = this.#context.folders;
    const watched = this.#watched;
    try {
      if (presence.left === watched && !(await presence.isLeftRemoved())) return;
      const isOurs = presence.left === watched && (await this.#parts.removed.isAnythingLeft());
      if (this.#watched !== watched) return;
      if (isOurs) await this.#hold(watched);
      if (this.#watched === watched && (!isOurs || presence.left !== watched)) this.#stop();
    } catch (error) {
      this.#tell(error);
    }
  }

  async #hold(watched: object | undefined): Promise<void> {
    const { ownership, operations, removed } = this.#parts;
    const holding = ownership.whileUnused(() =>
      operations.exclusive(async () => {
        if (this.#watched === watched) await removed.noticeLeft();
      }),
    );
    const settled = holding.catch(() => undefined);
    this.#holding = settled;
    await holding.finally(() => {
      if (this.#holding === settled) this.#holding = undefined;
    });
  }

  #tell(error: unknown): void {
    const { logger, warn } = this.#context;
    const code = isSessionError(error) ? error.code : undefined;
    if (code === 'LEASE_HELD' || code === 'PROFILE_LOCKED') {
      logger.info('a profile that was removed is used by somebody else', { error: describeError(error) });
      if (code === 'LEASE_HELD') this.#stop();
      return;
    }
    if (this.#isIncompleteTold) return;
    this.#isIncompleteTold = true;
    const why = describeError(error).message;
    warn('revocation-incomplete', `the removed login: its snapshots could not be marked yet: ${why}`);
  }
}
