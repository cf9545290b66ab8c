import type { SessionEventPayloads } from '../events.js';
import type { HealthReport } from '../health.js';
import type { PlatformName } from '../platform.js';
import type { PruneResult, SaveResult, VerifyReport } from '../results.js';
import type { SessionState } from '../state.js';
import type { StoreLeaseStatus } from '../status.js';
import type { SnapshotInfo } from '../types.js';

/**
 * Every body of the HTTP API, as in the OpenAPI description. Times are ISO 8601, sizes are in MB of 1024 x 1024 bytes
 * where the name says `Mb`, and `null` means that the value is not known.
 */

/** The actions of `POST <api>`; the first four are those of the documented system. */
export type ActionName =
  | 'initialize'
  | 'clear'
  | 'health-check'
  | 'send-test-message'
  | 'backup'
  | 'force-save'
  | 'restore'
  | 'verify'
  | 'reconnect'
  | 'prune'
  | 'destroy';

/** The body of `POST <api>`. Other fields are refused. */
export type ActionRequest =
  | {
      readonly action:
        | 'initialize'
        | 'health-check'
        | 'backup'
        | 'force-save'
        | 'reconnect'
        | 'prune'
        | 'destroy';
    }
  | {
      readonly action: 'clear';
      /** Also unlinks the device from the phone. */
      readonly logout?: boolean;
      /** Must be `true` in a request of a page; a call with a bearer token does not need it. */
      readonly confirm?: boolean;
    }
  | {
      readonly action: 'send-test-message';
      /** International, 7 to 15 digits; `+`, blanks, dashes and brackets are ignored. */
      readonly phoneNumber: string;
      readonly message: string;
    }
  | {
      readonly action: 'restore';
      /** Default: the best snapshot. */
      readonly snapshotId?: string;
      /** Must be `true` in a request of a page; a call with a bearer token does not need it. */
      readonly confirm?: boolean;
    }
  | {
      readonly action: 'verify';
      /** Default: all snapshots. */
      readonly snapshotId?: string;
    };

/** The result of each action when it is done. */
export interface ActionResults {
  readonly initialize: StateResult;
  readonly clear: StateResult;
  readonly 'health-check': HealthReport;
  readonly 'send-test-message': { readonly chatId: string; readonly messageId?: string };
  readonly backup: SaveResult;
  readonly 'force-save': SaveResult;
  readonly restore: { readonly snapshot: SnapshotInfo };
  readonly verify: VerifyReport;
  readonly reconnect: StateResult;
  readonly prune: PruneResult;
  readonly destroy: StateResult;
}

/** The state of the session after an action, for example `awaiting_qr` after `initialize`. */
export interface StateResult {
  readonly state: SessionState;
}

/** 200: the action is done. */
export interface ActionDoneResponse<Name extends ActionName = ActionName> {
  readonly success: true;
  readonly action: Name;
  readonly result: ActionResults[Name];
}

/** 202: the action is still running; `GET <api>/jobs/<id>` and the events tell how it ends. */
export interface ActionAcceptedResponse {
  readonly success: true;
  readonly action: ActionName;
  readonly job: Job;
}

/** An action that was started. */
export interface Job {
  readonly id: string;
  readonly action: ActionName;
  readonly status: 'running' | 'completed' | 'failed';
  readonly startedAt: string;
  /** Absent while the job runs. */
  readonly finishedAt?: string;
  /** Present when the job has completed. */
  readonly result?: ActionResults[ActionName];
  /** Present when the job has failed. */
  readonly error?: ErrorBody;
}

/** `GET <api>/jobs/<id>` */
export interface JobResponse {
  readonly success: true;
  readonly job: Job;
}

export interface ErrorBody {
  /** Stable: an {@link HttpErrorCode} or a `SessionErrorCode`. */
  readonly code: string;
  readonly message: string;
}

/** The body of every error response. */
export interface ErrorResponse {
  readonly success: false;
  readonly error: ErrorBody;
}

/** Error codes of the HTTP API itself; the codes of the session are `SessionErrorCode`. */
export type HttpErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN_HOST'
  | 'FORBIDDEN_ORIGIN'
  | 'DOWNLOAD_DISABLED'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'REQUEST_TIMEOUT'
  | 'PAYLOAD_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'INVALID_JSON'
  | 'INVALID_REQUEST'
  | 'UNKNOWN_ACTION'
  | 'CONFIRMATION_REQUIRED'
  | 'RATE_LIMITED'
  | 'TOO_MANY_DOWNLOADS'
  | 'TOO_MANY_JOBS'
  | 'TOO_MANY_STREAMS'
  | 'NOT_READY'
  | 'INTERNAL';

