import {
  BrowserTooOldError,
  ClosedError,
  ConfigurationError,
  InvalidStateError,
  LeaseHeldError,
  LeaseLostError,
  type LogoutFailedError,
  ProfileLockedError,
  ProfileUnsoundError,
  type SessionError,
  type SessionErrorCode,
  type SessionErrorDetails,
  SnapshotCorruptError,
  SnapshotNotFoundError,
  SnapshotUnsafeError,
  StartFailedError,
  StoreConflictError,
  StoreError,
  TimeoutError,
} from './errors.js';

/**
 * The class of every code; the compiler asks for one when a code is new. Two are not here: `INTERNAL` is a plain
 * {@link SessionError}, and {@link LogoutFailedError} takes nothing but its cause.
 */
export const ERROR_CLASSES: Readonly<
  Record<
    Exclude<SessionErrorCode, 'INTERNAL' | 'LOGOUT_FAILED'>,
    new (
      message: string,
      details?: SessionErrorDetails,
    ) => SessionError
  >
> = {
  CONFIGURATION: ConfigurationError,
  STORE: StoreError,
  STORE_CONFLICT: StoreConflictError,
  SNAPSHOT_CORRUPT: SnapshotCorruptError,
  SNAPSHOT_UNSAFE: SnapshotUnsafeError,
  SNAPSHOT_NOT_FOUND: SnapshotNotFoundError,
  PROFILE_LOCKED: ProfileLockedError,
  PROFILE_UNSOUND: ProfileUnsoundError,
  BROWSER_TOO_OLD: BrowserTooOldError,
  LEASE_HELD: LeaseHeldError,
  LEASE_LOST: LeaseLostError,
  TIMEOUT: TimeoutError,
  INVALID_STATE: InvalidStateError,
  CLOSED: ClosedError,
  START_FAILED: StartFailedError,
};
