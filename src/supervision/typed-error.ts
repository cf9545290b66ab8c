import { describeError, errnoOf, isSessionError, SessionError, StoreError } from '../errors.js';

/** Only somebody's hand changes these: trying again is no use. */
const PERMANENT = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG']);

/**
 * The error that callers and events see: one of the system becomes a `StoreError` that names the operation and the
 * code, and no path of the machine; the original is its cause.
 */
export function asSessionError(error: unknown, operation: string): SessionError {
  if (isSessionError(error)) return error;
  const errno = errnoOf(error);
  if (errno === undefined) {
    const { message } = describeError(error);
    return new SessionError('INTERNAL', `${operation}() failed: ${message}`, { operation, cause: error });
  }
  return new StoreError(`${operation}() failed: the file system answered ${errno}`, {
    operation,
    cause: error,
    retryable: !PERMANENT.has(errno),
  });
}

/** The same for a promise. */
export async function typed<Result>(operation: string, work: Promise<Result>): Promise<Result> {
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
