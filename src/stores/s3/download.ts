import { Readable } from 'node:stream';
import { describeError, errnoOf, StoreError } from '../../errors.js';

/**
 * The body of an answer. One that breaks off, or has another number of bytes than announced, is an error and never a short
 * body.
 */
export function bodyOf(key: string, source: Readable, size: number): Readable {
  const pieces: AsyncIterator<unknown> = source[Symbol.asyncIterator]();
  let seen = 0;
  source.on('error', () => undefined); // whoever reads gets it
  const fail = (cause: unknown) => {
    const why = errnoOf(cause) ?? describeError(cause).message;
    return new StoreError(`could not read "${key}" to its end: ${why}`, { cause });
  };
  const body = new Readable({
    read() {
      pieces.next().then(
        ({ done, value }) => {
          if (this.destroyed) return;
          if (!done) {
            const bytes = value as Uint8Array;
            seen += bytes.byteLength;
            this.push(bytes);
          } else if (seen === size) this.push(null);
          else this.destroy(fail(new Error(`it has ${seen} of ${size} bytes`)));
        },
        (error: unknown) => this.destroy(fail(error)),
      );
    },
    destroy(error, callback) {
      source.destroy();
      callback(error);
    },
  });
  body.on('error', () => undefined);
  return body;
}

/** The body where nothing is in the range that was asked for. */
export function emptyBody(): Readable {
  return Readable.from([], { objectMode: false });
}
