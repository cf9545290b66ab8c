import { dirname, join, relative } from 'node:path';
import { createFsFromVolume, Volume } from 'memfs';
import { afterEach, beforeEach } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { ESSENTIAL_PATHS } from '../../src/profile/essential-files.js';
import { type FaultyFileSystem, failingFileSystem } from '../../src/testing/failing-file-system.js';
import { FakeWhatsApp } from '../../src/testing/fake-whatsapp.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { Dice } from './dice.js';
import { FakeBot, type FakeBotOptions } from './fake-bot.js';

// memfs asks for user and group at every access, and these system calls take longer than the access.
for (const name of ['getuid', 'getgid'] as const) {
  const id = process[name]?.();
  if (id !== undefined) process[name] = () => id;
}

/** memfs gives files the real time, which must be before all times of the manual clock. */
const AHEAD_OF_REAL_TIME_MS = 60 * 60 * 1000;

export const INDEXED_DB = ESSENTIAL_PATHS.indexedDbLevelDb;
export const LOCAL_STORAGE = ESSENTIAL_PATHS.localStorageLevelDb;

/** The environment of every bot in a test: an in-memory disk, a manual clock, seeded dice, and a fake WhatsApp. */
export class FakeStage {
  readonly clock = new ManualClock({ now: Date.now() + AHEAD_OF_REAL_TIME_MS });
  readonly fs: FaultyFileSystem = failingFileSystem(memoryFileSystem());
  /** Whether all bots work in memory; one with a file system of its own may not. */
  isInMemory = true;
  readonly whatsApp = new FakeWhatsApp();
  readonly random: () => number;
  readonly #bots: FakeBot[] = [];

  constructor(seed = 1) {
    this.random = new Dice(seed).next;
  }

  bot(options?: FakeBotOptions): FakeBot {
    if (options?.session?.fs !== undefined) this.isInMemory = false;
    const bot = new FakeBot(this, options);
    this.#bots.push(bot);
    return bot;
  }

  /** A bot that has logged in, saved and was stopped normally. */
  async loggedInOnce(options?: FakeBotOptions): Promise<FakeBot> {
    const bot = this.bot(options);
    await bot.logIn();
    await bot.stop();
    return bot;
  }

  /** Deletes IndexedDB's MANIFEST: a start on such a profile shows a QR (docs/chromium-facts.md F1.8). */
  async damageProfile(bot: FakeBot): Promise<void> {
    await this.fs.promises.rm(join(bot.client.profileDir, INDEXED_DB, 'MANIFEST-000001'));
  }

  /** Lets the machine sleep: the time passes, but no timer fires. */
  sleepMachine(ms: number): void {
    const monotonic = this.clock.monotonic.bind(this.clock);
    this.clock.monotonic = () => monotonic() + ms;
  }

  /** Makes another machine the owner of the bot's session. */
  async takeOver(folder = '/bot'): Promise<void> {
    await this.fs.promises.writeFile(`${folder}/session/lease/shop.1000.lease`, '');
  }

  remove(path: string): Promise<void> {
    return this.fs.promises.rm(path, { recursive: true, force: true });
  }

  async exists(path: string): Promise<boolean> {
    return this.fs.promises.stat(path).then(
      () => true,
      () => false,
    );
  }

  /** Copies everything below `folder`, so that it can be put back later like a disk image. */
  async copyTree(folder: string): Promise<{ putAt(target: string): Promise<void> }> {
    const copies = new Map<string, Buffer>();
    for (const path of await this.filesBelow(folder)) {
      copies.set(relative(folder, path), Buffer.from(await this.fs.promises.readFile(path)));
    }
    return {
      putAt: async (target) => {
        for (const [path, bytes] of copies) {
          await this.fs.promises.mkdir(dirname(join(target, path)), { recursive: true });
          await this.fs.promises.writeFile(join(target, path), bytes);
        }
      },
    };
  }

  /** Every file below `folder`, sorted. */
  async filesBelow(folder: string): Promise<readonly string[]> {
    const entries = await this.fs.promises.readdir(folder, { withFileTypes: true }).catch(() => []);
    const found: string[] = [];
    for (const entry of entries) {
      const path = join(folder, String(entry.name));
      found.push(...(entry.isDirectory() ? await this.filesBelow(path) : [path]));
    }
    return found.sort();
  }

  /** Stops every bot, in whatever state a test has left it. */
  async close(): Promise<void> {
    this.fs.arm({});
    for (const bot of this.#bots) await bot.stop();
  }
}

/**
 * Creates a stage for each test of a file, and stops its bots after the test. vitest fails the run if a rejection is
 * not handled.
 */
export function useFakeStage(): () => FakeStage {
  let stage: FakeStage;
  beforeEach(() => {
    stage = new FakeStage();
  });
  afterEach(() => stage.close());
  return () => stage;
}

/** A new empty in-memory file system. */
export function memoryFileSystem(): FileSystem {
  const fs = createFsFromVolume(new Volume()) as unknown as FileSystem;
  return {
    promises: fs.promises,
    createWriteStream: fs.createWriteStream.bind(fs),
    ...(fs.writeFileSync && { writeFileSync: fs.writeFileSync.bind(fs) }),
    // memfs ignores `end` without a `start`, but node does not.
    createReadStream: (path, options) =>
      fs.createReadStream(path, typeof options === 'object' ? { start: 0, ...options } : options),
  };
}
