import type { ClientSupervisor } from '../client/client-driver.js';
import type { ClientEvent } from '../client/client-event.js';
import { withClientTiming } from '../client/client-timing.js';
import { ClosedError, describeError, InvalidStateError, isSessionError } from '../errors.js';
import type { DisconnectCause } from '../events.js';
import { whileAlive } from '../keep-alive.js';
import { Mutex } from '../mutex.js';
import { isUp } from '../state.js';
import type { SessionContext } from './context/session-context.js';
import type { Stance } from './ownership/profile-holders.js';
import { stanceOf } from './ownership/stance.js';
import { lossOf } from './reconnect/loss.js';
import { CallTurns } from './run/call-turns.js';
import { causeOfLoss, isDecisive, isLogout } from './run/cause-of-loss.js';
import { FinalFailures } from './run/final-failures.js';
import { type OwnStop, type OwnStopCause, ownStop, ownStopOf } from './run/own-stop.js';
import { Run } from './run/run.js';
import { RunStarts } from './run/run-starts.js';
import type { CloseRequest } from './run/session-closer.js';
import type { SupervisorParts } from './supervisor-parts.js';

/** How long copies already being written to a store may take when the session begins to stop, ms. */
const COPIES_END_MS = 4_000;
/**
 * Time limit for all writes to stores while the session stops, counted from when the stop begins, ms; then they are
 * aborted.
 */
const STORES_END_MS = 8_500;

/** Decides what follows from events: starts, losses, logouts and the bot's own calls. */
export class SessionSupervisor implements ClientSupervisor {
  readonly #context: SessionContext;
  readonly #parts: SupervisorParts;
  readonly #starts: RunStarts;
  readonly #failures: FinalFailures;
  #run: Run | undefined;
  /** Settles when the last failed run has been cleaned up. */
  #failing: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #stops = 0;
  /** See {@link stanceOf}. */
  #isLetGo = false;
  /** Locked by a call that replaces or deletes the profile; nothing starts meanwhile. */
  readonly #halted = new Mutex();
  #lastHalt: Promise<unknown> | undefined;
  /** The calls that replace or delete the login. */
  readonly turns = new CallTurns();

