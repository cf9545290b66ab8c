import type { Environment, Platform } from './detect-platform.js';
import { type FileWatcher, howToIgnore, watchedFolders } from './file-watcher.js';
import { describeStorage, type StorageDescription } from './storage.js';

/** A property of the environment that will cost the login one day. */
export interface StorageWarning {
  /**
   * - `ephemeral-session`: the saves do not outlive a redeploy
   * - `same-device`: saves and backups are lost together
   * - `hidden-signal`: SIGTERM does not reach the bot
   * - `replicas`: an old and a new instance may run at once, and nothing keeps them apart
   * - `watched`: each save makes a file watcher start the bot again
   */
  readonly code: 'ephemeral-session' | 'same-device' | 'hidden-signal' | 'replicas' | 'watched';
  readonly message: string;
}

/** The facts behind the warnings; the caller reads all of them. */
export interface StorageFacts {
  readonly platform: Platform;
  /** Absolute, symbolic links resolved. */
  readonly sessionPath: string;
  /** Absolute, symbolic links resolved. */
  readonly backupPath: string;
  /** The text of `/proc/self/mountinfo`, when it exists. */
  readonly mountinfo?: string | undefined;
  /** `stat().dev` of both folders, or of their nearest existing parents, when it is known. */
  readonly devices?: { readonly session: number; readonly backup: number } | undefined;
  readonly env?: Environment | undefined;
  /** The command line of our parent process, when it is known. */
  readonly parentCommand?: string | undefined;
  /** What starts the bot again when a file below `botFolder` changes. */
  readonly watcher?: FileWatcher | undefined;
  /** The working directory, absolute, symbolic links resolved. */
  readonly botFolder?: string | undefined;
}

/**
 * The warnings that a user should see at the start. Empty when all is well.
 *
 * @example
 * for (const { message } of storageWarnings(facts)) session.emit('warning', { code: 'storage', message });
 */
export function storageWarnings(facts: StorageFacts): readonly StorageWarning[] {
  return [
    ...ephemeralSession(facts),
    ...sameDevice(facts),
    ...hiddenSignal(facts),
    ...replicas(facts),
    ...watched(facts),
  ];
}

/** Whether files at `path` are gone after a redeploy or a restart; `undefined` when there is no mount table. */
export function isEphemeral(
  path: string,
  { platform, mountinfo }: Pick<StorageFacts, 'platform' | 'mountinfo'>,
): boolean | undefined {
  const storage = describeStorage(path, mountinfo);
  return storage.kind === 'unknown' ? undefined : whyEphemeral(storage, platform) !== undefined;
}

function ephemeralSession(facts: StorageFacts): StorageWarning[] {
  const { platform, sessionPath, backupPath, mountinfo } = facts;
  const why = whyEphemeral(describeStorage(sessionPath, mountinfo), platform);
  if (why === undefined) return [];
  const backupStays = isEphemeral(backupPath, facts) !== true;
  const rest = backupStays
    ? `Only the backups in ${backupPath} stay.`
    : `${backupPath} does not stay either: the next deploy asks for a new QR.`;
  const advice = 'Mount a volume and put sessionPath (SESSION_PATH) on it, or use a remote store.';
  return [{ code: 'ephemeral-session', message: `sessionPath ${sessionPath} ${why}. ${rest} ${advice}` }];
}

function whyEphemeral({ kind }: StorageDescription, platform: Platform): string | undefined {
  if (kind === 'memory') return 'lies in memory (tmpfs) and is gone after a restart';
  if (kind === 'pod') return 'lies on an emptyDir and is gone with the pod';
  if (kind === 'container')
    return `lies inside the container (${platform.name}) and is gone after a redeploy`;
  if (kind === 'root' && platform.ephemeralRoot) {
    return `is not on a mounted volume (${platform.name}) and is gone after a redeploy`;
  }
  return undefined;
}

// The lease lies in `sessionPath`, so it can't keep two instances apart that do not share this folder.
function replicas({ platform, sessionPath, mountinfo }: StorageFacts): StorageWarning[] {
  const isShared = whyEphemeral(describeStorage(sessionPath, mountinfo), platform) === undefined;
  if (!platform.overlaps || isShared) return [];
  const message =
    `on ${platform.name} an old and a new instance may run at once (during a deploy, or as replicas), and each has ` +
    `its own sessionPath (${sessionPath}), so they share no lease that prevents it: WhatsApp answers with CONFLICT, and ` +
    'the two copies of the login diverge. Run one instance, and mount a volume for sessionPath (SESSION_PATH): then the ' +
    'old instance is stopped before the new one starts, or both share the lease.';
  return [{ code: 'replicas', message }];
}

function sameDevice({ sessionPath, backupPath, mountinfo, devices }: StorageFacts): StorageWarning[] {
  const session = describeStorage(sessionPath, mountinfo).mount?.device;
  const backup = describeStorage(backupPath, mountinfo).mount?.device;
  // `stat` is more reliable: btrfs shows several devices where mountinfo shows one.
  const same =
    devices === undefined ? session !== undefined && session === backup : devices.session === devices.backup;
  if (!same) return [];
  const message =
    `sessionPath ${sessionPath} and backupPath ${backupPath} are on the same disk: if it fails, both are lost. ` +
    `Put backupPath (BACKUP_SESSION_PATH) on another disk, or add a remote backupStore.`;
  return [{ code: 'same-device', message }];
}

/**
 * On a platform, `npm start` keeps the stop signal from node (docs/chromium-facts.md F4.3). On a private machine
 * it does no harm, because Ctrl-C reaches every process.
 */
function hiddenSignal({ platform, env = {}, parentCommand }: StorageFacts): StorageWarning[] {
  const script = env.npm_lifecycle_event;
  if (platform.name === 'plain' || !script || parentCommand === undefined) return [];
  // npm runs its scripts in a shell, so our parent may be that shell instead of npm.
  if (!/(^|[\s/\\])(npm|yarn|pnpm)(\b|$)|^(\S*\/)?(ba|da|a|z)?sh -c\b/.test(parentCommand)) return [];
  const message =
    `the bot was started by "npm run ${script}", which does not pass SIGTERM on to it: its last save before a redeploy ` +
    'is lost. Start it with "node <file>" itself.';
  return [{ code: 'hidden-signal', message }];
}

/** LocalAuth's own folders are hidden, so a bot may have been well under a watcher until it got this library. */
function watched({ sessionPath, backupPath, watcher, botFolder }: StorageFacts): StorageWarning[] {
  if (watcher === undefined || botFolder === undefined) return [];
  const folders = watchedFolders(watcher, [sessionPath, backupPath], botFolder);
  if (folders.length === 0) return [];
  const message =
    `${watcher.name} watches the bot's folder: unless it ignores ${folders.join(' and ')}, every save there starts the bot ` +
    `again. Use ${howToIgnore(watcher, folders)}, or put the folders elsewhere (SESSION_PATH, BACKUP_SESSION_PATH): ` +
    'hidden ones, whose names begin with a dot, are not watched.';
  return [{ code: 'watched', message }];
}
