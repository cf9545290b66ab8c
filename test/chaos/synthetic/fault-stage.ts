import { createFsFromVolume, Volume } from 'memfs';
import type { FileSystem } from '../../../src/file-system.js';
import { PersistentSession } from '../../../src/index.js';
import { walkFiles } from '../../../src/profile/walk.js';
import { type FaultyFileSystem, failingFileSystem } from '../../../src/testing/failing-file-system.js';
import { FakeClient } from '../../../src/testing/fake-client.js';
import { FakeWhatsApp } from '../../../src/testing/fake-whatsapp.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { Dice } from '../../support/dice.js';
import { untilSettled } from '../../support/until.js';
import { CLIENT_ID, placesIn, writeBlobs } from './world.js';

export const FOLDER = '/bot';
export const PLACES = placesIn(FOLDER);
const ACCOUNT = '4915100000001@c.us';
/** memfs gives files the real time, which must be before all times of the manual clock. */
const AHEAD_OF_REAL_TIME_MS = 60 * 60 * 1000;
/** Time limit on the manual clock; work that takes longer counts as hanging. */
const LIMIT_MS = 20 * 60 * 1000;

/** The contents of a disk, by path. */
export type DiskImage = ReadonlyMap<string, Buffer>;

/** A bot on an in-memory disk on which every call can be made to fail; the browser's own calls never fail. */
export class FaultStage {
  readonly disk: FileSystem = createFsFromVolume(new Volume()) as unknown as FileSystem;
  readonly fs: FaultyFileSystem = failingFileSystem(this.disk);
  readonly clock: ManualClock;
  readonly #dice = new Dice(1);

  private constructor(now: number) {
    this.clock = new ManualClock({ now });
  }

  static empty(): FaultStage {
    return new FaultStage(Date.now() + AHEAD_OF_REAL_TIME_MS);
  }

  /** A stage with the disk contents of another one. */
  static async from(image: DiskImage, now: number): Promise<FaultStage> {
    const stage = new FaultStage(now);
    for (const [path, bytes] of image) {
      await stage.disk.promises.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
      await stage.disk.promises.writeFile(path, bytes);
    }
    return stage;
  }

  async image(): Promise<DiskImage> {
    const image = new Map<string, Buffer>();
    for await (const { path } of walkFiles(this.disk, FOLDER, '')) {
      image.set(`${FOLDER}/${path}`, (await this.disk.promises.readFile(`${FOLDER}/${path}`)) as Buffer);
    }
    return image;
  }

  bot(keepLast = 10): FaultBot {
    return new FaultBot(this, keepLast, this.#dice.next);
  }

  finish<T>(work: Promise<T>): Promise<T> {
    return untilSettled(this, work, { limitMs: LIMIT_MS, stepMs: 1000 });
  }
}

/** A new instance represents a new process. */
export class FaultBot {
  readonly client: FakeClient;
  readonly session: PersistentSession;
  /** The number of QR codes that the bot received. */
  codes = 0;
  /** The failures of automatic work, with the event that reported each. */
  readonly failures: { readonly event: string; readonly code: string }[] = [];
  readonly #stage: FaultStage;

  constructor(stage: FaultStage, keepLast: number, random: () => number) {
    this.#stage = stage;
    const whatsApp = new FakeWhatsApp();
    whatsApp.pair(ACCOUNT);
    const localAuth = { dataPath: PLACES.authPath, clientId: CLIENT_ID };
    this.client = new FakeClient({ whatsApp, fs: stage.disk, localAuth });
    this.client.on('qr', () => this.codes++);
    this.session = new PersistentSession(this.client, {
      sessionPath: PLACES.sessionPath,
      backupPath: PLACES.backupPath,
      shutdownSignals: [],
      forceSaveIntervalMs: 0,
      backupIntervalMs: 0,
      sessionValidationIntervalMs: 0,
      retention: { saves: { keepLast }, backups: { keepLast } },
      clock: stage.clock,
      fs: stage.fs,
      random,
    });
    for (const event of ['save:failed', 'backup:failed'] as const) {
      this.session.on(event, ({ error }) => this.failures.push({ event, code: error.code }));
    }
  }

  start(): Promise<void> {
    return this.#stage.finish(this.session.initialize());
  }

  stop(): Promise<void> {
    return this.#stage.finish(this.session.destroy());
  }

  /** Writes another complete generation of the profile, as the browser does. */
  async write(generation: number): Promise<void> {
    const login = { credential: 'credential-1', note: `generation ${generation}` };
    await this.client.writeLogin(login);
    await writeBlobs(this.#stage.disk, PLACES.profileDir, generation, { files: 1, bytes: 3000 });
  }
}
