import { describeError, isSessionError } from '../../errors.js';
import type { DisconnectCause } from '../../events.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionStarter, StartResult } from '../start/session-starter.js';
import { isOutage } from './setback.js';

/** Minimum number of failed starts before an older copy is tried, since one start may fail by chance. */
const MIN_FRUITLESS = 2;

/**
 * Counts the consecutive starts that reached WhatsApp's page but did not become ready; then the profile may be the
 * cause. Once per series, an older copy is tried.
 */
export class FruitlessStarts {
  readonly #context: Pick<SessionContext, 'logger' | 'options'>;
  readonly #starter: Pick<SessionStarter, 'tryOlderCopy'>;
  #count = 0;
  #hasTried = false;
  #next: string | undefined;

  constructor(
    context: Pick<SessionContext, 'logger' | 'options'>,
    starter: Pick<SessionStarter, 'tryOlderCopy'>,
  ) {
    this.#context = context;
    this.#starter = starter;
  }

  /** The snapshot that a human may try when starts with the profile in place fail. */
  get olderCopy(): string | undefined {
    return this.#next;
  }

  noteReady(): void {
    this.#count = 0;
    this.#next = undefined;
  }

  /** Begins a new series. */
  reset(): void {
    this.noteReady();
    this.#hasTried = false;
  }

  /**
   * An outage does not count. Any other failure before the page ends the series, since the profile may not be the
   * cause.
   */
  note(result: StartResult): void {
    if (result.kind === 'failed' && isOutage(result)) return;
    this.#count = result.kind === 'failed' && isFruitless(result) ? this.#count + 1 : 0;
  }

  /**
   * Resolves to the outcome when an older copy became ready; `undefined` when it did not, or when it is too early to
   * try one.
   *
   * @param made the total number of attempts, if this was the last one
   */
  async tryOlderCopy(
    cause: DisconnectCause,
    signal: AbortSignal,
    made = Number.POSITIVE_INFINITY,
  ): Promise<{ readonly kind: 'ready' } | undefined> {
    const { options, logger } = this.#context;
    const enough = Math.max(MIN_FRUITLESS, Math.min(options.maxInitRetries + 1, made));
    if (this.#hasTried || this.#count < enough) return undefined;
    this.#hasTried = true;
    try {
      const { outcome, next } = await this.#starter.tryOlderCopy(cause, signal);
      signal.throwIfAborted();
      this.#next = next;
      return outcome?.kind === 'ready' ? outcome : undefined;
    } catch (error) {
      if (signal.aborted || (isSessionError(error) && error.code === 'LEASE_LOST')) throw error;
      logger.warn('no older copy could be tried', { error: describeError(error) });
      return undefined;
    }
  }
}

/** Whether WhatsApp was reached, but the session did not become ready. */
function isFruitless({ cause, reachedPage }: Extract<StartResult, { readonly kind: 'failed' }>): boolean {
  return cause === 'never-ready' || (cause === 'start-failed' && reachedPage === true);
}
