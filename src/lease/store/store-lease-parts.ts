import type { Clock } from '../../clock.js';
import type { Logger } from '../../logger.js';
import type { SessionStore } from '../../stores/session-store.js';
import type { Machine } from '../judge-holder.js';
import type { LeaseGrant } from '../local-lease.js';
import type { ProcessBeat } from './process-beat.js';

export interface StoreLeaseParts {
  readonly clientId: string;
  /** The store that the lease lies in. Every call of it must end: see `WatchedStore`. */
  readonly store: SessionStore;
  readonly beat: ProcessBeat;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly machine: Machine;
  /**
   * The highest fencing number that anything in the store tells, 0 if none does. A store may lose its lease and keep the
   * snapshots, such as a Redis that was restarted from an older dump.
   */
  readonly highestKnown?: () => Promise<number>;
  /** Called once when an acquired lease turns out to be another process's. */
  readonly onLost: (reason: string) => void;
  /** Called when the lease had to be claimed anew, and no other process had it. */
  readonly onReclaimed: (grant: LeaseGrant) => void;
}

/** A lease in a store, as this process knows it. */
export interface StoreLeaseView {
  readonly storeName: string;
  /** Absent while this process has not claimed it. */
  readonly grant?: LeaseGrant;
  readonly isHeld: boolean;
  readonly isLost: boolean;
  /** How long ago the last sign of life was begun that the store has taken, ms. */
  readonly provenAgoMs: number;
  /** Others take the session over after this time without a sign of life, ms. */
  readonly takeoverMs: number;
}
