import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, sleep } from '../clock.js';
import { ConfigurationError, errnoOf, StoreError } from '../errors.js';
import { type FileHandle, type FileSystem, improve, makeFolders, PRIVATE_FILE_MODE } from '../file-system.js';
import { openOwnFile } from '../own-file.js';
import { assertRealFolder } from '../real-folder.js';
import type { NotePlace } from './kept-watch.js';
import {
  decodeRecord,
  encodeRecord,
  generationOf,
  type LeaseRecord,
  leaseFileName,
  MAX_RECORD_BYTES,
} from './lease-record.js';
import { watchNoteFile, watchNoteNames } from './watch-note-file.js';

/** The newest lease file as it was seen. */
export interface SeenLease {
  readonly generation: number;
  /** The text of the file; watched for changes when nothing else proves that the holder is alive. */
  readonly text: string;
  /** Absent when the file stayed empty or torn. */
  readonly record?: LeaseRecord;
}

/** A file that another process is just writing is complete after a moment. */
const TORN_READS = 5;
const TORN_WAIT_MS = 50;
/** How often the newest file may vanish between listing and reading because a newer one replaced it. */
const MAX_LISTINGS = 20;

/**
 * The lease files of one client: `<clientId>.<generation>.lease`. The highest generation is the owner's. Each
 * generation is created only once, by `link`, which fails when the name is taken.
 */
export class LeaseFiles {
  readonly #fs: FileSystem['promises'];
  readonly #fileSystem: FileSystem;

  constructor(
    readonly directory: string,
    readonly clientId: string,
    fs: FileSystem,
    readonly clock: Clock,
    /** How many of the last folder names in `directory` are our own folders: these must not be symbolic links. */
    readonly ownFolders = 1,
  ) {
    this.#fs = fs.promises;
    this.#fileSystem = fs;
  }

  /** Where it is noted how long these files were watched. */
  watchNote(): NotePlace {
    return watchNoteFile(this.#fileSystem, this.directory, this.clientId, this.ownFolders);
  }

  /** The file of the highest generation; `undefined` when there is none. */
  readHighest(): Promise<SeenLease | undefined> {
    return this.#explained('read', async () => {
      for (let listing = 0; listing < MAX_LISTINGS; listing++) {
        const generation = (await this.#generations()).at(-1);
        if (generation === undefined) return undefined;
        const seen = await this.#readWhole(generation);
        if (seen !== undefined) return seen;
      }
      throw new StoreError(`the lease files in ${this.directory} change faster than they can be read`);
    });
  }

