import type { FileSystem } from '../../file-system.js';
import { isMissing, throwIfAborted } from '../walk.js';
import { DamageError } from './damage.js';
import { LOG_BLOCK_BYTES, type LogScan, LogScanner } from './log-reader.js';
import { type OpenFile, readAtOf } from './read-at.js';

/** One buffer of this size serves a whole log, so that frequent readings leave little garbage. */
export const PIECE_BYTES = LOG_BLOCK_BYTES * 8;

/** Reads a log from the disk, piece by piece; `undefined` when it does not exist (any more). */
export async function scanLog(
  fs: FileSystem,
  path: string,
  options: {
    /** Called with every complete record; it is only valid during the call. */
    readonly onRecord?: ((record: Uint8Array) => void) | undefined;
    /** Called with all bytes of the file, in order; they are only valid during the call. */
    readonly onBytes?: ((bytes: Uint8Array) => void) | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<LogScan | undefined> {
  let file: OpenFile;
  try {
    file = await readAtOf(fs, path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const scanner = new LogScanner(options.onRecord);
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, file.size));
    for (let start = 0; start < file.size; start += PIECE_BYTES) {
      throwIfAborted(options.signal);
      const bytes = await file.readAt(start, Math.min(PIECE_BYTES, file.size - start), piece);
      options.onBytes?.(bytes);
      for (let at = 0; at < bytes.length; at += LOG_BLOCK_BYTES) {
        scanner.push(bytes.subarray(at, at + LOG_BLOCK_BYTES));
      }
    }
    return scanner.finish();
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    return { records: 0, ending: 'clean', damage: { offset: 0, problem: error.message } };
  } finally {
    await file.close();
  }
}
