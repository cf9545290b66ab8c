import type { Readable } from 'node:stream';
import type { SessionStore, StoreCallOptions } from '../stores/session-store.js';
import type {
  CapturedFile,
  CapturedTree,
  SnapshotContext,
  SnapshotInfo,
  SnapshotKind,
  SnapshotManifest,
} from '../types.js';

/** What `create` did. */
export type CreateResult =
  | { readonly snapshot: SnapshotInfo /** Bytes put into the store. */; readonly bytesWritten: number }
  /** The newest snapshot of this lineage already holds the same bytes: it is named. */
  | { readonly skipped: 'unchanged'; readonly snapshot: SnapshotInfo };

/** Why a lineage is never to be restored by itself again. */
export interface Revocation {
  readonly cause: 'phone' | 'client' | 'server';
  /** ISO 8601. */
  readonly at: string;
}

/** Why a lineage is not to be restored by itself until a person asks for it. */
export interface Hold {
  /**
   * `removed`: its profile was removed under a session that ran. `cleared`: a `clear()` at another place has left it; this holds at
   * every place but where it was last.
   */
  readonly cause: 'removed' | 'cleared';
  /** ISO 8601. */
  readonly at: string;
}

/** What `remove` did. */
export interface RemoveResult {
  /** Ids of those that were there. */
  readonly removed: readonly string[];
  /** Bytes of the zips or manifests deleted. What a save's objects take is freed by the next sweep. */
  readonly freedBytes: number;
}

/** A snapshot that is there but can't be read. */
export interface UnreadableSnapshot {
  /** Of the object that holds it. */
  readonly key: string;
  /** Its id, or its file name where that holds none. */
  readonly id: string;
  /** When it was captured, by its id, else when it was put; ISO 8601. */
  readonly createdAt: string;
  readonly storedBytes: number;
  /** Why it can't be read. */
  readonly problem: string;
  /** Whether it says that a newer version of this library wrote it. */
  readonly isNewer: boolean;
}

/** What a sweep gave back. */
export interface SweepResult {
  readonly freedBytes: number;
  /** Number of objects and leftovers removed. */
  readonly files: number;
}

/**
 * A store plus a format. Lists, creates, verifies, restores and removes the snapshots of one client id.
 *
 * A snapshot is listed only when it is whole, and every byte that comes back is checked against its SHA-256.
 * A store that fails throws `StoreError`; an id that is not there throws `SnapshotNotFoundError`.
 */
export interface SnapshotRepository {
  readonly kind: SnapshotKind;
  readonly store: SessionStore;
  /** Resolves when the store answers at all, within 5 s: the cheapest of questions. */
  ping?(): Promise<void>;
  /**
   * Makes a snapshot of a captured tree and verifies the stored copy before it is listed. Skipped when the newest
   * one of the same lineage holds the same, unless this capture is worth more (settled, cold, account known).
   *
   * @throws SnapshotCorruptError when the stored copy is not what was written
   */
  create(tree: CapturedTree, context: SnapshotContext, options?: StoreCallOptions): Promise<CreateResult>;
  /**
   * The snapshot that `create` would skip in favour of, told by the signatures of the live profile's files alone: nothing
   * is copied or read. `undefined` when anything has changed, or is not known.
   */
  unchanged(
    files: readonly CapturedFile[],
    context: SnapshotContext,
    options?: StoreCallOptions,
  ): Promise<SnapshotInfo | undefined>;
  /** Newest first; cheap to call often. Damaged ones are left out and reported to `onProblem`. */
  list(options?: StoreCallOptions): Promise<readonly SnapshotInfo[]>;
  manifest(id: string, options?: StoreCallOptions): Promise<SnapshotManifest>;
  /**
   * Writes the snapshot's files below `directory`, which must be empty or absent, and puts them on the disk.
   *
   * @throws SnapshotCorruptError or SnapshotUnsafeError naming the file; `directory` is removed then
   */
  restore(id: string, directory: string, options?: StoreCallOptions): Promise<SnapshotManifest>;
  /** Compares every stored byte with its SHA-256 and remembers when. */
  verify(id: string, options?: StoreCallOptions): Promise<SnapshotInfo>;
  /** Only where a snapshot is one file that anybody can open: its bytes, unchecked. Read them to the end or destroy them. */
  open?(id: string, options?: StoreCallOptions): Promise<Readable>;
  /** Unlists snapshots, damaged ones too; unknown ids are ignored. */
  remove(ids: readonly string[], options?: StoreCallOptions): Promise<RemoveResult>;
  /** Those that can't be read, but for what somebody put there that was never a snapshot of this place. */
  unreadable(options?: StoreCallOptions): Promise<readonly UnreadableSnapshot[]>;
  /** Deletes unreadable ones, by their keys. Each is read once more before: one that is whole after all stays. */
  removeUnreadable(keys: readonly string[], options?: StoreCallOptions): Promise<RemoveResult>;
  /** Deletes what no snapshot needs, nor may need as long as its manifest can't be read. */
  sweep(options?: StoreCallOptions): Promise<SweepResult>;
  /**
   * Removes what killed writers left on this machine: unfinished values of a local store, unfinished zips. Cheap, and
   * reads nothing from a remote store. To be called at a start, with the lease held.
   */
  removeLeftovers(): Promise<SweepResult>;
  /** Marks a pairing as logged out. The first cause stays. */
  revoke(lineage: string, revocation: Revocation, options?: StoreCallOptions): Promise<void>;
  revokedLineages(options?: StoreCallOptions): Promise<ReadonlySet<string>>;
  /** Marks a pairing as not to be restored by itself: its snapshots are listed as `held`, or as `heldElsewhere`. */
  hold(lineage: string, hold: Hold, options?: StoreCallOptions): Promise<void>;
  /** The pairings that are `held`, also those of which no snapshot is left. */
  heldLineages(options?: StoreCallOptions): Promise<ReadonlySet<string>>;
  /** Takes both marks away again. Idempotent. */
  release(lineage: string, options?: StoreCallOptions): Promise<void>;
  /** Deletes every key of this client id. */
  clear(options?: StoreCallOptions): Promise<void>;
}

