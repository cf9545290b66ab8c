import { sleep } from '../clock.js';
import { describeError, isSessionError, SessionError, StartFailedError } from '../errors.js';
import type { DisconnectCause } from '../events.js';
import { backoffDelayMs } from './backoff.js';
import type { SessionContext } from './session-context.js';
import type { Starter, StartResult } from './starter.js';

/** How a session came up, or why it will not. */
export type BringUpResult = Exclude<StartResult, { readonly kind: 'failed' }>;

export interface BringUpRequest {
  readonly signal: AbortSignal;
  /** Why the session must come up again; absent for `initialize()`. */
  readonly cause?: DisconnectCause;
  /** Starts the first attempt at once (`reconnect()` by hand). */
  readonly atOnce?: boolean;
}

/** WhatsApp that can't be reached is tried again at least so often. */
const NETWORK_RETRY_MS = 15_000;
/** A session that was ready for so long has recovered: the attempts count anew. */
const STABLE_AFTER_MS = 60_000;
/** Who has WhatsApp Web open elsewhere is not fought over: at least a minute, doubling. */
const CONFLICT_DELAY_MS = 60_000;

/**
 * Starts the session until it is up or its attempts are used up: first `maxInitRetries` retries, then as a
 * reconnect. Time without network is waited out and never counted.
 */
export class BringUp {
  readonly #context: SessionContext;
  readonly #starter: Starter;
  #attempt = 0;
  #readySince: number | undefined;
  #isWaiting = false;
  #hurry = new AbortController();

  constructor(context: SessionContext, starter: Starter) {
    this.#context = context;
    this.#starter = starter;
  }

  /** Attempts used since the session was last stable. */
  get attempt(): number {
    return this.#attempt;
  }

  noteReady(): void {
    this.#readySince = this.#context.clock.monotonic();
  }

  /** Whether it waits for its next attempt: no browser is open then. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** The next failure is the first again: `initialize()` or `reconnect()` by hand. */
  reset(): void {
    this.#attempt = 0;
    this.#readySince = undefined;
  }

  /** `reconnect()` by hand during a wait: the next attempt comes at once, with all others fresh. */
  hurry(): void {
    this.reset();
    this.#hurry.abort();
  }

  /**
   * @throws StartFailedError when all attempts are used up; the session is then `failed`, with everything kept.
   * @throws ProfileLockedError, ConfigurationError at the first start, at once: they do not heal by waiting.
   */
  run({ signal, cause, atOnce = false }: BringUpRequest): Promise<BringUpResult> {
    return cause === undefined ? this.#initialize(signal) : this.#reconnect(cause, signal, atOnce);
  }

  async #initialize(signal: AbortSignal): Promise<BringUpResult> {
    const { options, logger } = this.#context;
    for (let failures = 0; ; failures++) {
      const result = await this.#start(signal, isHopeless);
      if (result.kind !== 'failed') return result;
      logger.warn('the start failed', { cause: result.cause, error: describeError(result.error) });
      if (result.cause === 'network-down' || failures >= options.maxInitRetries) {
        this.#context.moveTo('reconnecting', result.cause);
        return this.#reconnect(result.cause, signal, false);
      }
      await this.#wait(this.#backoff(failures + 1), signal);
    }
  }

  async #reconnect(
    firstCause: DisconnectCause,
    signal: AbortSignal,
    atOnce: boolean,
  ): Promise<BringUpResult> {
    const { options, clock, announce } = this.#context;
    const startedAt = clock.monotonic();
    const { maxReconnectAttempts } = options;
    const maxAttempts = Number.isFinite(maxReconnectAttempts) ? maxReconnectAttempts : null;
    this.#forgetOldAttempts();
    let cause = firstCause;
    let immediate = atOnce;
    // Bounded by the attempts; only time without network is not counted, and that ends with the network or destroy().
    for (;;) {
      if (cause !== 'network-down' && this.#attempt >= maxReconnectAttempts) return this.#giveUp(cause);
      const attempt = this.#attempt + 1;
      const delayMs = immediate ? 0 : this.#delayMs(cause, attempt);
      immediate = false;
      announce('reconnect:scheduled', { attempt, maxAttempts, delayMs, cause });
      await this.#wait(delayMs, signal);
      announce('reconnect:attempted', { attempt, cause });
      const result = await this.#start(signal, () => false);
      if (result.kind === 'ready') {
        announce('reconnect:succeeded', { attempt, durationMs: clock.monotonic() - startedAt, cause });
      }
      // An attempt that met no network was none.
      if (result.kind !== 'failed' || result.cause !== 'network-down') this.#attempt++;
      if (result.kind !== 'failed') return result;
      cause = result.cause;
    }
  }

  /** Ends early when somebody is in a hurry. */
  async #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    const hurry = new AbortController();
    this.#hurry = hurry;
    this.#isWaiting = true;
    try {
      await sleep(this.#context.clock, delayMs, AbortSignal.any([signal, hurry.signal]));
    } catch (error) {
      if (signal.aborted || !hurry.signal.aborted) throw error;
    } finally {
      this.#isWaiting = false;
    }
  }

  async #start(signal: AbortSignal, isFinal: (error: unknown) => boolean): Promise<StartResult> {
    try {
      const result = await this.#starter.start(signal);
      signal.throwIfAborted();
      const yields = this.#context.options.onConflict === 'stop';
      if (result.kind === 'failed' && result.cause === 'conflict' && yields) {
        return { kind: 'gave-up', reason: 'CONFLICT' };
      }
      return result;
    } catch (error) {
      if (signal.aborted || isFinal(error) || isLeaseLost(error)) throw error;
      return { kind: 'failed', cause: 'start-failed', error: asError(error) };
    }
  }

  #delayMs(cause: DisconnectCause, attempt: number): number {
    const { options, random } = this.#context;
    if (cause === 'network-down') return Math.min(NETWORK_RETRY_MS, this.#backoff(attempt));
    if (cause !== 'conflict') return this.#backoff(attempt);
    const baseMs = Math.max(CONFLICT_DELAY_MS, options.reconnectDelayMs);
    const maxMs = Math.max(baseMs, options.reconnectMaxDelayMs);
    return Math.max(CONFLICT_DELAY_MS, backoffDelayMs({ attempt, baseMs, maxMs, random }));
  }

  #backoff(attempt: number): number {
    const { reconnectDelayMs, reconnectMaxDelayMs } = this.#context.options;
    return backoffDelayMs({
      attempt,
      baseMs: reconnectDelayMs,
      maxMs: reconnectMaxDelayMs,
      random: this.#context.random,
    });
  }

  #forgetOldAttempts(): void {
    const { clock } = this.#context;
    const wasStable =
      this.#readySince !== undefined && clock.monotonic() - this.#readySince >= STABLE_AFTER_MS;
    if (wasStable) this.#attempt = 0;
    this.#readySince = undefined;
  }

  #giveUp(cause: DisconnectCause): never {
    const { announce, moveTo } = this.#context;
    const attempts = this.#attempt;
    announce('reconnect:exhausted', { attempts, cause });
    moveTo('failed', cause);
    throw new StartFailedError(
      `WhatsApp did not come up within ${attempts} attempts (last cause: ${cause}); everything is kept, ` +
        'call initialize() or reconnect() to try again',
    );
  }
}

function isHopeless(error: unknown): boolean {
  return isSessionError(error) && (error.code === 'PROFILE_LOCKED' || error.code === 'CONFIGURATION');
}

function isLeaseLost(error: unknown): boolean {
  return isSessionError(error) && error.code === 'LEASE_LOST';
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new SessionError('INTERNAL', String(error));
}
