import { isPermanent } from '../../busy.js';
import { describeError, errnoOf, isSessionError, SessionError, StoreError } from '../../errors.js';

/**
 * Matches codes of the operating system. Node's own codes (`ERR_MODULE_NOT_FOUND`, `ABORT_ERR`) and zlib's are not
 * answers from outside the program.
 */
const OF_THE_SYSTEM = /^E[A-Z0-9]+$/;

/**
 * The error that callers and events get. An error of the operating system becomes a `StoreError` that names the
 * operation and the code, but no path of the machine; its cause is the original error.
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

/** The operating system's message, without the paths in it. */
export function answerOfSystem(errno: string, error: unknown): string {
  return `the system answered ${errno}${callOf(error)}`;
}

/** The kind of call that the system refused: for a file (`write`), the network (`connect`) or a process. */
function callOf(error: unknown): string {
  const { syscall } = (error ?? {}) as { readonly syscall?: unknown };
  return typeof syscall === 'string' && /^\w+$/.test(syscall) ? ` to ${syscall}` : '';
}

/** Converts a promise's rejection with {@link asSessionError}. */
export async function asSessionErrors<Result>(operation: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw asSessionError(error, operation);
  }
}

/**
 * For `catch`: turns an error of a store or of this library into `undefined`. Any other error is a bug and is
 * rethrown.
 */
export function passSessionErrors(error: unknown): undefined {
  if (!isSessionError(error)) throw error;
}
