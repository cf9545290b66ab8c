import { describeError, isSessionError } from '../../errors.js';
import type { DisconnectCause } from '../../events.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionStarter, StartResult } from '../start/session-starter.js';
import { isOutage } from './setback.js';

/** So many starts must have led nowhere, at least, before an older copy is tried: one may fail by chance. */
const MIN_FRUITLESS = 2;

/**
 * Counts the starts in a row that came as far as WhatsApp's page and no further: the profile may be to blame. Once in such a
 * series it has an older copy tried.
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

  /** The snapshot that a human may try, where starts with the profile in place lead nowhere. */
  get olderCopy(): string | undefined {
    return this.#next;
  }

  noteReady(): void {
    this.#count = 0;
    this.#next = undefined;
  }

  /** A new series begins. */
  reset(): void {
    this.noteReady();
    this.#hasTried = false;
  }

  /** An outage says nothing; whatever else it was that failed, the profile is not proven to blame. */
  note(result: StartResult): void {
    if (result.kind === 'failed' && isOutage(result)) return;
    this.#count = result.kind === 'failed' && isFruitless(result) ? this.#count + 1 : 0;
  }

  /**
   * Resolves to how the session came up with an older copy; `undefined`: it did not, or it is not the time to try one.
   *
   * @param made how many attempts there were in all, where this is the last one
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

/** WhatsApp was reached, and the session did not get ready. */
function isFruitless({ cause, reachedPage }: Extract<StartResult, { readonly kind: 'failed' }>): boolean {
  return cause === 'never-ready' || (cause === 'start-failed' && reachedPage === true);
}
