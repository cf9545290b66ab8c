import { cp, mkdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../../src/clock.js';
import { systemFileSystem as fs } from '../../../src/file-system.js';
import { captureTask } from '../../../src/profile/capture-task.js';
import { Follower } from '../../../src/profile/follow/follower.js';
import { logNamesIn } from '../../../src/profile/follow/keep-logs.js';
import { FOLLOWED_FOLDER } from '../../../src/profile/follow/kept-base.js';
import type { KeptLog } from '../../../src/profile/follow/prove-logs.js';
import { readTailTask } from '../../../src/profile/follow/read-tail.js';
import { examineProfile } from '../../../src/profile/soundness.js';
import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import { FileSystemStore } from '../../../src/stores/file-system-store.js';
import type { SessionStore } from '../../../src/stores/session-store.js';
import { inlineTaskRunner } from '../../../src/task.js';
import { MemoryStore } from '../../../src/testing/memory-store.js';
import type { Dice } from '../../support/dice.js';
import { DatabasePage } from './follow-page.js';
import { differencesOf, type FollowCase, loseLog, recordsOf, SwitchableFileSystem } from './follow-trial.js';

const MEGABYTE = 1024 * 1024;
const context = { fs, clock: systemClock };
/** A log may be turned into a table between the last tick and the kill; then there is no control copy of that tick. */
const MOST_ATTEMPTS = 8;

export interface LostTrial {
  readonly case: FollowCase;
  readonly store: 'folder' | 'remote';
  readonly saves: number;
  readonly ticks: number;
  /** Why the chain was broken, so that a save was taken instead of a tick. */
  readonly broken: readonly string[];
  /** Whether the restored save had a tail, and how many files that had. */
  readonly tailFiles: number;
  readonly megabytesUp: number;
  /** Records that were compared; 0 where each tick was answered by a save, so that there is no control copy. */
  readonly records: number;
  readonly differences: readonly string[];
}

/**
 * Saves and ticks under load, kills the browser right after a tick, and loses all but the store. What comes back must have
 * each record of the killed profile as it was at that tick: its newest log is cut off where it ended then.
 */
export async function tryLoss(
  one: FollowCase,
  { grown, folder, dice }: { readonly grown: string; readonly folder: string; readonly dice: Dice },
): Promise<LostTrial> {
  for (let attempt = 1; ; attempt++) {
    const place = join(folder, `attempt-${attempt}`);
    await mkdir(place);
    const trial = await new Loss(one, place, dice).run(grown);
    if (trial !== undefined) return trial;
    if (attempt >= MOST_ATTEMPTS) throw new Error(`no control copy after ${attempt} attempts`);
    await rm(place, { recursive: true, force: true, maxRetries: 5 });
  }
}

class Loss {
  readonly #case: FollowCase;
  readonly #folder: string;
  readonly #dice: Dice;
  readonly #profileDir: string;
  readonly #disk = new SwitchableFileSystem();
  readonly #follower: Follower;
  readonly #kind: 'folder' | 'remote';
  readonly #store: SessionStore;
  readonly #saves: SnapshotRepository;
  readonly #broken: string[] = [];
  #snapshot = '';
  #last: readonly KeptLog[] | undefined;
  #count = { saves: 0, ticks: 0, bytes: 0 };

  constructor(one: FollowCase, folder: string, dice: Dice) {
    this.#case = one;
    this.#folder = folder;
    this.#dice = dice;
    this.#profileDir = join(folder, 'live');
    this.#kind = dice.below(2) === 0 ? 'folder' : 'remote';
    this.#store = this.#kind === 'folder' ? new FileSystemStore(join(folder, 'store')) : new MemoryStore();
    this.#saves = this.#open();
    this.#follower = new Follower({
      profileDir: this.#profileDir,
      fs: this.#disk.fs,
      clock: systemClock,
      folders: {
        create: async () => {
          const made = join(folder, `follow-${dice.below(2 ** 31)}`);
          await mkdir(made);
          return made;
        },
        remove: (made) => rm(made, { recursive: true, force: true }),
      },
    });
  }

  async run(grown: string): Promise<LostTrial | undefined> {
    const { misses, loses, reloads } = this.#case;
    await cp(grown, this.#profileDir, { recursive: true });
    const page = await DatabasePage.open(this.#profileDir);
    let logs: readonly KeptLog[] | undefined;
    try {
      await page.begin(this.#case);
      await pause(500 + this.#dice.below(1000));
      await this.#save();
      const steps = 3 + this.#dice.below(6);
      for (let step = 0; step < steps; step++) {
        this.#disk.isBlind = misses && this.#dice.below(3) === 0;
        await pause(300 + this.#dice.below(1500));
        this.#disk.isBlind = false;
        if (reloads && this.#dice.below(4) === 0) await page.reload(this.#case);
        if (loses && this.#dice.below(3) === 0) await loseLog(this.#follower, this.#dice);
        if (this.#dice.below(4) === 0) await this.#save();
        else await this.#tick();
      }
      logs = await this.#lastTick();
    } finally {
      await page.kill();
      await this.#follower.stop();
    }
    if (logs === undefined) return { ...this.#outcome(0), records: 0, differences: [] };
    const newest = logs.at(-1);
    const control = join(this.#folder, 'control-profile');
    await cp(this.#profileDir, control, {
      recursive: true,
      filter: (path) => !/Singleton(?:Lock|Cookie|Socket)$/.test(path),
    });
    const live = (await logNamesIn(fs, join(control, FOLLOWED_FOLDER))).at(-1);
    if (newest === undefined || live !== newest.name) return undefined; // flushed since
    await truncate(join(control, FOLLOWED_FOLDER, newest.name), newest.size);
    return this.#compare(control);
  }

  async #compare(control: string): Promise<LostTrial> {
    const expected = await recordsOf(join(this.#folder, 'control'), control);
    const directory = join(this.#folder, 'restored-profile');
    const found = this.#open(); // another machine
    const { files } = await found.restore(this.#snapshot, directory);
    const tail = await found.restoreTail(this.#snapshot, directory);
    const reference = new Map([...files, ...(tail?.files ?? [])].map((file) => [file.path, file]));
    const { report } = await examineProfile(directory, {
      ...context,
      depth: 'deep',
      reference: [...reference.values()],
    });
    const restored = await recordsOf(join(this.#folder, 'restored'), directory);
    // A blob whose record was deleted between the tick and the kill is gone from the killed profile only.
    const known = new Map([...expected.records].filter(([, hash]) => !hash.includes('unreadable')));
    const there = new Map(
      [...restored.records].filter(([key]) => known.has(key) || !expected.records.has(key)),
    );
    const differences = differencesOf(known, there);
    return {
      ...this.#outcome(tail?.files.length ?? 0),
      records: known.size,
      differences: report.verdict === 'sound' ? differences : [`what came back is ${report.verdict}`],
    };
  }

  #outcome(tailFiles: number): Omit<LostTrial, 'records' | 'differences'> {
    const { saves, ticks, bytes } = this.#count;
    return {
      case: this.#case,
      store: this.#kind,
      saves,
      ticks,
      broken: this.#broken,
      tailFiles,
      megabytesUp: bytes / MEGABYTE,
    };
  }

  /** As a session does it: a tick that can't be taken is a save. */
  async #tick(): Promise<readonly KeptLog[] | undefined> {
    const { base, saved } = this.#follower;
    if (base === undefined || saved === undefined) {
      await this.#save();
      return undefined;
    }
    const input = { profileDir: this.#profileDir, base, ...(this.#last && { last: this.#last }) };
    const reading = await readTailTask.run(input, context);
    if (reading.kind === 'same') return this.#last;
    const put =
      reading.kind === 'read' &&
      (await this.#saves.putTail({
        snapshot: saved.snapshot,
        at: new Date().toISOString(),
        files: reading.files,
      }));
    if (reading.kind === 'broken' || put === false || put.kind === 'refused') {
      this.#broken.push(reading.kind === 'broken' ? reading.because : 'it was refused');
      await this.#save();
      return undefined;
    }
    if (put.kind === 'interrupted') throw new Error('nobody else copies the database');
    this.#follower.advance(reading.base);
    this.#last = reading.logs;
    this.#count.ticks++;
    if (put.kind === 'put') this.#count.bytes += put.bytesWritten;
    return reading.logs;
  }

  /** `undefined` where the machine is too slow to see each log: every tick is answered by a save then. */
  async #lastTick(): Promise<readonly KeptLog[] | undefined> {
    for (let attempt = 0; attempt < 3; attempt++) {
      const logs = await this.#tick();
      if (logs !== undefined) return logs;
      await pause(200);
    }
    return undefined;
  }

  async #save(): Promise<void> {
    const targetDir = join(this.#folder, `copy-${this.#count.saves}`);
    const follow = await this.#follower.offer(4096 * MEGABYTE);
    const input = { profileDir: this.#profileDir, targetDir, mode: 'hot' as const };
    const taken = await captureTask.run({ ...input, ...(follow && { follow }) }, context);
    if (follow) this.#follower.accept(follow, taken.base);
    const { snapshot } = await this.#saves.create(taken.tree, {
      clientId: 'shop',
      lineage: 'lineage-1',
      run: 1,
      createdAt: new Date().toISOString(),
      capture: 'hot',
      settled: true,
      state: 'ready',
    });
    this.#follower.noteSaved(snapshot.id, taken.base);
    this.#snapshot = snapshot.id;
    this.#last = undefined;
    this.#count.saves++;
    await rm(targetDir, { recursive: true, force: true });
  }

  #open(): SnapshotRepository {
    const runner = inlineTaskRunner(fs);
    return openRepository({ kind: 'save' }, { store: this.#store, clientId: 'shop', runner, fs });
  }
}
