import { dirname, join } from 'node:path';
import type { ClientDriver } from '../client/client-driver.js';
import { assertLaunchedIn } from '../client/profile-location.js';
import { gatedFileSystem } from '../disk-gate/gated-file-system.js';
import type { Announce, StateChangeCause } from '../events.js';
import { LocalLease } from '../lease/local-lease.js';
import type { ResolvedOptions } from '../options.js';
import { Follower } from '../profile/follow/follower.js';
import { sideFolder } from '../profile/side-folder.js';
import { SoundTableMemory } from '../profile/sound-tables.js';
import { StartWaits } from '../start-waits.js';
import type { SessionState } from '../state.js';
import { BrowserGuard } from '../supervision/browser/browser-guard.js';
import { BrowserOwner } from '../supervision/browser/browser-owner.js';
import { rememberedVersion } from '../supervision/browser/remembered-version.js';
import type { LossReports } from '../supervision/context/loss-reports.js';
import { allRepositories, type SessionContext } from '../supervision/context/session-context.js';
import { ClearNote } from '../supervision/record/clear-note.js';
import { isCopiedWithoutProfile } from '../supervision/record/copied-record.js';
import { LogoutNote } from '../supervision/record/logout-note.js';
import { ProfileInPlace } from '../supervision/record/profile-in-place.js';
import { PROFILE_LEASE, SessionFolders } from '../supervision/record/session-folders.js';
import { SessionRecordFile } from '../supervision/record/session-record-file.js';
import type { TableCheck } from '../supervision/start/table-check.js';
import { reopeningTaskRunner } from '../worker/reopening-runner.js';
import { createTaskRunner } from '../worker/worker-runner.js';
import { RealPlace } from './real-place.js';
import { gatedFoldersOf, type SessionPlace } from './session-place.js';
import { createRepositories } from './session-repositories.js';
import { createStores } from './session-stores.js';
import { createStoreOwnership } from './store-ownership.js';

/** The parts' access to what only the facade owns: the state and the listeners. */
export interface SessionHooks {
  readonly announce: Announce;
  readonly state: () => SessionState;
  readonly moveTo: (to: SessionState, cause?: StateChangeCause) => void;
}

/** Creates what all rooms of a session share. Changes nothing on the disk. */
export function createContext({
  place: { profileDir, identityAt, isUnnamed, entryScript },
  options,
  driver,
  hooks,
  losses,
  tableCheck,
}: {
  readonly place: SessionPlace;
  readonly options: ResolvedOptions;
  readonly driver: ClientDriver;
  readonly hooks: SessionHooks;
  readonly losses: LossReports;
  readonly tableCheck: TableCheck;
}): SessionContext {
  const { clientId, clock, random, logger, sessionPath } = options;
  const gatedFolders = gatedFoldersOf(profileDir, options);
  const fs = gatedFileSystem(options.fs, { folders: gatedFolders, clock });
  const place = new RealPlace({ profileDir, identityAt, options, roots: gatedFolders.roots, fs, clock });
  const folders = new SessionFolders(profileDir, { fs, clock, random, announce: hooks.announce });
  const runner = reopeningTaskRunner(() => createTaskRunner({ fs, logger, clock, gatedFolders }));
  const onLost = (reason: string) => losses.reportLeaseLost(reason);
  const leaseFs = gatedFileSystem(options.fs, { folders: gatedFolders, clock, isUrgent: true });
  const leases = { clientId, fs: leaseFs, clock, logger, onLost };
  const ownershipEpoch: SessionContext['ownershipEpoch'] = { name: undefined };
  const recordFolder = async () => dirname(await folders.stateFile('session.json'));
  const noteFolders = { ...gatedFolders, givenUp: [...gatedFolders.givenUp, sessionPath] };
  const noteFs = gatedFileSystem(options.fs, { folders: noteFolders, clock });
  const logoutNote = new LogoutNote({ clientId, recordFolder, sessionPath, fs: noteFs, logger });
  const placed = async () => {
    await place.settle();
    return place.profile;
  };
  const clearNote = new ClearNote({ clientId, profile: placed, sessionPath, fs: noteFs });
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
    now: () => clock.now(),
    owner: async () => ({ clientId, isChosen: !isUnnamed, path: (await placed()).path }),
    isCopied: (copied, here) => isCopiedWithoutProfile(fs, copied, here),
    notes: { ended: () => logoutNote.lineages(), clearedAt: async () => (await clearNote.read())?.clearedAt },
  });
  const warn: SessionContext['warn'] = (code, message) => hooks.announce('warning', { code, message });
  const startWaits = new StartWaits({ clock, warn });
  const stores = createStores(options, fs);
  const storeOwnership = createStoreOwnership(stores, {
    ...{ clientId, clock, logger, startWaits, warn, onLost },
    announce: hooks.announce,
    onHeldElsewhere: (error) => losses.reportLoss('conflict', error),
    repositories: () => allRepositories(context),
  });
  const programPath = async () => join(await recordFolder(), 'browser-program.json');
  const browserGuard = new BrowserGuard({
    ...{ driver, profileDir, runner, record, clock, logger, warn },
    deadlineMs: options.puppeteerTimeoutMs,
    versionOf: (executablePath) => rememberedVersion(executablePath, { fs, path: programPath }),
  });
  driver.holdNavigation(async () => {
    // First, because a damaged profile is restored whatever browser this is.
    await tableCheck.assertSound().catch((error: unknown) => {
      driver.beginClosing(); // the start is made again, so that nobody hears of this one
      throw error;
    });
    await assertLaunchedIn(driver.client, profileDir, (folder) => place.realPathOf(folder));
    await browserGuard.beforeNavigation();
  });
  const context: SessionContext = {
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
      startWaits,
    }),
    browserGuard,
    ...createRepositories(
      { ...options, fs },
      {
        runner,
        announce: hooks.announce,
        stores,
        assertMayWrite: (store) => {
          lease.assertHeld();
          if (store === stores.shared?.store) storeOwnership?.assertHeld();
          else if (store.localPath === undefined) storeOwnership?.assertNotLost();
        },
        ownershipEpoch: () => {
          const { permit } = lease;
          const { name } = ownershipEpoch;
          return lease.isHeld() && permit !== undefined && name !== undefined ? { name, permit } : undefined;
        },
        fence: () => storeOwnership?.generation || undefined,
        onFencedOff: (generation) => storeOwnership?.onFencedOff(generation),
        ownershipPeriod: (store) => {
          const { name } = ownershipEpoch;
          if (!lease.isHeld() || name === undefined) return undefined;
          // A lease that had to be claimed anew was free in between.
          const period = `${name}:${lease.generation}`;
          if (storeOwnership === undefined || store !== stores.shared?.store) return period;
          return storeOwnership.isHeld() ? `${period}:${storeOwnership.generation}` : undefined;
        },
      },
    ),
    ownershipEpoch,
    lease,
    profileLease,
    storeOwnership,
    assertOwned: async () => {
      for (const one of [lease, profileLease]) if (!(await one.confirm())) one.assertHeld();
    },
    runner,
    soundTables: new SoundTableMemory(),
    follower: new Follower({
      ...{ profileDir, fs, clock },
      folders: {
        create: () => folders.createFollowed(),
        remove: (folder) => folders.removeStaging(folder),
      },
    }),
    record,
    inPlace: new ProfileInPlace(),
    logoutNote,
    clearNote,
    startWaits,
    announce: hooks.announce,
    warn,
    state: hooks.state,
    moveTo: hooks.moveTo,
  };
  return context;
}
