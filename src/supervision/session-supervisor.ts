import type { ClientSupervisor } from '../client/client-driver.js';
import type { ClientEvent } from '../client/client-event.js';
import { withClientTiming } from '../client/client-timing.js';
import { ClosedError, describeError, isSessionError } from '../errors.js';
import type { DisconnectCause } from '../events.js';
import { isUp } from '../state.js';
import type { SessionContext } from './context/session-context.js';
import type { Stance } from './ownership/profile-holders.js';
import { never, stanceOf } from './ownership/stance.js';
import { lossOf } from './reconnect/loss.js';
import { CallTurns } from './run/call-turns.js';
import { causeOfLoss, isDecisive, isLogout } from './run/cause-of-loss.js';
import { FinalFailures } from './run/final-failures.js';
import { type OwnStop, type OwnStopCause, ownStop, ownStopOf } from './run/own-stop.js';
import { Run } from './run/run.js';
import { RunStarts } from './run/run-starts.js';
import { SessionStop } from './run/session-stop.js';
import { StartHolds } from './run/start-holds.js';
import { assertUp, nothingToReconnect } from './run/wrong-state.js';
import type { SupervisorParts } from './supervisor-parts.js';

/** Decides what follows from events: starts, losses, logouts and the bot's own calls. */
export class SessionSupervisor implements ClientSupervisor {
  readonly #context: SessionContext;
  readonly #parts: SupervisorParts;
  readonly #starts: RunStarts;
  readonly #failures: FinalFailures;
  #run: Run | undefined;
  /** Settles when the last failed run has been cleaned up. */
  #failing: Promise<void> | undefined;
  readonly #stop: SessionStop;
  #stops = 0;
  /** See {@link stanceOf}. */
  #isLetGo: () => boolean = never;
  readonly #holds = new StartHolds();
  /** The calls that replace or delete the login. */
  readonly turns = new CallTurns();

