import path from 'node:path';
import { plainFileSystem } from '../disk-gate/gated-file-system.js';
import type { FileSystem } from '../file-system.js';
import { ESSENTIAL_PARTS, isEssential, recogniseLayout } from './essential-files.js';
import { resolveLinks } from './links.js';
import { lstatIfPresent, walkFiles } from './walk.js';

/** Distinguishes a folder from another one with the same name. */
interface Identity {
  readonly dev: number;
  readonly ino: number;
  readonly birthtimeMs: number;
}

/** Profiles with a login whose clients the bot closed while the process goes on, by file system. */
const leftByBots = new WeakMap<FileSystem, Map<string, Identity>>();
/** How many such profiles are remembered; more push out the oldest. */
const MAX_LEFT = 1000;

/**
 * Tells whether the login that this process saw in the profile is still there. A login that disappears while the process
 * runs was removed on purpose; a login that is missing when a process starts may just mean a new disk.
 */
export class ProfilePresence {
  readonly #profileDir: string;
  readonly #fs: FileSystem;
  readonly #left: Map<string, Identity>;
  #seen: { readonly profile: Identity } | undefined;
  /** The profile that this session saw before it stopped by itself; its bot may still close the client. */
  #resting: Identity | undefined;
  /** The profile that this session last left behind. */
  #own: Identity | undefined;

  /** @param options `disk`: the file system that the bot passed in, shared by the sessions of the process. Default: `fs`. */
  constructor(
    profileDir: string,
    { fs, disk = fs }: { readonly fs: FileSystem; readonly disk?: FileSystem },
  ) {
    this.#profileDir = profileDir;
    this.#fs = fs;
    const plain = plainFileSystem(disk);
    const left = leftByBots.get(plain) ?? new Map<string, Identity>();
    leftByBots.set(plain, left);
    this.#left = left;
  }

  /** Call this when the profile is known to hold a login. Never rejects: a profile that can't be read is not noted. */
  async note(): Promise<void> {
    try {
      const layout = await recogniseLayout(this.#profileDir, { fs: this.#fs });
      if (layout.indexedDb === 'none' || layout.localStorage === 'none') return;
      const profile = await this.#lookAt(await this.#realDir());
      if (profile) this.#seen = { profile };
    } catch {
      // keeps what was noted before
    }
  }

  /** Call this when the library itself removes the profile. */
  forget(): void {
    this.#seen = undefined;
    this.#resting = undefined;
    this.#left.delete(this.#profileDir);
  }

  /**
   * Call this when the session has ended.
   *
   * @param options `byBot`: whether the bot has closed its client. The bot may then remove the profile, which
   * {@link isLeftRemoved} and a later session of this process detect. `byItself`: whether the session stopped without any
   * call; its bot may close the client afterwards
   */
  end({ byBot = false, byItself = false } = {}): void {
    const seen = this.#seen?.profile ?? this.#resting;
    // A session that has not looked at the profile leaves what an earlier one noted to the next.
    if (seen === undefined) return;
    this.forget();
    if (byItself) this.#resting = seen;
    if (!byBot) return;
    this.#own = seen;
    this.#left.set(this.#profileDir, seen);
    const [oldest] = this.#left.keys();
    if (this.#left.size > MAX_LEFT && oldest !== undefined) this.#left.delete(oldest);
  }

  /** Call this at the first start of a session. Takes over what an earlier session of this process noted. */
  begin(): void {
    const profile = this.#left.get(this.#profileDir);
    this.#left.delete(this.#profileDir);
    if (profile !== undefined) this.#seen ??= { profile };
  }

  /** Like {@link begin}, but only if the profile that an earlier session of this process noted is gone. */
  async beginIfRemoved(): Promise<void> {
    if (await this.#isGone(this.#left.get(this.#profileDir))) this.begin();
  }

  /** The profile that this session left behind, until another session takes it over; a new object each time one is left. */
  get left(): Identity | undefined {
    return this.#own !== undefined && this.#left.get(this.#profileDir) === this.#own ? this.#own : undefined;
  }

  /** Whether the profile that this session left behind was removed; the rules are those of {@link isRemoved}. */
  async isLeftRemoved(): Promise<boolean> {
    return this.#isGone(this.left);
  }

  /** Call this when the bot closes the client of a session that had stopped by itself; it then works like {@link end}. */
  leave(): void {
    if ((this.#seen?.profile ?? this.#resting) !== undefined) this.end({ byBot: true });
  }

  /** Call this when a stopped session is closed again, but not by its bot: a missing profile then means nothing. */
  dismiss(): void {
    this.#seen = undefined;
    this.#resting = undefined;
  }

  /** Whether the profile has no file of a login. */
  async isEmpty(): Promise<boolean> {
    for (const part of ESSENTIAL_PARTS) {
      for await (const { path: file } of walkFiles(this.#fs, this.#profileDir, part)) {
        if (isEssential(file)) return false;
      }
    }
    return true;
  }

  /**
   * Whether a login was there and has been removed. False if its disk is missing too, because a missing mount may come back.
   * Never rejects: a disk that fails proves nothing.
   */
  async isRemoved(): Promise<boolean> {
    return this.#isGone(this.#seen?.profile);
  }

  /** If the whole profile was removed, deletes the new folder that the closing browser has made in its place. */
  async removeRemade(): Promise<void> {
    const seen = this.#seen?.profile;
    if (seen === undefined) return;
    const folder = await this.#realDir();
    const now = await this.#lookAt(folder);
    if (now === undefined || isSame(now, seen) || !(await this.isEmpty())) return;
    await this.#fs.promises.rm(folder, { recursive: true, force: true });
  }

  async #isGone(seen: Identity | undefined): Promise<boolean> {
    if (seen === undefined) return false;
    try {
      return (await this.isEmpty()) && (await this.#deviceNow()) === seen.dev;
    } catch {
      return false;
    }
  }

  // The device of the profile, or of the nearest parent folder that exists.
  async #deviceNow(): Promise<number | undefined> {
    for (let folder = await this.#realDir(); ; folder = path.dirname(folder)) {
      const found = await this.#lookAt(folder);
      if (found !== undefined) return found.dev;
      if (folder === path.dirname(folder)) return undefined;
    }
  }

  #realDir(): Promise<string> {
    return resolveLinks(this.#fs, this.#profileDir);
  }

  async #lookAt(folder: string): Promise<Identity | undefined> {
    const stats = await lstatIfPresent(this.#fs, folder);
    return stats && { dev: stats.dev, ino: stats.ino, birthtimeMs: stats.birthtimeMs };
  }
}

// Compares both, because inode numbers are soon reused, and not every file system knows the time of birth.
function isSame(one: Identity, other: Identity): boolean {
  return one.ino === other.ino && one.birthtimeMs === other.birthtimeMs;
}
