import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { ProfileLocation } from './client/profile-location.js';
import { canonical } from './options/paths.js';
import {
  DEFAULT_OPTIONS,
  type OptionsContext,
  type PersistentSessionOptions,
  type ResolvedOptions,
} from './options.js';
import { findBotFolder } from './platform/bot-folder.js';
import { identifyProfile } from './profile-identity.js';
import { defaultAuthFolder } from './supervision/import/old-session-finder.js';
import type { ProfileIdentity } from './types.js';

/** Where the profile of one session lies, and what that says about whose it is. */
export interface SessionPlace {
  /** Absolute path of Chromium's user-data-dir. */
  readonly profileDir: string;
  /** The same as snapshots name it. */
  readonly profile: ProfileIdentity;
  /** Where LocalAuth and RemoteAuth of this bot keep, or kept, their sessions. */
  readonly authFolder: string;
  /** Whether nobody has chosen a client id. */
  readonly isUnnamed: boolean;
  /** The script that node was started with, where nothing else tells this bot from another one in its folder. */
  readonly entryScript: string | undefined;
}

/** What the client says of its session, for the options to be resolved against. */
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
    profile: identityOf(profileDir, options),
    authFolder: location.kind === 'local-auth' ? location.authPath : defaultAuthFolder(),
    isUnnamed,
    entryScript: location.kind === 'none' && given.clientId === undefined ? process.argv[1] : undefined,
  };
}

function profileDirOf(location: ProfileLocation, options: ResolvedOptions): string {
  return location.kind === 'none'
    ? join(options.sessionPath, 'profile', options.clientId)
    : location.profileDir;
}

/** The documented default counts as none: the older system's bots all have it. */
function hasChosenId(
  location: ProfileLocation,
  given: PersistentSessionOptions,
  { clientId }: ResolvedOptions,
): boolean {
  const isGiven =
    given.clientId !== undefined || (location.kind === 'local-auth' && location.clientId !== undefined);
  return isGiven && clientId !== DEFAULT_OPTIONS.clientId;
}

function identityOf(profileDir: string, { sessionPath }: ResolvedOptions): ProfileIdentity {
  const rules = { platform: process.platform, realpath: realpathSync.native };
  return identifyProfile(profileDir, {
    realPath: canonical(profileDir, rules),
    bases: [sessionPath, findBotFolder() ?? process.cwd(), process.cwd()],
  });
}
