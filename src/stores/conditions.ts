import { StoreConflictError, StoreError } from '../errors.js';
import type { PutOptions } from './session-store.js';

type Conditions = Pick<PutOptions, 'ifAbsent' | 'ifVersion'>;

/** Refuses conditions that contradict each other. */
export function assertConditions(key: string, { ifAbsent, ifVersion }: Conditions): void {
  if (ifAbsent === true && ifVersion !== undefined) {
    throw new StoreError(`"${key}": ifAbsent and ifVersion exclude each other`, { retryable: false });
  }
}

/**
 * Compares the version that a conditional put expects with the current one.
 *
 * @throws StoreConflictError if they differ.
 */
export function assertExpected(key: string, conditions: Conditions, current: string | undefined): void {
  if (conditions.ifAbsent === true && current !== undefined) throw conflict(key, 'is there already');
  if (conditions.ifVersion === undefined || conditions.ifVersion === current) return;
  throw conflict(key, current === undefined ? 'is not there any more' : 'was changed meanwhile');
}

/** The error of a conditional put that found another value than expected. */
export function conflict(key: string, what: string): StoreConflictError {
  return new StoreConflictError(`"${key}" ${what}`);
}
