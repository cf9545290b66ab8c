import { Readable } from 'node:stream';
import type { Clock, TimerHandle } from '../../clock.js';
import { StoreError } from '../../errors.js';
import type { Moving } from './deadline.js';
import { TRANSFER_MS } from './limits.js';

/** The same body, which says with every piece that is taken of it that the transfer moves. */
export function movingBody(body: Readable, moving: Moving): Readable {
  const counted = Readable.from(pieces(body, moving), { objectMode: false });
  // Whoever reads it is told; without a listener a late error would end the bot's process.
  counted.on('error', () => undefined);
  body.on('error', () => undefined);
  return counted;
}

async function* pieces(body: Readable, moving: Moving): AsyncGenerator<unknown> {
  for await (const piece of body) {
    moving();
    yield piece;
  }
}

/** The bytes that a store delivers. A source that stands still while somebody waits for more is given up. */
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

function notBytes(): StoreError {
  return new StoreError('the store delivered something that is not bytes', { retryable: false });
}
