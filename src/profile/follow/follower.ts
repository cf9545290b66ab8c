import { type Clock, resultWithin, type TimerHandle } from '../../clock.js';
import type { FileSystem } from '../../file-system.js';
import { keepLogs } from './keep-logs.js';
import { FOLLOWED_FOLDER, type FollowInput, isSameBase, type KeptBase } from './kept-base.js';

/** LevelDB begins a new log after about this many bytes (Chromium's write buffer). */
const LOG_BYTES = 4 * 1024 * 1024;
/** How often to look for a new log, ms: often enough to see each one before it is deleted. */
const FASTEST_LOOK_MS = 50;
const USUAL_LOOK_MS = 1_000;
/** While nothing is written, the looks become rarer, up to this. */
const SLOWEST_LOOK_MS = 4_000;
/** How many looks to make, at least, while one log is written. */
const LOOKS_PER_LOG = 3;
/** With more logs than this since the last copy, a new base is cheaper than to follow this one. */
const MOST_LOGS = 64;
/** How long the end of a session waits for the removal, ms; the next start removes what is left. */
const REMOVAL_PATIENCE_MS = 5_000;

/** A save, and the base that its copy followed or made. */
export interface SavedBase {
  /** The id of the save. */
  readonly snapshot: string;
  readonly base: KeptBase;
}

export interface FollowerParameters {
  readonly profileDir: string;
  readonly fs: FileSystem;
  readonly clock: Clock;
  /** Makes and removes a folder beside the profile, on its file system. */
  readonly folders: { create(): Promise<string>; remove(folder: string): Promise<void> };
}

/**
 * Keeps the base of a session's copies, and every log that its browser writes after it, so that a copy needs the new logs only.
 * A log is linked as soon as it is seen. This polls, at a pace that follows the growth of the newest log, instead of
 * using file watchers, which some disks don't support and which can block the thread when a disk hangs. A log that is
 * missed nevertheless shows as a gap, and the next copy is a new base.
 *
 * Use it only while the browser of a ready session runs.
 */
export class Follower {
  readonly #parameters: FollowerParameters;
  #folder: string | undefined;
  #base: KeptBase | undefined;
  #saved: SavedBase | undefined;
  #timer: TimerHandle | undefined;
  /** Grows with every stop, so that what began before has no effect. */
  #generation = 0;
  readonly #kept = new Set<string>();
  #newest: { readonly name: string; readonly size: number; readonly at: number } | undefined;
  #removing: Promise<void> = Promise.resolve();

  constructor(parameters: FollowerParameters) {
    this.#parameters = parameters;
  }

  /** The base that copies follow now. */
  get base(): KeptBase | undefined {
    return this.#base;
  }

  /**
   * What a copy needs to follow the base, or to keep a new one. From here on logs are linked. `undefined` when no folder
   * can be made.
   *
   * @param roomBytes bytes that the base and its logs may take
   */
  async offer(roomBytes: number): Promise<FollowInput | undefined> {
    const generation = this.#generation;
    try {
      if (this.#folder === undefined) {
        const folder = await this.#parameters.folders.create();
        if (generation !== this.#generation) {
          await this.#parameters.folders.remove(folder);
          return undefined;
        }
        this.#folder = folder;
      }
    } catch {
      return undefined; // the copy itself tells what is wrong with the disk
    }
    // A copy takes a while, and a new base needs the logs that are written meanwhile, too.
    if (this.#timer === undefined) this.#schedule(FASTEST_LOOK_MS);
    const base = this.#base;
    return { folder: this.#folder, roomBytes, ...(base !== undefined && { base }) };
  }

  /** Call with the base that a copy returned, which may be none, and what was offered for it. */
  accept(offered: FollowInput, base: KeptBase | undefined): void {
    if (offered.folder !== this.#folder) return; // stopped meanwhile
    if (base === undefined) return void this.stop();
    this.#kept.clear(); // a new base begins with an empty folder
    this.#base = base;
  }

  /** The newest save that was made of a copy, and the base of that copy. */
  get saved(): SavedBase | undefined {
    return this.#saved;
  }

  /** Call when a copy was saved. */
  noteSaved(snapshot: string, base: KeptBase | undefined): void {
    this.#saved = base !== undefined && base.folder === this.#folder ? { snapshot, base } : undefined;
  }

  /** Call with what a reading has found out of the base. A new base that was made meanwhile stays. */
  advance(base: KeptBase): void {
    if (this.#base !== undefined && isSameBase(this.#base, base) && base.reached >= this.#base.reached)
      this.#base = base;
  }

  /** Call after any doubt: the next copy reads the kept logs again. */
  doubt(): void {
    if (this.#base !== undefined) this.#base = { ...this.#base, completeLogs: new Map() };
  }

  /**
   * Call when the session is no longer ready, or its profile was removed. Nothing is kept from then on; resolves when the
   * folder is removed, or after a deadline. Never rejects.
   */
  async stop(): Promise<void> {
    const { clock, folders } = this.#parameters;
    this.#generation++;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#base = undefined;
    this.#saved = undefined;
    this.#newest = undefined;
    this.#kept.clear();
    const folder = this.#folder;
    this.#folder = undefined;
    if (folder !== undefined) {
      const before = this.#removing;
      this.#removing = before.then(() => folders.remove(folder)).catch(() => undefined);
    }
    await resultWithin(clock, REMOVAL_PATIENCE_MS, this.#removing);
  }

  #schedule(delayMs: number): void {
    const generation = this.#generation;
    this.#timer = this.#parameters.clock.setTimeout(() => {
      void this.#look(generation).then((nextMs) => {
        if (generation === this.#generation) this.#schedule(nextMs);
      });
    }, delayMs);
  }

  /** Links new logs. Resolves to the time until the next look, ms. */
  async #look(generation: number): Promise<number> {
    const { fs, profileDir, clock } = this.#parameters;
    const folder = this.#folder;
    if (folder === undefined) return SLOWEST_LOOK_MS;
    try {
      const places = { from: `${profileDir}/${FOLLOWED_FOLDER}`, to: folder };
      const names = await keepLogs(fs, places, (name) => this.#kept.has(name));
      if (generation !== this.#generation) return SLOWEST_LOOK_MS;
      for (const name of names) this.#kept.add(name);
      if (this.#kept.size > MOST_LOGS) await this.stop();
      const name = names.at(-1);
      if (name === undefined) return SLOWEST_LOOK_MS;
      const { size } = await fs.promises.lstat(`${folder}/${name}`);
      return this.#paceOf({ name, size, at: clock.monotonic() });
    } catch {
      return SLOWEST_LOOK_MS; // a disk that fails, or a folder that is gone: the next copy finds out
    }
  }

  #paceOf(newest: { readonly name: string; readonly size: number; readonly at: number }): number {
    const before = this.#newest;
    this.#newest = newest;
    if (before === undefined) return FASTEST_LOOK_MS;
    const elapsed = Math.max(1, newest.at - before.at);
    const grown = before.name === newest.name ? newest.size - before.size : LOG_BYTES;
    if (grown <= 0) return Math.min(Math.max(2 * elapsed, USUAL_LOOK_MS), SLOWEST_LOOK_MS);
    const msPerLog = (LOG_BYTES / grown) * elapsed;
    return Math.min(Math.max(msPerLog / LOOKS_PER_LOG, FASTEST_LOOK_MS), USUAL_LOOK_MS);
  }
}
