import { constants } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { whileBusy } from '../busy.js';
import { type Clock, systemClock } from '../clock.js';
import { plainFileSystem } from '../disk-gate/gated-file-system.js';
import { ConfigurationError } from '../errors.js';
import { type FileSystem, openWithoutWaiting, systemFileSystem } from '../file-system.js';
import { adoptBody, assertSize, discardBody, throwIfAborted } from './body.js';
import { assertConditions, assertExpected, assertOffered } from './conditions.js';
import { deleteEach } from './delete-each.js';
import { assertDigest } from './digest.js';
import { type Disk, toStoreFault, unless, versionOf } from './file-system/disk.js';
import { fileBody } from './file-system/file-body.js';
import { findFolder, findObject, pathOf, pruneFolders } from './file-system/folders.js';
import { publish, remove } from './file-system/publish.js';
import { Stamps } from './file-system/stamps.js';
import { type SweepResult, sweep } from './file-system/sweep.js';
import { type Temporary, withBody, withCopy } from './file-system/temporary.js';
import { walk } from './file-system/walk.js';
import { assertPortableKey, assertPortablePrefix } from './keys.js';
import { assertRange, assertVersion, boundsOf } from './ranges.js';
import type {
  DeleteOptions,
  DeleteResult,
  GetOptions,
  ObjectInfo,
  PutOptions,
  PutResult,
  SessionStore,
  StoreCallOptions,
  StoredObject,
} from './session-store.js';

/** No put takes this long, so an older temporary file was left behind, whoever wrote it. */
const LEFTOVER_MS = 3_600_000;

export interface FileSystemStoreOptions {
  /** Default `file-system`. */
  readonly name?: string;
  readonly fs?: FileSystem;
  readonly clock?: Clock;
  /** On Windows, a name is refused for a moment while another program has the file open. Default: this platform. */
  readonly platform?: NodeJS.Platform;
}

/**
 * Stores objects as plain files below a folder; the key is the path. Files are 0600, folders 0700.
 *
 * A value is written to a temporary file, flushed and renamed, so that a crash or a power loss at any moment leaves
 * the old value or the new one. With a digest, the temporary file is read back and compared before that. Conditional puts
 * and deletes also hold between processes on the same machine or volume. Deletes are not flushed: after a power loss a
 * deleted object may be back. There are no fenced puts, because no file system renames only where a condition holds.
 *
 * @example
 * const store = new FileSystemStore('./persistent-session/store');
 * await store.put('shop/note.txt', Buffer.from('hello'), { ifAbsent: true });
 */
export class FileSystemStore implements SessionStore {
  readonly name: string;
  readonly capabilities = { conditionalPut: true, conditionalDelete: true } as const;
  readonly #disk: Disk;
  readonly #listeners = new Set<(notice: string) => void>();

