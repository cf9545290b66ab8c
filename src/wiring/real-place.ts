import { type Clock, resultWithin, withDeadline } from '../clock.js';
import { gateTogether, isUnanswered } from '../disk-gate/gated-file-system.js';
import type { FileSystem } from '../file-system.js';
import { canonical, comparedPaths, realPathOf, refuseOverlaps } from '../options/paths.js';
import type { ResolvedOptions } from '../options.js';
import { networkMountOf, readMountinfo } from '../platform/storage.js';
import type { ProfileIdentity } from '../types.js';

/** A disk that answers at all does so within this time, ms. */
const DISK_DEADLINE_MS = 30_000;
/** What is waited for the folder of the backups, ms: together with all else that a start waits for stores no more than 5 s. */
const SOON_MS = 100;

export interface RealPlaceParameters {
  readonly profileDir: string;
  readonly identityAt: (realPath: string) => ProfileIdentity;
  readonly options: Pick<ResolvedOptions, 'sessionPath' | 'backupPath' | 'backupStore' | 'clientId'>;
  /**
   * The folders whose disks may hang independently. {@link RealPlace.settle} adds the network shares on which they
   * lie.
   */
  readonly roots: string[];
  readonly fs: FileSystem;
  readonly clock: Clock;
}

/**
 * Finds the real locations of a session's folders.
 * Only the disk knows them, and a lost network share does not answer. So the disk is asked when the session first
 * works, with a time limit, and never in a constructor.
 */
export class RealPlace {
  readonly #parameters: RealPlaceParameters;
  #profile: ProfileIdentity;
  #settling: Promise<void> | undefined;

  constructor(parameters: RealPlaceParameters) {
    this.#parameters = parameters;
    this.#profile = parameters.identityAt(parameters.profileDir);
  }

  /**
   * The profile's identity in snapshots. Until {@link settle} has resolved the links, it is based on the given path.
   */
  get profile(): ProfileIdentity {
    return this.#profile;
  }

  /**
   * Resolves the folders' locations once; repeats that only after a failure.
   *
   * @throws ConfigurationError when the folders overlap; TimeoutError, StoreError when a disk does not answer
   */
  settle(): Promise<void> {
    this.#settling ??= this.#settle().catch((error: unknown) => {
      this.#settling = undefined;
      throw error;
    });
    return this.#settling;
  }

  /** The canonical form of an absolute path. Links are resolved for the part of the path that exists. */
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
      resultWithin(clock, SOON_MS, backups).catch(() => undefined), // the store itself reports that
    ]);
    refuseOverlaps(folders, { platform: process.platform, realPaths });
    this.#profile = identityAt(realPaths.get(profileDir) ?? profileDir);
  }

  // The mount table comes from the operating system, so it is readable even when a share does not answer.
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
