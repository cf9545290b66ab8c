import { basename } from 'node:path';
import { type Clock, sleep } from '../../clock.js';
import { errnoOf, ProfileUnsoundError } from '../../errors.js';
import { DamageError } from '../leveldb/damage.js';
import { isMissing, throwIfAborted } from '../walk.js';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 250;
/** Errors that pass. `EBUSY` and `EPERM` come on Windows while the browser locks or deletes the file (issue #3546). */
const PASSING = new Set(['EBUSY', 'EPERM', 'EAGAIN', 'ESTALE']);

/** Thrown when the browser changed a file during an attempt; the capture catches it and tries again. */
export class ChangedMeanwhile extends Error {
  override readonly name = 'ChangedMeanwhile';
  readonly path: string;
  constructor(path: string, problem: string) {
    super(problem);
    this.path = path;
  }
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly maxAttempts: number;
  readonly signal?: AbortSignal | undefined;
  /** Name of the database for the error message. */
  readonly what: string;
}

/** Repeats until no file was changed or locked meanwhile; throws {@link ProfileUnsoundError} when all attempts fail. */
export async function untilConsistent<T>(
  attempt: (isLast: boolean) => Promise<T>,
  options: RetryOptions,
): Promise<{ readonly result: T; readonly attempts: number }> {
  const { clock, maxAttempts, signal, what } = options;
  for (let attempts = 1; ; attempts++) {
    throwIfAborted(signal);
    try {
      return { result: await attempt(attempts >= maxAttempts), attempts };
    } catch (error) {
      const isTorn = error instanceof ChangedMeanwhile || error instanceof DamageError || isMissing(error);
      if (!isTorn && !PASSING.has(errnoOf(error) ?? '')) throw error;
      if (attempts < maxAttempts) {
        await sleep(clock, Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS), signal);
        continue;
      }
      if (!isTorn) throw error;
      const message = `no whole copy of ${what} after ${attempts} attempts: ${problemOf(error)}`;
      throw new ProfileUnsoundError(message, { cause: error });
    }
  }
}

function problemOf(error: unknown): string {
  if (error instanceof ChangedMeanwhile) return `${error.path}: ${error.message}`;
  if (error instanceof DamageError) return `${error.file ?? 'a file'}: ${error.message}`;
  if (!(error instanceof Error && 'path' in error)) return String(error);
  return `${basename(String(error.path))} is missing`; // its folder is a path of this machine
}