  /**
   * The text of one generation's file; `undefined` when it is gone, empty when its name belongs to something that
   * is no file.
   */
  readText(generation: number): Promise<string | undefined> {
    return this.#unlessGone(async () => {
      const handle = await openOwnFile(this.#fileSystem, this.#path(generation));
      if (handle === undefined) return '';
      try {
        return await textOf(handle);
      } finally {
        await handle.close();
      }
    });
  }

  /**
   * Whether this lease file has come here by a copy of its folder, such as `cp -r` of a bot that runs: the folder that its holder
   * writes to is another one on the same disk. Of two disks nobody knows whether they show one folder. Never rejects.
   */
  async isCopied({ record }: SeenLease): Promise<boolean> {
    if (record?.directory === undefined || record.directory === this.directory) return false;
    try {
      const here = await this.#fs.stat(this.directory);
      const there = await this.#fs.stat(record.directory);
      return here.dev === there.dev && here.ino !== there.ino;
    } catch {
      return false;
    }
  }

  /** Creates the file of a generation; false when another process was first. */
  create(generation: number, record: LeaseRecord): Promise<boolean> {
    return this.#explained('written', async () => {
      await this.#assertOwnFolder();
      await makeFolders(this.#fileSystem, this.directory);
      const temporary = join(this.directory, `${this.clientId}.${randomUUID()}.lease-new`);
      try {
        await this.#writeNew(temporary, record);
        return await this.#nameExclusively(temporary, generation, record);
      } finally {
        await this.#fs.unlink(temporary).catch(() => undefined);
      }
    });
  }

  /** Overwrites our own record in place; `gone` when the file is missing or belongs to another owner. */
  async rewrite(generation: number, record: LeaseRecord): Promise<'ours' | 'gone'> {
    const done = await this.#unlessGone(async () => {
      // The handle stays with the file that was read, so a file that took this name meanwhile can't be
      // overwritten.
      const handle = await openOwnFile(this.#fileSystem, this.#path(generation), 'update');
      if (handle === undefined) return false;
      try {
        if (decodeRecord(await textOf(handle))?.token !== record.token) return false;
        const bytes = encodeRecord(record);
        await handle.write(bytes, 0, bytes.length, 0);
        return true;
      } finally {
        await handle.close();
      }
    });
    return done === true ? 'ours' : 'gone';
  }

  /** Whether a higher generation than this one exists. */
  async isSuperseded(generation: number): Promise<boolean> {
    return ((await this.#generations()).at(-1) ?? 0) > generation;
  }

  /** Removes the file of a generation, if it exists. */
  async withdraw(generation: number): Promise<void> {
    await this.#unlessGone(() => this.#fs.unlink(this.#path(generation)));
  }

  /**
   * Removes the files of all generations older than `generation`, as far as possible. It begins with the lowest:
   * an owner that was suspended must find its own file gone before the file of its successor goes.
   */
  async removeOlder(generation: number): Promise<void> {
    try {
      for (const older of await this.#generations()) {
        if (older < generation) await this.withdraw(older);
      }
      const notes = watchNoteNames(this.clientId);
      for (const name of await this.#names()) {
        const isUnfinished = name.startsWith(`${this.clientId}.`) && name.endsWith('.lease-new');
        if (isUnfinished || notes.includes(name)) {
          await this.#unlessGone(() => this.#fs.unlink(join(this.directory, name)));
        }
      }
    } catch {
      // The next owner tries again.
    }
  }

  async #readWhole(generation: number): Promise<SeenLease | undefined> {
    let text: string | undefined;
    for (let read = 0; read < TORN_READS; read++) {
      if (read > 0) await sleep(this.clock, TORN_WAIT_MS);
      text = await this.readText(generation);
      if (text === undefined) return undefined;
      const record = decodeRecord(text);
      if (record !== undefined) return { generation, text, record };
    }
    return { generation, text: text ?? '' };
  }

  async #generations(): Promise<readonly number[]> {
    const names = await this.#names();
    return names.flatMap((name) => generationOf(name, this.clientId) ?? []).sort((one, other) => one - other);
  }

  #assertOwnFolder(): Promise<void> {
    return assertRealFolder(this.#fileSystem, this.directory, this.ownFolders);
  }

  async #names(): Promise<readonly string[]> {
    await this.#assertOwnFolder();
    return (await this.#unlessGone(() => this.#fs.readdir(this.directory))) ?? [];
  }

  async #writeNew(path: string, record: LeaseRecord): Promise<void> {
    const handle = await this.#fs.open(path, 'wx', PRIVATE_FILE_MODE);
    try {
      await handle.writeFile(encodeRecord(record));
      await improve(() => handle.sync()); // after a power failure the same generation must not be given out again
    } catch (error) {
      await this.#fs.unlink(path).catch(() => undefined); // everybody would have to wait for half a file
      throw error;
    } finally {
      await handle.close();
    }
  }

  async #nameExclusively(temporary: string, generation: number, record: LeaseRecord): Promise<boolean> {
    try {
      await this.#fs.link(temporary, this.#path(generation));
      return true;
    } catch (error) {
      // NFS repeats a request whose answer was lost, so the name may already be taken by our own first request.
      if (errnoOf(error) === 'EEXIST') return await this.#isOurs(generation, record.token);
      // Another process won this race and has already removed our temporary file.
      if (errnoOf(error) === 'ENOENT') return false;
      return await this.#createInPlace(generation, record);
    }
  }

  /** For file systems without hard links (exFAT, some network shares): others may see the file empty for a moment. */
  async #createInPlace(generation: number, record: LeaseRecord): Promise<boolean> {
    try {
      await this.#writeNew(this.#path(generation), record);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    }
  }

  async #isOurs(generation: number, token: string): Promise<boolean> {
    const text = await this.readText(generation);
    return text !== undefined && decodeRecord(text)?.token === token;
  }

  #path(generation: number): string {
    return join(this.directory, leaseFileName(this.clientId, generation));
  }

  async #unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The folder is in `sessionPath`, or it is one of ours beside a profile, wherever that is. */
  get #advice(): string {
    return this.ownFolders === 1
      ? 'sessionPath must be a folder this process may write to, with all that is in it (chown)'
      : 'it must be a folder this process may write to; if another user has left it there, give it to this one (chown)';
  }

  async #explained<T>(what: 'read' | 'written', work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof StoreError || cause instanceof ConfigurationError) throw cause;
      const code = errnoOf(cause) ?? 'unknown error';
      const message = `the lease folder ${this.directory} can't be ${what} (${code})`;
      if (/^(EACCES|EPERM|EROFS|ENOTDIR|EEXIST|ENOENT|ENAMETOOLONG)$/.test(code)) {
        throw new ConfigurationError(`${message}: ${this.#advice}`, { cause });
      }
      throw new StoreError(message, { cause });
    }
  }
}

async function textOf(handle: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_RECORD_BYTES), 0, MAX_RECORD_BYTES, 0);
  return buffer.toString('utf8', 0, bytesRead);
}
