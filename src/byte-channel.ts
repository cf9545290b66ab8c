import { Readable } from 'node:stream';
import type { MessagePort } from 'node:worker_threads';

/** The reader asks for one piece at a time, so that no more than it can take is ever under way. */
const MORE = 'more';
const END = 'end';

/**
 * Sends bytes to the other end of a message channel, which may be in another thread, no faster than it takes them.
 * The memory of each piece goes along, so a piece must not be used again.
 *
 * @returns the number of bytes sent; `undefined` when the reader gave up
 * @throws what `pieces` throws, or the reason of `signal`
 */
export async function sendBytes(
  port: MessagePort,
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
  signal?: AbortSignal,
): Promise<number | undefined> {
  let wanted = 0;
  let isClosed = false;
  let wake: () => void = () => undefined;
  const onMessage = () => {
    wanted += 1;
    wake();
  };
  const onClose = () => {
    isClosed = true;
    wake();
  };
  const onAbort = () => wake();
  port.on('message', onMessage);
  port.once('close', onClose);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    let size = 0;
    for await (const piece of pieces) {
      size += piece.byteLength;
      while (wanted === 0 && !isClosed && signal?.aborted !== true) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      signal?.throwIfAborted();
      if (isClosed) return undefined;
      wanted -= 1;
      port.postMessage(piece, [piece.buffer]);
    }
    port.postMessage(END);
    return size;
  } finally {
    port.off('message', onMessage);
    port.off('close', onClose);
    signal?.removeEventListener('abort', onAbort);
    port.unref();
  }
}

/**
 * The bytes that {@link sendBytes} sends. Destroying the stream tells the sender that nobody reads any more; when the
 * sender fails, whoever started it destroys the stream.
 *
 * @param beforePiece called before each piece is asked for, and before the end is believed; what it throws ends the stream
 */
export function receiveBytes(port: MessagePort, beforePiece: () => void = () => undefined): Readable {
  const guarded = (next: () => void) => {
    try {
      beforePiece();
      next();
    } catch (error) {
      body.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const body = new Readable({
    read: () => guarded(() => port.postMessage(MORE)),
    destroy: (error, callback) => {
      port.close();
      callback(error);
    },
  });
  // Whoever reads gets the error itself; a late one must not end the bot's process.
  body.on('error', () => undefined);
  port.on('message', (piece: Uint8Array | typeof END) => {
    if (body.destroyed) return;
    if (piece === END) guarded(() => body.push(null));
    else body.push(piece);
  });
  return body;
}
