import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../../src/clock.js';
import { type FileSystem, systemFileSystem } from '../../../src/file-system.js';
import { type CheckedCapture, captureTask } from '../../../src/profile/capture-task.js';
import { Follower } from '../../../src/profile/follow/follower.js';
import { logNamesIn } from '../../../src/profile/follow/keep-logs.js';
import { FOLLOWED_FOLDER } from '../../../src/profile/follow/kept-base.js';
import type { SoundTables } from '../../../src/profile/sound-tables.js';
import type { Dice } from '../../support/dice.js';
import { DatabasePage, type Load } from './follow-page.js';

const MEGABYTE = 1024 * 1024;
const ROOM_BYTES = 4096 * MEGABYTE;

export interface FollowCase extends Load {
  readonly copies: number;
  /** How often the keeper does not look for a while, so that logs are missed. */
  readonly misses: boolean;
  /** Whether a log that was kept is removed by hand. */
  readonly loses: boolean;
  /** Whether the page is opened anew between two copies. */
  readonly reloads: boolean;
}

export interface FollowTrial {
  readonly case: FollowCase;
  /** Copies that followed a base, and what the others were for. */
  readonly followed: number;
  readonly newBases: readonly string[];
  /** Whether the copy that was restored followed its base; else it was answered by a new one. */
  readonly isLastFollowed: boolean;
  /** Logs of the copy that was restored, and their bytes beside those of its tables. */
  readonly logs: number;
  readonly logMegabytes: number;
  readonly baseMegabytes: number;
  readonly records: number;
  readonly differences: readonly string[];
  /** From the launch to the first record, of the restored copy and of the control copy. */
  readonly openMs: readonly [restored: number, control: number];
}

/** Draws a case. */
export function drawCase(dice: Dice): FollowCase {
  return {
    bytesPerSecond: dice.pick([0.1, 0.3, 1, 2, 3, 5]) * MEGABYTE,
    recordBytes: dice.pick([300, 2000, 4000, 20_000]),
    databases: 1 + dice.below(3),
    blobs: dice.below(2) === 0,
    deletes: dice.below(3) === 0,
    seed: dice.below(2 ** 31),
    copies: 2 + dice.below(3),
    misses: dice.below(3) === 0,
    loses: dice.below(6) === 0,
    reloads: dice.below(5) === 0,
  };
}

/** Fills a profile whose two halves are on the disk. */
export async function growDatabases(profileDir: string, load: Load, megabytes: number): Promise<void> {
  const page = await DatabasePage.open(profileDir);
  await page.fill(load, megabytes * MEGABYTE);
  await page.close();
}

/**
 * Copies a profile under load, kills the browser, copies once more, and opens both the last copy and the killed profile
 * itself: each record must be the same in both.
 */
