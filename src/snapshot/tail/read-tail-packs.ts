import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { SnapshotCorruptError } from '../../errors.js';
import { type FileSystem, improve, makeFolders, PRIVATE_FILE_MODE, writeAll } from '../../file-system.js';
import type { SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import type { PackedFiles } from '../../types.js';
import { mapLimited } from '../concurrency.js';
import { objectBytes } from '../store-calls/store-bytes.js';
import type { Tail } from '../tail.js';

const CONCURRENCY = 3;
const COPY_BYTES = 1024 * 1024;

export interface TailReading {
  readonly store: SessionStore;
  readonly fs: FileSystem;
  /** The key of a pack. */
  readonly keyOf: (pack: string) => string;
}

/** The name of a pack in errors. */
function what(pack: PackedFiles): string {
  return `pack ${pack.sha256.slice(0, 12)} of the tail`;
}

/** Compares every byte of the packs of a tail. @throws SnapshotCorruptError that names the first wrong one */
export async function checkPacks(
  { store, keyOf }: TailReading,
  { packs }: Tail,
  options: StoreCallOptions,
): Promise<void> {
  await mapLimited(packs, CONCURRENCY, async (pack) => {
    const hash = createHash('sha256');
    for await (const chunk of objectBytes(store, keyOf(pack.sha256), what(pack), options)) hash.update(chunk);
    if (hash.digest('hex') !== pack.sha256) throw new SnapshotCorruptError(`${what(pack)} is damaged`);
  });
}

/**
 * Writes the files of a tail below `target`: the beginnings out of the files of its save below `directory`, the rest out of
 * its packs, each of which is read once. The caller compares them with their SHA-256.
 */
export async function writeTailFiles(
  reading: TailReading,
  tail: Tail,
  { directory, target }: { readonly directory: string; readonly target: string },
  options: StoreCallOptions,
): Promise<void> {
  const { fs } = reading;
  const paths = tail.files.map(({ path }) => join(target, ...path.split('/')));
  for (const [index, { path, from }] of tail.files.entries()) {
    const to = paths[index] ?? '';
    await makeFolders(fs, dirname(to));
    await copyStart(fs, join(directory, ...path.split('/')), to, from, path);
  }
  await mapLimited(tail.packs, CONCURRENCY, (pack) => writePieces(reading, pack, paths, options));
}

/** Copies the first bytes of a file into a new one; of none an empty one is made. */
async function copyStart(
  fs: FileSystem,
  from: string,
  to: string,
  bytes: number,
  path: string,
): Promise<void> {
  const target = await fs.promises.open(to, 'wx', PRIVATE_FILE_MODE);
  try {
    if (bytes === 0) return;
    const source = await fs.promises.open(from, 'r');
    try {
      const buffer = Buffer.allocUnsafe(Math.min(COPY_BYTES, bytes));
      for (let done = 0; done < bytes; ) {
        const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, bytes - done), done);
        if (bytesRead === 0)
          throw new SnapshotCorruptError(`${path} of the save is shorter than its tail says`);
        await writeAll(target, buffer.subarray(0, bytesRead), done);
        done += bytesRead;
      }
    } finally {
      await source.close();
    }
  } finally {
    await target.close();
  }
}

async function writePieces(
  { store, fs, keyOf }: TailReading,
  pack: PackedFiles,
  paths: readonly string[],
  options: StoreCallOptions,
): Promise<void> {
  const pieces = [...pack.pieces].sort((a, b) => a[2] - b[2]);
  const [, , offset = 0] = pieces[0] ?? [];
  const end = Math.max(...pieces.map(([, , at, length]) => at + length));
  const range = { offset, length: end - offset };
  const files = new Map<number, Awaited<ReturnType<FileSystem['promises']['open']>>>();
  try {
    for (const [file] of pieces) {
      if (!files.has(file)) files.set(file, await fs.promises.open(paths[file] ?? '', 'r+'));
    }
    let position = offset;
    for await (const chunk of objectBytes(store, keyOf(pack.sha256), what(pack), { ...options, range })) {
      for (const [file, from, at, length] of pieces) {
        const first = Math.max(at, position);
        const last = Math.min(at + length, position + chunk.length);
        if (first >= last) continue;
        const handle = files.get(file);
        if (handle)
          await writeAll(handle, chunk.subarray(first - position, last - position), from + first - at);
      }
      position += chunk.length;
    }
    for (const file of files.values()) await improve(() => file.sync());
  } finally {
    for (const file of files.values()) await file.close();
  }
}
