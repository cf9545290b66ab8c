import { errnoOf } from '../../errors.js';
import { type FileHandle, type FileSystem, openWithoutWaiting } from '../../file-system.js';
import { defineTask } from '../../task.js';

const PIECE_BYTES = 256 * 1024;

/** Whether two files hold the same bytes; `false` when one is missing. It is cheaper than two hashes. */
export const sameBytesTask = defineTask<{ readonly paths: readonly [string, string] }, boolean>(
  'snapshot:same-bytes',
  async ({ paths: [first, second] }, { fs, signal }) => {
    try {
      return await withFile(fs, first, (a) => withFile(fs, second, (b) => areSame(a, b, signal)));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  },
);

async function areSame(a: FileHandle, b: FileHandle, signal: AbortSignal | undefined): Promise<boolean> {
  const [ours, theirs] = [Buffer.allocUnsafe(PIECE_BYTES), Buffer.allocUnsafe(PIECE_BYTES)];
  for (let position = 0; ; ) {
    signal?.throwIfAborted();
    const bytes = await fill(a, ours, position);
    if (bytes !== (await fill(b, theirs, position))) return false;
    if (ours.compare(theirs, 0, bytes, 0, bytes) !== 0) return false;
    if (bytes === 0) return true;
    position += bytes;
  }
}

/** Reads until the buffer is full or the file ends. */
async function fill(handle: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

async function withFile<T>(
  fs: FileSystem,
  path: string,
  work: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  const handle = await openWithoutWaiting(fs, path);
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}
