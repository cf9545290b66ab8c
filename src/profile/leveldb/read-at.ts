import type { BigIntStats } from 'node:fs';
import { type FileSystem, openWithoutWaiting } from '../../file-system.js';
import { DamageError } from './damage.js';
import type { ReadAt } from './table.js';

/** A file that is open for reading at any position. The caller must close it. */
export interface OpenFile {
  /** Size when it was opened, bytes; a live log may have grown since. */
  readonly size: number;
  /** Of the same moment. */
  readonly stats: BigIntStats;
  readonly readAt: ReadAt;
  close(): Promise<void>;
}

/** Opens a regular file read-only. System errors (`ENOENT`, ...) pass through; anything else than a file is damage. */
export async function readAtOf(fs: FileSystem, path: string): Promise<OpenFile> {
  const handle = await openWithoutWaiting(fs, path);
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw new DamageError('it is not a file');
    return {
      size: Number(stats.size),
      stats,
      close: () => handle.close(),
      readAt: async (offset, length, into = Buffer.allocUnsafe(length)) => {
        let done = 0;
        while (done < length) {
          const { bytesRead } = await handle.read(into, done, length - done, offset + done);
          if (bytesRead === 0) throw new DamageError('it is shorter than it was a moment ago');
          done += bytesRead;
        }
        return into.subarray(0, length);
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