  constructor(context: SessionContext, parts: SupervisorParts) {
    this.#context = context;
    this.#parts = parts;
    this.#failures = new FinalFailures(context);
    this.#stop = new SessionStop(context, parts, {
      current: () => this.#run,
      pause: (run) => this.#pause(run),
      forget: () => {
        this.#run = undefined;
      },
    });
    parts.losses.listen({
      onLost: (cause, error) => this.#lose(cause, error),
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
    this.#isLetGo = never;
    const stops = this.#stops;
    // If a start has just failed for good, begin a new run after the failed one was cleaned up, and do not join it.
    const failing = this.#isFailing ? this.#run?.settled.catch(() => undefined) : this.#failing;
    if (failing) await failing;
    if (this.#stop.running) await this.#stop.running.catch(() => undefined); // its own caller hears of that
    const held = this.#holds.over();
    if (held) await this.#context.startWaits.during({ kind: 'call' }, undefined, () => held);
    if (stops !== this.#stops) throw new ClosedError('the session was closed before it could start');
    return this.resume(hears);
  }

  /** The start after a call that has halted the session; it does not wait for the later calls that hold starts. */
  resume(hears: () => boolean = () => true): Promise<void> {
    this.#isLetGo = never;
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
    this.#isLetGo = never;
    const run = this.#run;
    if (this.#isFailing) return this.initialize();
    if (!run) {
      if (this.#context.state() === 'failed') return this.initialize();
      throw nothingToReconnect(this.#context.state());
    }
    if (run.isStarting && this.#context.state() !== 'reconnecting') return this.#join(run);
    if (run.isStarting) this.#parts.startRetries.startNextAttemptNow();
    else this.#lose('requested', undefined, this.#parts.startRetries.claimImmediateStart());
    return this.#join(run);
  }

  /** Takes a final save, closes the browser normally and moves to `stopped`. Concurrent calls join. */
  async destroy({ byBot = false, cause }: { byBot?: boolean; cause?: OwnStopCause } = {}): Promise<void> {
    this.#stops++;
    const joined = this.#stop.running;
    if (joined === undefined) return this.#stop.begin({ save: true, byBot }, cause);
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
      if (logout) assertUp(this.#context.state(), 'clear({ logout: true })');
      await this.#parts.removalWatch.end();
      if (this.#run) this.#run.isHalted = resumes;
      if (this.#run || this.#stop.running) await this.#stop.begin({ save: false, logout });
      return work();
    };
    const working = this.#parts.ownership.keep(() => this.#holds.runExclusive(halting));
    this.holdStarts(working);
    return working;
  }

  /** Makes later start requests wait until `work` settles, even if it fails. */
  holdStarts(work: Promise<unknown>): void {
    this.#holds.add(work);
  }

  /** `false` also while the session is up: a QR then means that its login is gone, and a restart decides what follows. */
  mayPair(): boolean {
    const run = this.#run;
    if (run === undefined || run.abort.signal.aborted || this.#parts.starter.holdsPairing) return false;
    return !isUp(this.#context.state());
  }

  onBotInitialize(): Promise<void> {
    return withClientTiming(this.#context.driver, {
      start: (hears) => this.initialize(hears),
      onRejected: (isHeard) => {
        this.#isLetGo = isHeard;
      },
      isFinal: (error) => this.#failures.isFinal(error),
    });
  }

  onBotDestroy(): Promise<void> {
    return this.destroy({ byBot: true });
  }

  async onBotLogout(): Promise<void> {
    await this.#stop.running?.catch(() => undefined);
    assertUp(this.#context.state(), 'client.logout()');
    this.#stops++;
    await this.#stop.begin({ save: false, logout: true, revoke: 'client', byBot: true });
  }

  onClientEvent(event: ClientEvent): void {
    const run = this.#run;
    if (!run || run.abort.signal.aborted) return;
    if (event.type === 'disconnected') this.#isLetGo = () => true;
    if (isLogout(event)) this.#parts.revoker.noteNow();
    this.#parts.stateFollower.follow(run, event); // before any listener hears of it
    const isWatched = this.#parts.events.hasListeners;
    this.#parts.events.publish(event);
    if (!run.isStarting) this.#decide(run, event);
    else if (!isWatched && isDecisive(event)) {
      // The start has reached its goal and only has to return.
      if (['ready', 'awaiting_qr'].includes(this.#context.state())) run.pending ??= event;
    }
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
    if (cause !== undefined) this.#lose(cause, lossOf(cause, event));
  }

  /** Our stance towards another session of this process that wants the profile. */
  #stance(): Stance {
    const { state, driver } = this.#context;
    return stanceOf({
      isMeantToRun: this.isMeantToRun,
      isLetGo: this.#isLetGo(),
      state: state(),
      isConnected: driver.connected,
    });
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
    this.#context.logger.warn('the session stops without a call', { why: why.error.message });
    if (this.#stop.running === undefined) this.#parts.startRetries.noteError(why.error);
    return this.destroy({ cause: why.cause });
  }

  /** The session was lost: closes what is left and starts it again. Ignored while a start is running. */
  #lose(cause: DisconnectCause, error: unknown = lossOf(cause), atOnce = false): void {
    const run = this.#run;
    if (!run || run.isStarting || run.abort.signal.aborted) return;
    if (cause !== 'requested') this.#parts.startRetries.noteError(error, cause);
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
    run.follow(start);
    start.catch((error: unknown) => this.#failures.note(run, error));
  }

  async #join(run: Run, hears: () => boolean = () => true): Promise<void> {
    const stops = this.#stops;
    run.observers.push(hears);
    try {
      await run.settled;
      if (!run.stopsAfterLogout || stops + 1 !== this.#stops) return;
    } catch (error) {
      if (!run.isHalted || stops !== this.#stops) throw error;
    }
    await this.initialize(hears);
  }
}
