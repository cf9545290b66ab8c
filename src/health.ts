import type { SessionState } from './state.js';

/** In words and colours of the documented system: 80 to 100 points, 50 to 79, below 50 (or something critical). */
export type HealthStatus = 'healthy' | 'warning' | 'critical';

/** What is looked at; the page on health in the documentation has the points and thresholds. */
export type HealthCheckId =
  /** The page answers within a deadline and says CONNECTED. */
  | 'connection'
  /** Essential files are there and the profile is sound. */
  | 'profile'
  /** Size of the profile against `maxSessionSizeMb`. */
  | 'session-size'
  /** Age and verified state of the last save. */
  | 'last-save'
  /** A backup exists; its age and verified state. */
  | 'last-backup'
  /** Whether session and backup outlive a redeploy, and lie on two disks. */
  | 'storage'
  | 'disk-space'
  /** Of node and of the whole Chromium tree. */
  | 'memory'
  | 'event-loop'
  | 'reconnect'
  | 'lease';

/** A sentence for people, in both languages of the library. */
export interface LocalizedText {
  readonly en: string;
  readonly ar: string;
}

/** What can be run about an issue: a method of the session, and an action of the HTTP API. */
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
  /** `unknown`: could not be looked at; it counts neither for nor against the score. */
  readonly status: 'passed' | 'warning' | 'critical' | 'unknown';
  /** 0 to `maxPoints`; 0 where unknown. */
  readonly points: number;
  readonly maxPoints: number;
}

/** Something that is not as it should be. */
export interface HealthIssue {
  /** Stable, for example `backup-missing`; the page on health in the documentation lists them all. */
  readonly code: string;
  readonly check: HealthCheckId;
  readonly severity: 'warning' | 'critical';
  readonly message: LocalizedText;
}

/** What to do about an issue. */
export interface HealthRecommendation {
  /** Of the issue. */
  readonly code: string;
  readonly text: LocalizedText;
  /** Absent where only a person can do it, for example mount a volume. */
  readonly action?: HealthAction;
}

/** What was measured. `null`: not known; never a guess. */
export interface HealthMetrics {
  readonly state: SessionState;
  /** Whether the page answered and said CONNECTED. */
  readonly connected: boolean;
  /** The page's own word, for example `CONNECTED`. */
  readonly pageState: string | null;
  /** How long the page took to answer, ms. */
  readonly probeMs: number | null;
  /** Bytes of the whole profile, of its essential files, and the bound (`maxSessionSizeMb`). */
  readonly sessionBytes: number | null;
  readonly essentialBytes: number | null;
  readonly maxSessionBytes: number;
  /** Bytes that all backups take in their stores. */
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
  /** Free bytes where the profile and the backups lie. */
  readonly sessionDiskFreeBytes: number | null;
  readonly backupDiskFreeBytes: number | null;
  readonly nodeRssBytes: number;
  readonly nodeHeapUsedBytes: number;
  /** Of the whole tree of Chromium's processes; proportional (PSS) where the machine tells it. */
  readonly browserBytes: number | null;
  readonly browserProcesses: number | null;
  /** Bytes of memory this process and its browser may use together: of the container, else of the machine. */
  readonly memoryLimitBytes: number | null;
  /** 99th percentile of the delay of node's event loop since the last check, ms. */
  readonly eventLoopDelayMs: number | null;
  /** What the last start, or the session that was up, failed by; `null` while it is up, or somebody only called `reconnect()`. */
  readonly lastError: { readonly code: string; readonly message: string } | null;
  readonly reconnectAttempt: number;
  /** `null`: no bound. */
  readonly maxReconnectAttempts: number | null;
  readonly leaseHeld: boolean;
}

/** How the session is. JSON-safe; without secrets. */
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
