import { describeError, isSessionError, type SessionError } from '../../errors.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { SnapshotFile } from '../../types.js';

/**
 * So many attempts in one search, over all stores: more than the default retention keeps of saves and of backups in some
 * stores together. Each costs the reading of a snapshot, and the caller's signal ends them all.
 */
const MAX_ATTEMPTS = 100;
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
  /** By SHA-256, what the saves of a store share and one of them could not be restored for. */
  readonly #badContents = new Map<SnapshotRepository, Set<string>>();

  /** Not when it needs what another one could not be restored for: that costs no attempt. */
  async isWorthAnAttempt(candidate: LocatedSnapshot): Promise<boolean> {
    const { repository } = candidate;
    if (this.#attempts >= MAX_ATTEMPTS || this.#faultsOf(repository) >= MAX_FAULTS_OF_STORE) return false;
    const bad = this.#badContents.get(repository);
    if (bad === undefined) return true;
    const files = await filesOf(candidate);
    return !files.some(({ sha256 }) => bad.has(sha256));
  }

  /** Takes note of a candidate that could not be taken. */
  async passOver(candidate: LocatedSnapshot, error: unknown): Promise<void> {
    const { repository } = candidate;
    this.#attempts++;
    if (isStoreFault(error)) {
      this.#firstFault ??= { error };
      this.#faults.set(repository, this.#faultsOf(repository) + 1);
    }
    // Every zip has its own bytes.
    if (repository.kind !== 'save' || !isSessionError(error) || error.file === undefined) return;
    const culprit = (await filesOf(candidate)).find(({ path }) => path === error.file);
    if (culprit === undefined) return;
    const bad = this.#badContents.get(repository) ?? new Set();
    this.#badContents.set(repository, bad.add(culprit.sha256));
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

/** What the manifest names, which the listing has read; none where it can't be had: then only an attempt tells. */
async function filesOf({ info, repository }: LocatedSnapshot): Promise<readonly SnapshotFile[]> {
  const manifest = await repository.manifest(info.id).catch(() => undefined);
  return manifest?.files ?? [];
}

/** Whether a snapshot that could not be fetched for this reason says nothing of the others. */
export function mayOthersDoBetter(error: unknown): boolean {
  const { code } = describeError(error);
  return (
    isStoreFault(error) ||
    isMisfit(error) ||
    ['SNAPSHOT_CORRUPT', 'SNAPSHOT_UNSAFE', 'SNAPSHOT_NOT_FOUND'].includes(code)
  );
}

/** Whether the browser must not have it; another one may. */
export function isMisfit(error: unknown): error is SessionError {
  return isSessionError(error) && ['BROWSER_TOO_OLD', 'CONFIGURATION'].includes(error.code);
}

/** Whether a store could not deliver; what the disk below the profile says is an error of the system. */
export function isStoreFault(error: unknown): boolean {
  return describeError(error).code === 'STORE';
}
