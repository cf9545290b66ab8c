import type { ClientDriver } from '../../client/client-driver.js';
import type { Clock } from '../../clock.js';
import type { Announce, StateChangeCause, WarningCode } from '../../events.js';
import type { FileSystem } from '../../file-system.js';
import type { LocalLease } from '../../lease/local-lease.js';
import type { Logger } from '../../logger.js';
import type { ResolvedOptions } from '../../options.js';
import type { SoundTableMemory } from '../../profile/sound-tables.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { SessionState } from '../../state.js';
import type { TaskRunner } from '../../task.js';
import type { ProfileIdentity } from '../../types.js';
import type { BrowserGuard } from '../browser/browser-guard.js';
import type { BrowserOwner } from '../browser/browser-owner.js';
import type { LogoutNote } from '../record/logout-note.js';
import type { SessionFolders } from '../record/session-folders.js';
import type { SessionRecordFile } from '../record/session-record.js';

/** What the parts of the supervision share: the rooms below, and the session's state. */
export interface SessionContext {
  readonly clientId: string;
  readonly options: ResolvedOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fs: FileSystem;
  readonly logger: Logger;
  /** Absolute path of Chromium's user-data-dir. */
  readonly profileDir: string;
  /** The same as snapshots name it; with its links resolved once {@link settlePlace} has looked. */
  readonly profile: ProfileIdentity;
  /**
   * Looks where the folders of the session really lie, unless that is known.
   *
   * @throws ConfigurationError when they lie inside one another; TimeoutError, StoreError when a disk does not answer
   */
  readonly settlePlace: () => Promise<void>;
  /** The script that node was started with, where nothing else tells this bot from another one in its folder. */
  readonly entryScript: string | undefined;
  /** Staging, quarantine and state, beside the profile. */
  readonly folders: SessionFolders;
  readonly driver: ClientDriver;
  readonly browserOwner: BrowserOwner;
  readonly browserGuard: BrowserGuard;
  /** The primary store's; force-saves go here. */
  readonly saves: SnapshotRepository;
  readonly backups: readonly SnapshotRepository[];
  /** Of the session: guards the saves. */
  readonly lease: LocalLease;
  /** Of the profile: guards it against a session with other folders for its saves. */
  readonly profileLease: LocalLease;
  /**
   * Before anything is changed: session and profile are ours. Looks anew where the last proof of it is too old, as after
   * a suspension.
   *
   * @throws LeaseLostError; StoreError where it can't be told just now
   */
  readonly assertOwned: () => Promise<void>;
  /** The present ownership, by a name of its own; `undefined` while nobody would end the worker thread. */
  readonly ownershipEpoch: { name: string | undefined };
  readonly runner: TaskRunner;
  readonly soundTables: SoundTableMemory;
  readonly record: SessionRecordFile;
  /** Logouts that the record may not know of yet. */
  readonly logoutNote: LogoutNote;
  readonly announce: Announce;
  readonly warn: (code: WarningCode, message: string) => void;
  readonly state: () => SessionState;
  /** Moves to `to`; throws when the table of transitions does not allow it. */
  readonly moveTo: (to: SessionState, cause?: StateChangeCause) => void;
}

/** All repositories, the one for saves first. */
export function allRepositories(context: SessionContext): readonly SnapshotRepository[] {
  return [context.saves, ...context.backups];
}
