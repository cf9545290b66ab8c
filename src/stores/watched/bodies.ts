import { Readable } from 'node:stream';
import type { Clock, TimerHandle } from '../../clock.js';
import { notBytes } from '../ranges.js';
import type { Moving } from './deadline.js';
import { TRANSFER_MS } from './limits.js';

/**
 * Reports progress of the transfer whenever a piece of the body is read. The body stays the same object, because some
 * stores recognize a file stream by its class, and get its length in this way.
 *
 * @param msAtEnd how long the store may take once it has read so many bytes, ms; default: as between two pieces
 */
export function tellReads(body: Readable, moving: Moving, msAtEnd?: (bytes: number) => number): void {
  body.on('error', () => undefined); // a reader gets the error itself; a late error must not end the bot's process
  const read = body._read.bind(body);
  const push = body.push.bind(body);
  let bytes = 0;
  body._read = (size) => {
    moving();
    read(size);
  };
  body.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk instanceof Uint8Array) bytes += chunk.length;
    return push(chunk, encoding);
  };
  if (msAtEnd !== undefined) body.once('end', () => moving(msAtEnd(bytes)));
}

/** The bytes that a store delivers. A source that makes no progress while a reader waits is given up. */
export function watchedBody(body: Readable, clock: Clock, standstill: () => Error): Readable {
  const source: AsyncIterator<unknown> = body[Symbol.asyncIterator]();
  let timer: TimerHandle;
  body.on('error', () => undefined);
  const watched = new Readable({
    read() {
      timer = clock.setTimeout(() => this.destroy(standstill()), TRANSFER_MS);
      source.next().then(
        ({ done, value }) => {
          clock.clearTimeout(timer);
          if (this.destroyed) return;
          if (done) this.push(null);
          else if (value instanceof Uint8Array) this.push(value);
          else this.destroy(notBytes());
        },
        (error: Error) => {
          clock.clearTimeout(timer);
          this.destroy(error);
        },
      );
    },
    destroy(error, callback) {
      clock.clearTimeout(timer);
      body.destroy();
      callback(error);
    },
  });
  watched.on('error', () => undefined);
  return watched;
}
