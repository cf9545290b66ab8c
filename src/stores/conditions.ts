import { LeaseLostError, StoreConflictError, StoreError } from '../errors.js';
import type { DeleteOptions, Fence, PutOptions, SessionStore } from './session-store.js';

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

/**
 * Refuses what the store does not declare, because a store that knows nothing of it would ignore it and overwrite or
 * delete what must stay. Conditions of a put are refused by the store itself.
 */
export function assertOffered(
  { name, capabilities }: Pick<SessionStore, 'name' | 'capabilities'>,
  key: string,
  wanted: { readonly put?: PutOptions | undefined; readonly delete?: DeleteOptions | undefined },
): void {
  const lacks = (what: string) =>
    new StoreError(`"${key}": the store ${name} does not offer ${what}`, { retryable: false });
  if (wanted.put?.fence !== undefined && capabilities.fencedPut !== true) throw lacks('fenced puts');
  if (wanted.delete?.ifVersion !== undefined && capabilities.conditionalDelete !== true) {
    throw lacks('conditional deletes');
  }
}

/** Refuses a fence that can't be compared. */
export function assertFence(key: string, fence: Fence | undefined): void {
  if (fence === undefined) return;
  const { name, generation, isNew = false } = fence;
  const isNumber = Number.isSafeInteger(generation) && generation > 0;
  if (typeof name === 'string' && name !== '' && isNumber && typeof isNew === 'boolean') return;
  throw new StoreError(`"${key}": a fence is { name, generation }, with an integer from 1 on`, {
    retryable: false,
  });
}

/**
 * Compares the generation of a fenced put with the highest one that was used.
 *
 * @throws LeaseLostError if a successor has written, or somebody else has begun this very generation.
 */
export function assertNotFencedOff(
  key: string,
  { name, generation, isNew = false }: Fence,
  highest: number,
): void {
  if (isNew ? generation > highest : generation >= highest) return;
  throw new LeaseLostError(
    `"${key}" was not written: generation ${generation} of "${name}" is outdated, generation ${highest} has taken over`,
  );
}

/** The error of a conditional call that found another value than expected. */
export function conflict(key: string, what: string): StoreConflictError {
  return new StoreConflictError(`"${key}" ${what}`);
}
