import { orAborted } from '../../clock.js';
import { describeError } from '../../errors.js';
import { type FreedFiles, profileSize, pruneCaches } from '../../profile/caches.js';
import type { PruneResult } from '../../results.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import { type RetentionPolicy, selectForRemoval } from '../../snapshot/retention.js';
import { answered, askStores, failed, type StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import { freeBytesOfProfile, sharesDiskOfProfile } from './profile-disk.js';
import { UnreadableRemover } from './unreadable-remover.js';

const BYTES_PER_MB = 1024 * 1024;
/** Retention for a full disk: the newest good snapshot of every store. */
const ONLY_THE_LAST_GOOD = { saves: { keepLast: 1 }, backups: { keepLast: 1 }, maxTotalMb: 0 };

/** Limits the size of folders and stores. Never deletes an essential file or the last good snapshot. */
export class Pruner {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  readonly #unreadable: UnreadableRemover;

  /** The stores whose leftovers could not be removed the last time. Each is told once until it answers again. */
  readonly #toldOfLeftovers = new Set<SnapshotRepository>();

  constructor(context: SessionContext, { snapshots }: { readonly snapshots: SessionSnapshots }) {
    this.#context = context;
    this.#snapshots = snapshots;
    this.#unreadable = new UnreadableRemover(context, { snapshots });
  }

  /** Prunes everything at once, for `prune()`. Caches are pruned only when no browser runs. */
  async pruneAll(browserClosed: boolean): Promise<PruneResult> {
    const { options, record } = this.#context;
    if (browserClosed) await record.load(); // the session may not have started yet
    const repositories = allRepositories(this.#context);
    const unreadable = await this.#unreadable.remove(options.retention, repositories);
    const outlived = await this.#select(options.retention, new Set(repositories));
    const snapshots = await this.#remove(outlived, repositories);
    const leftovers = await this.removeLeftovers();
    const caches = browserClosed ? await this.pruneProfileCaches() : { freedBytes: 0, files: 0 };
    return {
      removedSnapshots: snapshots.removed,
      freedBytes: unreadable.freedBytes + snapshots.freedBytes + leftovers + caches.freedBytes,
      cacheFiles: caches.files,
    };
  }

  /** Removes what killed processes left beside the profile and in the stores. Returns the bytes freed. */
  async removeLeftovers(patience?: StorePatience): Promise<number> {
    const beside = await this.#context.folders.removeLeftovers().catch((error: unknown) => ({ error }));
    const sweep = (repository: SnapshotRepository) => repository.removeLeftovers();
    const answers = await askStores(allRepositories(this.#context), sweep, patience);
    for (const { repository } of answered(answers)) this.#toldOfLeftovers.delete(repository);
    for (const { repository, error } of failed(answers)) {
      if (this.#toldOfLeftovers.has(repository)) continue;
      this.#toldOfLeftovers.add(repository);
      const why = describeError(error).message;
      this.#context.warn(
        'cleanup-failed',
        `${repository.store.name}: leftovers could not be removed: ${why}`,
      );
    }
    if (typeof beside === 'object') throw beside.error;
    return answered(answers).reduce((sum, { value }) => sum + value.freedBytes, beside);
  }

  /**
   * Call after a write into this store: removes what retention no longer keeps. Another store is asked only if something in
   * it is to be removed. A failure is only a warning, because the new snapshot is safe.
   */
  async retain(written: SnapshotRepository): Promise<void> {
    const { retention } = this.#context.options;
    try {
      const { from } = await this.#unreadable.remove(retention, [written]);
      await this.#remove(await this.#outlivedAfter(written), from);
    } catch (error) {
      const { code } = describeError(error);
      if (code === 'CLOSED' || code === 'LEASE_LOST') return; // the session was stopped meanwhile or is another's
      this.#context.warn(
        'retention-failed',
        `old snapshots could not be removed: ${describeError(error).message}`,
      );
    }
  }

  /**
   * Call before a write that lacks space beside the profile. Removes the oldest snapshots on the same disk until
   * `minFreeBytes` are free, but never the last good ones. Snapshots on other disks and in remote stores are kept,
   * since removing them frees nothing there. Resolves to whether there is enough space.
   */
  async makeRoom(minFreeBytes: number): Promise<boolean> {
    const near = await this.#onProfilesDisk();
    const { from } = await this.#unreadable.remove(ONLY_THE_LAST_GOOD, near);
    await this.#remove([], from);
    if (from.length > 0 && (await freeBytesOfProfile(this.#context)) >= minFreeBytes) return true;
    for (const repository of near) if (await this.#unreadable.isHeldUp(repository)) near.delete(repository);
    for (const snapshot of await this.#select(ONLY_THE_LAST_GOOD, near)) {
      const { repository } = snapshot;
      if (!near.has(repository)) continue;
      const before = await freeBytesOfProfile(this.#context);
      await this.#remove([snapshot], []);
      const free = await freeBytesOfProfile(this.#context);
      if (free >= minFreeBytes) return true;
      // Removing frees nothing here (a trash, a disk that keeps its history), so more snapshots would be lost for
      // nothing.
      if (free <= before) near.delete(repository);
    }
    return false;
  }

  /** Removes files that Chromium recreates. Call only while no browser runs. */
  async pruneProfileCaches(signal?: AbortSignal): Promise<FreedFiles> {
    const { profileDir, fs, announce } = this.#context;
    const pruned = await pruneCaches(profileDir, { fs, ...(signal && { signal }) });
    if (pruned.files > 0) announce('profile:pruned', pruned);
    return pruned;
  }

  /**
   * Call before a browser starts. Caches are removed before the first start of a run. They are kept between two
   * attempts, since a warm cache makes them fast, unless the profile exceeds `maxSessionSizeMb`. A failure is only a
   * warning.
   */
  async pruneBeforeStart(isFirst: boolean): Promise<void> {
    try {
      if (isFirst || (await this.#isOversized())) await this.pruneProfileCaches();
    } catch (error) {
      this.#warnOfCaches(error);
    }
  }

  /**
   * Call after the last browser of a run has closed normally. Takes `deadlineMs` at most, and leaves the rest for
   * later.
   */
  async pruneAfterStop(deadlineMs: number): Promise<void> {
    const { clock } = this.#context;
    const deadline = new AbortController();
    const { signal } = deadline;
    const timer = clock.setTimeout(() => deadline.abort(), deadlineMs);
    try {
      await orAborted(this.pruneProfileCaches(signal), signal);
    } catch (error) {
      if (!signal.aborted) this.#warnOfCaches(error);
    } finally {
      clock.clearTimeout(timer);
    }
  }

  async #isOversized(): Promise<boolean> {
    const { profileDir, fs, options } = this.#context;
    const { totalBytes } = await profileSize(profileDir, { fs });
    return totalBytes > options.maxSessionSizeMb * BYTES_PER_MB;
  }

  #warnOfCaches(error: unknown): void {
    this.#context.warn('cleanup-failed', `caches could not be pruned: ${describeError(error).message}`);
  }

  // What is known of a store may be out of date, so each store from which something is to be removed is asked first.
  async #outlivedAfter(written: SnapshotRepository): Promise<readonly LocatedSnapshot[]> {
    const { retention } = this.#context.options;
    const chosen = await this.#select(retention, new Set([written]));
    if (chosen.length === 0) return [];
    const asked = new Set([written, ...chosen.map(({ repository }) => repository)]);
    for (const repository of asked) repository.lookAgain();
    return (await this.#select(retention, asked)).filter(({ repository }) => asked.has(repository));
  }

  /**
   * A snapshot whose restore was interrupted may be the profile in place. The next start must compare the two, so it is
   * kept.
   *
   * @param asked the stores to ask; of the others, the last known content counts
   */
  async #select(
    retention: RetentionPolicy,
    asked: ReadonlySet<SnapshotRepository>,
  ): Promise<readonly LocatedSnapshot[]> {
    const located = new Map(
      (await this.#snapshots.listAmong(asked)).map((snapshot) => [snapshot.info, snapshot]),
    );
    const { restoring } = this.#context.record.current;
    return selectForRemoval([...located.keys()], retention, this.#context.clock.now()).flatMap((info) =>
      info.id === restoring ? [] : (located.get(info) ?? []),
    );
  }

  async #onProfilesDisk(): Promise<Set<SnapshotRepository>> {
    const near = new Set<SnapshotRepository>();
    for (const repository of allRepositories(this.#context)) {
      if (await sharesDiskOfProfile(this.#context, repository.store)) near.add(repository);
    }
    return near;
  }

  /** @param alsoSwept repositories that are swept even if none of their snapshots is removed */
  async #remove(
    snapshots: readonly LocatedSnapshot[],
    alsoSwept: readonly SnapshotRepository[],
  ): Promise<{ readonly removed: readonly string[]; readonly freedBytes: number }> {
    const { announce, assertOwned } = this.#context;
    const removed: string[] = [];
    let freedBytes = 0;
    const clean = async (repository: SnapshotRepository) => {
      const ids = snapshots.filter((one) => one.repository === repository).map(({ info }) => info.id);
      if (ids.length === 0 && !alsoSwept.includes(repository)) return;
      await assertOwned();
      const unlisted = await repository.remove(ids);
      this.#snapshots.noteRemoved(repository, unlisted.removed);
      removed.push(...unlisted.removed);
      freedBytes += unlisted.freedBytes;
      freedBytes += (await repository.sweep()).freedBytes;
    };
    const answers = await askStores(allRepositories(this.#context), clean);
    if (removed.length > 0) announce('snapshots:pruned', { removed, freedBytes });
    const [failure] = failed(answers);
    if (failure !== undefined) throw failure.error;
    return { removed, freedBytes };
  }
}
