import {
  BrowserTooOldError,
  ClosedError,
  ConfigurationError,
  InvalidStateError,
  isSessionError,
  LeaseHeldError,
  LeaseLostError,
  ProfileLockedError,
  ProfileUnsoundError,
  SessionError,
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

/** An error in a form that can be sent between threads, which otherwise loses its class and extra properties. */
export interface PortableError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Fields of a SessionError. */
  readonly session?: {
    readonly code: SessionErrorCode;
    readonly retryable: boolean;
    readonly operation: string | undefined;
    readonly file: string | undefined;
    readonly pid: number | undefined;
  };
  /** `code`, `errno`, `syscall` and `path` of a system error. */
  readonly system: Readonly<Record<string, string | number>>;
  readonly cause?: PortableError;
}

const SYSTEM_FIELDS = ['code', 'errno', 'syscall', 'path', 'dest'] as const;
const MAX_CAUSES = 4;

/** Converts an error to the form that can be sent to another thread. */
export function packError(error: unknown, depth = 0): PortableError {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: String(error), stack: undefined, system: {} };
  }
  const fields = error as unknown as Readonly<Record<string, unknown>>;
  const system: Record<string, string | number> = {};
  for (const name of SYSTEM_FIELDS) {
    const value = fields[name];
    if (typeof value === 'string' || typeof value === 'number') system[name] = value;
  }
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(isSessionError(error)
      ? {
          session: {
            code: error.code,
            retryable: error.retryable,
            operation: error.operation,
            file: error.file,
            pid: typeof fields.pid === 'number' ? fields.pid : undefined,
          },
        }
      : {}),
    system,
    ...(error.cause === undefined || depth >= MAX_CAUSES ? {} : { cause: packError(error.cause, depth + 1) }),
  };
}

/** Restores the error: a SessionError with its class, code and `retryable`, or a plain Error with its errno. */
export function unpackError(packed: PortableError): Error {
  const cause = packed.cause === undefined ? undefined : unpackError(packed.cause);
  const error = packed.session === undefined ? plainError(packed, cause) : sessionError(packed, cause);
  if (packed.stack !== undefined) error.stack = packed.stack;
  return error;
}

function plainError(packed: PortableError, cause: Error | undefined): Error {
  const error = new Error(packed.message, cause === undefined ? undefined : { cause });
  error.name = packed.name;
  return Object.assign(error, packed.system);
}

function sessionError(packed: PortableError, cause: Error | undefined): SessionError {
  const { code, retryable, operation, file, pid } = packed.session ?? { code: 'INTERNAL', retryable: false };
  const details: SessionErrorDetails = {
    retryable,
    ...(operation === undefined ? {} : { operation }),
    ...(file === undefined ? {} : { file }),
    ...(cause === undefined ? {} : { cause }),
  };
  if (code === 'PROFILE_LOCKED') return new ProfileLockedError(packed.message, { ...details, pid });
  const ErrorClass = CLASSES[code];
  return ErrorClass === undefined
    ? new SessionError(code, packed.message, details)
    : new ErrorClass(packed.message, details);
}

const CLASSES: Partial<
  Record<SessionErrorCode, new (message: string, details?: SessionErrorDetails) => SessionError>
> = {
  CONFIGURATION: ConfigurationError,
  STORE: StoreError,
  STORE_CONFLICT: StoreConflictError,
  SNAPSHOT_CORRUPT: SnapshotCorruptError,
  SNAPSHOT_UNSAFE: SnapshotUnsafeError,
  SNAPSHOT_NOT_FOUND: SnapshotNotFoundError,
  PROFILE_UNSOUND: ProfileUnsoundError,
  BROWSER_TOO_OLD: BrowserTooOldError,
  LEASE_HELD: LeaseHeldError,
  LEASE_LOST: LeaseLostError,
  TIMEOUT: TimeoutError,
  INVALID_STATE: InvalidStateError,
  CLOSED: ClosedError,
  START_FAILED: StartFailedError,
};
