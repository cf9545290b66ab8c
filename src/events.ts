import type { SessionErrorCode } from './errors.js';
import type { HealthReport, HealthStatus } from './health.js';
import type { SessionState } from './state.js';
import type { Finding, SnapshotInfo } from './types.js';

/** An error as events carry it: JSON-safe, without a stack. */
export interface EventError {
  readonly code: string;
  readonly message: string;
}

/** Why a save or backup was not taken. */
export type SkipReason = 'unchanged' | 'not-ready' | 'unsound' | 'no-lease' | 'no-space';

/** Why the session left `ready`, or could not reach it. */
export type DisconnectCause =
  /** The browser's process ended. */
  | 'browser-gone'
  /** The page crashed or was closed. */
  | 'page-crashed'
  /** WhatsApp stayed in TIMEOUT longer than `sessionTimeoutMs`. */
  | 'timeout'
  /** WhatsApp Web was opened elsewhere. */
  | 'conflict'
  /** The page no longer answers, although browser and page exist: it hangs, or it says CONNECTED but does not work. */
  | 'unresponsive'
  /** The page says UNPAIRED or UNPAIRED_IDLE, but no logout was seen. */
  | 'unpaired'
  /** WhatsApp refuses this version of WhatsApp Web. */
  | 'deprecated-version'
  /** A proxy blocks the connection to WhatsApp. */
  | 'proxy-blocked'
  /** WhatsApp blocks the account because of its terms of service (TOS_BLOCK, SMB_TOS_BLOCK). */
  | 'tos-blocked'
  /** Another state that whatsapp-web.js does not accept (UNLAUNCHED, ...), or a QR appeared while the session was up. */
  | 'state-lost'
  /** WhatsApp can't be reached from the browser, or somebody answers in its place with an error page. */
  | 'network-down'
  /** The client was logged in, but `ready` did not come. */
  | 'never-ready'
  /** The phone or the server logged the client out; a new start follows at once the first time, reconnects when repeated. */
  | 'logged-out'
  /** The client's start failed or took too long. */
  | 'start-failed'
  /** `reconnect()` was called. */
  | 'requested';

/** A state in which WhatsApp's page is open but receives nothing. */
export type DeafPageState = 'TIMEOUT' | 'CONFLICT';

/** Why the session stopped by itself for another reason than a lost connection. */
export type StopCause =
  /** WhatsApp refused the login: the client emitted `auth_failure`. */
  | 'auth-failure'
  /** Nobody scanned any of the QR codes that the client's `qrMaxRetries` allows. */
  | 'qr-retries-used'
  /** Another session of this process took over the profile. */
  | 'replaced';

/**
 * Why the session's state changed:
 * - why the connection was lost, or why the session stopped by itself
 * - for `degraded`: the page's state, or `unresponsive`
 * - for a start that finally failed: the `code` of its error
 *
 * Absent when a call caused the change.
 */
export type StateChangeCause = DisconnectCause | DeafPageState | StopCause | SessionErrorCode;

/** Why a snapshot replaced the profile. */
export type RestoreReason =
  /** There was no profile, for example after a redeploy. */
  | 'profile-absent'
  /** The profile was damaged. */
  | 'profile-damaged'
  /**
   * The profile started, but WhatsApp showed a QR although no logout was seen. Or WhatsApp logged out a profile that somebody had
   * put in place of this login.
   */
  | 'silent-logout'
  /** A store holds a newer snapshot of the same lineage. */
  | 'newer-snapshot'
  /** The profile was written by a newer browser, and this one would empty it: an older snapshot that it can read was used. */
  | 'browser-too-old'
  /** With this profile the session never became `ready`, although WhatsApp was reached: one older snapshot is tried. */
  | 'never-ready'
  /** The login of another system was imported: this is the snapshot that was made of it. */
  | 'imported'
  /** `restore()` was called. */
  | 'requested';

/** Stable codes of the `warning` event. */
export type WarningCode =
  | 'account-changed'
  | 'browser-too-old'
  | 'browser-version-unknown'
  | 'cleanup-failed'
  | 'client-rejection'
  | 'corrupt-snapshot'
  | 'import-available'
  | 'import-skipped'
  | 'listener-failed'
  | 'login-in-two-places'
  | 'login-rejected'
  | 'nothing-to-restore'
  | 'other-profile'
  | 'pairing-expired'
  | 'profile-moved'
  | 'profile-removed'
  | 'profile-replaced'
  | 'profile-not-starting'
  | 'replicas'
  | 'retention-failed'
  | 'revocation-incomplete'
  | 'snapshot-unreadable'
  | 'start-waits'
  | 'started-early'
  | 'large-values-missing'
  | 'tail-failed'
  | 'tail-unusable'
  | 'store-limited'
  | 'store-unreachable'
  | 'storage'
  | 'validation-failed'
  | 'web-cache-unreachable'
  | 'web-cache-unwritable'
  | 'worker-thread-stopped';

