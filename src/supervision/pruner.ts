import { describeError } from '../errors.js';
import { profileSize, pruneCaches } from '../profile/caches.js';
import type { SnapshotRepository } from '../snapshot/repository.js';
import { selectForRemoval } from '../snapshot/retention.js';
import { allRepositories, type SessionContext } from './session-context.js';

/** What `prune()` did. */
export interface PruneResult {
  /** Ids of the snapshots that retention no longer keeps. */
  readonly removedSnapshots: readonly string[];
  /** Bytes freed in all: snapshots, caches, leftovers, old quarantines. */
  readonly freedBytes: number;
  /** Files removed from the profile's caches. */
  readonly cacheFiles: number;
}

const BYTES_PER_MB = 1024 * 1024;

/** Keeps folders and stores in bounds. Never an essential file, never the last good snapshot. */
export class Pruner {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Everything at once, for `prune()`. The caches only while no browser runs. */
  async pruneAll(browserClosed: boolean): Promise<PruneResult> {
    let freedBytes = 0;
    const removedSnapshots: string[] = [];
    for (const repository of allRepositories(this.#context)) {
      const pruned = await this.#applyRetention(repository, true);
      removedSnapshots.push(...pruned.removed);
      freedBytes += pruned.freedBytes;
    }
    freedBytes += await this.#context.folders.removeLeftovers();
    const caches = browserClosed ? await this.pruneProfileCaches() : { freedBytes: 0, files: 0 };
    return { removedSnapshots, freedBytes: freedBytes + caches.freedBytes, cacheFiles: caches.files };
  }

  /** After a write: what retention no longer keeps goes. A failure is a warning: the new snapshot stands. */
  async retain(repository: SnapshotRepository): Promise<void> {
    try {
      await this.#applyRetention(repository, false);
    } catch (error) {
      this.#context.warn(
        'retention-failed',
        `old snapshots in ${repository.store.name} could not be removed: ${describeError(error).message}`,
      );
    }
  }

  /** What Chromium makes again by itself. Call only while no browser runs. */
  async pruneProfileCaches(): Promise<{ readonly freedBytes: number; readonly files: number }> {
    const { profileDir, fs, announce } = this.#context;
    const pruned = await pruneCaches(profileDir, { fs });
    if (pruned.files > 0) announce('profile:pruned', pruned);
    return pruned;
  }

  /** Prunes the caches of a profile that has outgrown `maxSessionSizeMb`. Call only while no browser runs. */
  async pruneOversizedProfile(): Promise<void> {
    const { profileDir, fs, options } = this.#context;
    const { totalBytes } = await profileSize(profileDir, { fs });
    if (totalBytes > options.maxSessionSizeMb * BYTES_PER_MB) await this.pruneProfileCaches();
  }

  async #applyRetention(
    repository: SnapshotRepository,
    sweep: boolean,
  ): Promise<{ readonly removed: readonly string[]; readonly freedBytes: number }> {
    const { options, clock, announce, lease } = this.#context;
    const removed = selectForRemoval(await repository.list(), options.retention, clock.now()).map(
      ({ id }) => id,
    );
    if (removed.length === 0 && !sweep) return { removed, freedBytes: 0 };
    lease.assertHeld();
    const unlisted = await repository.remove(removed);
    const swept = await repository.sweep();
    const freedBytes = unlisted.freedBytes + swept.freedBytes;
    if (removed.length > 0) announce('snapshots:pruned', { removed, freedBytes });
    return { removed, freedBytes };
  }
}
