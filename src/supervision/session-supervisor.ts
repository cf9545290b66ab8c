import type { ClientEvent, ClientSupervisor } from '../client/client-driver.js';
import type { ClientEvents } from '../client/client-events.js';
import { MAX_QR_RETRIES } from '../client/start-client.js';
import { ClosedError, describeError, InvalidStateError, StartFailedError } from '../errors.js';
import type { DisconnectCause } from '../events.js';
import type { BringUp, BringUpResult } from './bring-up.js';
import { causeOfLoss } from './cause-of-loss.js';
import type { DegradedTimer } from './degraded-timer.js';
import type { LineageKeeper } from './lineage-keeper.js';
import type { OperationQueue } from './operation-queue.js';
import type { PairingWatch } from './pairing-watch.js';
import type { Revoker } from './revoker.js';
import { Run } from './run.js';
import type { SaveSchedule } from './save-schedule.js';
import type { CloseRequest, SessionCloser } from './session-closer.js';
import type { SessionContext } from './session-context.js';
import type { SessionOwnership } from './session-ownership.js';
import type { Starter } from './starter.js';
import type { StateFollower } from './state-follower.js';
import type { Stopper } from './stopper.js';
import { warnOfStorage } from './warn-of-storage.js';

export interface SupervisorParts {
  readonly bringUp: BringUp;
  readonly closer: SessionCloser;
  readonly lineageKeeper: LineageKeeper;
  readonly degradedTimer: DegradedTimer;
  readonly events: ClientEvents;
  readonly operations: OperationQueue;
  readonly ownership: SessionOwnership;
  readonly pairingWatch: PairingWatch;
  readonly revoker: Revoker;
  readonly schedule: SaveSchedule;
  readonly starter: Starter;
  readonly stateFollower: StateFollower;
  readonly stopper: Stopper;
}

/** Decides what follows from what happens: starts, losses, logouts, and what the bot itself calls. */
export class SessionSupervisor implements ClientSupervisor {
  readonly #context: SessionContext;
  readonly #parts: SupervisorParts;
  #run: Run | undefined;
  #stopping: Promise<void> | undefined;

