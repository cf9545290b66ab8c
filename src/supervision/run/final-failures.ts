import { describeError } from '../../errors.js';
import { silentLogger } from '../../logger.js';
import { emitProcessWarning } from '../../process-warning.js';
import type { SessionContext } from '../context/session-context.js';
import type { Run } from './run.js';

/** Reports a session that has failed for good, so that this never stays silent. */
export class FinalFailures {
  readonly #context: Pick<SessionContext, 'clientId' | 'logger'>;
  /** Emits a warning of the process. */
  readonly #warnProcess: (message: string) => void;
  #last: { readonly error: unknown } | undefined;
  #warned: string | undefined;

  constructor(context: Pick<SessionContext, 'clientId' | 'logger'>, warnProcess = emitProcessWarning) {
    this.#context = context;
    this.#warnProcess = warnProcess;
  }

  /** Whether the session has failed for good with this error. */
  isFinal(error: unknown): boolean {
    return this.#last !== undefined && this.#last.error === error;
  }

  /** Notes a rejected start. One that was ended by a call, or by the session's own rules, is no failure. */
  note(run: Run, error: unknown): void {
    const { logger, clientId } = this.#context;
    const described = describeError(error);
    if (run.abort.signal.aborted) return logger.warn('the session did not start', { error: described });
    this.#last = { error };
    logger.error('the session has failed and does not recover automatically', { error: described });
    if (logger !== silentLogger || run.observers.some((hears) => hears())) return;
    const message = `the session "${clientId}" has failed and does not recover automatically: ${described.message}`;
    if (message === this.#warned) return;
    this.#warned = message;
    this.#warnProcess(message);
  }
}
