import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import type { FileSystem } from '../../file-system.js';
import { ESSENTIAL_PATHS } from '../../profile/essential-files.js';

/**
 * How long after `ready` everything written until then is surely on the disk. Chromium writes Local Storage about every
 * 60 s (docs/chromium-facts.md F1.5); half as much is added for a slow machine.
 */
const SURELY_COMMITTED_MS = 90_000;

/**
 * Tells whether Local Storage, half of the login, has reached the disk since the session got `ready`. A snapshot
 * that was taken before may lack it, and does not count as *settled*.
 */
export class SettleWatch {
  readonly #profileDir: string;
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  #readyAt: { readonly wall: number; readonly monotonic: number } | undefined;
  #paired = false;

  constructor(profileDir: string, fs: FileSystem, clock: Clock) {
    this.#profileDir = profileDir;
    this.#fs = fs;
    this.#clock = clock;
  }

  /** Call at every `ready`; `paired` when the login was made in this run, so that none of it was on the disk before. */
  onReady(paired: boolean): void {
    this.#readyAt = { wall: this.#clock.now(), monotonic: this.#clock.monotonic() };
    this.#paired = paired;
  }

  /** Whether a capture taken from now on holds all that was written until `ready`. */
  async isSettled(): Promise<boolean> {
    if (!this.#readyAt) return false;
    // The login was read from this very disk.
    if (!this.#paired) return true;
    if (this.#clock.monotonic() - this.#readyAt.monotonic >= SURELY_COMMITTED_MS) return true;
    return (await this.#lastCommit()) > this.#readyAt.wall;
  }

  async #lastCommit(): Promise<number> {
    const { localStorageLevelDb, localStorageSqlite } = ESSENTIAL_PATHS;
    let newest = 0;
    for (const path of [localStorageLevelDb, localStorageSqlite, `${localStorageSqlite}-wal`]) {
      newest = Math.max(newest, await this.#newestIn(join(this.#profileDir, path)));
    }
    return newest;
  }

  async #newestIn(path: string): Promise<number> {
    const { promises } = this.#fs;
    try {
      const info = await promises.stat(path);
      if (!info.isDirectory()) return info.mtimeMs;
      const names = (await promises.readdir(path)).filter((name) => name.endsWith('.log'));
      const times = await Promise.all(
        names.map(async (name) => (await promises.stat(join(path, name))).mtimeMs),
      );
      return Math.max(0, ...times);
    } catch {
      return 0; // vanished meanwhile, or not the layout in use
    }
  }
}
