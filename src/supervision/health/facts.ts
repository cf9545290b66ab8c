import type { PageProbe } from '../../client/page-probe.js';
import type { EventError } from '../../events.js';
import type { DiskSpace } from '../../platform.js';
import type { TreeMemory } from '../../processes.js';
import type { ProfileSize } from '../../profile/caches.js';
import type { StartWait } from '../../start-waits.js';
import type { SessionState } from '../../state.js';
import type { SoundnessVerdict } from '../../types.js';
import type { ToldRefusal } from './copy-refusals.js';

/**
 * Everything that a report is made from, read before it is made. `undefined` means that a fact could not be read; it
 * counts neither for nor against the session.
 */
export interface HealthFacts {
  readonly state: SessionState;
  /** How long the session has been up (`ready` or `degraded`), ms; `undefined` while it is not. */
  readonly upMs: number | undefined;
  /** Whether there is a login: one that was ready, or a snapshot that may be restored. */
  readonly hasLogin: boolean;
  readonly limits: HealthLimits;
  /** `undefined` when there is no page to ask. */
  readonly probe: PageProbe | undefined;
  readonly profile: ProfileFacts | undefined;
  readonly size: ProfileSize | undefined;
  readonly saves: CopyFacts;
  readonly backups: CopyFacts;
  readonly storage: StorageOutlook | undefined;
  readonly disks: { readonly session: DiskFacts | undefined; readonly backup: DiskFacts | undefined };
  readonly memory: MemoryFacts;
  /** 99th percentile since the last check, ms. */
  readonly eventLoopDelayMs: number | undefined;
  /** How long the worker thread has not answered while it has work, ms. */
  readonly threadSilentMs: number;
  /** `maxAttempts` is `null` when there is no limit. */
  readonly reconnect: { readonly attempt: number; readonly maxAttempts: number | null };
  /** The last error; cleared when the session is up again. */
  readonly lastError: EventError | undefined;
  /** The snapshot to try by hand when starts with the profile in place fail although WhatsApp is reachable. */
  readonly olderCopy: string | undefined;
  /** The snapshot that a person may restore, after the one that was asked for was rejected. */
  readonly decision: string | undefined;
  /** What a start waits for. */
  readonly waiting: StartWait | undefined;
  readonly leaseHeld: boolean;
  /** Whether it is currently unknown if the lease is held, while no other process is known to have taken it. */
  readonly leaseUnproven: boolean;
  /** The ownership among machines; `undefined` where no store tells it. */
  readonly storeLease: StoreLeaseFacts | undefined;
}

export interface StoreLeaseFacts {
  /** The name of the store. */
  readonly store: string;
  readonly isLost: boolean;
  /** How old the last proof is, ms; `undefined` before the first. */
  readonly provenAgoMs: number | undefined;
  /** Others take the session over when the proof is this old, ms. */
  readonly takeoverMs: number;
}

/** The options against which the facts are judged. */
export interface HealthLimits {
  readonly maxSessionBytes: number;
  /** 0 means switched off. */
  readonly saveIntervalMs: number;
  /** 0 means switched off. */
  readonly backupIntervalMs: number;
}

export interface ProfileFacts {
  readonly verdict: SoundnessVerdict;
  /** Whether a new login has had time to reach the disk completely (docs/chromium-facts.md F1.5). */
  readonly isSettled: boolean;
}

/** Facts about the saves or the backups. */
export interface CopyFacts {
  /** Number of copies of all logins; `undefined` until they are listed. */
  readonly count: number | undefined;
  /** Their size in the stores. */
  readonly bytes: number | undefined;
  /** The stores that do not answer, or only with an error. */
  readonly unreachable: readonly SilentStore[];
  /** The newest copy of the current login. */
  readonly last: LastCopy | undefined;
  /** Time since the profile was last copied or found unchanged, ms. */
  readonly confirmedAgeMs: number | undefined;
  /** Whether the last attempt failed. */
  readonly hasFailed: boolean;
  /** Why the last attempt failed or was refused. */
  readonly refusal: ToldRefusal | undefined;
}

export interface SilentStore {
  readonly name: string;
  /** Time since the first request without an answer, ms. */
  readonly forMs: number;
  /** The last error of the store; none where nothing moved. */
  readonly error?: EventError | undefined;
  /** Whether this user may not read it. */
  readonly isDenied?: boolean | undefined;
  /** Whether the store was not asked at all: the worker thread, which does the work of local stores, has stopped. */
  readonly isOfThread?: boolean | undefined;
}

export interface LastCopy {
  /** ISO 8601. */
  readonly createdAt: string;
  readonly ageMs: number;
  readonly isVerified: boolean;
  /** Whether a later check found it damaged. */
  readonly isCorrupt: boolean;
}

/** What a redeploy or the loss of a disk would delete. */
export interface StorageOutlook {
  readonly sessionPath: string;
  readonly backupPath: string;
  /**
   * Whether the session is lost at a redeploy; `undefined` when unknown, or when a user's own store holds the copies.
   */
  readonly isSessionEphemeral: boolean | undefined;
  readonly isBackupEphemeral: boolean | undefined;
  readonly isSameDisk: boolean | undefined;
  /** Whether an old and a new instance may run at the same time without a common lease. */
  readonly mayOverlap: boolean;
  /** Whether the platform's stop signal does not reach the bot. */
  readonly hidesSignal: boolean;
}

export interface DiskFacts extends DiskSpace {
  readonly path: string;
}

export interface MemoryFacts {
  readonly nodeRssBytes: number;
  readonly nodeHeapUsedBytes: number;
  /** Memory of Chromium and all its child processes; `none` when no browser runs. */
  readonly browser: TreeMemory | 'none' | undefined;
  /** The container's limit, or else the machine's memory. */
  readonly limitBytes: number | undefined;
}

/** Whether the session was started and not stopped. */
export function isRunning(state: SessionState): boolean {
  return !['idle', 'stopping', 'stopped', 'failed'].includes(state);
}
