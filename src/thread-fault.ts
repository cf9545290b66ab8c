import { describeError, SessionError } from './errors.js';

const faults = new WeakSet<object>();
const rests = new WeakSet<object>();
/** Limit for the causes of a cause that are looked at. */
const MAX_CAUSES = 8;

/** The error of the tasks in a thread that has stopped, for example because there was no memory left. */
export function threadStopped(cause: unknown): SessionError {
  const why = describeError(cause).message;
  const error = new SessionError('INTERNAL', `the worker thread stopped while it worked: ${why}`, {
    retryable: true,
    cause,
  });
  faults.add(error);
  return error;
}

/** The error of a task while a thread that has stopped again and again is not started. */
export function threadRests(crashes: number, restMs: number, cause: unknown): SessionError {
  const why = describeError(cause).message;
  const error = new SessionError(
    'INTERNAL',
    `the worker thread stopped ${crashes} times in a row (${why}) and rests for a while: ` +
      `it is started again in ${Math.ceil(restMs / 1000)} s`,
    { retryable: true, cause },
  );
  faults.add(error);
  rests.add(error);
  return error;
}

/** Whether an error, or a cause of it, is that the worker thread has stopped, or rests after that. */
export function isThreadFault(error: unknown): boolean {
  return isIn(faults, error);
}

/** Whether an error, or a cause of it, is that the worker thread rests. */
export function isThreadResting(error: unknown): boolean {
  return isIn(rests, error);
}

function isIn(errors: WeakSet<object>, error: unknown): boolean {
  let one = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof one === 'object' && one !== null; depth++) {
    if (errors.has(one)) return true;
    one = (one as { readonly cause?: unknown }).cause;
  }
  return false;
}
