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
  /** The page no longer answers, although browser and page are there (it hangs, or CONNECTED by word but dead). */
  | 'unresponsive'
  /** The page says UNPAIRED or UNPAIRED_IDLE, but no logout was seen. */
  | 'unpaired'
  /** WhatsApp refuses this version of WhatsApp Web. */
  | 'deprecated-version'
  /** A proxy between here and WhatsApp blocks it. */
  | 'proxy-blocked'
  /** WhatsApp blocks the account for its terms of service (TOS_BLOCK, SMB_TOS_BLOCK). */
  | 'tos-blocked'
  /** Another state that whatsapp-web.js does not accept (UNLAUNCHED, ...), or a QR in a session that was up. */
  | 'state-lost'
  /** WhatsApp can't be reached from the browser, or somebody answers in its place with an error page. */
  | 'network-down'
  /** Logged in, but `ready` did not come. */
  | 'never-ready'
  /** Logged out by the phone or the server, again and again: the first logout is answered at once. */
  | 'logged-out'
  /** The client's start failed or took too long. */
  | 'start-failed'
  /** `reconnect()` was called. */
  | 'requested';

/** A state of WhatsApp's page in which it is open and yet deaf. */
export type DeafPageState = 'TIMEOUT' | 'CONFLICT';

/** Why the session has stopped by itself, where that is no loss of a connection. */
export type StopCause =
  /** WhatsApp refused the login: `auth_failure`. */
  | 'auth-failure'
  /** Nobody scanned any of the QR codes that the client's `qrMaxRetries` allows. */
  | 'qr-retries-used'
  /** Another session of this process has taken its profile. */
  | 'replaced';

/**
 * Why the session's state changed: why it was lost, or has stopped by itself; for `degraded` the page's state, or `unresponsive`;
 * for a start that failed for good the `code` of its error. Absent where a call asked for it.
 */
export type StateChangeCause = DisconnectCause | DeafPageState | StopCause | SessionErrorCode;

/** Why a snapshot was put in place of the profile. */
export type RestoreReason =
  /** No profile was there, for example after a redeploy. */
  | 'profile-absent'
  /** The profile was damaged. */
  | 'profile-damaged'
  /** The profile started, but WhatsApp showed a QR although no logout was seen. */
  | 'silent-logout'
  /** A store holds a newer snapshot of the same lineage. */
  | 'newer-snapshot'
  /** This browser would start the database of a newer browser's login anew: an older copy that it can read. */
  | 'browser-too-old'
  /** With this profile the session never became `ready`, although WhatsApp was reached: one older copy is tried. */
  | 'never-ready'
  /** The login of another system was taken over: the snapshot that was made of it. */
  | 'imported'
  /** `restore()` was called. */
  | 'requested';

/** Stable codes of `warning`. */
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
  | 'login-rejected'
  | 'nothing-to-restore'
  | 'other-profile'
  | 'pairing-expired'
  | 'profile-moved'
  | 'profile-removed'
  | 'profile-not-starting'
  | 'replicas'
  | 'retention-failed'
  | 'revocation-incomplete'
  | 'snapshot-unreadable'
  | 'started-early'
  | 'large-values-missing'
  | 'store-limited'
  | 'store-unreachable'
  | 'storage'
  | 'validation-failed'
  | 'web-cache-unreachable'
  | 'web-cache-unwritable';

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
    /** How old the restored login is, ms. */
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
    /** What the last start, or the session that was up, failed by; absent where somebody only called `reconnect()`. */
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
    /** Where it was taken from. */
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
  /** Bytes that went into the store. */
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

/** How the rooms announce something without knowing who listens. */
export type Announce = <Name extends SessionEventName>(
  name: Name,
  payload: SessionEventPayloads[Name],
) => void;
