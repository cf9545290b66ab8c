import type { ClientEvent, ClientSupervisor } from '../client/client-driver.js';
import type { ClientEvents } from '../client/client-events.js';
import { MAX_QR_RETRIES } from '../client/start-client.js';
import { withDeadline } from '../clock.js';
import { ClosedError, describeError, InvalidStateError, StartFailedError } from '../errors.js';
import type { DisconnectCause } from '../events.js';
import type { BringUp, BringUpResult } from './bring-up.js';
import type { DegradedTimer } from './degraded-timer.js';
import { recordReady } from './lineage.js';
import type { OperationQueue } from './operation-queue.js';
import type { PairingWatch } from './pairing-watch.js';
import type { RevocationCause, Revoker } from './revoker.js';
import type { SaveSchedule } from './save-schedule.js';
import type { Saver } from './saver.js';
import type { SessionContext } from './session-context.js';
import type { SessionOwnership } from './session-ownership.js';
import type { SessionSnapshots } from './session-snapshots.js';
import type { SettleWatch } from './settle-watch.js';
import type { Starter } from './starter.js';
import type { Stopper } from './stopper.js';
import { warnOfStorage } from './warn-of-storage.js';

export interface SupervisorParts {
  readonly bringUp: BringUp;
  readonly snapshots: SessionSnapshots;
  readonly degradedTimer: DegradedTimer;
  readonly events: ClientEvents;
  readonly operations: OperationQueue;
  readonly ownership: SessionOwnership;
  readonly pairingWatch: PairingWatch;
  readonly revoker: Revoker;
  readonly saver: Saver;
  readonly schedule: SaveSchedule;
  readonly settleWatch: SettleWatch;
  readonly starter: Starter;
  readonly stopper: Stopper;
}

/** From `initialize()` to the stop. */
class Run {
  readonly abort = new AbortController();
  /** Settles when the present start (the first one or a reconnect) does. */
  settled: Promise<void> = Promise.resolve();
  /** Whether a start is under way: its watch decides then, not this class. */
  isStarting = true;
  /** Whether a QR or code was delivered since the last `ready`: then the next one is of a new pairing. */
  isPairing = false;
  /** A loss that came in the moment between `ready` and the end of the start. */
  pendingLoss: DisconnectCause | undefined;
  /** Why it stopped by itself. */
  endedBy: Error | undefined;
}

/** Decides what follows from what happens: starts, losses, logouts, and what the bot itself calls. */
export class SessionSupervisor implements ClientSupervisor {
  readonly #context: SessionContext;
  readonly #parts: SupervisorParts;
  #run: Run | undefined;
  #stopping: Promise<void> | undefined;
  /** Settles when the last `ready` has been counted: what it is in must be known before it is saved. */
  #identity: Promise<void> = Promise.resolve();

  constructor(context: SessionContext, parts: SupervisorParts) {
    this.#context = context;
    this.#parts = parts;
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** Settles when the account and lineage of the last `ready` are known. */
  get identity(): Promise<void> {
    return this.#identity;
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
    this.#moveWith(run, event);
    const isWatched = this.#parts.events.hasListeners;
    this.#parts.events.publish(event);
    if (!run.isStarting) this.#decide(run, event);
    else if (!isWatched && this.#context.state() === 'ready') run.pendingLoss ??= causeOfLoss(event);
  }

  /** The state follows the event before anybody hears of it. */
  #moveWith(run: Run, event: ClientEvent): void {
    const { state, moveTo, logger, browserOwner } = this.#context;
    switch (event.type) {
      case 'browser-launched':
        return browserOwner.noteBrowser(event.pid);
      case 'contained':
        return logger.debug('contained a rejection of the client', { error: describeError(event.error) });
      case 'pairing':
        run.isPairing = true;
        if (state() !== 'awaiting_qr') moveTo('awaiting_qr');
        return;
      case 'authenticated':
        if (state() === 'starting' || state() === 'awaiting_qr') moveTo('authenticated');
        return;
      case 'ready':
        return this.#onReady(run);
      case 'state':
        return this.#parts.degradedTimer.onState(event.state);
      default:
        return;
    }
  }

  #onReady(run: Run): void {
    const { state, moveTo, warn } = this.#context;
    if (state() === 'ready') return; // whatsapp-web.js may say it twice
    const { settleWatch, bringUp, schedule, snapshots, operations } = this.#parts;
    moveTo('ready');
    settleWatch.onReady(run.isPairing);
    const paired = run.isPairing;
    run.isPairing = false;
    this.#identity = recordReady(this.#context, snapshots, paired).catch((error: unknown) => {
      warn('cleanup-failed', `the session's record could not be written: ${describeError(error).message}`);
    });
    bringUp.noteReady();
    operations.open();
    schedule.start();
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
      await ownership.take(() => this.destroy());
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
      const { operations, stopper, revoker, bringUp } = this.#parts;
      await operations.exclusive(async () => {
        await stopper.stop();
        await this.#known();
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

  /** A store that hangs while a `ready` is counted must not keep a stop from its end. */
  #known(): Promise<void> {
    const { clock, options } = this.#context;
    return withDeadline(clock, options.puppeteerTimeoutMs, 'the record', this.#identity).catch(
      () => undefined,
    );
  }

  #stop(request: StopRequest): Promise<void> {
    this.#stopping ??= this.#stopNow(request).finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  async #stopNow(request: StopRequest): Promise<void> {
    const { state, moveTo } = this.#context;
    const { operations, ownership } = this.#parts;
    const run = this.#run;
    if (!run && (state() === 'stopped' || state() === 'stopping')) return;
    const wasUp = state() === 'ready' || state() === 'degraded';
    run?.abort.abort(new ClosedError('the session was closed'));
    if (run) this.#pause(run);
    moveTo('stopping');
    await run?.settled.catch(() => undefined);
    try {
      await operations.exclusive(() => this.#close(request, wasUp));
    } finally {
      this.#run = undefined;
      await ownership.giveUp();
      moveTo('stopped');
    }
  }

  async #close({ save, logout = false, revoke }: StopRequest, wasUp: boolean): Promise<void> {
    const { stopper, saver, revoker } = this.#parts;
    const { orderly } = await stopper.stop({ logout });
    await this.#known();
    if (revoke) await revoker.revoke(revoke);
    if (!save || !wasUp) return;
    const signal = AbortSignal.timeout(FINAL_SAVE_DEADLINE_MS);
    await saver.take({ kind: 'save', capture: 'cold', orderly, signal }).catch(() => undefined); // announced
  }
}

interface StopRequest {
  readonly save: boolean;
  readonly logout?: boolean;
  readonly revoke?: RevocationCause;
}

/** A store that hangs must not keep a process from ending. */
const FINAL_SAVE_DEADLINE_MS = 60_000;

function causeOfLoss(event: ClientEvent): DisconnectCause | undefined {
  switch (event.type) {
    case 'browser-gone':
    case 'page-crashed':
      return event.type;
    case 'inject-failed':
      return 'start-failed';
    case 'disconnected':
      if (event.reason === 'LOGOUT' || event.reason === MAX_QR_RETRIES) return undefined;
      return event.reason === 'CONFLICT' ? 'conflict' : 'state-lost';
    default:
      return undefined;
  }
}
