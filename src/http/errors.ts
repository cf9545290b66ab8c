import { isSessionError, type SessionErrorCode } from '../errors.js';
import type { ErrorBody, ErrorResponse, HttpErrorCode } from './contract.js';
import { json } from './json-response.js';

/** A refused request. Its message is for the caller and contains no secret. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: HttpErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: HttpErrorCode, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** The thing that `what` names does not exist. */
export function notFound(what: string): HttpError {
  return new HttpError(404, 'NOT_FOUND', what);
}

/** Too many requests of a kind; after `retryAfterMs` another one is accepted. */
export function tooMany(
  code: 'RATE_LIMITED' | 'TOO_MANY_DOWNLOADS' | 'TOO_MANY_JOBS' | 'TOO_MANY_STREAMS',
  message: string,
  retryAfterMs: number,
): HttpError {
  return new HttpError(429, code, message, {
    'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / 1000))),
  });
}

const STATUS: Readonly<Record<SessionErrorCode, number>> = {
  CONFIGURATION: 500,
  STORE: 502,
  STORE_CONFLICT: 409,
  SNAPSHOT_CORRUPT: 422,
  SNAPSHOT_UNSAFE: 422,
  SNAPSHOT_NOT_FOUND: 404,
  PROFILE_LOCKED: 409,
  PROFILE_UNSOUND: 409,
  BROWSER_TOO_OLD: 409,
  LEASE_HELD: 409,
  LEASE_LOST: 409,
  TIMEOUT: 504,
  INVALID_STATE: 409,
  CLOSED: 409,
  START_FAILED: 502,
  LOGOUT_FAILED: 502,
  INTERNAL: 500,
};

/**
 * The part of an error that a caller may read: the message of an error of this library, shortened, without anything
 * that looks like a secret. Any other error may contain anything, so its message is not told.
 */
export function errorBody(error: unknown, redact: (text: string) => string): ErrorBody {
  if (error instanceof HttpError) return { code: error.code, message: error.message };
  if (isSessionError(error)) return { code: error.code, message: redact(error.message) };
  return { code: 'INTERNAL', message: 'this failed unexpectedly; the log of the bot says more' };
}

export function errorResponse(error: unknown, redact: (text: string) => string): Response {
  const status =
    error instanceof HttpError ? error.status : isSessionError(error) ? (STATUS[error.code] ?? 500) : 500;
  const headers = error instanceof HttpError ? error.headers : {};
  const body: ErrorResponse = { success: false, error: errorBody(error, redact) };
  return json(body, { status, headers });
}