/** Called for a snapshot that is there but can't be read; it is not listed. */
export type ProblemListener = (id: string, error: unknown) => void;

/** Whether a capture with the same bytes deserves a snapshot of its own, because it is worth more in a restore. */
export function isWorthMore(context: SnapshotContext, than: SnapshotContext): boolean {
  if (isOfAnotherProfile(context, than)) return true;
  if (than.settled && !context.settled) return false;
  return (
    (context.settled && !than.settled) ||
    (context.capture === 'cold' && than.capture === 'hot') ||
    (context.account !== undefined && than.account === undefined) ||
    knowsMoreImports(context, than)
  );
}

// Once the older snapshots are gone, only this one tells that those were taken over before.
function knowsMoreImports({ imported = [] }: SnapshotContext, than: SnapshotContext): boolean {
  return imported.some((lineage) => than.imported?.includes(lineage) !== true);
}

// The profile was moved: only a snapshot that names its new place tells that its login is there now.
function isOfAnotherProfile({ profile }: SnapshotContext, than: SnapshotContext): boolean {
  return profile !== undefined && than.profile !== undefined && profile.path !== than.profile.path;
}

/** What users see of a manifest. */
export function snapshotInfo(
  manifest: SnapshotManifest,
  stored: {
    readonly store: string;
    readonly storedBytes: number;
    readonly revoked: boolean;
    readonly held: boolean;
    readonly heldElsewhere: boolean;
    readonly verifiedAt: string | undefined;
  },
): SnapshotInfo {
  return {
    id: manifest.id,
    kind: manifest.kind,
    store: stored.store,
    clientId: manifest.clientId,
    ...(manifest.profile === undefined ? {} : { profile: manifest.profile }),
    lineage: manifest.lineage,
    run: manifest.run,
    createdAt: manifest.createdAt,
    sizeBytes: manifest.files.reduce((sum, { size }) => sum + size, 0),
    storedBytes: stored.storedBytes,
    files: manifest.files.length,
    capture: manifest.capture,
    settled: manifest.settled,
    ...(stored.verifiedAt === undefined ? {} : { verifiedAt: stored.verifiedAt }),
    revoked: stored.revoked,
    ...(stored.held && { held: true }),
    ...(stored.heldElsewhere && { heldElsewhere: true }),
    ...(manifest.imported === undefined ? {} : { imported: manifest.imported }),
  };
}

/** Newest capture first; the id decides between equal times, so the order is always the same. */
export function newestFirst(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}
