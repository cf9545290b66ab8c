import type { ClientEvents } from '../client/client-events.js';
import type { BringUp } from './bring-up.js';
import type { DegradedTimer } from './degraded-timer.js';
import type { HealthMonitor } from './health/health-monitor.js';
import type { LineageKeeper } from './lineage-keeper.js';
import type { OperationQueue } from './operation-queue.js';
import type { PairingWatch } from './pairing-watch.js';
import type { Revoker } from './revoker.js';
import type { SaveSchedule } from './save-schedule.js';
import type { SessionCloser } from './session-closer.js';
import type { SessionOwnership } from './session-ownership.js';
import type { Starter } from './starter.js';
import type { StateFollower } from './state-follower.js';
import type { Stopper } from './stopper.js';

/** What the supervisor decides over. */
export interface SupervisorParts {
  readonly bringUp: BringUp;
  readonly closer: SessionCloser;
  readonly lineageKeeper: LineageKeeper;
  readonly degradedTimer: DegradedTimer;
  readonly events: ClientEvents;
  readonly health: HealthMonitor;
  readonly operations: OperationQueue;
  readonly ownership: SessionOwnership;
  readonly pairingWatch: PairingWatch;
  readonly revoker: Revoker;
  readonly schedule: SaveSchedule;
  readonly starter: Starter;
  readonly stateFollower: StateFollower;
  readonly stopper: Stopper;
}
