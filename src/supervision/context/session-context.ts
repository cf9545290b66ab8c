import type { ClientDriver } from '../../client/client-driver.js';
import type { Clock } from '../../clock.js';
import type { Announce, StateChangeCause, WarningCode } from '../../events.js';
import type { FileSystem } from '../../file-system.js';
import type { LocalLease } from '../../lease/local-lease.js';
import type { StoreOwnership } from '../../lease/store/store-ownership.js';
import type { Logger } from '../../logger.js';
import type { ResolvedOptions } from '../../options.js';
import type { Follower } from '../../profile/follow/follower.js';
import type { SoundTableMemory } from '../../profile/sound-tables.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { StartWaits } from '../../start-waits.js';
import type { SessionState } from '../../state.js';
import type { TaskRunner } from '../../task.js';
import type { ProfileIdentity } from '../../types.js';
import type { BrowserGuard } from '../browser/browser-guard.js';
import type { BrowserOwner } from '../browser/browser-owner.js';
import type { ClearNote } from '../record/clear-note.js';
import type { LogoutNote } from '../record/logout-note.js';
import type { ProfileInPlace } from '../record/profile-in-place.js';
import type { SessionFolders } from '../record/session-folders.js';
import type { SessionRecordFile } from '../record/session-record-file.js';

/** What the parts of the supervision share: the services below and the session's state. */
export interface SessionContext {
  readonly clientId: string;
  readonly options: ResolvedOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fs: FileSystem;
  readonly logger: Logger;
  /** Absolute path of Chromium's user-data-dir. */
  readonly profileDir: string;
  /** The profile's identity in snapshots; links are resolved once {@link settlePlace} has run. */
  readonly profile: ProfileIdentity;
  /**
   * Resolves the real locations of the session's folders, unless they are known.
   *
   * @throws ConfigurationError when the folders overlap; TimeoutError, StoreError when a disk does not answer
   */
  readonly settlePlace: () => Promise<void>;
  /**
   * The script that node was started with; set only where nothing else distinguishes this bot from another one in its
   * folder.
   */
  readonly entryScript: string | undefined;
  /** The folders for staging, quarantine and state, beside the profile. */
  readonly folders: SessionFolders;
  readonly driver: ClientDriver;
  readonly browserOwner: BrowserOwner;
  readonly browserGuard: BrowserGuard;
  /** The primary store's repository; `forceSave()` writes there. */
  readonly saves: SnapshotRepository;
  readonly backups: readonly SnapshotRepository[];
  /** The repositories of another client id in the same stores, the saves first; for marks only. */
  readonly repositoriesOf: (clientId: string) => readonly SnapshotRepository[];
  /** The session's lease, which protects the saves. */
  readonly lease: LocalLease;
  /** The profile's lease, which protects it against a session that keeps its saves in other folders. */
  readonly profileLease: LocalLease;
  /** The ownership among machines that share a store; absent where all stores are folders. */
  readonly storeOwnership: StoreOwnership | undefined;
  /**
   * Call before any change: confirms that this process owns the session and the profile. Checks again when the last
   * proof is too old, for example after a suspension.
   *
   * @throws LeaseLostError; StoreError when it can't be checked now
   */
  readonly assertOwned: () => Promise<void>;
  /** A unique name for the current ownership; `undefined` when nobody would end the worker thread. */
  readonly ownershipEpoch: { name: string | undefined };
  readonly runner: TaskRunner;
  readonly soundTables: SoundTableMemory;
  /** Keeps what the copies of the running browser's database follow. */
  readonly follower: Follower;
  readonly record: SessionRecordFile;
  /** Whether the profile on the disk is the one that the record describes. */
  readonly inPlace: ProfileInPlace;
  /** Logouts that may not be in the record yet. */
  readonly logoutNote: LogoutNote;
  readonly clearNote: ClearNote;
  /** Tells what a start waits for. */
  readonly startWaits: StartWaits;
  readonly announce: Announce;
  readonly warn: (code: WarningCode, message: string) => void;
  readonly state: () => SessionState;
  /** Moves to `to`; throws when the transition table does not allow it. */
  readonly moveTo: (to: SessionState, cause?: StateChangeCause) => void;
}

/** The fencing number of the ownership: among machines where a store tells it, else on this one. */
export function fencingNumberOf({ storeOwnership, lease }: SessionContext): number {
  return storeOwnership?.generation || lease.generation;
}

/** All repositories; the one for saves is first. */
export function allRepositories(context: SessionContext): readonly SnapshotRepository[] {
  return [context.saves, ...context.backups];
}
