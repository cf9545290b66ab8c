import { dirname, join } from 'node:path';
import type { ProfileLocation } from '../client/profile-location.js';
import type { GatedFolders } from '../disk-gate/gated-file-system.js';
import { canonical } from '../options/paths.js';
import {
  DEFAULT_OPTIONS,
  type OptionsContext,
  type PersistentSessionOptions,
  type ResolvedOptions,
} from '../options.js';
import { findBotFolder } from '../platform/bot-folder.js';
import { sideFolder } from '../profile/side-folder.js';
import { identifyProfile } from '../profile-identity.js';
import { defaultAuthFolder } from '../supervision/import/old-session-finder.js';
import type { ProfileIdentity } from '../types.js';

/** Where the profile of one session lies, and what the place tells about its owner. */
export interface SessionPlace {
  /** Absolute path of Chromium's user-data-dir. */
  readonly profileDir: string;
  /** The identity by which snapshots name this profile, given the path where it really lies. */
  readonly identityAt: (realPath: string) => ProfileIdentity;
  /** The folder in which LocalAuth and RemoteAuth of this bot keep, or kept, their sessions. */
  readonly authFolder: string;
  /** Whether the bot has not chosen a client id. */
  readonly isUnnamed: boolean;
  /** The script that node was started with; set only when nothing else distinguishes this bot from another in its folder. */
  readonly entryScript: string | undefined;
}

/** What the client's own settings say about its session, as input for resolving the options. */
export function optionsContextOf(location: ProfileLocation): OptionsContext {
  if (location.kind === 'none') return {};
  if (location.kind === 'given') return { profileDir: location.profileDir, authPath: location.profileDir };
  const { profileDir, authPath, clientId } = location;
  return { profileDir, authPath, ...(clientId !== undefined && { strategyClientId: clientId }) };
}

export function placeOf(
  location: ProfileLocation,
  given: PersistentSessionOptions,
  options: ResolvedOptions,
): SessionPlace {
  const profileDir = profileDirOf(location, options);
  const isUnnamed = !hasChosenId(location, given, options);
  return {
    profileDir,
    identityAt: identitiesOf(profileDir, options),
    authFolder: location.kind === 'local-auth' ? location.authPath : defaultAuthFolder(),
    isUnnamed,
    entryScript: location.kind === 'none' && given.clientId === undefined ? process.argv[1] : undefined,
  };
}

/** The folders of a session that may each hang for themselves; see {@link GatedFolders}. */
export function gatedFoldersOf(
  profileDir: string,
  { sessionPath, backupPath, backupStore }: ResolvedOptions,
): GatedFolders & { readonly roots: string[] } {
  const beside = sideFolder(profileDir, 'beside').root;
  const above = dirname(profileDir);
  const isTop = dirname(above) === above;
  return {
    roots: [
      sessionPath,
      ...(backupStore === undefined ? [backupPath] : []),
      ...(isTop ? [profileDir, beside] : [above]),
    ],
    // A zip is written in the staging folder before its store gets it.
    givenUp: [profileDir, beside, join(sessionPath, 'staging')],
  };
}

function profileDirOf(location: ProfileLocation, options: ResolvedOptions): string {
  return location.kind === 'none'
    ? join(options.sessionPath, 'profile', options.clientId)
    : location.profileDir;
}

/** The documented default id does not count as chosen, because all bots of the older system have it. */
function hasChosenId(
  location: ProfileLocation,
  given: PersistentSessionOptions,
  { clientId }: ResolvedOptions,
): boolean {
  const isGiven =
    given.clientId !== undefined || (location.kind === 'local-auth' && location.clientId !== undefined);
  return isGiven && clientId !== DEFAULT_OPTIONS.clientId;
}

function identitiesOf(profileDir: string, { sessionPath }: ResolvedOptions): SessionPlace['identityAt'] {
  // Read now, because a bot may change its working directory later.
  const bases = [sessionPath, findBotFolder() ?? process.cwd(), process.cwd()];
  return (realPath) =>
    identifyProfile(profileDir, { realPath: canonical(realPath, { platform: process.platform }), bases });
}
