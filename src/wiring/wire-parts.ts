import { ClientEvents } from '../client/client-events.js';
import { shutdownBudgetMs } from '../platform.js';
import { BrowserStopper } from '../supervision/browser/browser-stopper.js';
import type { LossReports } from '../supervision/context/loss-reports.js';
import { OperationQueue } from '../supervision/context/operation-queue.js';
import type { SessionContext } from '../supervision/context/session-context.js';
import { SessionSnapshots } from '../supervision/context/session-snapshots.js';
import { EventLog } from '../supervision/event-log.js';
import { HealthMonitor } from '../supervision/health/health-monitor.js';
import { EarlierImport } from '../supervision/import/earlier-import.js';
import { FirstImport } from '../supervision/import/first-import.js';
import { Importer } from '../supervision/import/importer.js';
import { OldSessionFinder } from '../supervision/import/old-session-finder.js';
import { HoldRelease } from '../supervision/login/hold-release.js';
import { LineageKeeper } from '../supervision/login/lineage-keeper.js';
import { PairingWatch } from '../supervision/login/pairing-watch.js';
import { ProfileProof } from '../supervision/login/profile-proof.js';
import { Revoker } from '../supervision/login/revoker.js';
import { SessionOwnership } from '../supervision/ownership/session-ownership.js';
import { CacheTrimmer } from '../supervision/prune/cache-trimmer.js';
import { Pruner } from '../supervision/prune/pruner.js';
import { SessionClearing } from '../supervision/prune/session-clearing.js';
import { StartRetries } from '../supervision/reconnect/start-retries.js';
import { BlobRescue } from '../supervision/restore/blob-rescue.js';
import { OlderCopyTrial } from '../supervision/restore/older-copy-trial.js';
import { Restorer } from '../supervision/restore/restorer.js';
import { RemovalWatch } from '../supervision/run/removal-watch.js';
import { SessionCloser } from '../supervision/run/session-closer.js';
import { SaveRequests } from '../supervision/save/save-requests.js';
import { SaveSchedule } from '../supervision/save/save-schedule.js';
import { Saver } from '../supervision/save/saver.js';
import { SettleWatch } from '../supervision/save/settle-watch.js';
import { TailTicks } from '../supervision/save/tail-ticks.js';
import { SessionImport } from '../supervision/session-import.js';
import { SessionSupervisor } from '../supervision/session-supervisor.js';
import { SnapshotOperations } from '../supervision/snapshot-operations.js';
import { ProfilePreparer } from '../supervision/start/profile-preparer.js';
import { SessionStarter } from '../supervision/start/session-starter.js';
import type { TableCheck } from '../supervision/start/table-check.js';
import { StateFollower } from '../supervision/state-follower.js';
import { StatusReporter } from '../supervision/status-reporter.js';
import { DegradedTimer } from '../supervision/watch/degraded-timer.js';
import { RemovedProfile } from '../supervision/watch/removed-profile.js';
import { validateProfile } from '../supervision/watch/validate-profile.js';
import type { SessionPlace } from './session-place.js';

/** The parts of a wired session that the facade calls. */
export interface SessionParts {
  readonly context: SessionContext;
  readonly supervisor: SessionSupervisor;
  readonly saves: SaveRequests;
  readonly operations: SnapshotOperations;
  readonly imports: SessionImport;
  readonly status: StatusReporter;
  readonly log: EventLog;
  readonly health: HealthMonitor;
}

