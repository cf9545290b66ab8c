import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Clock, systemClock } from '../../../src/clock.js';
import { type CheckedCapture, captureTask } from '../../../src/profile/capture-task.js';
import { keepLogs } from '../../../src/profile/follow/keep-logs.js';
import type { KeptBase } from '../../../src/profile/follow/kept-base.js';
import type { KeptLog } from '../../../src/profile/follow/prove-logs.js';
import { readTailTask } from '../../../src/profile/follow/read-tail.js';
import { checkProfile } from '../../../src/profile/soundness.js';
import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import { RememberingStore } from '../../../src/snapshot/store-calls/remembering-store.js';
import type { RestoredTail, TailPut } from '../../../src/snapshot/tail.js';
import type { SessionStore } from '../../../src/stores/session-store.js';
import { inlineTaskRunner, type TaskContext } from '../../../src/task.js';
import type { SnapshotInfo } from '../../../src/types.js';
import { type Contents, contentsOf, LiveDatabase } from '../../profile/follow/live-database.js';
import { INDEXED_DB, temporaryFolder } from '../../profile/profiles.js';
import { readingMeter } from '../../support/reading-meter.js';

/** Counts what saves and ticks read. */
export const meter = readingMeter(fs);
const context: TaskContext = { fs: meter.fs, clock: systemClock };

/** A database that is written, saves of it, and what was put between them. */
export class TailWorld<Store extends SessionStore> {
  readonly store: Store;
  readonly database: LiveDatabase;
  readonly problems: string[] = [];
  repository: SnapshotRepository;
  /** The generation of the right to write, as of a lease in the store. */
  generation: number | undefined;
  now = Date.parse('2026-11-23T05:14:09.123Z');
  readonly #folder: string;
  #base: KeptBase | undefined;
  #logs: readonly KeptLog[] | undefined;
  #snapshot: string | undefined;

  private constructor(store: Store, database: LiveDatabase, folder: string) {
    this.store = store;
    this.database = database;
    this.#folder = folder;
    this.repository = this.reopen();
  }

  static async create<Store extends SessionStore>(store: Store): Promise<TailWorld<Store>> {
    const folder = path.join(await temporaryFolder(), 'kept');
    await mkdir(folder);
    return new TailWorld(store, await LiveDatabase.create(), folder);
  }

  readonly clock: Clock = { ...systemClock, now: () => this.now, monotonic: () => this.now };

  /** As a new process sees the store. */
  reopen(): SnapshotRepository {
    const { clock, store } = this;
    const memory = new RememberingStore(store, { prefix: 'shop/', clock, period: () => 'first' });
    const isFolder = store.localPath !== undefined;
    this.repository = openRepository(
      { kind: 'save' },
      {
        store: isFolder ? store : memory,
        ...(!isFolder && { memory }),
        clientId: 'shop',
        fence: () => this.generation,
        runner: inlineTaskRunner(meter.fs),
        fs: meter.fs,
        clock,
        onProblem: (id, error) => this.problems.push(`${id}: ${(error as Error).message}`),
      },
    );
    return this.repository;
  }

  async save(lineage = 'lineage-1'): Promise<SnapshotInfo> {
    this.now += 120_000;
    const capture = await this.#capture();
    const made = await this.repository.create(capture.tree, {
      clientId: 'shop',
      lineage,
      run: 3,
      createdAt: new Date(this.now).toISOString(),
      capture: 'hot',
      settled: true,
      state: 'ready',
    });
    this.#snapshot = made.snapshot.id;
    return made.snapshot;
  }

  /** What the session does between two saves. */
  async tick(snapshot = this.#snapshot ?? '', meanwhile = async () => {}): Promise<TailPut> {
    this.now += 10_000;
    if (this.#base === undefined) throw new Error('no base is kept');
    const { profileDir } = this.database;
    const input = { profileDir, base: this.#base, ...(this.#logs && { last: this.#logs }) };
    const reading = await readTailTask.run(input, context);
    if (reading.kind === 'broken') throw new Error(reading.because);
    if (reading.kind === 'same') return { kind: 'unchanged' };
    this.#base = reading.base;
    this.#logs = reading.logs;
    await meanwhile();
    return this.repository.putTail({
      snapshot,
      at: new Date(this.now).toISOString(),
      files: reading.files,
    });
  }

  /** What the watcher does: every log that is there is kept. */
  async keep(): Promise<void> {
    await keepLogs(fs, { from: path.join(this.database.profileDir, INDEXED_DB), to: this.#folder });
  }

  /** What a capture does that makes a new base. */
  async emptyKept(): Promise<void> {
    for (const name of await readdir(this.#folder)) await rm(path.join(this.#folder, name));
  }

  /** Begins a new log, as after 4 MB. */
  async flush(): Promise<void> {
    await this.keep();
    await this.database.flush();
  }

  /** A machine that has nothing: the snapshot, then its tail. */
  async restored(
    id: string,
  ): Promise<{ readonly contents: Contents; readonly tail: RestoredTail | undefined }> {
    const directory = path.join(await temporaryFolder(), 'restored');
    try {
      const { files } = await this.repository.restore(id, directory);
      const tail = await this.repository.restoreTail(id, directory);
      const own = new Map(files.map((file) => [file.path, file]));
      for (const file of tail?.files ?? []) own.set(file.path, file);
      const report = await checkProfile(directory, { fs, depth: 'deep', reference: [...own.values()] });
      if (report.verdict !== 'sound') throw new Error(JSON.stringify(report));
      return { contents: await contentsOf(directory), tail };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** What `restoreTail` says, and what the folder holds then. */
  async refused(id: string): Promise<{ readonly why: string; readonly contents: Contents }> {
    const directory = path.join(await temporaryFolder(), 'restored');
    await this.repository.restore(id, directory);
    const names = () => fs.readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
    const before = names();
    const why = await this.repository.restoreTail(id, directory).then(
      () => 'it was restored',
      (error: Error) => error.message,
    );
    if (names().join() !== before.join()) throw new Error(`the folder has changed: ${names()}`);
    return { why, contents: await contentsOf(directory) };
  }

  async #capture(): Promise<CheckedCapture> {
    const targetDir = path.join(await temporaryFolder(), 'copy');
    const follow = {
      folder: this.#folder,
      roomBytes: 1024 ** 3,
      ...(this.#base && { base: this.#base }),
    };
    const input = { profileDir: this.database.profileDir, targetDir, mode: 'hot' as const, follow };
    const capture = await captureTask.run(input, context);
    this.#base = capture.base;
    this.#logs = undefined;
    return capture;
  }
}

/** The bytes of a tail whose checksum is right, whatever it says. */
export function sealed(tail: object): Buffer {
  const checksum = createHash('sha256').update(JSON.stringify(tail)).digest('hex');
  return Buffer.from(JSON.stringify({ ...tail, checksum }));
}

export async function keysOf(store: SessionStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return keys.filter((key) => !key.includes('state')).sort();
}
