import type { HealthStatus } from './health.js';
import type { SessionState } from './state.js';
import type { SnapshotInfo } from './types.js';

interface LastError {
  /** Of the error, or the reason why it was skipped. */
  readonly code: string;
  readonly message: string;
  /** ISO 8601. */
  readonly at: string;
}

/** What `status()` tells. JSON-safe; without secrets. What is not known is absent. */
export interface SessionStatus {
  readonly clientId: string;
  readonly state: SessionState;
  /** When the state was entered, ISO 8601. */
  readonly stateSince: string;
  /** The pairing the session is in. */
  readonly lineage?: string;
  /** How many runs of it reached `ready`. */
  readonly run: number;
  /** Of this process's session; `listSnapshots()` has all. */
  readonly lastSave?: SnapshotInfo;
  readonly lastBackup?: SnapshotInfo;
  /** Why the last save, and the last backup, came to nothing; absent once one is taken, or found up to date. */
  readonly lastSaveError?: LastError;
  readonly lastBackupError?: LastError;
  readonly lastRestore?: { readonly snapshot: SnapshotInfo; readonly at: string };
  /** `maxAttempts` is `null` where there is no bound. */
  /** Of the last health check; `checkHealth()` and `health:checked` have the whole report. */
  readonly health?: { readonly score: number; readonly status: HealthStatus; readonly checkedAt: string };
  /** What the last start, or the session that was up, failed by, or why it has stopped by itself; absent while it is up, or somebody only called `reconnect()`. */
  readonly lastError?: LastError;
  readonly reconnect: { readonly attempt: number; readonly maxAttempts: number | null };
  readonly lease: { readonly held: boolean; readonly generation?: number };
  readonly paths: { readonly profile: string; readonly session: string; readonly backup: string };
}
