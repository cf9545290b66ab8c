import { sleep } from '../../clock.js';
import { isSessionError } from '../../errors.js';
import type { DisconnectCause, EventError } from '../../events.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionStarter, StartResult } from '../start/session-starter.js';
import { FruitlessStarts } from './fruitless-starts.js';
import { lossOf } from './loss.js';
import { floorMs, retryDelayMs, STABLE_AFTER_MS } from './reconnect-delay.js';
import { isOutage, type Setback } from './setback.js';
import { type Preconditions, StartAttempts } from './start-attempts.js';
import { exhausted, fieldsOf, hopeless, isHopeless, LastError } from './start-failures.js';

/** How a session came up, or why it will not come up. */
export type StartRetriesResult = Exclude<StartResult, { readonly kind: 'failed' }>;

type Failure = Extract<StartResult, { readonly kind: 'failed' }>;

export type StartRetriesContext = Pick<
  SessionContext,
  'announce' | 'clock' | 'logger' | 'moveTo' | 'options' | 'random'
> & { readonly lease: Pick<SessionContext['lease'], 'isUnproven'> };

export interface StartRetriesRequest extends Preconditions {
  readonly signal: AbortSignal;
  /** Why the session must start again; absent for `initialize()`. */
  readonly cause?: DisconnectCause;
  /** Makes the first attempt at once (a manual `reconnect()`). */
  readonly atOnce?: boolean;
}

/**
 * `reconnect()` starts at once only after this interval, ms; otherwise a call in a listener of every loss would loop
 * without a delay.
 */
const BY_HAND_INTERVAL_MS = 60_000;

/**
 * Starts the session until it is up or its attempts are used up: first `maxInitRetries` retries, then as a reconnect.
 * Time without network, or without a store that must provide the login, is waited out and never counted; and once the
 * session was up, time without room on a disk, too.
 */
export class StartRetries {
  readonly #context: StartRetriesContext;
  #attempt = 0;
  /** Since when the session is ready, or its QR or code waits; monotonic ms. */
  #upSince: number | undefined;
  #isWaiting = false;
  #hasGivenUp = false;
  /** Whether a logout was handled since the session was last stable. */
  #loggedInAnew = false;
  readonly #fruitless: FruitlessStarts;
  #startedByHandAt: number | undefined;
  #endOfWait = new AbortController();
  readonly #attempts: StartAttempts;
  readonly #lastError: LastError;

