import type { SessionEventPayloads } from '../events.js';
import type { HealthReport } from '../health.js';
import type { PlatformName } from '../platform.js';
import type { PruneResult, SaveResult, VerifyReport } from '../results.js';
import type { SessionState } from '../state.js';
import type { SnapshotInfo } from '../types.js';

/**
 * Every body that goes over the wire, as the OpenAPI description has it. Times are ISO 8601, sizes are in MB of 1024 x
 * 1024 bytes where the name says `Mb`, and `null` means that it is not known.
 */

/** What `POST <api>` does; the first four are the documented ones. */
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

/** The body of `POST <api>`. A field that is not named here is refused. */
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
      /** Must be `true` from a page; a call with a bearer token does not need it. */
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
      /** Default: the best there is. */
      readonly snapshotId?: string;
      /** As for `clear`. */
      readonly confirm?: boolean;
    }
  | {
      readonly action: 'verify';
      /** Default: all. */
      readonly snapshotId?: string;
    };

/** What an action gave when it was done. */
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

/** The state in which an action left the session, for example `awaiting_qr` after `initialize`. */
export interface StateResult {
  readonly state: SessionState;
}

/** 200: the action is done. */
export interface ActionDoneResponse<Name extends ActionName = ActionName> {
  readonly success: true;
  readonly action: Name;
  readonly result: ActionResults[Name];
}

/** 202: the action goes on; `GET <api>/jobs/<id>` and the events tell how it ends. */
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
  /** Absent while it runs. */
  readonly finishedAt?: string;
  /** Of a completed one. */
  readonly result?: ActionResults[ActionName];
  /** Of a failed one. */
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

/** The one shape of every error. */
export interface ErrorResponse {
  readonly success: false;
  readonly error: ErrorBody;
}

/** Codes of the HTTP side; those of the session are `SessionErrorCode`. */
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
  /** The last report; `null` until there is one. */
  readonly health: HealthReport | null;
  readonly systemInfo: SystemInfo;
  /** While one is awaited: what `qr.svg` draws. A credential. */
  readonly qr: PairingCode | null;
  /** While one is awaited: what is typed into the phone. A credential. */
  readonly pairingCode: PairingCode | null;
  /** Running ones and the last that ended, newest first. */
  readonly jobs: readonly Job[];
}

export interface SessionView {
  readonly clientId: string;
  readonly state: SessionState;
  readonly stateSince: string;
  /** Whether messages can be sent now: the state is `ready`. */
  readonly connected: boolean;
  /** Whether there is a login, in the profile or in a snapshot that may be restored. */
  readonly hasSession: boolean | null;
  readonly hasBackup: boolean | null;
  /** The whole profile. */
  readonly sessionSizeMb: number | null;
  /** All backups together. */
  readonly backupSizeMb: number | null;
  readonly maxSessionSizeMb: number | null;
  /** When an essential file of the profile last changed. */
  readonly lastModified: string | null;
  readonly lastSaved: string | null;
  readonly lastBackup: string | null;
  readonly reconnectAttempts: number;
  /** `null`: no bound. */
  readonly maxReconnectAttempts: number | null;
  /** What the last start, or the session that was up, failed by, or why it has stopped by itself; `null` while it is up, or somebody only called `reconnect()`. */
  readonly lastError: ToldError | null;
  /** Why the last save, and the last backup, came to nothing; `null` once one is taken, or found up to date. */
  readonly lastSaveError: ToldError | null;
  readonly lastBackupError: ToldError | null;
  /** Newest first, at most 100; `null` while no store answers. */
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
  /** Of this process. */
  readonly uptimeSeconds: number;
}

export interface PairingCode {
  readonly value: string;
  readonly receivedAt: string;
}

/** `GET /healthz`: says no more than that. */
export interface HealthzResponse {
  readonly success: true;
  readonly status: 'up';
}

/** `GET /readyz`, 200; otherwise 503 with the code `NOT_READY`. */
export interface ReadyzResponse {
  readonly success: true;
  readonly status: 'ready';
}

/** `POST <dashboard>/login` with JSON; a form is answered with a redirect to the dashboard. */
export interface LoginRequest {
  readonly token: string;
}

/** `POST <dashboard>/login` and `POST <dashboard>/logout` with JSON. */
export interface LoginResponse {
  readonly success: true;
}

/** The `data` of each event of `GET <api>/events`, by its name. The events of the session, and those of this side. */
export interface StreamEvents extends SessionEventPayloads {
  /** The first of every stream. `resumed: false`: events may be missing, read the status. Has no id. */
  readonly 'stream:opened': { readonly resumed: boolean };
  /** A new QR or pairing code waits; its value is in the status and in `qr.svg` only. */
  readonly 'pairing:received': { readonly kind: PairingKind; readonly receivedAt: string };
  /** What waited is of no use any more. */
  readonly 'pairing:dropped': { readonly kind: PairingKind };
  readonly 'job:started': { readonly job: Job };
  readonly 'job:completed': { readonly job: Job };
  readonly 'job:failed': { readonly job: Job };
}

export type StreamEventName = keyof StreamEvents;

export type PairingKind = 'qr' | 'code';

export { SESSION_EVENT_NAMES } from '../event-names.js';
