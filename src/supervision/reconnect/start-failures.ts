import { obstacleOf, type StartObstacle, summaryOf } from '../../client/start-error.js';
import type { Clock } from '../../clock.js';
import { isSessionError, StartFailedError } from '../../errors.js';
import type { DisconnectCause, EventError } from '../../events.js';

/** Keeps the last error, for callers that ask why the session is not up. */
export class LastError {
  readonly #clock: Clock;
  #noted: { readonly error: unknown; readonly told: EventError & { readonly at: string } } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param cause what a start failed by; it names an error of somebody else's that has no code */
  note(error: unknown, cause?: DisconnectCause): void {
    const at = new Date(this.#clock.now()).toISOString();
    const { code, message } = summaryOf(error);
    const named = code === 'INTERNAL' && !isSessionError(error) ? (cause ?? code) : code;
    this.#noted = { error, told: Object.freeze({ code: named, message, at }) };
  }

  forget(): void {
    this.#noted = undefined;
  }

  /** The error as it was thrown. */
  get error(): unknown {
    return this.#noted?.error;
  }

  get told(): (EventError & { readonly at: string }) | undefined {
    return this.#noted?.told;
  }

  /** The error as a field of an event. */
  get field(): { readonly error?: EventError } {
    if (this.#noted === undefined) return {};
    const { code, message } = this.#noted.told;
    return { error: { code, message } };
  }
}

/** Makes the error for used-up attempts. `error` is the error of the last attempt. */
export function exhausted(last: {
  readonly attempts: number;
  readonly cause: DisconnectCause;
  readonly error: unknown;
  /** The id of a snapshot that may work better, if known. */
  readonly olderCopy: string | undefined;
}): StartFailedError {
  const { attempts, cause, error, olderCopy } = last;
  const why = error === undefined ? '' : `: ${summaryOf(error).message}`;
  const obstacle = error === undefined ? undefined : obstacleOf({ error, launched: true });
  // Without allowed reconnects, only the initial starts were attempted.
  const within = attempts === 0 ? '' : ` within ${attempts} attempts`;
  const advice = obstacle === undefined ? '' : `; ${obstacle.reason}: ${obstacle.advice}`;
  return new StartFailedError(
    `WhatsApp did not come up${within} (last cause: ${cause}${why})${advice}; no data was deleted, ` +
      'call initialize() or reconnect() to try again' +
      (olderCopy === undefined ? '' : `, or restore(${JSON.stringify(olderCopy)}) for an older copy`),
    { cause: error },
  );
}

/** Makes the error for a failure that no retry can fix before somebody acts. */
export function hopeless(error: unknown, obstacle: StartObstacle | undefined): StartFailedError {
  if (obstacle === undefined && isSessionError(error) && error.code === 'START_FAILED') {
    return error as StartFailedError; // it already says everything
  }
  const { reason, advice } = obstacle ?? { reason: 'the client failed', advice: 'see the cause' };
  return new StartFailedError(
    `the client can't be started: ${reason} (${summaryOf(error).message}). To fix it: ${advice}. ` +
      'No data was deleted; then call initialize() again',
    { cause: error, retryable: false },
  );
}

/** Whether a first start must fail at once, because waiting does not fix the error. */
export function isHopeless(error: unknown): boolean {
  return isSessionError(error) && (error.code === 'PROFILE_LOCKED' || error.code === 'CONFIGURATION');
}

export function isTooOld(error: unknown): boolean {
  return isSessionError(error) && error.code === 'BROWSER_TOO_OLD';
}

/** The fields of the log line for a start that failed. */
export function fieldsOf({ cause, error }: { readonly cause: DisconnectCause; readonly error: unknown }): {
  readonly cause: DisconnectCause;
  readonly error: EventError;
} {
  return { cause, error: summaryOf(error) };
}
