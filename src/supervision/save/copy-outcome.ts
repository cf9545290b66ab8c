import { describeError } from '../../errors.js';
import type { CopyFailed, CopySkipped, EventError, SkipReason } from '../../events.js';
import type { Finding } from '../../types.js';
import type { StoreAnswer } from '../context/ask-stores.js';
import { answered, failed } from '../context/ask-stores.js';
import { answerOfSystem, asSessionError } from '../context/session-error.js';
import { reasonToSkip, rootCause } from './save-request.js';

/** Free space that must remain after a capture; with less, the browser itself has problems. */
export const MIN_FREE_BYTES = 16 * 1024 * 1024;
/** Further free space that a followed database needs, because the tables and logs that it keeps are not freed. */
export const ROOM_FOR_LOGS_BYTES = 64 * 1024 * 1024;
const BYTES_PER_MB = 1024 * 1024;
/** Limit for the findings in one line. */
const MAX_FINDINGS = 3;

/** Carries the failures of several stores to the place that reports them, each with its store's name. */
export class StoresFailed extends Error {
  readonly failures: readonly { readonly store?: string; readonly error: unknown }[];

  constructor(failures: StoresFailed['failures']) {
    super('stores have failed');
    this.failures = failures;
  }
}

/**
 * The values of all stores.
 *
 * @throws StoresFailed when a store failed
 */
export function valuesOf<T>(answers: readonly StoreAnswer<T>[]): readonly T[] {
  const failures = failed(answers).map(({ repository, error }) => ({ store: repository.store.name, error }));
  if (failures.length > 0) throw new StoresFailed(failures);
  return answered(answers).map(({ value }) => value);
}

/** The outcome of a copy that was not taken: what is announced, and what the caller gets. */
export type CopyOutcome =
  | { readonly skipped: CopySkipped }
  | { readonly failed: CopyFailed; readonly error: Error };

/**
 * Classifies the error of a copy. Some errors are reasons to skip it, but if any store has failed, the copy has
 * failed.
 *
 * @param isLost whether the error only means that the lease was lost in the meantime
 */
export function outcomeOf(
  thrown: unknown,
  operation: 'forceSave' | 'backup',
  isLost: (error: unknown) => boolean,
): CopyOutcome {
  const thrownBy = thrown instanceof StoresFailed ? thrown.failures : [{ error: thrown }];
  const failures = thrownBy.map((one) => ({ ...one, reason: reasonOf(one.error, isLost) }));
  const failure = failures.find(({ reason }) => reason === undefined);
  if (failure === undefined) {
    const reason = failures[0]?.reason ?? 'no-lease';
    const same = failures.filter((one) => one.reason === reason);
    return { skipped: skippedBy(reason, same) };
  }
  const stores = namesOf(failures);
  const error = asSessionError(failure.error, operation);
  const told = failures.map((one) => withStore(asSessionError(one.error, operation).message, one.store));
  const message = [...new Set(told)].join('; ');
  return { failed: { error: { ...describeError(error), message }, ...stores }, error };
}

/** The result for a profile that is not sound, with the findings. */
export function unsound(findings: readonly Finding[]): CopySkipped {
  const shown = findings.slice(0, MAX_FINDINGS).map(({ file, problem }) => `${file}: ${problem}`);
  const more = findings.length > MAX_FINDINGS ? [`and ${findings.length - MAX_FINDINGS} more`] : [];
  return {
    reason: 'unsound',
    error: { code: 'PROFILE_UNSOUND', message: [...shown, ...more].join('; ') },
  };
}

/** The result for a profile's disk that is almost full. */
export function noRoomBeside(freeBytes: number): CopySkipped {
  const free = (freeBytes / BYTES_PER_MB).toFixed(1);
  const message = `${free} MB are free, and ${MIN_FREE_BYTES / BYTES_PER_MB} MB must stay free`;
  return { reason: 'no-space', error: { code: 'ENOSPC', message } };
}

function reasonOf(error: unknown, isLost: (error: unknown) => boolean): SkipReason | undefined {
  return reasonToSkip(error) ?? (isLost(error) ? 'no-lease' : undefined);
}

function skippedBy(reason: SkipReason, failures: StoresFailed['failures']): CopySkipped {
  const [first] = failures;
  if (first === undefined || reason === 'no-lease') return { reason };
  const error = reason === 'no-space' ? outOfSpace(first.error) : describeError(first.error);
  return { reason, error, ...(reason === 'no-space' && namesOf(failures)) };
}

/** The error for a full disk, without the path in the system's message. */
function outOfSpace(error: unknown): EventError {
  return { code: 'ENOSPC', message: answerOfSystem('ENOSPC', rootCause(error)) };
}

function namesOf(failures: StoresFailed['failures']): { readonly stores?: readonly string[] } {
  const stores = failures.flatMap(({ store }) => (store === undefined ? [] : [store]));
  return stores.length === 0 ? {} : { stores };
}

function withStore(message: string, store: string | undefined): string {
  return store === undefined || message.includes(store) ? message : `${store}: ${message}`;
}
