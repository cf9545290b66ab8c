import type { ClientEvents } from '../client/client-events.js';
import type { BrowserStopper } from './browser/browser-stopper.js';
import type { LossReports } from './context/loss-reports.js';
import type { OperationQueue } from './context/operation-queue.js';
import type { HealthMonitor } from './health/health-monitor.js';
import type { LineageKeeper } from './login/lineage-keeper.js';
import type { PairingWatch } from './login/pairing-watch.js';
import type { Revoker } from './login/revoker.js';
import type { SessionOwnership } from './ownership/session-ownership.js';
import type { StartRetries } from './reconnect/start-retries.js';
import type { RemovalWatch } from './run/removal-watch.js';
import type { SessionCloser } from './run/session-closer.js';
import type { SaveSchedule } from './save/save-schedule.js';
import type { SessionStarter } from './start/session-starter.js';
import type { StateFollower } from './state-follower.js';
import type { DegradedTimer } from './watch/degraded-timer.js';

/** The parts that the supervisor controls. */
export interface SupervisorParts {
  readonly startRetries: StartRetries;
  readonly closer: SessionCloser;
  readonly lineageKeeper: LineageKeeper;
  readonly degradedTimer: DegradedTimer;
  readonly events: ClientEvents;
  readonly health: HealthMonitor;
  readonly losses: LossReports;
  readonly operations: OperationQueue;
  readonly ownership: SessionOwnership;
  readonly pairingWatch: PairingWatch;
  readonly removalWatch: RemovalWatch;
  readonly revoker: Revoker;
  readonly schedule: SaveSchedule;
  readonly starter: SessionStarter;
  readonly stateFollower: StateFollower;
  readonly stopper: BrowserStopper;
}