  /** @param root the folder; the first put creates it if it is missing. May be a link to a folder. */
  constructor(root: string, options: FileSystemStoreOptions = {}) {
    if (typeof root !== 'string' || root === '') {
      throw new ConfigurationError(
        `a store's root must be the path of a folder, not ${JSON.stringify(root)}`,
      );
    }
    this.name = options.name ?? 'file-system';
    const { fs = systemFileSystem, clock = systemClock, platform = process.platform } = options;
    const onNotice = (notice: string) => {
      for (const listener of this.#listeners) listener(notice);
    };
    this.#disk = { fs, clock, platform, root: resolve(root), stamps: new Stamps(clock), onNotice };
  }

  async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}): Promise<PutResult> {
    adoptBody(body);
    try {
      if (body instanceof Uint8Array) assertSize(key, body.byteLength, options.size);
      return await this.#put(key, options, (use) => withBody(this.#disk, key, body, options, use));
    } catch (error) {
      discardBody(body);
      throw error;
    }
  }

  putFile(key: string, path: string, options: PutOptions = {}): Promise<PutResult> {
    return this.#put(key, options, (use) => withCopy(this.#disk, key, path, options, use));
  }

  async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    const { range, ifVersion } = options;
    return this.#guard('read', key, options, async () => {
      assertRange(key, range);
      if ((await findObject(this.#disk, key)) === undefined) return undefined;
      const handle = await unless(['ENOENT', 'ENOTDIR'], this.#open(key));
      if (handle === undefined) return undefined;
      try {
        const info = infoOf(key, await handle.stat({ bigint: true }));
        assertVersion(key, ifVersion, info.version);
        const body = fileBody(handle, key, boundsOf(range, info.size));
        return { info, body, ...(range !== undefined && { range }) };
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  async head(key: string, options: StoreCallOptions = {}): Promise<ObjectInfo | undefined> {
    return this.#guard('look up', key, options, async () => {
      const stats = await findObject(this.#disk, key);
      return stats && infoOf(key, stats);
    });
  }

  async *list(prefix: string, options: StoreCallOptions = {}): AsyncGenerator<ObjectInfo, void, void> {
    const disk = this.#disk;
    try {
      assertPortablePrefix(prefix);
      const names = prefix.split('/').slice(0, -1);
      const folder = await findFolder(disk, names);
      if (folder === undefined) return;
      const enter = (key: string) => key.startsWith(prefix) || prefix.startsWith(key);
      for await (const { key, path } of walk(disk, folder, names, { enter, signal: options.signal })) {
        if (!key.startsWith(prefix) || !isKey(key)) continue;
        const stats = await unless(['ENOENT'], disk.fs.promises.lstat(path, { bigint: true }));
        if (stats !== undefined) yield infoOf(key, stats);
        throwIfAborted(options.signal);
      }
    } catch (error) {
      throw toStoreFault(disk, `list "${prefix}" in ${this.name}`, error, options.signal);
    }
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    const disk = this.#disk;
    return this.#guard('delete', key, options, async () => {
      if ((await findObject(disk, key)) === undefined) return false;
      // Another delete may have removed the file, or its folder, too.
      const deleted = (await unless(['ENOENT'], remove(disk, key, options))) ?? false;
      await pruneFolders(disk, key);
      return deleted;
    });
  }

  deleteMany(keys: readonly string[], options: StoreCallOptions = {}): Promise<readonly DeleteResult[]> {
    return deleteEach(this, keys, options);
  }

  /** Absolute path of the folder. */
  get root(): string {
    return this.#disk.root;
  }

  /**
   * What another thread needs to open the store; `undefined` if the store uses a file system or clock other than the
   * real ones.
   *
   * @internal
   */
  realPlace(): { readonly root: string; readonly platform: NodeJS.Platform } | undefined {
    const { fs, clock, root, platform } = this.#disk;
    return plainFileSystem(fs) === systemFileSystem && clock === systemClock ? { root, platform } : undefined;
  }

  /**
   * Sets the listener for problems that are ignored because they do not matter.
   *
   * @internal
   */
  onNotice(listener: (notice: string) => void): void {
    this.#listeners.add(listener);
  }

  localPath(key: string): string {
    assertPortableKey(key);
    return pathOf(this.#disk, key);
  }

  /**
   * Removes what dead writers left behind: temporary files and locks whose process is proven dead, and those of any
   * process or machine that are older than `olderThanMs` (default one hour).
   *
   * @returns the number of removed files, and their bytes.
   */
  async sweepTemporaries(olderThanMs: number = LEFTOVER_MS): Promise<SweepResult> {
    try {
      return await sweep(this.#disk, olderThanMs);
    } catch (error) {
      throw toStoreFault(this.#disk, `sweep ${this.name}`, error);
    }
  }

  #put(
    key: string,
    options: PutOptions,
    write: (use: (temporary: Temporary) => Promise<ObjectInfo>) => Promise<ObjectInfo>,
  ): Promise<PutResult> {
    return this.#guard('put', key, options, async () => {
      assertConditions(key, options);
      assertOffered(this, key, { put: options });
      assertDigest(key, options.digest);
      if (options.ifAbsent === true || options.ifVersion !== undefined) {
        // Only avoids writing a value that can't win any more; the condition is checked again on publishing.
        const current = await findObject(this.#disk, key);
        assertExpected(key, options, current && versionOf(current));
      }
      const info = await write(async (temporary) =>
        infoOf(key, await publish(this.#disk, key, temporary, options)),
      );
      return options.digest === undefined ? info : { ...info, verifiedBy: 'readback' };
    });
  }

  #open(key: string) {
    // Windows has no O_NOFOLLOW; there the check of the file before this call has to be enough.
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);
    return whileBusy(this.#disk, () => openWithoutWaiting(this.#disk.fs, pathOf(this.#disk, key), flags));
  }

  async #guard<T>(verb: string, key: string, options: StoreCallOptions, work: () => Promise<T>): Promise<T> {
    assertPortableKey(key);
    throwIfAborted(options.signal);
    try {
      return await work();
    } catch (error) {
      throw toStoreFault(this.#disk, `${verb} "${key}" in ${this.name}`, error, options.signal);
    }
  }
}

function infoOf(key: string, stats: Parameters<typeof versionOf>[0] & { readonly mtime: Date }): ObjectInfo {
  return { key, size: Number(stats.size), version: versionOf(stats), modifiedAt: stats.mtime };
}

/** Whether the name of a file in the folder, which somebody may have put there by hand, is a valid key. */
function isKey(key: string): boolean {
  try {
    assertPortableKey(key);
    return true;
  } catch {
    return false;
  }
}
