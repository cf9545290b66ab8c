import { ERROR_CLASSES } from './error-classes.js';
import { wordsOf } from './error-words.js';
import { isSessionError, SessionError, type SessionErrorCode, type SessionErrorDetails } from './errors.js';

/** An error in a form that can be sent between threads, which otherwise loses its class and extra properties. */
export interface PortableError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** What a SessionError is made of, beside its message and cause. */
  readonly session?: {
    readonly code: SessionErrorCode;
    readonly details: SessionErrorDetails;
  };
  /** `code`, `errno`, `syscall` and `path` of a system error. */
  readonly system: Readonly<Record<string, string | number>>;
  readonly cause?: PortableError;
}

const SYSTEM_FIELDS = ['code', 'errno', 'syscall', 'path', 'dest'] as const;
const MAX_CAUSES = 4;
const SIMPLE: ReadonlySet<string> = new Set(['string', 'number', 'boolean']);

/** Converts an error to the form that can be sent to another thread. */
export function packError(error: unknown, depth = 0): PortableError {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: wordsOf(error), stack: undefined, system: {} };
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
    ...(isSessionError(error) && { session: { code: error.code, details: detailsOf(error) } }),
    system,
    ...(error.cause === undefined || depth >= MAX_CAUSES ? {} : { cause: packError(error.cause, depth + 1) }),
  };
}

/** What the constructor was given beside message and cause: `retryable`, `file`, and what only one class has, like `pid`. */
function detailsOf(error: SessionError): SessionErrorDetails {
  const { name, code, ...details } = error;
  const simple = Object.entries(details).filter(([, value]) => SIMPLE.has(typeof value));
  return Object.fromEntries(simple);
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
  const { code, details: given } = packed.session ?? { code: 'INTERNAL', details: {} };
  const details = cause === undefined ? given : { ...given, cause };
  return Object.hasOwn(ERROR_CLASSES, code)
    ? new ERROR_CLASSES[code as keyof typeof ERROR_CLASSES](packed.message, details)
    : new SessionError(code, packed.message, details);
}
