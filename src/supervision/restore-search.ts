import { describeError } from '../errors.js';
import type { SnapshotRepository } from '../snapshot/repository.js';
import type { LocatedSnapshot } from './session-snapshots.js';

/** So many attempts in one search, over all stores. */
const MAX_ATTEMPTS = 20;
/** After so many snapshots that it could not read a store is not asked for another: it is the store that fails. */
const MAX_FAULTS_OF_STORE = 3;

/**
 * One search for a snapshot that can be restored: what it has met so far, and so which candidates are worth an attempt.
 * A store that can't be read is no reason to pass over what another one has.
 */
export class RestoreSearch {
  #attempts = 0;
  #firstFault: { readonly error: unknown } | undefined;
  readonly #faults = new Map<SnapshotRepository, number>();

  isWorthAnAttempt({ repository }: LocatedSnapshot): boolean {
    return this.#attempts < MAX_ATTEMPTS && this.#faultsOf(repository) < MAX_FAULTS_OF_STORE;
  }

  /** Takes note of a candidate that could not be taken. */
  passOver({ repository }: LocatedSnapshot, error: unknown): void {
    this.#attempts++;
    if (!isStoreFault(error)) return;
    this.#firstFault ??= { error };
    this.#faults.set(repository, this.#faultsOf(repository) + 1);
  }

  /**
   * At its end, with nothing restored.
   *
   * @throws StoreError where a snapshot could not be read: it may well be sound
   */
  assertAllRead(): void {
    if (this.#firstFault !== undefined) throw this.#firstFault.error;
  }

  #faultsOf(repository: SnapshotRepository): number {
    return this.#faults.get(repository) ?? 0;
  }
}

/** Whether a snapshot that could not be fetched for this reason says nothing of the others. */
export function mayOthersDoBetter(error: unknown): boolean {
  const { code } = describeError(error);
  return isStoreFault(error) || ['SNAPSHOT_CORRUPT', 'SNAPSHOT_UNSAFE', 'SNAPSHOT_NOT_FOUND'].includes(code);
}

/** Whether a store could not deliver; what the disk below the profile says is an error of the system. */
export function isStoreFault(error: unknown): boolean {
  return describeError(error).code === 'STORE';
}
