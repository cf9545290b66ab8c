import { tellable, wordsOf } from './error-words.js';

/**
 * Every error of this library is a {@link SessionError} with a literal `code`.
 *
 * Ask with {@link isSessionError}, not with `instanceof`: an application that loads both the ESM and the CJS
 * build has two copies of each class.
 */
const brand = Symbol.for('wwebjs-persistent-session.error');

/** The stable identifier of what went wrong. */
export type SessionErrorCode =
  | 'CONFIGURATION'
  | 'STORE'
  | 'STORE_CONFLICT'
  | 'SNAPSHOT_CORRUPT'
  | 'SNAPSHOT_UNSAFE'
  | 'SNAPSHOT_NOT_FOUND'
  | 'PROFILE_LOCKED'
  | 'PROFILE_UNSOUND'
  | 'BROWSER_TOO_OLD'
  | 'LEASE_HELD'
  | 'LEASE_LOST'
  | 'TIMEOUT'
  | 'INVALID_STATE'
  | 'CLOSED'
  | 'START_FAILED'
  | 'LOGOUT_FAILED'
  | 'INTERNAL';

/** The details that every error constructor takes beside the message. */
export interface SessionErrorDetails {
  /** Whether the same call may succeed later although the caller changes nothing. Default: depends on the class. */
  readonly retryable?: boolean;
  /** The public operation that failed, for example `forceSave`. */
  readonly operation?: string;
  /** The snapshot's damaged or unreadable file, if a single file caused the error: its path relative to the profile. */
  readonly file?: string;
  /** The error that caused this one, if any. */
  readonly cause?: unknown;
}

/** Base of all errors thrown by this library. */
export class SessionError extends Error {
  override readonly name: string = 'SessionError';
  readonly code: SessionErrorCode;
  readonly retryable: boolean;
  readonly operation: string | undefined;
  readonly file: string | undefined;
  /** What is underneath, if any. Declared here because TypeScript's own type of Error has it only from ES2022 on. */
  declare readonly cause?: unknown;
  /** @internal */
  readonly [brand] = true;

  constructor(code: SessionErrorCode, message: string, details: SessionErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.operation = details.operation;
    this.file = details.file;
  }

  /** The form in which events carry an error: without stack and cause. */
  toJSON(): { code: SessionErrorCode; message: string } {
    return { code: this.code, message: this.message };
  }
}

/** An option is wrong. The message names the option, its value and the accepted values. */
export class ConfigurationError extends SessionError {
  override readonly name = 'ConfigurationError';
  constructor(message: string, details?: SessionErrorDetails) {
    super('CONFIGURATION', message, details);
  }
}

/** A store failed. A missing object is no error: the store returns `undefined` for it. */
export class StoreError extends SessionError {
  override readonly name: string = 'StoreError';
  constructor(message: string, details?: SessionErrorDetails, code: 'STORE' | 'STORE_CONFLICT' = 'STORE') {
    super(code, message, { retryable: true, ...details });
  }
}

/** A conditional put (`ifAbsent`, `ifVersion`) failed because the store holds another value. */
export class StoreConflictError extends StoreError {
  override readonly name = 'StoreConflictError';
  constructor(message: string, details?: SessionErrorDetails) {
    super(message, { retryable: false, ...details }, 'STORE_CONFLICT');
  }
}

/** A snapshot is cut off, incomplete, or differs from its manifest. */
export class SnapshotCorruptError extends SessionError {
  override readonly name = 'SnapshotCorruptError';
  constructor(message: string, details?: SessionErrorDetails) {
    super('SNAPSHOT_CORRUPT', message, details);
  }
}

/** A snapshot was refused because restoring it would write outside its folder or exceed its limits. */
export class SnapshotUnsafeError extends SessionError {
  override readonly name = 'SnapshotUnsafeError';
  constructor(message: string, details?: SessionErrorDetails) {
    super('SNAPSHOT_UNSAFE', message, details);
  }
}

/** No store has a snapshot with this id, or no store has any snapshot. */
export class SnapshotNotFoundError extends SessionError {
  override readonly name = 'SnapshotNotFoundError';
  constructor(message: string, details?: SessionErrorDetails) {
    super('SNAPSHOT_NOT_FOUND', message, details);
  }
}

/** Another live browser uses the profile. */
export class ProfileLockedError extends SessionError {
  override readonly name = 'ProfileLockedError';
  /** The id of the process that holds the profile, if known. */
  readonly pid: number | undefined;
  constructor(message: string, details?: SessionErrorDetails & { readonly pid?: number | undefined }) {
    super('PROFILE_LOCKED', message, { retryable: true, ...details });
    this.pid = details?.pid;
  }
}

/** The profile can't be captured: an essential part is missing or damaged. */
export class ProfileUnsoundError extends SessionError {
  override readonly name = 'ProfileUnsoundError';
  constructor(message: string, details?: SessionErrorDetails) {
    super('PROFILE_UNSOUND', message, details);
  }
}

