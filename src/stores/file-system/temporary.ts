import { randomBytes } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { whileBusy } from '../../busy.js';
import { errnoOf, StoreError } from '../../errors.js';
import { improve, isRefusal, PRIVATE_FILE_MODE, writeAll } from '../../file-system.js';
import { assertSize, chunksOf, throwIfAborted } from '../body.js';
import { DigestCheck } from '../digest.js';
import { RESERVED_PREFIXES } from '../keys.js';
import type { ContentDigest, PutOptions } from '../session-store.js';
import { type Disk, refused, unless } from './disk.js';
import { makeFolder, pruneFolders } from './folders.js';
import { thisWriter, type Writer } from './writer.js';

/** How often a put creates its folder again when deletes keep removing it because it is empty. */
const MAX_FOLDER_TRIES = 20;

const COPY_BYTES = 256 * 1024;
const COPY_FLAGS = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL;

/** A complete new value in a private file, flushed to the disk, in the folder of its final path. */
export interface Temporary {
  readonly path: string;
  readonly stats: BigIntStats;
}

/** How the bytes get into a temporary file: `open` creates the file, `fill` writes and checks it. */
interface Source {
  open(path: string): Promise<FileHandle>;
  fill(handle: FileHandle): Promise<void>;
}

/** The temporary files that this process is writing. */
const inUse = new Set<string>();

/** Writes a body into a new temporary file, lets `use` publish it, and removes the rest. */
export function withBody<T>(
  disk: Disk,
  key: string,
  body: Uint8Array | Readable,
  options: PutOptions,
  use: (temporary: Temporary) => Promise<T>,
): Promise<T> {
  const { promises } = disk.fs;
  const source: Source = {
    open: (path) => whileBusy(disk, () => promises.open(path, 'wx+', PRIVATE_FILE_MODE), options.signal),
    async fill(handle) {
      // The digest is compared with what was written, not with what comes.
      const { digest: _, ...own } = options;
      for await (const chunk of chunksOf(key, body, own)) await writeAll(handle, chunk);
    },
  };
  return withSource(disk, key, source, options, use);
}

/** Copies a local file for `use`, never by a hard link, but by cloning its blocks where the disk supports that. */
export function withCopy<T>(
  disk: Disk,
  key: string,
  from: string,
  options: PutOptions,
  use: (temporary: Temporary) => Promise<T>,
): Promise<T> {
  const { promises } = disk.fs;
  const source: Source = {
    async open(path) {
      try {
        await whileBusy(disk, () => promises.copyFile(from, path, COPY_FLAGS), options.signal);
      } catch (error) {
        const gone =
          errnoOf(error) === 'ENOENT' && (await unless(['ENOENT'], promises.stat(from))) === undefined;
        if (gone)
          throw new StoreError(`the file for "${key}" is not there`, { cause: error, retryable: false });
        if (isRefusal(error)) return copyByHand(disk, from, path);
        throw error;
      }
      // copyFile also copies the mode, which may not even allow writing
      await improve(() => promises.chmod(path, PRIVATE_FILE_MODE), refused(disk, 'modes of files'));
      return whileBusy(disk, () => promises.open(path, 'r+'), options.signal);
    },
    async fill(handle) {
      const { size } = await handle.stat();
      assertSize(key, size, options.size);
    },
  };
  return withSource(disk, key, source, options, use);
}

/** Copies by reading and writing, because the system's copy also sets the mode and fails where that is refused. */
async function copyByHand(disk: Disk, from: string, path: string): Promise<FileHandle> {
  const { promises } = disk.fs;
  await promises.unlink(path).catch(() => undefined); // the incomplete copy
  const source = await promises.open(from, 'r');
  try {
    const target = await promises.open(path, 'wx+', PRIVATE_FILE_MODE);
    try {
      const buffer = Buffer.allocUnsafe(COPY_BYTES);
      for (;;) {
        const { bytesRead } = await source.read(buffer, 0, buffer.length, null);
        if (bytesRead === 0) return target;
        await writeAll(target, buffer.subarray(0, bytesRead));
      }
    } catch (error) {
      await target.close();
      throw error;
    }
  } finally {
    await source.close();
  }
}

/** The writer of the temporary file with this name; `undefined` for any other file. */
export function writerOfTemporary(name: string): Writer | undefined {
  const [, host, pid] = /^\.tmp-([0-9a-f]+)-(\d+)-[0-9a-f]+$/.exec(name) ?? [];
  return host === undefined || pid === undefined ? undefined : { host, pid: Number(pid) };
}

/** Whether a `put` of this process is still writing the file. */
export function isInUse(path: string): boolean {
  return inUse.has(path);
}

async function withSource<T>(
  disk: Disk,
  key: string,
  source: Source,
  { digest, signal }: PutOptions,
  use: (temporary: Temporary) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal);
  const { path, handle } = await openTemporary(disk, key, source);
  try {
    const stats = await sealed(disk, handle, {
      fill: () => source.fill(handle),
      check: async () => digest && readBack(handle, key, digest, signal),
    });
    throwIfAborted(signal);
    const result = await use({ path, stats });
    await discard(disk, path);
    return result;
  } catch (error) {
    await discard(disk, path);
    await pruneFolders(disk, key); // perhaps created only for this put
    throw error;
  }
}

async function openTemporary(disk: Disk, key: string, source: Source) {
  const { host, pid } = await thisWriter();
  const names = key.split('/').slice(0, -1);
  for (let attempt = 1; ; attempt++) {
    let path: string | undefined;
    try {
      const folder = await makeFolder(disk, names);
      path = join(folder, `${RESERVED_PREFIXES.temporary}${host}-${pid}-${randomBytes(8).toString('hex')}`);
      inUse.add(path);
      return { path, handle: await source.open(path) };
    } catch (error) {
      if (path !== undefined) await discard(disk, path);
      // A concurrent delete has removed the empty folder after this put had created or seen it.
      if (errnoOf(error) !== 'ENOENT' || attempt === MAX_FOLDER_TRIES) throw error;
    }
  }
}

async function sealed(
  disk: Disk,
  handle: FileHandle,
  { fill, check }: { readonly fill: () => Promise<void>; readonly check: () => Promise<void> },
): Promise<BigIntStats> {
  try {
    await fill();
    // open's mode passes through the umask
    await improve(() => handle.chmod(PRIVATE_FILE_MODE), refused(disk, 'modes of files'));
    const modified = disk.stamps.next();
    await improve(() => handle.utimes(modified, modified), refused(disk, 'time stamps'));
    await improve(() => handle.sync(), refused(disk, 'to flush files'));
    await check();
    return await handle.stat({ bigint: true });
  } finally {
    await handle.close();
  }
}

/** Compares what the file has now with the digest, in the same buffer again and again. */
async function readBack(
  handle: FileHandle,
  key: string,
  digest: ContentDigest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const check = new DigestCheck(key, digest);
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  for (let position = 0; ; ) {
    throwIfAborted(signal);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return check.assertSame();
    check.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

/** A file that can't be removed now is removed by `sweepTemporaries` later. */
async function discard({ fs }: Disk, path: string): Promise<void> {
  inUse.delete(path);
  await fs.promises.unlink(path).catch(() => undefined);
}