/** Connects the rooms of a session with each other. */
export function wireParts({
  context,
  place,
  losses,
  tableCheck,
}: {
  readonly context: SessionContext;
  readonly place: SessionPlace;
  readonly losses: LossReports;
  readonly tableCheck: TableCheck;
}): SessionParts {
  const { clock } = context;
  const snapshots = new SessionSnapshots(context);
  const settleWatch = new SettleWatch(context);
  const pruner = new Pruner(context, { snapshots });
  const blobRescue = new BlobRescue(context);
  const queue = new OperationQueue(clock);
  const budgetMs = shutdownBudgetMs(process.env);
  const ownership = new SessionOwnership(context, { budgetMs });
  const holds = new HoldRelease(context);
  const removed = new RemovedProfile(context, {
    snapshots,
    holds,
    asOwner: (work) => ownership.whileUnused(work),
  });
  const proof = new ProfileProof(context);
  const saver = new Saver(context, {
    settleWatch,
    pruner,
    snapshots,
    blobRescue,
    removed,
    operations: queue,
    proof,
  });
  const restorer = new Restorer(context, { snapshots });
  const finder = new OldSessionFinder(context, place);
  const importer = new Importer(context, { snapshots, restorer });
  const firstImport = new FirstImport(context, { finder, importer, snapshots });
  const disableImport = () => firstImport.disableAutomaticImport();
  const clearing = new SessionClearing(context, { snapshots, disableImport });
  const lineageKeeper = new LineageKeeper(context, { snapshots, holds, proof });
  const revoker = new Revoker(context, { snapshots, proof });
  const stopper = new BrowserStopper(context);
  const events = new ClientEvents();
  const olderCopy = new OlderCopyTrial(context, { operations: queue, snapshots, restorer, stopper });
  const starter = new SessionStarter(context, {
    olderCopy,
    operations: queue,
    snapshots,
    restorer,
    revoker,
    stopper,
    tableCheck,
    subscribe: events.subscribe,
    preparer: new ProfilePreparer(context, {
      blobRescue,
      clearing,
      firstImport,
      olderCopy,
      proof,
      pruner,
      removed,
      restorer,
      revoker,
      snapshots,
      tableCheck,
    }),
  });
  const startRetries = new StartRetries(context, { starter });
  const cacheTrimmer = new CacheTrimmer(context);
  const saves = new SaveRequests(context, { lineageKeeper, operations: queue, saver, snapshots });
  const tailTicks = new TailTicks(context, { operations: queue, proof, saves, settleWatch });
  const schedule = new SaveSchedule(context, {
    settleWatch,
    tick: () => tailTicks.tick(),
    forceSave: () => saves.forceSave(),
    backup: () => saves.backup(),
    validate: () => validateProfile(context, removed).then(() => cacheTrimmer.trimIfOversized()),
    isBackupDue: () => saves.isBackupDue(),
  });
  const degradedTimer = new DegradedTimer(context, { onLost: (cause) => losses.reportLoss(cause) });
  const health = new HealthMonitor(context, { startRetries, degradedTimer, settleWatch });
  const supervisor = new SessionSupervisor(context, {
    startRetries,
    closer: new SessionCloser(context, { lineageKeeper, pruner, removed, revoker, saver, stopper }),
    degradedTimer,
    events,
    health,
    lineageKeeper,
    operations: queue,
    ownership,
    losses,
    removalWatch: new RemovalWatch(context, { operations: queue, ownership, removed, budgetMs }),
    pairingWatch: new PairingWatch(context, {
      subscribe: events.subscribe,
      onStuck: (error) => losses.reportLoss('never-ready', error),
    }),
    revoker,
    schedule,
    starter,
    stateFollower: new StateFollower(context, {
      startRetries,
      degradedTimer,
      lineageKeeper,
      operations: queue,
      schedule,
      settleWatch,
    }),
    stopper,
  });
  const operations = new SnapshotOperations(context, {
    clearing,
    operations: queue,
    ownership,
    pruner,
    removed,
    restorer,
    snapshots,
    supervisor,
  });
  const imports = new SessionImport(context, {
    clearing,
    earlierImport: new EarlierImport(context, { snapshots, importer }),
    finder,
    importer,
    operations: queue,
    ownership,
    saver,
    snapshots,
    supervisor,
  });
  const status = new StatusReporter(context, { startRetries });
  const log = new EventLog(context);
  return { context, supervisor, saves, operations, imports, status, log, health };
}
