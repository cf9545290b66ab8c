import type { HealthStatus } from './health.js';
import type { SessionState } from './state.js';
import type { SnapshotInfo } from './types.js';

interface LastError {
  /** Code of the error, or the reason why the save or backup was skipped. */
  readonly code: string;
  readonly message: string;
  /** ISO 8601. */
  readonly at: string;
}

/** The ownership of a session among the machines that share a store. */
export interface StoreLeaseStatus {
  /** The store that the lease lies in. */
  readonly name: string;
  /** Whether it is proven at this moment that this process is the owner; while it is not, nothing is put into the store. */
  readonly held: boolean;
  /** This process, as `host:pid`; absent while it has not claimed the session in the store. */
  readonly owner?: string;
  readonly generation?: number;
  /** How long ago the last sign of life was begun that the store has taken, ms. */
  readonly provenAgoMs?: number;
}

/** The result of `status()`. JSON-safe and without secrets. A value that is not known is absent. */
export interface SessionStatus {
  readonly clientId: string;
  readonly state: SessionState;
  /** When the state was entered, ISO 8601. */
  readonly stateSince: string;
  /** Id of the current pairing. */
  readonly lineage?: string;
  /** How many runs of this pairing reached `ready`. */
  readonly run: number;
  /** Last save and last backup that this process took; `listSnapshots()` returns all snapshots. */
  readonly lastSave?: SnapshotInfo;
  readonly lastBackup?: SnapshotInfo;
  /** Why the last save or backup was not taken; absent once one is taken, or nothing has changed since the last one. */
  readonly lastSaveError?: LastError;
  readonly lastBackupError?: LastError;
  /** `stateAt` is the time of the state that came back; it may be later than the snapshot (`followIntervalMs`). */
  readonly lastRestore?: { readonly snapshot: SnapshotInfo; readonly at: string; readonly stateAt: string };
  /** Result of the last health check; `checkHealth()` and `health:checked` give the whole report. */
  readonly health?: { readonly score: number; readonly status: HealthStatus; readonly checkedAt: string };
  /**
   * The error that ended the last start or the running session, or why the session stopped by itself; absent while it is
   * up, and after a call of `reconnect()`.
   */
  readonly lastError?: LastError;
  /**
   * What a start waits for, for example whether a process on another machine still has this session; absent while none
   * waits for longer than a second.
   */
  readonly waiting?: {
    readonly message: string;
    /** ISO 8601. */
    readonly since: string;
    /** When the wait is over at the latest, ISO 8601; absent where that is not known, as for a `restore()` of the bot. */
    readonly until?: string;
  };
  /**
   * What only a person can decide: WhatsApp has rejected a login that `restore(id)` or `importSession()` had put in place of one
   * that may be of another account. Absent once a login was restored or is ready.
   */
  readonly decision?: {
    readonly message: string;
    /** ISO 8601. */
    readonly since: string;
    /** The newest snapshot of the login that was in place before: `restore(snapshotId)` brings it back. */
    readonly snapshotId: string;
  };
  /** `maxAttempts` is `null` when there is no limit. */
  readonly reconnect: { readonly attempt: number; readonly maxAttempts: number | null };
  readonly lease: {
    /** Whether this process owns the session on this machine. */
    readonly held: boolean;
    /** The fencing number: each owner has a higher one than the owner before. */
    readonly generation?: number;
    /** The ownership among machines, in the store that tells it; absent where all stores are folders, and before a start. */
    readonly store?: StoreLeaseStatus;
  };
  readonly paths: { readonly profile: string; readonly session: string; readonly backup: string };
}
