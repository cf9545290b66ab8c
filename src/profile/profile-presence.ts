import path from 'node:path';
import type { FileSystem } from '../file-system.js';
import { ESSENTIAL_PARTS, isEssential, recogniseLayout } from './essential-files.js';
import { resolveLinks } from './links.js';
import { lstatIfPresent, walkFiles } from './walk.js';

/** What tells one folder from another of the same name. */
interface Identity {
  readonly dev: number;
  readonly ino: number;
  readonly birthtimeMs: number;
}

/** Profiles with a login whose clients the bot has closed, while the process goes on. By the file system they lie on. */
const leftByBots = new WeakMap<FileSystem, Map<string, Identity>>();
/** A process that has closed more clients than this forgets the oldest. */
const MAX_LEFT = 1000;

/**
 * Whether the login that was in the profile while this process used it is still there. What vanishes under its eyes was
 * removed on purpose; what is absent when a process starts may as well be a new disk.
 */
export class ProfilePresence {
  readonly #profileDir: string;
  readonly #fs: FileSystem;
  readonly #left: Map<string, Identity>;
  #seen: { readonly profile: Identity } | undefined;
  /** What a session that has stopped by itself had seen: its bot may close the client yet. */
  #resting: Identity | undefined;
  /** What this session has left last. */
  #own: Identity | undefined;

  /** @param options `disk`: the file system as the bot gave it, which other sessions of the process share. Default: `fs`. */
  constructor(
    profileDir: string,
    { fs, disk = fs }: { readonly fs: FileSystem; readonly disk?: FileSystem },
  ) {
    this.#profileDir = profileDir;
    this.#fs = fs;
    const left = leftByBots.get(disk) ?? new Map<string, Identity>();
    leftByBots.set(disk, left);
    this.#left = left;
  }

  /** Call when the profile is known to hold a login. Never rejects: what can't be looked at was not seen. */
  async note(): Promise<void> {
    try {
      const layout = await recogniseLayout(this.#profileDir, { fs: this.#fs });
      if (layout.indexedDb === 'none' || layout.localStorage === 'none') return;
      const profile = await this.#lookAt(await this.#realDir());
      if (profile) this.#seen = { profile };
    } catch {
      // As before, then.
    }
  }

  /** Call when the profile goes by the hand of this library. */
  forget(): void {
    this.#seen = undefined;
    this.#resting = undefined;
    this.#left.delete(this.#profileDir);
  }

  /**
   * Call when the session has ended.
   *
   * @param options `byBot`: whether the bot has closed its client. It may remove the profile next: {@link isLeftRemoved}, and a
   * later session of this process, look whether it did. `byItself`: whether the session has stopped without anybody's call;
   * its bot may close the client afterwards
   */
  end({ byBot = false, byItself = false } = {}): void {
    const seen = this.#seen?.profile ?? this.#resting;
    this.forget();
    if (byItself) this.#resting = seen;
    if (!byBot || seen === undefined) return;
    this.#own = seen;
    this.#left.set(this.#profileDir, seen);
    const [oldest] = this.#left.keys();
    if (this.#left.size > MAX_LEFT && oldest !== undefined) this.#left.delete(oldest);
  }

  /** Call at the first start of a session: goes on with what an earlier one of this process has seen. */
  begin(): void {
    const profile = this.#left.get(this.#profileDir);
    this.#left.delete(this.#profileDir);
    if (profile !== undefined) this.#seen ??= { profile };
  }

  /** What this session has left behind, as long as no other one of this process goes on with it; each time another object. */
  get left(): Identity | undefined {
    return this.#own !== undefined && this.#left.get(this.#profileDir) === this.#own ? this.#own : undefined;
  }

  /** Whether what this session has left behind is gone; as {@link isRemoved}. */
  async isLeftRemoved(): Promise<boolean> {
    return this.#isGone(this.left);
  }

  /** Call when the bot closes the client of a session that had stopped by itself; as {@link end}. */
  leave(): void {
    if ((this.#seen?.profile ?? this.#resting) !== undefined) this.end({ byBot: true });
  }

  /** Call when a stopped session is closed once more, not by its bot: what becomes of the profile says nothing then. */
  dismiss(): void {
    this.#seen = undefined;
    this.#resting = undefined;
  }

  /** Whether nothing of a login is in the profile. */
  async isEmpty(): Promise<boolean> {
    for (const part of ESSENTIAL_PARTS) {
      for await (const { path: file } of walkFiles(this.#fs, this.#profileDir, part)) {
        if (isEssential(file)) return false;
      }
    }
    return true;
  }

  /**
   * Whether a login was there and is gone. Not where its disk is gone with it: a mount that is away may come back. Never
   * rejects: a disk that fails proves nothing.
   */
  async isRemoved(): Promise<boolean> {
    return this.#isGone(this.#seen?.profile);
  }

  /** Deletes what a closing browser has made anew in place of a profile that was removed as a whole. */
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

  // Of the profile, or of what is left of the way to it.
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

// A number of an inode is given anew soon after it is free; when it was born is not known everywhere.
function isSame(one: Identity, other: Identity): boolean {
  return one.ino === other.ino && one.birthtimeMs === other.birthtimeMs;
}