  constructor(
    context: StartRetriesContext,
    { starter }: { readonly starter: Pick<SessionStarter, 'start' | 'tryOlderCopy'> },
  ) {
    this.#context = context;
    this.#fruitless = new FruitlessStarts(context, starter);
    this.#lastError = new LastError(context.clock);
    this.#attempts = new StartAttempts(context, {
      starter,
      fruitless: this.#fruitless,
      lastError: this.#lastError,
    });
  }

  /** The last error; cleared when the session is up again. */
  get lastError(): (EventError & { readonly at: string }) | undefined {
    return this.#lastError.told;
  }

  /**
   * Notes the error that ended a running session, or that refused a start before an attempt.
   *
   * @param cause what it was lost by; it names an error that has no code of its own
   */
  noteError(error: unknown, cause?: DisconnectCause): void {
    this.#lastError.note(error, cause);
  }

  /** Attempts used since the session was last stable. */
  get attempt(): number {
    return this.#isStable ? 0 : this.#attempt;
  }

  /** The snapshot that a human may try when starts with the profile in place fail. */
  get olderCopy(): string | undefined {
    return this.#fruitless.olderCopy;
  }

  noteReady(): void {
    this.#forgetOldAttempts(); // the QR may have waited long before its scan
    this.#fruitless.noteReady();
    this.#upSince = this.#context.clock.monotonic();
  }

  /** Whether it waits for the next attempt. No browser is open then. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Whether it has stopped trying since the last {@link reset}. A caller that wants the session up must begin anew. */
  get hasGivenUp(): boolean {
    return this.#hasGivenUp;
  }

  /** Starts counting failures anew, for `initialize()`. */
  reset(): void {
    this.#attempt = 0;
    this.#hasGivenUp = false;
    this.#fruitless.reset();
    this.#upSince = undefined;
    this.#loggedInAnew = false;
  }

  /**
   * For a manual `reconnect()`: whether it may start at once, with a new set of attempts. Soon after an earlier call
   * it may not, and then it waits for its turn like any loss.
   */
  claimImmediateStart(): boolean {
    const { clock, options } = this.#context;
    const { reconnectDelayMs, reconnectMaxDelayMs } = options;
    const floor = floorMs({ baseMs: reconnectDelayMs, maxMs: reconnectMaxDelayMs });
    const now = clock.monotonic();
    const last = this.#startedByHandAt;
    if (last !== undefined && now - last < Math.max(BY_HAND_INTERVAL_MS, floor)) return false;
    this.#startedByHandAt = now;
    this.reset();
    return true;
  }

  /** For a manual `reconnect()` during a wait: starts the next attempt at once, with a new set of attempts. */
  startNextAttemptNow(): void {
    if (this.claimImmediateStart()) this.#endOfWait.abort();
  }

  /**
   * @throws StartFailedError when all attempts are used up, or at once when a session that was never up meets an
   * error that a retry can't fix. The session is then `failed`, with everything kept.
   * @throws BrowserTooOldError at once
   * @throws ProfileLockedError, ConfigurationError at once at the first start, because waiting does not fix them.
   * @throws the error of `own` at once, except for a full disk
   */
  async run({
    signal,
    cause,
    atOnce = false,
    own,
    before,
  }: StartRetriesRequest): Promise<StartRetriesResult> {
    this.#attempts.begin({ own, before, wasUp: cause !== undefined });
    signal.throwIfAborted(); // an earlier step (closing a browser that hangs) may have taken long
    const result = await this.#startAsAsked(signal, cause, atOnce);
    if (result.kind === 'ready' || result.kind === 'pairing') this.#lastError.forget();
    // A QR may wait for its owner for days. A browser that ends occasionally in that time must not use up the
    // attempts.
    if (result.kind === 'pairing') this.#upSince = this.#context.clock.monotonic();
    return result;
  }

  #startAsAsked(
    signal: AbortSignal,
    cause: DisconnectCause | undefined,
    atOnce: boolean,
  ): Promise<StartRetriesResult> {
    if (cause === undefined) return this.#initialize(signal, { isFirst: true });
    if (cause === 'logged-out') return this.#logInAnew(signal);
    // A session that was up may come up again: while its browser is being updated, the program is missing for a
    // while.
    return this.#reconnect({ cause }, signal, { atOnce, isFirst: false });
  }

  async #initialize(
    signal: AbortSignal,
    { isFirst }: { readonly isFirst: boolean },
  ): Promise<StartRetriesResult> {
    const { options, logger } = this.#context;
    for (let failures = 0; ; failures++) {
      const result = await this.#attempts.make(signal, { isFinal: isHopeless, isFirst: failures === 0 });
      if (result.kind !== 'failed') return result;
      logger.warn('the start failed', fieldsOf(result));
      if (isFirst) this.#giveUpIfHopeless(result);
      const older = await this.#fruitless.tryOlderCopy(result.cause, signal);
      if (older !== undefined) return older;
      if (isOutage(result) || failures >= options.maxInitRetries) {
        this.#context.moveTo('reconnecting', result.cause);
        return this.#reconnect(result, signal, { atOnce: false, isFirst });
      }
      await this.#wait(retryDelayMs(result, failures + 1, this.#context), signal);
    }
  }

  /**
   * Handles a logout at once, with a new set of attempts. If another logout follows before the session is stable, it
   * is handled like any loss.
   */
  async #logInAnew(signal: AbortSignal): Promise<StartRetriesResult> {
    this.#forgetOldAttempts();
    if (this.#loggedInAnew) {
      this.#lastError.note(lossOf('logged-out'));
      this.#context.moveTo('reconnecting', 'logged-out');
      return this.#reconnect({ cause: 'logged-out' }, signal, { atOnce: false, isFirst: false });
    }
    this.reset();
    this.#loggedInAnew = true;
    return this.#initialize(signal, { isFirst: false });
  }

  async #reconnect(
    first: Setback,
    signal: AbortSignal,
    { atOnce, isFirst }: { readonly atOnce: boolean; readonly isFirst: boolean },
  ): Promise<StartRetriesResult> {
    const { options, clock, announce } = this.#context;
    const startedAt = clock.monotonic();
    const { maxReconnectAttempts } = options;
    const maxAttempts = Number.isFinite(maxReconnectAttempts) ? maxReconnectAttempts : null;
    this.#forgetOldAttempts();
    let last = first;
    let immediate = atOnce;
    let outages = 0;
    // Ends after the allowed attempts. Outages do not count, but they end by themselves or with destroy().
    for (;;) {
      const { cause } = last;
      if (!isOutage(last) && this.#attempt >= maxReconnectAttempts) return this.#giveUp(cause);
      const attempt = this.#attempt + 1;
      const delayMs = immediate ? 0 : retryDelayMs(last, attempt + outages, this.#context);
      immediate = false;
      await this.#wait(delayMs, signal, () => {
        announce('reconnect:scheduled', { attempt, maxAttempts, delayMs, cause, ...this.#lastError.field });
      });
      announce('reconnect:attempted', { attempt, cause });
      const result = await this.#attempts.make(signal);
      const tellSuccess = () =>
        announce('reconnect:succeeded', { attempt, durationMs: clock.monotonic() - startedAt, cause });
      if (result.kind === 'ready') tellSuccess();
      // An attempt during an outage does not count, but the next wait gets longer.
      if (result.kind === 'failed' && isOutage(result)) outages++;
      else {
        outages = 0;
        this.#attempt++;
      }
      if (result.kind !== 'failed') return result;
      if (isFirst) this.#giveUpIfHopeless(result);
      last = result;
      const made = this.#attempt >= maxReconnectAttempts ? this.#attempt : undefined;
      const older = await this.#fruitless.tryOlderCopy(last.cause, signal, made);
      if (older === undefined) continue;
      tellSuccess();
      return older;
    }
  }

  /** Ends early when `reconnect()` is called, even by a listener of the event that `tell` announces. */
  async #wait(delayMs: number, signal: AbortSignal, tell?: () => void): Promise<void> {
    const ended = new AbortController();
    this.#endOfWait = ended;
    this.#isWaiting = true;
    try {
      tell?.();
      await sleep(this.#context.clock, delayMs, AbortSignal.any([signal, ended.signal]));
    } catch (error) {
      if (signal.aborted || !ended.signal.aborted) throw error;
    } finally {
      this.#isWaiting = false;
    }
  }

  #forgetOldAttempts(): void {
    if (this.#isStable) this.reset();
    this.#upSince = undefined;
  }

  get #isStable(): boolean {
    const now = this.#context.clock.monotonic();
    return this.#upSince !== undefined && now - this.#upSince >= STABLE_AFTER_MS;
  }

  #giveUp(cause: DisconnectCause): never {
    const { announce, moveTo } = this.#context;
    const attempts = this.#attempt;
    this.#hasGivenUp = true;
    if (this.#lastError.error === undefined) this.#lastError.note(lossOf(cause));
    announce('reconnect:exhausted', { attempts, cause, ...this.#lastError.field });
    moveTo('failed', cause);
    throw exhausted({ attempts, cause, error: this.#lastError.error, olderCopy: this.olderCopy });
  }

  #giveUpIfHopeless({ cause, error, obstacle }: Failure): void {
    const isFinal = isSessionError(error) && error.code === 'START_FAILED' && !error.retryable;
    if (obstacle === undefined && !isFinal) return;
    this.#hasGivenUp = true;
    this.#context.moveTo('failed', cause);
    throw hopeless(error, obstacle);
  }
}
