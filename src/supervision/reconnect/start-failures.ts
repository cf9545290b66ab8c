import { obstacleOf, type StartObstacle, summaryOf } from '../../client/start-error.js';
import type { Clock } from '../../clock.js';
import { isSessionError, StartFailedError } from '../../errors.js';
import type { DisconnectCause, EventError } from '../../events.js';

/** What went wrong last, for who asks why the session is not up. */
export class LastError {
  readonly #clock: Clock;
  #noted: { readonly error: unknown; readonly told: EventError & { readonly at: string } } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(error: unknown): void {
    const at = new Date(this.#clock.now()).toISOString();
    this.#noted = { error, told: Object.freeze({ ...summaryOf(error), at }) };
  }

  forget(): void {
    this.#noted = undefined;
  }

  /** As it was thrown. */
  get error(): unknown {
    return this.#noted?.error;
  }

  get told(): (EventError & { readonly at: string }) | undefined {
    return this.#noted?.told;
  }

  /** As a field of an event. */
  get field(): { readonly error?: EventError } {
    if (this.#noted === undefined) return {};
    const { code, message } = this.#noted.told;
    return { error: { code, message } };
  }
}

/** All attempts are used up. `error`: what the last of them failed by. */
export function exhausted(last: {
  readonly attempts: number;
  readonly cause: DisconnectCause;
  readonly error: unknown;
  /** The id of a snapshot that may do better, where one is known. */
  readonly olderCopy: string | undefined;
}): StartFailedError {
  const { attempts, cause, error, olderCopy } = last;
  const why = error === undefined ? '' : `: ${summaryOf(error).message}`;
  const obstacle = error === undefined ? undefined : obstacleOf({ error, launched: true });
  // Where no reconnect is allowed, what was made are the starts before.
  const within = attempts === 0 ? '' : ` within ${attempts} attempts`;
  const advice = obstacle === undefined ? '' : `; ${obstacle.reason}: ${obstacle.advice}`;
  return new StartFailedError(
    `WhatsApp did not come up${within} (last cause: ${cause}${why})${advice}; everything is kept, ` +
      'call initialize() or reconnect() to try again' +
      (olderCopy === undefined ? '' : `, or restore(${JSON.stringify(olderCopy)}) for an older copy`),
    { cause: error },
  );
}

/** Trying again is no use before somebody has done something. */
export function hopeless(error: unknown, obstacle: StartObstacle | undefined): StartFailedError {
  if (obstacle === undefined && isSessionError(error) && error.code === 'START_FAILED') {
    return error as StartFailedError; // says all of it already
  }
  const { reason, advice } = obstacle ?? { reason: 'the client failed', advice: 'see the cause' };
  return new StartFailedError(
    `the client can't be started: ${reason} (${summaryOf(error).message}). To mend it: ${advice}. ` +
      'Everything is kept; call initialize() again then',
    { cause: error, retryable: false },
  );
}

/** What a first start is refused by at once: it does not heal by waiting. */
export function isHopeless(error: unknown): boolean {
  return isSessionError(error) && (error.code === 'PROFILE_LOCKED' || error.code === 'CONFIGURATION');
}

export function isTooOld(error: unknown): boolean {
  return isSessionError(error) && error.code === 'BROWSER_TOO_OLD';
}
