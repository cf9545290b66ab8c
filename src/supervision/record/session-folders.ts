import { join } from 'node:path';
import { errnoOf } from '../../errors.js';
import type { Announce } from '../../events.js';
import { type FileSystem, PRIVATE_FOLDER_MODE } from '../../file-system.js';
import { type PatientOptions, patientFileSystem } from '../../patient-file-system.js';
import { clearProfile } from '../../profile/clear-profile.js';
import { copyTree } from '../../profile/install/copy-tree.js';
import { syncTree } from '../../profile/install/durable.js';
import { QUARANTINED_PROFILE } from '../../profile/install/replace.js';
import { installProfile, quarantineProfile, recoverInstall } from '../../profile/install.js';
import { ProfilePresence } from '../../profile/profile-presence.js';
import { listQuarantine, pruneQuarantine } from '../../profile/quarantine.js';
import {
  createFollowFolder,
  createStagingFolder,
  type NameSource,
  removeStagingLeftovers,
  resolveSideFolder,
} from '../../profile/side-folder.js';
import { isMissing } from '../../profile/walk.js';

/** Damaged or rejected profiles are kept for a human: always the last two, and others within these limits. */
const QUARANTINE = { keepLast: 2, maxAgeMs: 14 * 24 * 60 * 60 * 1000, maxBytes: 512 * 1024 * 1024 };

/** Name of the folder of the profile's lease, beside the profile. */
export const PROFILE_LEASE = 'lease';

/** Manages the folders and files beside the profile: staging, quarantine, and small files of state. */
export class SessionFolders {
  /** Tells whether the login that was seen in the profile is still there. */
  readonly presence: ProfilePresence;
  readonly #profileDir: string;
  readonly #parameters: NameSource & { readonly fs: FileSystem; readonly announce: Announce };

  /** Folders for staging and for followed databases that are in use. A copy may still be on its way into a store when the next start cleans up. */
  readonly #inUse = new Set<string>();
  /** Skipped paths, each of which is reported once. */
  readonly #passedOver = new Set<string>();

