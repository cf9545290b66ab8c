import { createHash } from 'node:crypto';
import { readFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'whatsapp-web.js';
import { systemClock } from '../../../src/clock.js';
import { systemFileSystem } from '../../../src/file-system.js';
import { captureProfile } from '../../../src/profile/capture.js';
import { listEssentialFiles } from '../../../src/profile/essential-files.js';
import { missingAmong } from '../../../src/profile/missing-blobs.js';
import { readBlobNames } from '../../../src/profile/soundness/named-blobs.js';
import { checkProfile } from '../../../src/profile/soundness.js';
import type { CapturedTree, SnapshotFile } from '../../../src/types.js';
import {
  closeBot,
  createBot,
  killBrowser,
  type PageState,
  pageState,
  waitForEvent,
} from '../../simulator/client.js';
import type { WhatsAppSimulator } from '../../simulator/server.js';

const FRIEND = '4915100000002';
const PATIENCE_MS = 60_000;
const fs = systemFileSystem;

export interface LiveProfileOptions {
  readonly simulator: WhatsAppSimulator;
  readonly folder: string;
  /** Size of the data that is written once, before the traffic begins. */
  readonly bulkMegabytes: number;
  readonly bytesPerSecond: number;
  /** Size of the data that the traffic overwrites again and again, so that the profile keeps about the same size. */
  readonly ringMegabytes: number;
  /** Whether to write large values, which Chromium stores as separate files in the `.blob` folder. */
  readonly largeValues?: boolean;
}

/** A profile of about 70 MB with traffic of 4 MB/s: the load of chaos:capture and of the bench. */
export const BUSY_ACCOUNT = {
  bulkMegabytes: 34,
  bytesPerSecond: 4 * 1024 * 1024,
  ringMegabytes: 16,
} as const;

export interface Capture {
  readonly number: number;
  readonly directory: string;
  readonly files: CapturedTree['files'];
  readonly megabytes: number;
  readonly milliseconds: number;
  /** The number of attempts for the database that needed more of them. */
  readonly attempts: number;
  readonly sound: boolean;
  readonly finding: string;
  /** Number of blobs (files of large values) that the copied database names. */
  readonly blobs: number;
  /** The data that the page had reported as written when the capture began; the copy must contain at least this. */
  readonly before: Pick<PageState, 'ratchet' | 'messageCount'>;
}

/** A plain whatsapp-web.js client, logged in and busy; this library only copies its profile. */
export class LiveProfile {
  readonly profileDir: string;
  readonly #client: Client;
  readonly #options: LiveProfileOptions;

  constructor(options: LiveProfileOptions) {
    this.#options = options;
    this.profileDir = join(options.folder, 'live', 'session');
    this.#client = createBot({ simulator: options.simulator, dataPath: join(options.folder, 'live') });
  }

  /** Logs in and fills the database; starts traffic in a second run, as only a normal close flushes Local Storage. */
  async start(): Promise<void> {
    const { simulator, bulkMegabytes, bytesPerSecond, ringMegabytes, largeValues = false } = this.#options;
    await Promise.all([this.#untilReady(), simulator.scan()]);
    await simulator.writeBulk(bulkMegabytes, { timeoutMs: PATIENCE_MS * 2 });
    await closeBot(this.#client);
    await this.#untilReady();
    await this.#countWrites();
    await simulator.startTraffic({ bytesPerSecond, keepMegabytes: ringMegabytes, largeValues });
  }

  /** The number of bytes that the page has written to IndexedDB so far. */
  async writtenBytes(): Promise<number> {
    return Number(await this.#client.pupPage?.evaluate('window.writtenBytes'));
  }

  async capture(number: number): Promise<Capture> {
    const { simulator, folder } = this.#options;
    await simulator.sendIncoming({ from: FRIEND, body: `before capture ${number}` });
    const { ratchet, messageCount } = await pageState(this.#client);
    const directory = join(folder, 'captures', String(number));
    const startedAt = performance.now();
    const common = { number, directory, before: { ratchet, messageCount } };
    try {
      const { files, attempts } = await captureProfile({
        profileDir: this.profileDir,
        targetDir: directory,
        fs,
        clock: systemClock,
        mode: 'hot',
      });
      const milliseconds = performance.now() - startedAt;
      const { verdict, findings, bytes } = await checkProfile(directory, { fs, depth: 'deep' });
      const { named, missing } = await readBlobs(directory);
      const finding = [...findings.map(({ file, problem }) => `${file}: ${problem}`), ...missing].join('; ');
      const megabytes = bytes / 1024 / 1024;
      const sound = verdict === 'sound' && missing.length === 0;
      return { ...common, files, megabytes, milliseconds, attempts, sound, finding, blobs: named };
    } catch (error) {
      const milliseconds = performance.now() - startedAt;
      const finding = error instanceof Error ? error.message : String(error);
      const nothing = { files: [], megabytes: 0, attempts: 0, blobs: 0 };
      return { ...common, ...nothing, milliseconds, sound: false, finding };
    }
  }

  /**
   * Kills the browser during its traffic and compares the profile with a capture, as a start does. Data that was only
   * added since must not look like a loss. Returns what looks like a loss.
   */
  async killAndCompare(capture: Capture): Promise<string> {
    await killBrowser(this.#client);
    const reference: SnapshotFile[] = [];
    for (const { path, size } of capture.files) {
      const bytes = await readFile(join(capture.directory, path));
      reference.push({ path, size, sha256: createHash('sha256').update(bytes).digest('hex') });
    }
    const { verdict, findings } = await checkProfile(this.profileDir, { fs, depth: 'deep', reference });
    const { missing } = await readBlobs(this.profileDir);
    const found = [...findings.map(({ file, problem }) => `${file}: ${problem}`), ...missing];
    return found.length === 0 ? '' : `${verdict}: ${found.join('; ')}`;
  }

  async stop(): Promise<void> {
    await closeBot(this.#client);
  }

  async #untilReady(): Promise<void> {
    const ready = waitForEvent(this.#client, 'ready', PATIENCE_MS);
    ready.catch(() => undefined); // initialize() reports the error first
    await this.#client.initialize();
    await ready;
  }

  async #countWrites(): Promise<void> {
    await this.#client.pupPage?.evaluate(`{
      window.writtenBytes = 0;
      const put = IDBObjectStore.prototype.put;
      IDBObjectStore.prototype.put = function (value, key) {
        window.writtenBytes += value?.byteLength ?? 0;
        return put.call(this, value, key);
      };
    }`);
  }
}

/** The number of blobs that a profile's database names, and the missing ones; Chromium ensures that none is missing. */
async function readBlobs(profileDir: string): Promise<{ named: number; missing: string[] }> {
  const names = await readBlobNames({ fs, profileDir });
  if (names === undefined) return { named: 0, missing: ["the names of its blobs can't be read"] };
  const missing = missingAmong(names, await listEssentialFiles(profileDir, { fs }));
  return { named: names.now.size, missing: missing.map(({ path }) => `${path}: named, and not there`) };
}

/** Removes a capture that is not needed any more, because its hard links keep the space of deleted tables. */
export async function dropCapture({ directory }: Capture): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

/** Throws if the captures of a busy profile might fill the disk. */
export async function assertSpace(folder: string, megabytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / 1024 / 1024;
  if (free < megabytes)
    throw new Error(`${Math.round(free)} MB are free in ${folder}, ${megabytes} are needed`);
}
