import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { describeError, errnoOf, StoreError } from '../../errors.js';

/** Larger than node's 64 KB, because a snapshot is read completely, and each read is a trip to the thread pool. */
const READ_BYTES = 256 * 1024;

/**
 * The bytes of an open file from `from` to `to`. Closes the handle when the stream is read to its end or destroyed, also
 * before the first read. A file that turns out to be shorter is an error, never a short body.
 */
export function fileBody(
  handle: FileHandle,
  key: string,
  { from, to }: { from: number; to: number },
): Readable {
  let position = from;
  const fail = (cause: unknown) => {
    const why = errnoOf(cause) ?? describeError(cause).message;
    return new StoreError(`could not read "${key}" to its end: ${why}`, { cause });
  };
  return new Readable({
    highWaterMark: READ_BYTES,
    read() {
      const length = Math.min(READ_BYTES, to - position);
      if (length === 0) {
        this.push(null);
        return;
      }
      handle.read(Buffer.allocUnsafe(length), 0, length, position).then(
        ({ bytesRead, buffer }) => {
          if (this.destroyed) return;
          if (bytesRead === 0)
            return this.destroy(fail(new Error(`it ends after ${position} of ${to} bytes`)));
          position += bytesRead;
          return this.push(buffer.subarray(0, bytesRead));
        },
        (error) => this.destroy(fail(error)),
      );
    },
    destroy(error, callback) {
      handle.close().then(
        () => callback(error),
        (closing) => callback(error ?? fail(closing)),
      );
    },
  });
}