  constructor(
    profileDir: string,
    parameters: NameSource & PatientOptions & { readonly fs: FileSystem; readonly announce: Announce },
  ) {
    this.#profileDir = profileDir;
    this.#parameters = { ...parameters, fs: patientFileSystem(parameters.fs, parameters) };
    this.presence = new ProfilePresence(profileDir, { fs: this.#parameters.fs, disk: parameters.fs });
  }

  /** Path of a small file of state. It depends on whether the profile is a mount point. */
  async stateFile(name: 'session.json' | 'browser.json'): Promise<string> {
    const { root } = await resolveSideFolder(this.#profileDir, this.#parameters);
    return join(root, name);
  }

  /** Creates an empty folder on the profile's file system. */
  async createStaging(): Promise<string> {
    const folder = await createStagingFolder(this.#profileDir, this.#parameters);
    this.#inUse.add(folder);
    return folder;
  }

  /** Creates an empty folder on the profile's file system for a database that is followed. */
  async createFollowed(): Promise<string> {
    const folder = await createFollowFolder(this.#profileDir, this.#parameters);
    this.#inUse.add(folder);
    return folder;
  }

  /** Removes a folder that {@link createStaging} or {@link createFollowed} has made. */
  async removeStaging(folder: string): Promise<void> {
    this.#inUse.delete(folder);
    await this.#parameters.fs.promises.rm(folder, { recursive: true, force: true });
  }

  /**
   * Puts a staged profile in place of the old one; the staged files must have reached the disk. Returns where the old
   * profile is now.
   *
   * @param copyOf the snapshot of which the old profile is a rejected copy, if it is one
   */
  async install(stagedDir: string, reason: string, copyOf?: string): Promise<string | undefined> {
    const { fs, clock, random } = this.#parameters;
    this.presence.forget();
    this.#inUse.delete(stagedDir);
    const { quarantined } = await installProfile({
      ...{ profileDir: this.#profileDir, stagedDir, reason, copyOf, fs, clock, random },
      isDurable: true,
    });
    await this.presence.note();
    return quarantined;
  }

  /** Finishes or undoes an installation that was interrupted. */
  async recoverInstall(): Promise<void> {
    await recoverInstall(this.#profileDir, this.#parameters);
  }

  /**
   * Puts the profile into quarantine and announces that. Without a profile, does nothing and resolves to `false`.
   *
   * @param copyOf the snapshot of which the profile is a rejected copy, if it is one
   */
  async quarantine(reason: string, copyOf?: string): Promise<boolean> {
    this.presence.forget();
    const path = await quarantineProfile(this.#profileDir, reason, { ...this.#parameters, copyOf });
    if (path !== undefined) this.#parameters.announce('session:quarantined', { path, reason });
    return path !== undefined;
  }

  /**
   * The newest profile put into quarantine for this reason, at or after `since` (ISO 8601); `undefined` when there is
   * none.
   */
  async quarantinedSince(since: string, reason: string): Promise<string | undefined> {
    const aside = await listQuarantine(this.#profileDir, this.#parameters);
    return aside.findLast((entry) => entry.reason === reason && entry.at >= since)?.path;
  }

  /** Copies a profile from quarantine into a staging folder, ready to be installed. */
  async stageQuarantined(quarantined: string): Promise<string> {
    const staged = await this.createStaging();
    await copyTree(this.#parameters.fs, join(quarantined, QUARANTINED_PROFILE), staged);
    await syncTree(this.#parameters.fs, staged);
    return staged;
  }

  async removeQuarantined(quarantined: string): Promise<void> {
    await this.#parameters.fs.promises.rm(quarantined, { recursive: true, force: true });
  }

  /**
   * Removes staging folders of killed processes and old quarantined profiles. Announces and returns the bytes freed.
   */
  async removeLeftovers(): Promise<number> {
    const { fs, clock, announce } = this.#parameters;
    const passOver = (path: string) => this.#passOver(path);
    const staged = await removeStagingLeftovers(this.#profileDir, { fs, inUse: this.#inUse, passOver });
    const aside = await pruneQuarantine(this.#profileDir, {
      ...{ fs, now: clock.now(), passOver },
      ...QUARANTINE,
    });
    const freedBytes = staged.freedBytes + aside.freedBytes;
    const files = staged.files + aside.files;
    if (files > 0) announce('profile:pruned', { freedBytes, files });
    return freedBytes;
  }

  /** Creates an empty folder in place of the profile, unless its parent folder is gone. */
  async leaveEmpty(): Promise<void> {
    const { fs } = this.#parameters;
    await fs.promises.mkdir(this.#profileDir, { mode: PRIVATE_FOLDER_MODE }).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST' && !isMissing(error)) throw error;
    });
  }

  /** Removes empty folders beside the profile. They may have been recreated after the profile was deleted. */
  async removeEmpty(): Promise<void> {
    const { fs } = this.#parameters;
    const { root, staging, follow, quarantine } = await resolveSideFolder(this.#profileDir, this.#parameters);
    for (const folder of [staging, follow, quarantine, join(root, PROFILE_LEASE), root]) {
      await fs.promises.rmdir(folder).catch(() => undefined); // missing or in use
    }
  }

  #passOver(path: string): void {
    if (this.#passedOver.has(path)) return;
    this.#passedOver.add(path);
    const message = `${path} may not be read or removed, and is skipped`;
    this.#parameters.announce('warning', { code: 'cleanup-failed', message });
  }

  /**
   * Deletes the profile and everything beside it except the lease. The lease is held during this call, and its number
   * must not start over for a process that still waits for it.
   */
  clear(): Promise<void> {
    this.presence.forget();
    return clearProfile(this.#profileDir, { fs: this.#parameters.fs, keep: [PROFILE_LEASE] });
  }
}
