import type { Readable } from 'node:stream';
import type { PortableError } from '../portable-error.js';
import type { SessionStore, StoreCallOptions } from '../stores/session-store.js';
import type {
  CapturedFile,
  CapturedTree,
  SnapshotContext,
  SnapshotInfo,
  SnapshotKind,
  SnapshotManifest,
} from '../types.js';
import type { NewTail, RestoredTail, TailInfo, TailPut } from './tail.js';

/** The result of `create`. */
export type CreateResult =
  | { readonly snapshot: SnapshotInfo /** Bytes put into the store. */; readonly bytesWritten: number }
  /** The newest snapshot of this lineage already holds the same bytes; it is returned as `snapshot`. */
  | { readonly skipped: 'unchanged'; readonly snapshot: SnapshotInfo };

/** Why a lineage must never be restored automatically again. */
export interface Revocation {
  readonly cause: 'phone' | 'client' | 'server';
  /** ISO 8601. */
  readonly at: string;
}

/** Why a lineage must not be restored automatically until a person asks for it. */
export interface Hold {
  /**
   * `removed`: its profile was removed under a session that ran. `cleared`: a `clear()` at another place has left it.
   * `replaced`: another login has replaced it, maybe at another place. These two hold at every place but where it was last.
   * `superseded`: another login has replaced it where it was last, so that it holds everywhere, like `removed`.
   * `deleted`: a `clear()` has ended it while this store was away, and holds everywhere.
   * `moved`: it lives on under another client id. It holds everywhere, too, until the login is saved again under this one.
   */
  readonly cause: 'removed' | 'cleared' | 'replaced' | 'superseded' | 'deleted' | 'moved';
  /** ISO 8601. */
  readonly at: string;
  /** For `moved`: the client id that has taken it over. */
  readonly by?: string;
}

/** A hold that keeps a login from being restored at every place, as a store has noted it. */
export interface LineageHold {
  readonly lineage: string;
  /** The cause of a {@link Hold}, or `unknown` where the note of the store was lost. */
  readonly cause: string;
  /** ISO 8601. */
  readonly at: string;
  readonly by?: string;
  /** Whether the login was saved again after it had moved to another client id: it is in use, so nothing is held. */
  readonly isOver: boolean;
}

/**
 * Which login belongs to a place, that is, to the path of a profile. Only this one is restored there automatically. It
 * is written when a login comes there or ends there, also one that was never saved.
 */
export interface PlaceLogin {
  /** Names the place without telling its path; see `placeNameOf` in `profile-identity.ts`. */
  readonly place: string;
  /** The login (lineage); absent when the last one there has ended. */
  readonly lineage?: string;
  /** Since when, ISO 8601. The latest one counts. */
  readonly since: string;
}

/** The result of `remove`. */
export interface RemoveResult {
  /** Ids of the snapshots that existed. */
  readonly removed: readonly string[];
  /** Bytes of the deleted zips or manifests. The next sweep frees the objects of a save. */
  readonly freedBytes: number;
}

/** A snapshot that exists but can't be read. */
export interface UnreadableSnapshot {
  /** Key of the object that holds it. */
  readonly key: string;
  /** Its id, or its file name if that contains no id. */
  readonly id: string;
  /** Its capture time from the id, else the time when it was put; ISO 8601. */
  readonly createdAt: string;
  readonly storedBytes: number;
  /** Why it can't be read. */
  readonly problem: string;
  /** Whether a newer version of this library seems to have written it. */
  readonly isNewer: boolean;
  /** Why its store does not deliver it. That may pass, so nothing is deleted because of it. */
  readonly fault?: PortableError;
}

export interface SweepOptions extends StoreCallOptions {
  /**
   * Whether what nobody needs goes at once, also in a remote store, as `clear()` wants it. Default: there it goes an hour
   * after the first sweep that found it so, because another process may be about to need it.
   */
  readonly atOnce?: boolean;
}

