import type { SessionState } from './state.js';

/** `healthy`: 80 to 100 points; `warning`: 50 to 79; `critical`: below 50, which is also the result of any critical issue. */
export type HealthStatus = 'healthy' | 'warning' | 'critical';

/** What is checked; the health page of the documentation lists the points and thresholds. */
export type HealthCheckId =
  /** The page answers within a deadline and says CONNECTED. */
  | 'connection'
  /** The essential files exist and the profile is sound. */
  | 'profile'
  /** Size of the profile compared with `maxSessionSizeMb`. */
  | 'session-size'
  /** How old the last save is, and whether it is verified. */
  | 'last-save'
  /** Whether a backup exists, how old it is, and whether it is verified. */
  | 'last-backup'
  /** Whether session and backup survive a redeploy and are on two different disks. */
  | 'storage'
  | 'disk-space'
  /** Memory of node and of all Chromium processes. */
  | 'memory'
  | 'event-loop'
  | 'reconnect'
  | 'lease';

/** A sentence for people, in both languages of the library. */
export interface LocalizedText {
  readonly en: string;
  readonly ar: string;
}

/** What can be run to solve an issue: a method of the session and an action of the HTTP API. */
export type HealthAction =
  | 'backup'
  | 'forceSave'
  | 'restore'
  | 'reconnect'
  | 'initialize'
  | 'clear'
  | 'prune';

export interface HealthCheck {
  readonly id: HealthCheckId;
  /** `unknown`: the check was not possible, and does not count in the score. */
  readonly status: 'passed' | 'warning' | 'critical' | 'unknown';
  /** 0 to `maxPoints`; 0 when the status is `unknown`. */
  readonly points: number;
  readonly maxPoints: number;
}

/** Something that is not as it should be. */
export interface HealthIssue {
  /** Stable code, for example `backup-missing`; the health page of the documentation lists all codes. */
  readonly code: string;
  readonly check: HealthCheckId;
  readonly severity: 'warning' | 'critical';
  readonly message: LocalizedText;
}

/** What to do about an issue. */
export interface HealthRecommendation {
  /** The code of the issue that it solves. */
  readonly code: string;
  readonly text: LocalizedText;
  /** Absent when only a person can do it, for example mount a volume. */
  readonly action?: HealthAction;
}

/** What was measured. `null` means not known; a value is never guessed. */
export interface HealthMetrics {
  readonly state: SessionState;
  /** Whether the page answered and said CONNECTED. */
  readonly connected: boolean;
  /** The state that the page itself reports, for example `CONNECTED`. */
  readonly pageState: string | null;
  /** How long the page took to answer, ms. */
  readonly probeMs: number | null;
  /** Size of the whole profile, size of its essential files, and the limit (`maxSessionSizeMb`), all in bytes. */
  readonly sessionBytes: number | null;
  readonly essentialBytes: number | null;
  readonly maxSessionBytes: number;
  /** Total size of all backups in their stores, bytes. */
  readonly backupBytes: number | null;
  readonly saves: number | null;
  readonly backups: number | null;
  /** When the profile's essential files last changed, ISO 8601. */
  readonly lastModifiedAt: string | null;
  /** When the last save and the last backup were captured, ISO 8601, and how old they are, ms. */
  readonly lastSaveAt: string | null;
  readonly lastSaveAgeMs: number | null;
  readonly lastBackupAt: string | null;
  readonly lastBackupAgeMs: number | null;
  /** Free bytes on the disks of the profile and of the backups. */
  readonly sessionDiskFreeBytes: number | null;
  readonly backupDiskFreeBytes: number | null;
  readonly nodeRssBytes: number;
  readonly nodeHeapUsedBytes: number;
  /** Memory of all Chromium processes, bytes; proportional (PSS) if the machine reports that. */
  readonly browserBytes: number | null;
  readonly browserProcesses: number | null;
  /** Bytes of memory that this process and its browser may use together: the limit of the container, else of the machine. */
  readonly memoryLimitBytes: number | null;
  /** 99th percentile of the delay of node's event loop since the last check, ms. */
  readonly eventLoopDelayMs: number | null;
  /** The error that ended the last start or the running session; `null` while it is up, and after a call of `reconnect()`. */
  readonly lastError: { readonly code: string; readonly message: string } | null;
  readonly reconnectAttempt: number;
  /** `null` means no limit. */
  readonly maxReconnectAttempts: number | null;
  readonly leaseHeld: boolean;
}

/** The health of the session. JSON-safe and without secrets. */
export interface HealthReport {
  /** 0 to 100. */
  readonly score: number;
  readonly status: HealthStatus;
  readonly checks: readonly HealthCheck[];
  readonly issues: readonly HealthIssue[];
  readonly recommendations: readonly HealthRecommendation[];
  readonly metrics: HealthMetrics;
  /** ISO 8601. */
  readonly checkedAt: string;
}
