import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import type { FileSystem } from '../../file-system.js';
import { ESSENTIAL_PATHS } from '../../profile/essential-files.js';
import type { SessionContext } from '../context/session-context.js';

/**
 * How long after `ready` everything written before it is certainly on the disk, ms. Chromium writes Local Storage
 * about every 60 s (docs/chromium-facts.md F1.5); half as much is added for a slow machine.
 */
const SURELY_COMMITTED_MS = 90_000;

/**
 * Tells whether Local Storage, one half of the login, has reached the disk since the session became `ready`. A
 * snapshot taken before that may lack it and does not count as *settled*.
 */
export class SettleWatch {
  readonly #profileDir: string;
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  #readyAt: { readonly wall: number; readonly monotonic: number } | undefined;
  #paired = false;

  constructor({ profileDir, fs, clock }: Pick<SessionContext, 'profileDir' | 'fs' | 'clock'>) {
    this.#profileDir = profileDir;
    this.#fs = fs;
    this.#clock = clock;
  }

  /**
   * Call at every `ready`; `paired` means that the login was made in this run, so that none of it was on the disk
   * before.
   */
  onReady(paired: boolean): void {
    this.#readyAt = { wall: this.#clock.now(), monotonic: this.#clock.monotonic() };
    this.#paired = paired;
  }

  /** Whether a capture that starts now holds everything written before `ready`. */
  async isSettled(): Promise<boolean> {
    if (!this.#readyAt) return false;
    // This login was read from the disk.
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
      return 0; // deleted meanwhile, or of the other layout
    }
  }
}