/** The payload of every event: one readonly, JSON-safe object. */
export interface SessionEventPayloads {
  'state:changed': {
    readonly from: SessionState;
    readonly to: SessionState;
    readonly cause?: StateChangeCause;
  };
  'save:completed': SnapshotTaken;
  'save:failed': CopyFailed;
  'save:skipped': CopySkipped;
  'backup:completed': SnapshotTaken;
  'backup:failed': CopyFailed;
  'backup:skipped': CopySkipped;
  'restore:started': { readonly snapshot: SnapshotInfo; readonly reason: RestoreReason };
  'restore:completed': {
    readonly snapshot: SnapshotInfo;
    readonly reason: RestoreReason;
    /**
     * The time of the state that came back, ISO 8601: that of the snapshot, or of what was put into its store after it
     * (`followIntervalMs`).
     */
    readonly stateAt: string;
    /** Age of that state, ms. */
    readonly ageMs: number;
    readonly durationMs: number;
  };
  'restore:failed': { readonly error: EventError; readonly snapshot?: SnapshotInfo };
  'corruption:detected': {
    readonly where: 'profile' | 'snapshot';
    readonly snapshot?: SnapshotInfo;
    readonly findings: readonly Finding[];
  };
  'reconnect:scheduled': {
    readonly attempt: number;
    /** `null` where there is no bound. */
    readonly maxAttempts: number | null;
    readonly delayMs: number;
    readonly cause: DisconnectCause;
    /** The error that ended the last start or the running session; absent after a call of `reconnect()`. */
    readonly error?: EventError;
  };
  'reconnect:attempted': { readonly attempt: number; readonly cause: DisconnectCause };
  'reconnect:succeeded': {
    readonly attempt: number;
    readonly durationMs: number;
    readonly cause: DisconnectCause;
  };
  'reconnect:exhausted': {
    readonly attempts: number;
    readonly cause: DisconnectCause;
    readonly error?: EventError;
  };
  'health:checked': { readonly report: HealthReport };
  'health:changed': {
    readonly from: HealthStatus;
    readonly to: HealthStatus;
    readonly report: HealthReport;
  };
  'session:revoked': { readonly cause: 'phone' | 'client' | 'server' };
  'session:quarantined': { readonly path: string; readonly reason: string };
  'session:imported': {
    /** The path that the login was imported from. */
    readonly from: string;
    readonly snapshot: SnapshotInfo;
  };
  'session:cleared': { readonly snapshots: number };
  'profile:pruned': { readonly freedBytes: number; readonly files: number };
  'snapshots:pruned': { readonly removed: readonly string[]; readonly freedBytes: number };
  'lease:acquired': { readonly owner: string; readonly generation: number };
  'lease:lost': { readonly reason: string };
  warning: { readonly code: WarningCode; readonly message: string };
}

interface SnapshotTaken {
  readonly snapshot: SnapshotInfo;
  readonly durationMs: number;
  /** Bytes written to the store. */
  readonly bytesWritten: number;
}

/** A save or backup that failed. */
export interface CopyFailed {
  /** Names every store that failed, with its reason. */
  readonly error: EventError;
  /** The names of the stores that failed; absent where it came to none. */
  readonly stores?: readonly string[];
}

/** A save or backup that was not taken. */
export interface CopySkipped {
  readonly reason: SkipReason;
  /** What the reason was: the file that is damaged, what the disk answered; absent where there is no more to tell. */
  readonly error?: EventError;
  /** With `no-space`, the names of the stores that are full; absent where it is the profile's own disk. */
  readonly stores?: readonly string[];
}

export type SessionEventName = keyof SessionEventPayloads;

/** The events with their listeners' signatures, for a typed emitter. */
export type SessionEvents = {
  [Name in SessionEventName]: (payload: SessionEventPayloads[Name]) => void;
};

/** Emits an event of the session, for parts of the library that don't know the emitter. */
export type Announce = <Name extends SessionEventName>(
  name: Name,
  payload: SessionEventPayloads[Name],
) => void;