/** `GET <api>` */
export interface StatusResponse {
  readonly success: true;
  readonly session: SessionView;
  /** The last health report; `null` until there is one. */
  readonly health: HealthReport | null;
  readonly systemInfo: SystemInfo;
  /** The content of the QR code that `qr.svg` draws, while it waits to be scanned. It is a credential. */
  readonly qr: PairingCode | null;
  /** The code to type into the phone, while it waits to be entered. It is a credential. */
  readonly pairingCode: PairingCode | null;
  /** The running jobs and the last ones that ended, newest first. */
  readonly jobs: readonly Job[];
}

export interface SessionView {
  readonly clientId: string;
  readonly state: SessionState;
  readonly stateSince: string;
  /** Whether messages can be sent now: the state is `ready`. */
  readonly connected: boolean;
  /** Whether a login exists, in the profile or in a snapshot that may be restored. */
  readonly hasSession: boolean | null;
  readonly hasBackup: boolean | null;
  /** Size of the whole profile. */
  readonly sessionSizeMb: number | null;
  /** Size of all backups together. */
  readonly backupSizeMb: number | null;
  readonly maxSessionSizeMb: number | null;
  /** When an essential file of the profile last changed. */
  readonly lastModified: string | null;
  readonly lastSaved: string | null;
  readonly lastBackup: string | null;
  readonly reconnectAttempts: number;
  /** `null`: no limit. */
  readonly maxReconnectAttempts: number | null;
  /**
   * The error of the last failed start or lost session, or why the session has stopped by itself. `null` while the
   * session is up, or after a call of `reconnect()`.
   */
  readonly lastError: ToldError | null;
  /** Why the last save, or the last backup, produced no copy; `null` after one that was taken or found up to date. */
  readonly lastSaveError: ToldError | null;
  readonly lastBackupError: ToldError | null;
  /** What a start waits for, and until when at most, where that is known; `null` while none waits for longer than a second. */
  readonly waiting: { readonly message: string; readonly since: string; readonly until?: string } | null;
  /** What only a person can decide, after a restore that was asked for was rejected; `snapshotId` is the login before it. */
  readonly decision: { readonly message: string; readonly since: string; readonly snapshotId: string } | null;
  /** The ownership among the machines that share a store; `null` where all stores are folders, and before a start. */
  readonly storeLease: StoreLeaseStatus | null;
  /** The snapshots, newest first, at most 100; `null` while no store answers. */
  readonly snapshots: readonly SnapshotInfo[] | null;
}

export interface ToldError {
  readonly code: string;
  readonly message: string;
  readonly at: string;
}

export interface SystemInfo {
  readonly sessionPath: string;
  readonly backupPath: string;
  readonly profilePath: string;
  readonly platform: PlatformName;
  readonly isRailway: boolean;
  /** For example `linux`. */
  readonly operatingSystem: string;
  /** For example `v20.20.2`. */
  readonly nodeVersion: string;
  readonly libraryVersion: string;
  readonly memory: { readonly rssMb: number; readonly heapUsedMb: number; readonly heapTotalMb: number };
  /** Uptime of this process. */
  readonly uptimeSeconds: number;
}

export interface PairingCode {
  readonly value: string;
  readonly receivedAt: string;
}

/** `GET /healthz`: only says that the process answers. */
export interface HealthzResponse {
  readonly success: true;
  readonly status: 'up';
}

/** `GET /readyz`, 200; otherwise 503 with the code `NOT_READY`. */
export interface ReadyzResponse {
  readonly success: true;
  readonly status: 'ready';
}

/** The JSON body of `POST <dashboard>/login`; a form is answered with a redirect to the dashboard. */
export interface LoginRequest {
  readonly token: string;
}

/** The answer to `POST <dashboard>/login` and `POST <dashboard>/logout` with JSON. */
export interface LoginResponse {
  readonly success: true;
}

/** The `data` of each event of `GET <api>/events`, by event name: the session's events and those of the HTTP API. */
export interface StreamEvents extends SessionEventPayloads {
  /** The first event of every stream; it has no id. `resumed: false`: events may be missing, so read the status. */
  readonly 'stream:opened': { readonly resumed: boolean };
  /** A new QR or pairing code waits; its value is in the status and in `qr.svg` only. */
  readonly 'pairing:received': { readonly kind: PairingKind; readonly receivedAt: string };
  /** The QR or pairing code that waited can't be used any more. */
  readonly 'pairing:dropped': { readonly kind: PairingKind };
  readonly 'job:started': { readonly job: Job };
  readonly 'job:completed': { readonly job: Job };
  readonly 'job:failed': { readonly job: Job };
}

export type StreamEventName = keyof StreamEvents;

export type PairingKind = 'qr' | 'code';

export { SESSION_EVENT_NAMES } from '../event-names.js';