export async function tryFollow(
  one: FollowCase,
  { grown, folder, dice }: { readonly grown: string; readonly folder: string; readonly dice: Dice },
): Promise<FollowTrial> {
  const profileDir = join(folder, 'live');
  const switchable = new SwitchableFileSystem();
  const follower = new Follower({
    profileDir,
    fs: switchable.fs,
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
  const copier = new Copier(profileDir, folder, follower);
  await cp(grown, profileDir, { recursive: true });
  const page = await DatabasePage.open(profileDir);
  let last: CheckedCapture;
  try {
    await page.begin(one);
    await pause(500 + dice.below(1000));
    for (let copy = 0; copy < one.copies; copy++) {
      if (copy > 0) await copier.drop();
      await copier.take();
      switchable.isBlind = one.misses && dice.below(2) === 0;
      await pause(1000 + dice.below(3000));
      switchable.isBlind = false;
      if (one.reloads && dice.below(2) === 0) await page.reload(one);
      if (one.loses && dice.below(2) === 0) await loseLog(follower, dice);
    }
    await page.kill();
    await copier.drop();
    last = await copier.take();
  } finally {
    await page.kill();
    await follower.stop();
  }
  const control = await recordsOf(join(folder, 'control'), profileDir);
  const restored = await recordsOf(join(folder, 'restored'), last.tree.directory);
  const differences = differencesOf(control.records, restored.records);
  const ours = last.tree.files.filter(({ path }) => path.startsWith(FOLLOWED_FOLDER));
  const logs = ours.filter(({ path }) => path.endsWith('.log'));
  const megabytesOf = (files: readonly { readonly size: number }[]) =>
    files.reduce((sum, { size }) => sum + size, 0) / MEGABYTE;
  return {
    case: one,
    followed: copier.followed,
    newBases: copier.newBases,
    isLastFollowed: copier.isLastFollowed,
    logs: logs.length,
    logMegabytes: megabytesOf(logs),
    baseMegabytes: megabytesOf(ours.filter((file) => !logs.includes(file))),
    records: control.records.size,
    differences: last.report.verdict === 'sound' ? differences : [`the copy is ${last.report.verdict}`],
    openMs: [restored.openMs, control.openMs],
  };
}

/** Takes copies one after another, as the saves of a session do. */
class Copier {
  readonly newBases: string[] = [];
  followed = 0;
  isLastFollowed = false;
  readonly #profileDir: string;
  readonly #folder: string;
  readonly #follower: Follower;
  #soundTables: SoundTables = new Map();
  #number = 0;
  #last: string | undefined;

  constructor(profileDir: string, folder: string, follower: Follower) {
    this.#profileDir = profileDir;
    this.#folder = folder;
    this.#follower = follower;
  }

  async take(): Promise<CheckedCapture> {
    const follow = await this.#follower.offer(ROOM_BYTES);
    const targetDir = join(this.#folder, `copy-${this.#number++}`);
    this.#last = targetDir;
    const had = this.#follower.base !== undefined;
    const taken = await captureTask.run(
      {
        ...{ profileDir: this.#profileDir, targetDir, mode: 'hot', soundTables: this.#soundTables },
        ...(follow && { follow }),
      },
      { fs: systemFileSystem, clock: systemClock },
    );
    if (follow) this.#follower.accept(follow, taken.base);
    this.#soundTables = taken.soundTables;
    this.isLastFollowed = had && taken.newBaseBecause === undefined;
    if (this.isLastFollowed) this.followed++;
    else if (had) this.newBases.push(taken.newBaseBecause ?? '');
    return taken;
  }

  async drop(): Promise<void> {
    if (this.#last !== undefined) await rm(this.#last, { recursive: true, force: true });
  }
}

/** The machine's file system, whose folders can be made unreadable for the keeper. */
export class SwitchableFileSystem {
  isBlind = false;
  readonly fs: FileSystem = {
    ...systemFileSystem,
    promises: new Proxy(systemFileSystem.promises, {
      get: (target, name) => {
        if (name === 'readdir' && this.isBlind) return () => Promise.reject(new Error('not looking'));
        return Reflect.get(target, name, target);
      },
    }),
  };
}

export async function loseLog(follower: Follower, dice: Dice): Promise<void> {
  const folder = follower.base?.folder;
  if (folder === undefined) return;
  const names = (await logNamesIn(systemFileSystem, folder)).slice(0, -1);
  if (names.length > 0) await rm(join(folder, dice.pick(names)));
}

export async function recordsOf(
  place: string,
  from: string,
): Promise<{ readonly records: ReadonlyMap<string, string>; readonly openMs: number }> {
  await cp(from, place, {
    recursive: true,
    filter: (path) => !/Singleton(?:Lock|Cookie|Socket)$/.test(path),
  });
  const startedAt = performance.now();
  const page = await DatabasePage.open(place);
  try {
    const records = await page.records();
    return { records, openMs: performance.now() - startedAt };
  } finally {
    await page.close();
  }
}

export function differencesOf(
  control: ReadonlyMap<string, string>,
  other: ReadonlyMap<string, string>,
): string[] {
  const found: string[] = [];
  for (const [place, hash] of control) {
    if (other.get(place) !== hash) found.push(`${place}: ${hash} is ${other.get(place) ?? 'missing'}`);
  }
  for (const [place, hash] of other) if (!control.has(place)) found.push(`${place}: ${hash} came back`);
  const unreadable = [...control].filter(([, hash]) => hash.includes('unreadable')).length;
  return unreadable === 0 ? found : [...found, `${unreadable} can't be read in the killed profile either`];
}
