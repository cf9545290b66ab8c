import { type Clock, resultWithin, withDeadline } from './clock.js';
import { gateTogether, isUnanswered } from './disk-gate/gated-file-system.js';
import type { FileSystem } from './file-system.js';
import { canonical, comparedPaths, realPathOf, refuseOverlaps } from './options/paths.js';
import type { ResolvedOptions } from './options.js';
import { networkMountOf, readMountinfo } from './platform/storage.js';
import type { ProfileIdentity } from './types.js';

/** A disk that answers at all does so within this time, ms. */
const DISK_DEADLINE_MS = 30_000;
/** What is waited for the folder of the backups, ms: together with all else that a start waits for stores no more than 5 s. */
const SOON_MS = 100;

export interface RealPlaceParameters {
  readonly profileDir: string;
  readonly identityAt: (realPath: string) => ProfileIdentity;
  readonly options: Pick<ResolvedOptions, 'sessionPath' | 'backupPath' | 'backupStore' | 'clientId'>;
  /** The folders that may hang, each for itself; shares on which several of them lie are added. */
  readonly roots: string[];
  readonly fs: FileSystem;
  readonly clock: Clock;
}

/**
 * Where the folders of a session really lie. Only the disk knows, and a network share that is gone does not answer: so it
 * is asked when the session first works, in its own time, and never by a constructor.
 */
export class RealPlace {
  readonly #parameters: RealPlaceParameters;
  #profile: ProfileIdentity;
  #settling: Promise<void> | undefined;

  constructor(parameters: RealPlaceParameters) {
    this.#parameters = parameters;
    this.#profile = parameters.identityAt(parameters.profileDir);
  }

  /** The profile as snapshots name it; by the path that was given until {@link settle} has resolved its links. */
  get profile(): ProfileIdentity {
    return this.#profile;
  }

  /**
   * Looks where the folders lie; once, or again after it has failed.
   *
   * @throws ConfigurationError when they lie inside one another; TimeoutError, StoreError when a disk does not answer
   */
  settle(): Promise<void> {
    this.#settling ??= this.#settle().catch((error: unknown) => {
      this.#settling = undefined;
      throw error;
    });
    return this.#settling;
  }

  /** Where an absolute path leads, with its links resolved as far as there is something, in one spelling. */
  async realPathOf(path: string): Promise<string> {
    const { promises } = this.#parameters.fs;
    const real = await realPathOf(path, async (one) => String(await promises.realpath(one)), isUnanswered);
    return canonical(real, { platform: process.platform });
  }

  async #settle(): Promise<void> {
    const { profileDir, identityAt, options, clock } = this.#parameters;
    await this.#findShares();
    const { sessionPath, clientId } = options;
    const backupPath = options.backupStore === undefined ? options.backupPath : undefined;
    const folders = { sessionPath, clientId, profileDir, backupPath };
    const realPaths = new Map<string, string>();
    const ask = async (path: string) => void realPaths.set(path, await this.realPathOf(path));
    const paths = comparedPaths(folders);
    const isBackup = (path: string) => backupPath !== undefined && path.startsWith(backupPath);
    const needed = Promise.all(paths.filter((path) => !isBackup(path)).map(ask));
    const backups = Promise.all(paths.filter(isBackup).map(ask));
    await Promise.all([
      withDeadline(clock, DISK_DEADLINE_MS, 'looking where sessionPath and the profile lie', needed),
      resultWithin(clock, SOON_MS, backups).catch(() => undefined), // its store tells that it does not answer
    ]);
    refuseOverlaps(folders, { platform: process.platform, realPaths });
    this.#profile = identityAt(realPaths.get(profileDir) ?? profileDir);
  }

  // The mount table is the system's own: it is there also while a share is not.
  async #findShares(): Promise<void> {
    const { fs, roots } = this.#parameters;
    const mountinfo = await readMountinfo(fs);
    for (const root of [...roots]) {
      const share = networkMountOf(root, mountinfo);
      if (share === undefined || roots.includes(share)) continue;
      roots.push(share);
      gateTogether(fs, share);
    }
  }
}
