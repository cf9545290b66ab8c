import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { ClientInternals } from '../../client/client-types.js';
import type { Clock } from '../../clock.js';
import { errnoOf, ProfileLockedError } from '../../errors.js';
import { type FileSystem, makeFolders } from '../../file-system.js';
import type { Logger } from '../../logger.js';
import { readOwnJson, writeOwnFile } from '../../own-file.js';
import {
  commandLine,
  endProcessTree,
  identityOf,
  isSameProcessAlive,
  type ProcessIdentity,
  selfIdentity,
} from '../../processes.js';
import { readProfileLock, removeProfileLocks } from '../../profile/profile-lock.js';
import type { StartWaits } from '../../start-waits.js';
import { profilesInUse } from './profiles-in-use.js';

/** Written before every launch, so that a later process can prove who launched a browser that it finds. */
interface LaunchRecord {
  readonly host: string;
  /** The node process that launched it. */
  readonly launcher: ProcessIdentity;
  /** Unique for each launch; also passed to the browser as an argument. */
  readonly mark: string;
  /** The browser's process, once known. */
  readonly browser?: ProcessIdentity;
}

/** A switch that Chromium does not know and ignores; it is visible in `/proc/<pid>/cmdline`. */
const MARK_SWITCH = '--wwebjs-persistent-session=';
/** Time limit for a killed browser's processes to end, ms. */
const END_DEADLINE_MS = 10_000;

export interface BrowserOwnerParameters {
  readonly profileDir: string;
  /** The profile's path with links resolved, so that two spellings of one profile are equal. */
  readonly realPath: () => string;
  /** Path of the launch record. */
  readonly recordPath: () => Promise<string>;
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly startWaits?: StartWaits;
}

/**
 * Knows which browser is ours and ends only that one: the session's own, or one whose launching process is proven
 * dead. The proof is our record of that process's pid and start time; a name or a profile path alone proves nothing.
 */
export class BrowserOwner {
  readonly #parameters: BrowserOwnerParameters;
  #own: Promise<ProcessIdentity | undefined> = Promise.resolve(undefined);

  constructor(parameters: BrowserOwnerParameters) {
    this.#parameters = parameters;
  }

  /**
   * Claims the profile for this session against other sessions of this process, whatever their session paths are.
   *
   * @throws ProfileLockedError when another session of this process has claimed it.
   */
  claim(): void {
    const { profileDir, fs } = this.#parameters;
    const realPath = this.#parameters.realPath();
    const claims = profilesInUse<BrowserOwner>('claims', fs);
    const holder = claims.get(realPath);
    if (holder !== undefined && holder !== this) {
      throw new ProfileLockedError(
        `another session of this process (pid ${process.pid}) uses the profile: ${profileDir}. Two clients can't ` +
          'share one: give each a clientId of its own (`new LocalAuth({ clientId })`); if it is the same bot, destroy() that ' +
          'one first',
        { pid: process.pid },
      );
    }
    claims.set(realPath, this);
  }

  /** Releases the claim on the profile. Idempotent. */
  unclaim(): void {
    const { fs } = this.#parameters;
    const realPath = this.#parameters.realPath();
    const claims = profilesInUse<BrowserOwner>('claims', fs);
    if (claims.get(realPath) === this) claims.delete(realPath);
  }

