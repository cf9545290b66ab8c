import { dirname, join } from 'node:path';
import { ClientDriver } from './client/client-driver.js';
import { ClientEvents } from './client/client-events.js';
import type { ClientInternals, WhatsAppClient } from './client/client-types.js';
import { assertLaunchedIn, assignProfile, locateProfile } from './client/profile-location.js';
import { gatedFileSystem } from './disk-gate/gated-file-system.js';
import type { Announce, StateChangeCause } from './events.js';
import { LocalLease } from './lease/local-lease.js';
import { type PersistentSessionOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { shutdownBudgetMs } from './platform.js';
import { sideFolder } from './profile/side-folder.js';
import { SoundTableMemory } from './profile/sound-tables.js';
import { RealPlace } from './real-place.js';
import { gatedFoldersOf, optionsContextOf, placeOf, type SessionPlace } from './session-place.js';
import { createRepositories } from './session-repositories.js';
import type { SessionState } from './state.js';
import { BrowserGuard } from './supervision/browser/browser-guard.js';
import { BrowserOwner } from './supervision/browser/browser-owner.js';
import { BrowserStopper } from './supervision/browser/browser-stopper.js';
import { LossReports } from './supervision/context/loss-reports.js';
import { OperationQueue } from './supervision/context/operation-queue.js';
import type { SessionContext } from './supervision/context/session-context.js';
import { SessionSnapshots } from './supervision/context/session-snapshots.js';
import { EventLog } from './supervision/event-log.js';
import { HealthMonitor } from './supervision/health/health-monitor.js';
import { EarlierImport } from './supervision/import/earlier-import.js';
import { FirstImport } from './supervision/import/first-import.js';
import { Importer } from './supervision/import/importer.js';
import { OldSessionFinder } from './supervision/import/old-session-finder.js';
import { LineageKeeper } from './supervision/login/lineage-keeper.js';
import { PairingWatch } from './supervision/login/pairing-watch.js';
import { Revoker } from './supervision/login/revoker.js';
import { SessionOwnership } from './supervision/ownership/session-ownership.js';
import { CacheTrimmer } from './supervision/prune/cache-trimmer.js';
import { Pruner } from './supervision/prune/pruner.js';
import { StartRetries } from './supervision/reconnect/start-retries.js';
import { LogoutNote } from './supervision/record/logout-note.js';
import { PROFILE_LEASE, SessionFolders } from './supervision/record/session-folders.js';
import { SessionRecordFile } from './supervision/record/session-record.js';
import { BlobRescue } from './supervision/restore/blob-rescue.js';
import { OlderCopyTrial } from './supervision/restore/older-copy-trial.js';
import { Restorer } from './supervision/restore/restorer.js';
import { RemovalWatch } from './supervision/run/removal-watch.js';
import { SessionCloser } from './supervision/run/session-closer.js';
import { SaveRequests } from './supervision/save/save-requests.js';
import { SaveSchedule } from './supervision/save/save-schedule.js';
import { Saver } from './supervision/save/saver.js';
import { SettleWatch } from './supervision/save/settle-watch.js';
import { SessionImport } from './supervision/session-import.js';
import { SessionSupervisor } from './supervision/session-supervisor.js';
import { SnapshotOperations } from './supervision/snapshot-operations.js';
import { tellOfEarlyStart } from './supervision/start/early-start.js';
import { ProfilePreparer } from './supervision/start/profile-preparer.js';
import { SessionStarter } from './supervision/start/session-starter.js';
import { StateFollower } from './supervision/state-follower.js';
import { StatusReporter } from './supervision/status-reporter.js';
import { DegradedTimer } from './supervision/watch/degraded-timer.js';
import { RemovedProfile } from './supervision/watch/removed-profile.js';
import { validateProfile } from './supervision/watch/validate-profile.js';
import { reopeningTaskRunner } from './worker/reopening-runner.js';
import { createTaskRunner } from './worker/worker-runner.js';

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

/** The parts' access to what only the facade owns: the state and the listeners. */
export interface SessionHooks {
  readonly announce: Announce;
  readonly state: () => SessionState;
  readonly moveTo: (to: SessionState, cause?: StateChangeCause) => void;
}

/**
 * Creates and connects the parts of a session for one client. Changes nothing on the disk.
 *
 * @throws ConfigurationError
 */
export function buildSession(
  client: WhatsAppClient,
  given: PersistentSessionOptions,
  hooks: SessionHooks,
): SessionParts {
  const location = locateProfile(client);
  const options = resolveOptions(given, optionsContextOf(location));
  const place = placeOf(location, given, options);
  const driver = new ClientDriver(client, options.clock);
  const losses = new LossReports();
  const context = createContext({ place, options, driver, hooks, losses });
  const parts = wire({ context, place, losses });
  // The client is changed last, so that it stays unchanged when the constructor throws.
  if (location.kind === 'none') assignProfile(client, place.profileDir);
  leaveSignalsToUs(driver.client, options.shutdownSignals);
  driver.onForeignStart(() => tellOfEarlyStart(context));
  driver.attach(parts.supervisor);
  return parts;
}

function createContext({
  place: { profileDir, identityAt, entryScript },
  options,
  driver,
  hooks,
  losses,
}: {
  readonly place: SessionPlace;
  readonly options: ResolvedOptions;
  readonly driver: ClientDriver;
  readonly hooks: SessionHooks;
  readonly losses: LossReports;
}): SessionContext {
  const { clientId, clock, random, logger, sessionPath } = options;
  const gatedFolders = gatedFoldersOf(profileDir, options);
  const fs = gatedFileSystem(options.fs, { folders: gatedFolders, clock });
  const place = new RealPlace({ profileDir, identityAt, options, roots: gatedFolders.roots, fs, clock });
  const folders = new SessionFolders(profileDir, { fs, clock, random, announce: hooks.announce });
  const runner = reopeningTaskRunner(() => createTaskRunner({ fs, logger, clock, gatedFolders }));
  const onLost = (reason: string) => losses.reportLeaseLost(reason);
  const leases = { clientId, fs, clock, logger, onLost };
  const ownershipEpoch: SessionContext['ownershipEpoch'] = { name: undefined };
  const recordFolder = async () => dirname(await folders.stateFile('session.json'));
  const logoutNote = new LogoutNote({ clientId, recordFolder, sessionPath, fs, logger });
  const lease = new LocalLease({
    ...leases,
    directory: join(sessionPath, 'lease'),
    onReclaimed: ({ owner, generation }) => hooks.announce('lease:acquired', { owner, generation }),
  });
  const profileLease = new LocalLease({
    ...leases,
    directory: join(sideFolder(profileDir, 'beside').root, PROFILE_LEASE),
    ownFolders: 2,
  });
  const record = new SessionRecordFile({
    path: () => folders.stateFile('session.json'),
    fs,
    endedSince: () => logoutNote.lineages(),
  });
  const warn: SessionContext['warn'] = (code, message) => hooks.announce('warning', { code, message });
  const browserGuard = new BrowserGuard({
    ...{ driver, profileDir, runner, record, clock, logger, warn },
    deadlineMs: options.puppeteerTimeoutMs,
  });
  driver.holdNavigation(async () => {
    await assertLaunchedIn(driver.client, profileDir, (folder) => place.realPathOf(folder));
    await browserGuard.beforeNavigation();
  });
  return {
    clientId,
    options,
    clock,
    random,
    fs,
    logger,
    profileDir,
    get profile() {
      return place.profile;
    },
    settlePlace: () => place.settle(),
    entryScript,
    folders,
    driver,
    browserOwner: new BrowserOwner({
      profileDir,
      realPath: () => place.profile.path,
      recordPath: () => folders.stateFile('browser.json'),
      fs,
      clock,
      random,
      logger,
    }),
    browserGuard,
    ...createRepositories(
      { ...options, fs },
      {
        runner,
        announce: hooks.announce,
        assertMayWrite: () => lease.assertHeld(),
        ownershipEpoch: () => {
          const { permit } = lease;
          const { name } = ownershipEpoch;
          return lease.isHeld() && permit !== undefined && name !== undefined ? { name, permit } : undefined;
        },
      },
    ),
    ownershipEpoch,
    lease,
    profileLease,
    assertOwned: async () => {
      for (const one of [lease, profileLease]) if (!(await one.confirm())) one.assertHeld();
    },
    runner,
    soundTables: new SoundTableMemory(),
    record,
    logoutNote,
    announce: hooks.announce,
    warn,
    state: hooks.state,
    moveTo: hooks.moveTo,
  };
}

/** puppeteer's own signal handlers kill Chromium, which loses up to a minute of Local Storage (docs/chromium-facts.md F1.7). */
function leaveSignalsToUs(client: ClientInternals, signals: readonly NodeJS.Signals[]): void {
  client.options ??= {};
  client.options.puppeteer = {
    ...client.options.puppeteer,
    ...(signals.includes('SIGINT') && { handleSIGINT: false }),
    ...(signals.includes('SIGTERM') && { handleSIGTERM: false }),
    ...(signals.includes('SIGHUP') && { handleSIGHUP: false }),
  };
}

function wire({
  context,
  place,
  losses,
}: {
  readonly context: SessionContext;
  readonly place: SessionPlace;
  readonly losses: LossReports;
}): SessionParts {
  const { clock } = context;
  const snapshots = new SessionSnapshots(context);
  const settleWatch = new SettleWatch(context);
  const pruner = new Pruner(context, { snapshots });
  const blobRescue = new BlobRescue(context);
  const queue = new OperationQueue(clock);
  const budgetMs = shutdownBudgetMs(process.env);
  const ownership = new SessionOwnership(context, { budgetMs });
  const removed = new RemovedProfile(context, {
    snapshots,
    asOwner: (work) => ownership.whileUnused(work),
  });
  const saver = new Saver(context, {
    settleWatch,
    pruner,
    snapshots,
    blobRescue,
    removed,
    operations: queue,
  });
  const restorer = new Restorer(context, { snapshots });
  const finder = new OldSessionFinder(context, place);
  const importer = new Importer(context, { snapshots, restorer });
  const firstImport = new FirstImport(context, { finder, importer, snapshots });
  const lineageKeeper = new LineageKeeper(context, { snapshots });
  const revoker = new Revoker(context, { snapshots });
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
    subscribe: events.subscribe,
    preparer: new ProfilePreparer(context, {
      blobRescue,
      firstImport,
      olderCopy,
      pruner,
      removed,
      restorer,
      revoker,
      snapshots,
    }),
  });
  const startRetries = new StartRetries(context, { starter });
  const cacheTrimmer = new CacheTrimmer(context);
  const saves = new SaveRequests(context, { lineageKeeper, operations: queue, saver, snapshots });
  const schedule = new SaveSchedule(context, {
    settleWatch,
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
    firstImport,
    operations: queue,
    ownership,
    pruner,
    removed,
    restorer,
    snapshots,
    supervisor,
  });
  const imports = new SessionImport(context, {
    earlierImport: new EarlierImport(context, { snapshots, importer }),
    finder,
    importer,
    operations: queue,
    ownership,
    saver,
    supervisor,
  });
  const status = new StatusReporter(context, { startRetries });
  const log = new EventLog(context);
  return { context, supervisor, saves, operations, imports, status, log, health };
}