/** The result of a sweep. */
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
  /** Resolves when the store gives any answer within 5 s; the cheapest possible call. */
  ping?(): Promise<void>;
  /**
   * Makes a snapshot of a captured tree and verifies the stored copy before it is listed. Skipped when the newest
   * one of the same lineage has the same content, unless this capture is worth more (settled, cold, account
   * known).
   *
   * @throws SnapshotCorruptError when the stored copy is not what was written
   */
  create(tree: CapturedTree, context: SnapshotContext, options?: StoreCallOptions): Promise<CreateResult>;
  /**
   * The snapshot because of which `create` would be skipped. Only the signatures of the live profile's files are
   * compared; nothing is copied or read. `undefined` when anything has changed, or is unknown.
   */
  unchanged(
    files: readonly CapturedFile[],
    context: SnapshotContext,
    options?: StoreCallOptions,
  ): Promise<SnapshotInfo | undefined>;
  /**
   * While this process owns the session it remembers what a remote store holds. After this call, what it was told this
   * long ago or longer, ms, is asked again. Default 0: everything.
   */
  lookAgain(maxAgeMs?: number): void;
  /** The newest comes first; cheap to call often. Those that can't be read are left out and reported to `onProblem`. */
  list(options?: StoreCallOptions): Promise<readonly SnapshotInfo[]>;
  manifest(id: string, options?: StoreCallOptions): Promise<SnapshotManifest>;
  /**
   * Writes the snapshot's files below `directory`, which must be empty or absent, and syncs them to the disk.
   *
   * @throws SnapshotCorruptError or SnapshotUnsafeError naming the file; `directory` is removed then
   */
  restore(id: string, directory: string, options?: StoreCallOptions): Promise<SnapshotManifest>;
  /**
   * Puts what the live database has gained since the newest save, in place of what was put before: two calls of the store.
   * Only saves have a tail; a format that keeps none refuses it.
   */
  putTail(tail: NewTail, options?: StoreCallOptions): Promise<TailPut>;
  /** Which save has a tail, and of when it is; `undefined` for none that can be restored. */
  tail(options?: StoreCallOptions): Promise<TailInfo | undefined>;
  /**
   * Puts the tail of a snapshot that was restored into `directory` in place. Resolves to `undefined` when it has none.
   *
   * @throws SnapshotCorruptError when its tail is of no use; what was restored is then unchanged
   */
  restoreTail(id: string, directory: string, options?: StoreCallOptions): Promise<RestoredTail | undefined>;
  /** Compares every stored byte with its SHA-256 and records the time. What is wrong with its tail is a problem only. */
  verify(id: string, options?: StoreCallOptions): Promise<SnapshotInfo>;
  /**
   * Exists only in formats where a snapshot is one file that anybody can open. Returns its unchecked bytes; read
   * them to the end or destroy the stream.
   */
  open?(id: string, options?: StoreCallOptions): Promise<Readable>;
  /** Removes snapshots from the list, damaged ones too; unknown ids are ignored. */
  remove(ids: readonly string[], options?: StoreCallOptions): Promise<RemoveResult>;
  /** The snapshots that can't be read, without foreign files that never were snapshots of this repository. */
  unreadable(options?: StoreCallOptions): Promise<readonly UnreadableSnapshot[]>;
  /** Deletes unreadable snapshots by their keys. Each is read once more before, and is kept if it can be read now. */
  removeUnreadable(keys: readonly string[], options?: StoreCallOptions): Promise<RemoveResult>;
  /**
   * Deletes everything that no snapshot needs. Anything that an unreadable manifest may need is kept while it
   * can't be read.
   */
  sweep(options?: SweepOptions): Promise<SweepResult>;
  /**
   * Removes what killed writers left on this machine: unfinished values of a local store, unfinished zips. Cheap,
   * and reads nothing from a remote store. Call it at a start, with the lease held.
   */
  removeLeftovers(): Promise<SweepResult>;
  /** Marks a pairing as logged out. The first cause is kept. */
  revoke(lineage: string, revocation: Revocation, options?: StoreCallOptions): Promise<void>;
  revokedLineages(options?: StoreCallOptions): Promise<ReadonlySet<string>>;
  /** Marks a pairing as not to be restored by itself: its snapshots are listed as `held`, or as `heldElsewhere`. */
  hold(lineage: string, hold: Hold, options?: StoreCallOptions): Promise<void>;
  /** The pairings that are `held`, also those of which no snapshot is left. */
  heldLineages(options?: StoreCallOptions): Promise<ReadonlySet<string>>;
  /** Why they are held, with those whose hold is over. */
  holds(options?: StoreCallOptions): Promise<readonly LineageHold[]>;
  /** Takes both marks away again. Idempotent. */
  release(lineage: string, options?: StoreCallOptions): Promise<void>;
  /** Marks a pairing as deleted by `clear()`: its snapshots are not listed any more, and the next sweep deletes them. */
  markCleared(lineage: string, at: string, options?: StoreCallOptions): Promise<void>;
  /** Takes that mark away. Idempotent. */
  unmarkCleared(lineage: string, options?: StoreCallOptions): Promise<void>;
  clearedLineages(options?: StoreCallOptions): Promise<ReadonlySet<string>>;
  /** Notes which login belongs to a place, in place of what was noted there before. */
  putPlaceLogin(login: PlaceLogin, options?: StoreCallOptions): Promise<void>;
  placeLogins(options?: StoreCallOptions): Promise<readonly PlaceLogin[]>;
  /** Deletes every key of this client id, but for the marks of {@link markCleared} and {@link putPlaceLogin}. */
  clear(options?: StoreCallOptions): Promise<void>;
}

/** Called for a snapshot that exists but can't be read; such a snapshot is not listed. */
export type ProblemListener = (id: string, error: unknown) => void;

/** Whether a capture with the same bytes should become a new snapshot, because it is worth more in a restore. */
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

// Once the older snapshots are gone, only this one records which lineages were already imported.
function knowsMoreImports({ imported = [] }: SnapshotContext, than: SnapshotContext): boolean {
  return imported.some((lineage) => than.imported?.includes(lineage) !== true);
}

// The profile was moved: only a snapshot that names its new place tells that its login is there now.
function isOfAnotherProfile({ profile }: SnapshotContext, than: SnapshotContext): boolean {
  return profile !== undefined && than.profile !== undefined && profile.path !== than.profile.path;
}

/** The public information about a snapshot, from its manifest. */
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

/** Orders the newest capture first; ids decide between equal times, so the order is always the same. */
export function newestFirst(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}
