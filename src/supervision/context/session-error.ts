import { isPermanent } from '../../busy.js';
import { describeError, errnoOf, isSessionError, SessionError, StoreError } from '../../errors.js';

/** Node's own codes (`ERR_MODULE_NOT_FOUND`, `ABORT_ERR`) and zlib's: nothing outside the program has answered. */
const OF_THE_SYSTEM = /^E[A-Z0-9]+$/;

/**
 * The error that callers and events see: one of the operating system becomes a `StoreError` that names the operation and the
 * code, and no path of the machine; the original is its cause.
 */
export function asSessionError(error: unknown, operation: string): SessionError {
  if (isSessionError(error)) return error;
  const errno = errnoOf(error);
  if (errno === undefined || !OF_THE_SYSTEM.test(errno)) {
    const { message } = describeError(error);
    return new SessionError('INTERNAL', `${operation}() failed: ${message}`, { operation, cause: error });
  }
  return new StoreError(`${operation}() failed: ${answerOfSystem(errno, error)}`, {
    operation,
    cause: error,
    retryable: !isPermanent(errno),
  });
}

/** What the operating system has said, without the paths in its own words. */
export function answerOfSystem(errno: string, error: unknown): string {
  return `the system answered ${errno}${callOf(error)}`;
}

/** Which call it was that the system refused: one of a file (`write`), of the network (`connect`), of a process. */
function callOf(error: unknown): string {
  const { syscall } = (error ?? {}) as { readonly syscall?: unknown };
  return typeof syscall === 'string' && /^\w+$/.test(syscall) ? ` to ${syscall}` : '';
}

/** The same for a promise. */
export async function asSessionErrors<Result>(operation: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw asSessionError(error, operation);
  }
}

/** For `catch`: what a store or the library itself says is no answer; anything else is a bug and goes on. */
export function passSessionErrors(error: unknown): undefined {
  if (!isSessionError(error)) throw error;
}
