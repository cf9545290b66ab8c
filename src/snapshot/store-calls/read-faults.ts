import { isSessionError, StoreError } from '../../errors.js';
import { isDenied } from '../../file-system.js';
import type { ObjectInfo, SessionStore } from '../../stores/session-store.js';
import { isStandstill } from '../../stores/watched/deadline.js';

/** Whether an error is about the snapshot's bytes, and not about the store that should deliver them. */
export function isDamage(error: unknown): boolean {
  return isSessionError(error) && (error.code === 'SNAPSHOT_CORRUPT' || error.code === 'SNAPSHOT_UNSAFE');
}

/**
 * Whether a store has answered that it can't deliver an object that it lists: a bad sector, missing rights, an archive tier.
 * It says nothing about other objects, nothing about the bytes, and may pass. A store that does not answer at all is another
 * matter.
 */
export function isReadFault(error: unknown): boolean {
  return isSessionError(error) && error.code === 'STORE' && !isStandstill(error);
}

/** Whether the system denies reading a file of a local store. Trying again does not help. */
export function isDeniedObject(error: unknown): boolean {
  return isSessionError(error) && error.code === 'STORE' && isDenied(error.cause);
}

/** The error for an object that stays in the listing although the store has nothing under its key. */
export function listedButMissing({ name }: SessionStore, { key }: ObjectInfo): StoreError {
  return new StoreError(`${name} lists ${key} and has no such object`);
}