/**
 * The browser is older than the one that wrote the login. It would replace the login's database by an empty one, which is
 * a logout. Therefore it was not allowed to open the login, and nothing was changed. The message names a browser version
 * that can read the login.
 */
export class BrowserTooOldError extends SessionError {
  override readonly name = 'BrowserTooOldError';
  /** The browser that was refused, for example `Chrome/146.0.7680.31`. */
  readonly browser: string | undefined;
  /** The browser that wrote the login, if known. */
  readonly writtenBy: string | undefined;
  constructor(
    message: string,
    details?: SessionErrorDetails & {
      readonly browser?: string | undefined;
      readonly writtenBy?: string | undefined;
    },
  ) {
    super('BROWSER_TOO_OLD', message, details);
    this.browser = details?.browser;
    this.writtenBy = details?.writtenBy;
  }
}

/** Another live process owns this session. */
export class LeaseHeldError extends SessionError {
  override readonly name = 'LeaseHeldError';
  constructor(message: string, details?: SessionErrorDetails) {
    super('LEASE_HELD', message, { retryable: true, ...details });
  }
}

/** This process owned the session, but does not own it any more. */
export class LeaseLostError extends SessionError {
  override readonly name = 'LeaseLostError';
  constructor(message: string, details?: SessionErrorDetails) {
    super('LEASE_LOST', message, details);
  }
}

/** A deadline passed. */
export class TimeoutError extends SessionError {
  override readonly name = 'TimeoutError';
  constructor(message: string, details?: SessionErrorDetails) {
    super('TIMEOUT', message, { retryable: true, ...details });
  }
}

/** The call is not possible in the session's present state. */
export class InvalidStateError extends SessionError {
  override readonly name = 'InvalidStateError';
  constructor(message: string, details?: SessionErrorDetails) {
    super('INVALID_STATE', message, details);
  }
}

/** The operation was ended by `destroy()` or `clear()`. */
export class ClosedError extends SessionError {
  override readonly name = 'ClosedError';
  constructor(message: string, details?: SessionErrorDetails) {
    super('CLOSED', message, details);
  }
}

/** The client could not be started: all retries failed, or the first failure showed that a retry can't help. */
export class StartFailedError extends SessionError {
  override readonly name = 'StartFailedError';
  constructor(message: string, details?: SessionErrorDetails) {
    super('START_FAILED', message, { retryable: true, ...details });
  }
}

/** `client.logout()` or `clear({ logout: true })` could not unlink this device: it is still linked on the phone. */
export class LogoutFailedError extends SessionError {
  override readonly name = 'LogoutFailedError';
  constructor(cause: unknown) {
    super(
      'LOGOUT_FAILED',
      `the device could not be unlinked from the phone: ${describeError(cause).message}; the session was stopped and ` +
        'everything is kept. initialize() and try again, or unlink it on the phone',
      { cause, operation: 'logout', retryable: true },
    );
  }
}

type CodeWithFields = 'PROFILE_LOCKED' | 'BROWSER_TOO_OLD';

/** Every error of this library by its `code`, so that asking for the code makes known what fields it has. */
export type KnownSessionError =
  | (ProfileLockedError & { readonly code: 'PROFILE_LOCKED' })
  | (BrowserTooOldError & { readonly code: 'BROWSER_TOO_OLD' })
  | (SessionError & { readonly code: Exclude<SessionErrorCode, CodeWithFields> });

/**
 * Whether `error` comes from this library, whichever of its builds threw it.
 *
 * @example
 * try { await session.initialize(); } catch (error) {
 *   if (isSessionError(error) && error.code === 'LEASE_HELD') process.exit(0);
 *   if (isSessionError(error) && error.code === 'PROFILE_LOCKED') console.error(`held by ${error.pid}`);
 * }
 */
export function isSessionError(error: unknown): error is KnownSessionError {
  return typeof error === 'object' && error !== null && (error as { [brand]?: unknown })[brand] === true;
}

/** Whether an error is a `StoreError` or one of its kind, also of another copy of this library. */
export function isStoreError(error: unknown): error is StoreError {
  return isSessionError(error) && (error.code === 'STORE' || error.code === 'STORE_CONFLICT');
}

/**
 * Turns any thrown value into the JSON-safe form that events carry: its words, bounded and without the credentials in an
 * address. Never throws: a callback of the bot may throw any value.
 */
export function describeError(error: unknown): { readonly code: string; readonly message: string } {
  return { code: codeOf(error), message: tellable(wordsOf(error)) };
}

function codeOf(error: unknown): string {
  try {
    return errnoOf(error) ?? 'INTERNAL';
  } catch {
    return 'INTERNAL';
  }
}

/** Returns a thrown value as an Error. A value that is no Error becomes the `cause` of a new one. */
export function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(describeError(error).message, { cause: error });
}

/** The `code` of a system error (`ENOENT`, ...); `undefined` for any other value. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
