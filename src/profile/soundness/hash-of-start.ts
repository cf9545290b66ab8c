import { createHash } from 'node:crypto';
import { errnoOf } from '../../errors.js';
import { type FileSystem, openWithoutWaiting } from '../../file-system.js';
import { isMissing } from '../walk.js';

const PIECE_BYTES = 256 * 1024;

/**
 * SHA-256, in lower-case hex, of the first `bytes` of a file, or of the whole file if it is shorter. `undefined` when the file
 * is missing; `unreadable` when the disk can't read it or it is no regular file, which a check reports as damage instead of
 * failing.
 */
export async function hashOfStart(
  fs: FileSystem,
  path: string,
  bytes: number,
): Promise<string | 'unreadable' | undefined> {
  const hash = createHash('sha256');
  try {
    const handle = await openWithoutWaiting(fs, path);
    try {
      if (!(await handle.stat()).isFile()) return 'unreadable';
      const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, bytes));
      for (let done = 0; done < bytes; ) {
        const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, bytes - done), done);
        if (bytesRead === 0) break;
        hash.update(buffer.subarray(0, bytesRead));
        done += bytesRead;
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (errnoOf(error) === 'EIO') return 'unreadable';
    throw error;
  }
  return hash.digest('hex');
}
