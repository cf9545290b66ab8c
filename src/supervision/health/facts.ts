import type { PageProbe } from '../../client/page-probe.js';
import type { EventError } from '../../events.js';
import type { DiskSpace } from '../../platform.js';
import type { TreeMemory } from '../../processes.js';
import type { ProfileSize } from '../../profile/caches.js';
import type { SessionState } from '../../state.js';
import type { SoundnessVerdict } from '../../types.js';
import type { ToldRefusal } from './copy-refusals.js';

/**
 * Everything a report is drawn from, read before and apart from it. `undefined`: could not be read; it counts neither
 * for nor against the session.
 */
export interface HealthFacts {
  readonly state: SessionState;
  /** How long the session has been up (`ready` or `degraded`), ms; `undefined` while it is not. */
  readonly upMs: number | undefined;
  /** Whether there is a login to look after: one that was ready, or a snapshot that may be restored. */
  readonly hasLogin: boolean;
  readonly limits: HealthLimits;
  /** `undefined`: there is no page to ask. */
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
  /** `maxAttempts` is `null` where there is no bound. */
  readonly reconnect: { readonly attempt: number; readonly maxAttempts: number | null };
  /** What went wrong last, until the session is up again. */
  readonly lastError: EventError | undefined;
  /** The snapshot to try by hand, where starts with the profile in place lead nowhere although WhatsApp is reached. */
  readonly olderCopy: string | undefined;
  readonly leaseHeld: boolean;
  /** Whether nobody is known to have taken it over, and yet it can't be told just now whether it is held. */
  readonly leaseUnproven: boolean;
}

/** The options that facts are judged by. */
export interface HealthLimits {
  readonly maxSessionBytes: number;
  /** 0: switched off. */
  readonly saveIntervalMs: number;
  /** 0: switched off. */
  readonly backupIntervalMs: number;
}

export interface ProfileFacts {
  readonly verdict: SoundnessVerdict;
  /** Whether all of a new login has had the time to reach the disk (docs/chromium-facts.md F1.5). */
  readonly isSettled: boolean;
}

/** What is known of the saves, or of the backups. */
export interface CopyFacts {
  /** Of all logins; `undefined` until they were listed. */
  readonly count: number | undefined;
  /** What they take in their stores. */
  readonly bytes: number | undefined;
  /** The stores that do not answer. */
  readonly unreachable: readonly SilentStore[];
  /** The newest one of the present login. */
  readonly last: LastCopy | undefined;
  /** Since the profile was last copied or found unchanged, ms. */
  readonly confirmedAgeMs: number | undefined;
  /** Whether the last try failed. */
  readonly hasFailed: boolean;
  /** Why the last try came to nothing: it failed, or was refused. */
  readonly refusal: ToldRefusal | undefined;
}

export interface SilentStore {
  readonly name: string;
  /** Since it was first asked without an answer, ms. */
  readonly forMs: number;
}

export interface LastCopy {
  /** ISO 8601. */
  readonly createdAt: string;
  readonly ageMs: number;
  readonly isVerified: boolean;
  /** Whether a later look found it damaged. */
  readonly isCorrupt: boolean;
}

/** What a redeploy, or the end of a disk, would take. */
export interface StorageOutlook {
  readonly sessionPath: string;
  readonly backupPath: string;
  /** Whether it is gone after a redeploy; `undefined`: not known, or the copies lie in a store of the user's own. */
  readonly isSessionEphemeral: boolean | undefined;
  readonly isBackupEphemeral: boolean | undefined;
  readonly isSameDisk: boolean | undefined;
  /** Whether an old and a new instance may run at once with no lease between them. */
  readonly mayOverlap: boolean;
  /** Whether the stop signal of the platform reaches the bot. */
  readonly hidesSignal: boolean;
}

export interface DiskFacts extends DiskSpace {
  readonly path: string;
}

export interface MemoryFacts {
  readonly nodeRssBytes: number;
  readonly nodeHeapUsedBytes: number;
  /** Of Chromium and everything below it; `none` while no browser runs. */
  readonly browser: TreeMemory | 'none' | undefined;
  /** Of the container, else of the machine. */
  readonly limitBytes: number | undefined;
}

/** Whether a session in this state has a browser that is logged in. */
export function isUp(state: SessionState): boolean {
  return state === 'ready' || state === 'degraded';
}

/** Whether somebody has started it and nobody has stopped it. */
export function isRunning(state: SessionState): boolean {
  return !['idle', 'stopping', 'stopped', 'failed'].includes(state);
}