  constructor(context: SessionContext, parts: SupervisorParts) {
    this.#context = context;
    this.#parts = parts;
    this.#failures = new FinalFailures(context);
    parts.losses.listen({
      onLost: (cause, error) => this.#loseBy(cause, error),
      onLeaseLost: (reason) => this.#onLeaseLost(reason),
    });
    this.#starts = new RunStarts(context, parts, {
      shutdown: () => this.destroy(),
      holder: { stance: () => this.#stance(), retire: () => this.#stopFor(ownStop('replaced')) },
      stopByItself: (why) => this.#stopByItself(why),
      decide: (run, event) => this.#decide(run, event),
      forget: () => {
        this.#failing = this.#run?.settled.catch(() => undefined);
        this.#run = undefined;
        // A start that was refused at once changes no state, so no state change stops the health checks.
        if (['idle', 'stopped'].includes(this.#context.state())) parts.health.stop();
      },
    });
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** Whether the session runs and nobody has asked it to stop. */
  get isMeantToRun(): boolean {
    return this.#run !== undefined && !this.#run.abort.signal.aborted;
  }

  /**
   * Grows with every call that ends the session. A caller that wants to start it again compares the count to see
   * whether such a call came in between.
   */
  get stops(): number {
    return this.#stops;
  }

  /** @param hears whether somebody would notice its failure; by default, the caller does */
  async initialize(hears: () => boolean = () => true): Promise<void> {
    this.#isLetGo = false;
    const stops = this.#stops;
    // If a start has just failed for good, begin a new run after the failed one has been cleaned up, and do not join
    // it.
    const failing = this.#isFailing ? this.#run?.settled.catch(() => undefined) : this.#failing;
    if (failing) await failing;
    if (this.#stopping) await this.#stopping.catch(() => undefined); // its own caller hears of that
    for (let seen: unknown; seen !== this.#lastHalt; ) {
      seen = this.#lastHalt;
      await seen;
    }
    if (stops !== this.#stops) throw new ClosedError('the session was closed before it could start');
    return this.resume(hears);
  }

  /** The start after a call that has halted the session; it does not wait for the later calls that hold starts. */
  resume(hears: () => boolean = () => true): Promise<void> {
    this.#isLetGo = false;
    if (!this.#run) {
      this.#failing = undefined;
      const run = new Run();
      this.#run = run;
      this.#parts.health.start();
      this.#follow(run, this.#starts.first(run));
    }
    return this.#join(this.#run, hears);
  }

  /** Reconnects at once with a new set of attempts. Soon after an earlier call, it waits for its turn like a loss. */
  async reconnect(): Promise<void> {
    this.#isLetGo = false;
    const run = this.#run;
    if (this.#isFailing) return this.initialize();
    if (!run) {
      if (this.#context.state() === 'failed') return this.initialize();
      throw new InvalidStateError(
        `reconnect() needs a session that was initialised; it is ${this.#context.state()}. Call initialize() instead.`,
        { operation: 'reconnect' },
      );
    }
    if (run.isStarting && this.#context.state() !== 'reconnecting') return this.#join(run);
    if (run.isStarting) this.#parts.startRetries.startNextAttemptNow();
    else this.#lose('requested', { atOnce: this.#parts.startRetries.claimImmediateStart() });
    return this.#join(run);
  }

  /** Takes a final save, closes the browser normally and moves to `stopped`. Concurrent calls join. */
  async destroy({ byBot = false, cause }: { byBot?: boolean; cause?: OwnStopCause } = {}): Promise<void> {
    this.#stops++;
    const joined = this.#stopping;
    if (joined === undefined) return this.#stop({ save: true, byBot }, cause);
    await joined.catch((error: unknown) => {
      if (!isSessionError(error) || error.code !== 'LOGOUT_FAILED') throw error; // its own caller hears of that
    });
    if (!this.#run && cause === undefined) await this.#parts.removalWatch.closedAgain({ byBot });
  }

  /**
   * Closes the session without a save and runs `work`, which replaces or deletes the profile. Meanwhile, neither this
   * session nor another one of this process can start.
   *
   * @param options `resumes`: whether the caller starts the session again afterwards
   */
  whileHalted<Result>(
    work: () => Promise<Result>,
    { logout = false, resumes = false } = {},
  ): Promise<Result> {
    const halting = async () => {
      if (logout) this.#assertUp('clear({ logout: true })');
      await this.#parts.removalWatch.end();
      if (this.#run) this.#run.isHalted = resumes;
      if (this.#run || this.#stopping) await this.#stop({ save: false, logout });
      return work();
    };
    const working = this.#parts.ownership.keep(() => this.#halted.runExclusive(halting));
    this.holdStarts(working);
    return working;
  }

  /** Makes later start requests wait until `work` settles, even if it fails. */
  holdStarts(work: Promise<unknown>): void {
    // An earlier one may take longer: a call that waits for its turn holds the starts as well.
    this.#lastHalt = Promise.allSettled([this.#lastHalt, work]).then(() => undefined);
  }

  /**
   * `false` also while the session is up: a QR then means that its login is gone, and a restart decides what follows.
   */
  mayPair(): boolean {
    const run = this.#run;
    if (run === undefined || run.abort.signal.aborted || this.#parts.starter.holdsPairing) return false;
    return !isUp(this.#context.state());
  }

  onBotInitialize(): Promise<void> {
    return withClientTiming(this.#context.driver, {
      start: (hears) => this.initialize(hears),
      isFinal: (error) => this.#failures.isFinal(error),
    });
  }

  onBotDestroy(): Promise<void> {
    return this.destroy({ byBot: true });
  }

  async onBotLogout(): Promise<void> {
    await this.#stopping?.catch(() => undefined);
    this.#assertUp('client.logout()');
    this.#stops++;
    await this.#stop({ save: false, logout: true, revoke: 'client', byBot: true });
  }

  // Only an open, logged-in page can unlink its device.
  #assertUp(call: string): void {
    const state = this.#context.state();
    if (isUp(state)) return;
    throw new InvalidStateError(`${call} needs a session that is ready; it is ${state}`, {
      operation: 'logout',
    });
  }

  onClientEvent(event: ClientEvent): void {
    const run = this.#run;
    if (!run || run.abort.signal.aborted) return;
    if (event.type === 'disconnected') this.#isLetGo = true;
    if (isLogout(event)) this.#parts.revoker.noteNow();
    this.#parts.stateFollower.follow(run, event); // before any listener hears of it
    const isWatched = this.#parts.events.hasListeners;
    this.#parts.events.publish(event);
    if (!run.isStarting) this.#decide(run, event);
    else if (!isWatched && this.#hasSettled() && isDecisive(event)) run.pending ??= event;
  }

  /** Whether a run has used up its attempts and is only reporting that. */
  get #isFailing(): boolean {
    return this.#run !== undefined && this.#parts.startRetries.hasGivenUp;
  }

  /** Decides what to do about an event while no start is running. */
  #decide(run: Run, event: ClientEvent): void {
    if (isLogout(event)) return this.#logOut(run);
    const why = ownStopOf(event, this.#context.options);
    if (why !== undefined) return this.#stopByItself(why);
    const cause = causeOfLoss(event);
    if (cause !== undefined) this.#loseBy(cause, lossOf(cause, event));
  }

  /** Whether the running start has reached its goal and only has to return. */
  #hasSettled(): boolean {
    return ['ready', 'awaiting_qr'].includes(this.#context.state());
  }

  /** Our stance towards another session of this process that wants the profile. */
  #stance(): Stance {
    const { state, driver } = this.#context;
    const { isMeantToRun } = this;
    return stanceOf({ isMeantToRun, isLetGo: this.#isLetGo, state: state(), isConnected: driver.connected });
  }

  /** Another process owns the session now, so nothing is written any more (docs/invariants.md I6). */
  #onLeaseLost(reason: string): void {
    this.#context.announce('lease:lost', { reason });
    if (!this.#run) return;
    this.#parts.operations.abort();
    this.#stopByItself(ownStop('LEASE_LOST', reason));
  }

  /** Stops the session without a call. */
  #stopByItself(why: OwnStop): void {
    this.#stopFor(why).catch((error: unknown) => {
      this.#context.logger.error('the session could not be stopped', { error: describeError(error) });
    });
  }

  /** Stops and records the reason as the session's error, because no caller receives it. */
  #stopFor(why: OwnStop): Promise<void> {
    this.#context.logger.warn('the session stops by itself', { why: why.error.message });
    if (this.#stopping === undefined) this.#parts.startRetries.noteError(why.error);
    return this.destroy({ cause: why.cause });
  }

  /** The session was lost: closes what is left and starts it again. Ignored while a start is running. */
  #loseBy(cause: DisconnectCause, error: unknown = lossOf(cause)): void {
    this.#lose(cause, { error });
  }

  #lose(cause: DisconnectCause, { error, atOnce = false }: { error?: unknown; atOnce?: boolean }): void {
    const run = this.#run;
    if (!run || run.isStarting || run.abort.signal.aborted) return;
    if (error !== undefined) this.#parts.startRetries.noteError(error, cause);
    this.#pause(run);
    // The page may show a QR until it is closed, and closing waits for a running save.
    this.#context.driver.beginClosing();
    this.#context.moveTo('reconnecting', cause);
    this.#follow(run, this.#starts.afterLoss(run, cause, atOnce));
  }

  #logOut(run: Run): void {
    this.#pause(run);
    run.wasReady = false; // a login that has ended is never saved, even while its profile is still in place
    this.#context.moveTo('restoring', 'logged-out');
    this.#follow(run, this.#starts.afterLogout(run));
  }

  /** Starts no more saves and ends a running one, because its browser is going away. */
  #pause(run: Run): void {
    run.isStarting = true;
    this.#parts.schedule.stop();
    this.#parts.pairingWatch.end();
    this.#parts.degradedTimer.stop();
    this.#parts.operations.shut();
  }

  /** Makes `initialize()` join `start`. Nobody has to handle its rejection. */
  #follow(run: Run, start: Promise<void>): void {
    run.settled = start;
    run.audience = [];
    start.catch((error: unknown) => this.#failures.note(run, error));
  }

  async #join(run: Run, hears: () => boolean = () => true): Promise<void> {
    const stops = this.#stops;
    run.audience.push(hears);
    try {
      await run.settled;
    } catch (error) {
      if (!run.isHalted || stops !== this.#stops) throw error;
      await this.initialize(hears);
    }
  }

  /** Whether the browser of a ready session has ended and no start followed. Then the profile is unchanged since. */
  #restsAfterReady(run: Run | undefined): boolean {
    const isUntouched = run?.wasReady === true && this.#parts.startRetries.isWaiting;
    return isUntouched && this.#context.state() === 'reconnecting';
  }

  #stop(request: CloseRequest, cause?: OwnStopCause): Promise<void> {
    this.#stopping ??= whileAlive(() => this.#stopNow(request, cause)).finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  async #stopNow(request: CloseRequest, cause: OwnStopCause | undefined): Promise<void> {
    const { state, moveTo, clock } = this.#context;
    const { operations, ownership, closer, removalWatch } = this.#parts;
    const stoppingSince = clock.monotonic();
    const run = this.#run;
    if (!run && (state() === 'stopped' || state() === 'stopping'))
      return cause === undefined ? removalWatch.closedAgain(request) : undefined;
    const wasUp = isUp(state()) || this.#restsAfterReady(run);
    run?.abort.abort(new ClosedError('the session was closed'));
    if (run) this.#pause(run);
    const hasFailed = !run || state() === 'failed';
    moveTo('stopping', cause);
    // A running copy gets some time. The final save holds the later changes and needs its own time.
    const ending = operations.endBeside(COPIES_END_MS);
    await run?.settled.catch(() => undefined);
    try {
      const byItself = cause !== undefined && cause !== 'replaced' && cause !== 'LEASE_LOST'; // else another owns it
      const closing = { ...request, hasFailed, byItself };
      await operations.exclusive(() => closer.close(closing, wasUp, stoppingSince));
    } catch (error) {
      this.#parts.startRetries.noteError(error); // the status tells it, too: a caller may not keep it
      throw error;
    } finally {
      await ending;
      await operations.endBeside(STORES_END_MS - (clock.monotonic() - stoppingSince));
      this.#run = undefined;
      await ownership.giveUp();
      if (state() === 'stopping') moveTo('stopped', cause); // otherwise a clear() has finished in the meantime
      removalWatch.begin();
    }
  }
}