  constructor(context: SessionContext, parts: SupervisorParts) {
    this.#context = context;
    this.#parts = parts;
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  async initialize(): Promise<void> {
    if (this.#stopping) await this.#stopping;
    if (!this.#run) {
      const run = new Run();
      this.#run = run;
      this.#follow(run, this.#firstStart(run));
    }
    return this.#run.settled;
  }

  /** Reconnects at once, with all attempts fresh. */
  async reconnect(): Promise<void> {
    const run = this.#run;
    if (!run) {
      if (this.#context.state() === 'failed') return this.initialize();
      throw new InvalidStateError(
        `reconnect() needs a session that was initialised; it is ${this.#context.state()}. Call initialize() instead.`,
        { operation: 'reconnect' },
      );
    }
    if (run.isStarting && this.#context.state() !== 'reconnecting') return run.settled;
    if (run.isStarting) {
      // It waits for its next attempt: end that wait, and begin anew.
      await this.#stop({ save: false });
      return this.initialize();
    }
    this.#parts.bringUp.reset();
    this.#lose('requested', true);
    return run.settled;
  }

  /** Final save, orderly close, `stopped`. Concurrent calls join. */
  destroy(): Promise<void> {
    return this.#stop({ save: true });
  }

  /** Closes without a save: what follows replaces or deletes the profile. */
  halt({ logout = false } = {}): Promise<void> {
    return this.#stop({ save: false, logout });
  }

  mayPair(): boolean {
    return this.#run !== undefined && !this.#run.abort.signal.aborted && !this.#parts.starter.holdsPairing;
  }

  onBotInitialize(): Promise<void> {
    return this.initialize();
  }

  onBotDestroy(): Promise<void> {
    return this.destroy();
  }

  async onBotLogout(): Promise<void> {
    if (!this.#run) {
      throw new InvalidStateError(`client.logout() needs a running session; it is ${this.#context.state()}`, {
        operation: 'logout',
      });
    }
    await this.#stop({ save: false, logout: true, revoke: 'client' });
  }

  onClientEvent(event: ClientEvent): void {
    const run = this.#run;
    if (!run || run.abort.signal.aborted) return;
    this.#parts.stateFollower.follow(run, event); // before anybody hears of it
    const isWatched = this.#parts.events.hasListeners;
    this.#parts.events.publish(event);
    if (!run.isStarting) this.#decide(run, event);
    else if (!isWatched && this.#context.state() === 'ready') run.pendingLoss ??= causeOfLoss(event);
  }

  /** What to do about an event while no start is under way. */
  #decide(run: Run, event: ClientEvent): void {
    if (event.type === 'disconnected' && event.reason === 'LOGOUT') return this.#logOut(run);
    if (event.type === 'auth-failure' || (event.type === 'disconnected' && event.reason === MAX_QR_RETRIES)) {
      return this.#stopByItself();
    }
    const cause = causeOfLoss(event);
    if (cause === 'conflict' && this.#context.options.onConflict === 'stop') return this.#stopByItself();
    if (cause !== undefined) this.#lose(cause);
  }

  /** Another process owns the session now: no write follows (invariant 6). */
  onLeaseLost(reason: string): void {
    this.#context.announce('lease:lost', { reason });
    if (!this.#run) return;
    this.#parts.operations.abort();
    this.#stopByItself();
  }

  /** Something that ends the session without anybody's call. */
  #stopByItself(): void {
    this.destroy().catch((error: unknown) => {
      this.#context.logger.error('the session could not be stopped', { error: describeError(error) });
    });
  }

  /** The session is up no more: close what is left and bring it up again. Ignored while that is under way. */
  lose(cause: DisconnectCause): void {
    this.#lose(cause);
  }

  #lose(cause: DisconnectCause, atOnce = false): void {
    const run = this.#run;
    if (!run || run.isStarting || run.abort.signal.aborted) return;
    this.#pause(run);
    this.#context.moveTo('reconnecting', cause);
    this.#follow(run, this.#recover(run, cause, atOnce));
  }

  #logOut(run: Run): void {
    this.#pause(run);
    this.#context.moveTo('restoring', 'logged-out');
    this.#follow(run, this.#startAfterLogout(run));
  }

  /** No save begins from here on, and one that runs is ended: the browser under it goes away. */
  #pause(run: Run): void {
    run.isStarting = true;
    this.#parts.schedule.stop();
    this.#parts.pairingWatch.end();
    this.#parts.degradedTimer.stop();
    this.#parts.operations.shut();
  }

  /** Makes `start` what `initialize()` joins. Nobody has to listen to it. */
  #follow(run: Run, start: Promise<void>): void {
    run.settled = start;
    start.catch((error: unknown) => {
      this.#context.logger.warn('the session did not come up', { error: describeError(error) });
    });
  }

  async #firstStart(run: Run): Promise<void> {
    await this.#guard(run, async () => {
      const { ownership, bringUp } = this.#parts;
      await ownership.take(() => this.destroy(), run.abort.signal);
      await this.#context.record.load();
      await warnOfStorage(this.#context);
      bringUp.reset();
      await this.#conclude(run, await bringUp.run({ signal: run.abort.signal }));
    });
  }

  async #recover(run: Run, cause: DisconnectCause, atOnce: boolean): Promise<void> {
    await this.#guard(run, async () => {
      const { operations, stopper, bringUp } = this.#parts;
      await operations.exclusive(() => stopper.stop());
      await this.#conclude(run, await bringUp.run({ signal: run.abort.signal, cause, atOnce }));
    });
  }

  async #startAfterLogout(run: Run): Promise<void> {
    await this.#guard(run, async () => {
      const { operations, stopper, revoker, bringUp, lineageKeeper } = this.#parts;
      await operations.exclusive(async () => {
        await stopper.stop();
        await lineageKeeper.settled();
        await revoker.revoke('phone');
      });
      if (this.#context.options.onLogout === 'stop') return this.#stopByItself();
      bringUp.reset();
      await this.#conclude(run, await bringUp.run({ signal: run.abort.signal }));
    });
  }

  /** A start that fails for good leaves nothing behind; one that was aborted is cleaned up by who aborted it. */
  async #guard(run: Run, start: () => Promise<void>): Promise<void> {
    try {
      await start();
    } catch (error) {
      if (run.abort.signal.aborted) throw run.endedBy ?? run.abort.signal.reason;
      this.#run = undefined;
      await this.#parts.operations.exclusive(() => this.#parts.stopper.stop());
      await this.#parts.ownership.giveUp();
      const { state, moveTo } = this.#context;
      if (state() === 'restoring') moveTo('stopped', describeError(error).code);
      throw error;
    }
  }

  async #conclude(run: Run, result: BringUpResult): Promise<void> {
    run.isStarting = false;
    switch (result.kind) {
      case 'ready':
        if (run.pendingLoss !== undefined) this.#lose(run.pendingLoss);
        run.pendingLoss = undefined;
        return;
      case 'pairing':
        return this.#parts.pairingWatch.begin();
      case 'logged-out':
      case 'gave-up': {
        const reason = result.kind === 'gave-up' ? result.reason : 'WhatsApp has logged this device out';
        run.endedBy = new StartFailedError(`the session was stopped: ${reason}`, { retryable: false });
        this.#stopByItself();
        throw run.endedBy;
      }
    }
  }

  #stop(request: CloseRequest): Promise<void> {
    this.#stopping ??= this.#stopNow(request).finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  async #stopNow(request: CloseRequest): Promise<void> {
    const { state, moveTo } = this.#context;
    const { operations, ownership, closer } = this.#parts;
    const run = this.#run;
    if (!run && (state() === 'stopped' || state() === 'stopping')) return;
    const wasUp = state() === 'ready' || state() === 'degraded';
    run?.abort.abort(new ClosedError('the session was closed'));
    if (run) this.#pause(run);
    moveTo('stopping');
    await run?.settled.catch(() => undefined);
    try {
      await operations.exclusive(() => closer.close(request, wasUp));
    } finally {
      this.#run = undefined;
      await ownership.giveUp();
      moveTo('stopped');
    }
  }
}