  /** Call before every launch: marks the browser that `client` is about to launch. */
  async announceLaunch(client: ClientInternals): Promise<void> {
    const mark = Array.from({ length: 4 }, () =>
      Math.floor(this.#parameters.random() * 0x1_0000)
        .toString(16)
        .padStart(4, '0'),
    ).join('');
    markArguments(client, mark);
    this.#own = Promise.resolve(undefined);
    await this.#write({ host: hostname(), launcher: await selfIdentity(), mark });
  }

  /** Call when the browser is up. Never rejects. */
  noteBrowser(pid: number | undefined): void {
    if (pid === undefined) return;
    this.#own = identityOf(pid).catch(() => undefined);
    this.#own
      .then(async (browser) => {
        const record = await this.#read();
        if (record && browser) await this.#write({ ...record, browser });
      })
      .catch((error: unknown) => this.#parameters.logger.warn('could not record the browser', { error }));
  }

  /**
   * Ends what is left of this session's own browser and removes its lock. Resolves when the browser is gone, to
   * whether it had to be ended.
   */
  async endOwn(): Promise<boolean> {
    const own = await this.#own;
    const hadToBeEnded = own !== undefined && (await this.#end(own));
    if (own) await this.#removeLockOf(own);
    this.#own = Promise.resolve(undefined);
    return hadToBeEnded;
  }

  /**
   * Call before every launch, with the lease held. Ends a browser that a killed process left behind, and removes a
   * stale lock.
   *
   * @throws ProfileLockedError when a live browser that is not provably ours holds the profile.
   */
  async reclaimProfile(): Promise<void> {
    const { profileDir, fs } = this.#parameters;
    const record = await this.#read();
    const orphan = record && (await this.#provenOrphan(record));
    if (orphan) await this.#endOrphan(orphan);
    const lock = await readProfileLock(profileDir, { fs, hostname: hostname(), isAlive });
    if (lock.kind === 'none') return;
    if (lock.kind === 'live') {
      const holder = await identityOf(lock.pid);
      if (holder && !(await this.#isOrphan(holder, record))) {
        throw new ProfileLockedError(
          `the profile is in use by another process (pid ${lock.pid}); stop that one first. ` +
            `Using a profile twice damages it: ${profileDir}`,
          { pid: lock.pid },
        );
      }
      if (holder) await this.#endOrphan(holder);
    }
    // The lock's owner is dead, or is on another host while we hold the lease. This happens at every redeploy
    // (docs/chromium-facts.md F1.6).
    await removeProfileLocks(profileDir, { fs });
  }

  async #provenOrphan(record: LaunchRecord): Promise<ProcessIdentity | undefined> {
    if (!record.browser || !(await isSameProcessAlive(record.browser))) return undefined;
    return (await this.#isLauncherGone(record)) ? record.browser : undefined;
  }

  // Also finds a browser without a recorded pid, when node was killed between the launch and writing the pid.
  async #isOrphan(holder: ProcessIdentity, record: LaunchRecord | undefined): Promise<boolean> {
    if (!record || !(await this.#isLauncherGone(record))) return false;
    const command = await commandLine(holder.pid);
    return command?.includes(`${MARK_SWITCH}${record.mark}`) ?? false;
  }

  // This process counts as gone. It has claimed the profile and launches one browser at a time, so a browser that it
  // left there is no longer wanted.
  async #isLauncherGone(record: LaunchRecord): Promise<boolean> {
    if (record.host !== hostname()) return false;
    const self = await selfIdentity();
    if (record.launcher.pid === self.pid && record.launcher.startTime === self.startTime) return true;
    return !(await isSameProcessAlive(record.launcher));
  }

  async #endOrphan(browser: ProcessIdentity): Promise<void> {
    const end = this.#parameters.startWaits?.begin({ kind: 'browser', pid: browser.pid }, END_DEADLINE_MS);
    await this.#end(browser).finally(end);
  }

  async #end(browser: ProcessIdentity): Promise<boolean> {
    const { clock, logger } = this.#parameters;
    if (!(await isSameProcessAlive(browser))) return false;
    const ended = await endProcessTree(browser, { clock, deadlineMs: END_DEADLINE_MS });
    if (ended.length === 0) return false; // the browser has just ended by itself
    logger.info('ended a browser that was left', { pid: browser.pid, processes: ended.length });
    return true;
  }

  // Removes the lock of an ended browser; a browser that closed normally has already removed it. If this fails, the
  // next start does it.
  async #removeLockOf({ pid }: ProcessIdentity): Promise<void> {
    const { profileDir, fs, logger } = this.#parameters;
    try {
      const lock = await readProfileLock(profileDir, { fs, hostname: hostname(), isAlive: () => false });
      if (lock.kind === 'dead' && lock.pid === pid) await removeProfileLocks(profileDir, { fs });
    } catch (error) {
      logger.warn('the lock of a browser that was ended stays', { error });
    }
  }

  async #read(): Promise<LaunchRecord | undefined> {
    const { recordPath, fs } = this.#parameters;
    try {
      const value = await readOwnJson(fs, await recordPath());
      return isLaunchRecord(value) ? value : undefined;
    } catch {
      return undefined; // without it nothing is proven, so nothing is ended
    }
  }

  async #write(record: LaunchRecord): Promise<void> {
    const { recordPath, fs } = this.#parameters;
    const path = await recordPath();
    await makeFolders(fs, dirname(path));
    await writeOwnFile(fs, path, JSON.stringify(record), { durable: false });
  }
}

/** Whether this machine has a process with this pid. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM'; // the process exists, but belongs to another user
  }
}

function markArguments(client: ClientInternals, mark: string): void {
  client.options ??= {};
  const puppeteer = client.options.puppeteer ?? {};
  const args = (puppeteer.args ?? []).filter((argument) => !argument.startsWith(MARK_SWITCH));
  client.options.puppeteer = { ...puppeteer, args: [...args, `${MARK_SWITCH}${mark}`] };
}

function isLaunchRecord(value: unknown): value is LaunchRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { host, launcher, mark, browser } = value as Record<string, unknown>;
  return (
    typeof host === 'string' &&
    typeof mark === 'string' &&
    mark.length > 0 &&
    isIdentity(launcher) &&
    (browser === undefined || isIdentity(browser))
  );
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, startTime } = value as Record<string, unknown>;
  return typeof pid === 'number' && typeof startTime === 'string';
}
