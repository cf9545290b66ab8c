import { describeError, isSessionError, type SessionError, StoreError } from '../../errors.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { SnapshotFile } from '../../types.js';

/**
 * Limit for the attempts in one search, over all stores. By default, retention keeps fewer saves and backups, even in
 * several stores together. Each attempt reads a snapshot, and the caller's signal ends the search.
 */
const MAX_ATTEMPTS = 100;
/**
 * After this many snapshots that it could not read, a store is not asked again, because the store itself is failing.
 */
const MAX_FAULTS_OF_STORE = 3;

/** The snapshots were chosen while another machine still had the session, and may have put newer ones: choose anew. */
export function chosenTooEarly(): StoreError {
  return new StoreError(
    'another machine had the session until now: what it has saved meanwhile is looked for again',
  );
}

/**
 * The state of one search for a restorable snapshot. It knows which candidates are worth an attempt after the earlier
 * failures. When one store can't be read, candidates of other stores are still tried.
 */
export class RestoreSearch {
  #attempts = 0;
  #firstFault: { readonly error: unknown } | undefined;
  readonly #faults = new Map<SnapshotRepository, number>();
  /** SHA-256 of damaged content, by store. The saves of a store share content. */
  readonly #badContents = new Map<SnapshotRepository, Set<string>>();

  /** Whether to try this candidate. One that needs content already known as damaged is skipped and costs no attempt. */
  async isWorthAnAttempt(candidate: LocatedSnapshot): Promise<boolean> {
    const { repository } = candidate;
    if (this.#attempts >= MAX_ATTEMPTS || this.#faultsOf(repository) >= MAX_FAULTS_OF_STORE) return false;
    const bad = this.#badContents.get(repository);
    if (bad === undefined) return true;
    const files = await filesOf(candidate);
    return !files.some(({ sha256 }) => bad.has(sha256));
  }

  /** Notes a candidate that could not be restored. */
  async passOver(candidate: LocatedSnapshot, error: unknown): Promise<void> {
    const { repository } = candidate;
    this.#attempts++;
    if (isStoreFault(error)) {
      this.#firstFault ??= { error };
      this.#faults.set(repository, this.#faultsOf(repository) + 1);
    }
    // Zips share no content.
    if (repository.kind !== 'save' || !isSessionError(error) || error.file === undefined) return;
    const culprit = (await filesOf(candidate)).find(({ path }) => path === error.file);
    if (culprit === undefined) return;
    const bad = this.#badContents.get(repository) ?? new Set();
    this.#badContents.set(repository, bad.add(culprit.sha256));
  }

  /**
   * Call at the end of a search that restored nothing.
   *
   * @throws StoreError when a snapshot could not be read, since it may be sound
   */
  assertAllRead(): void {
    if (this.#firstFault !== undefined) throw this.#firstFault.error;
  }

  #faultsOf(repository: SnapshotRepository): number {
    return this.#faults.get(repository) ?? 0;
  }
}

/**
 * The files in the manifest, which the listing has already read; none when it is unavailable, so that the snapshot is
 * tried.
 */
async function filesOf({ info, repository }: LocatedSnapshot): Promise<readonly SnapshotFile[]> {
  const manifest = await repository.manifest(info.id).catch(() => undefined);
  return manifest?.files ?? [];
}

/** Whether this failure to fetch a snapshot says nothing about other snapshots. */
export function mayOthersDoBetter(error: unknown): boolean {
  const { code } = describeError(error);
  return (
    isStoreFault(error) ||
    isMisfit(error) ||
    ['SNAPSHOT_CORRUPT', 'SNAPSHOT_UNSAFE', 'SNAPSHOT_NOT_FOUND'].includes(code)
  );
}

/** Whether only this browser must not have the snapshot. */
export function isMisfit(error: unknown): error is SessionError {
  return isSessionError(error) && ['BROWSER_TOO_OLD', 'CONFIGURATION'].includes(error.code);
}

/** Whether a store failed to deliver. A failure of the profile's own disk is a system error instead. */
export function isStoreFault(error: unknown): boolean {
  return describeError(error).code === 'STORE';
}
