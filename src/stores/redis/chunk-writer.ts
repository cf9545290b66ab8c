import { StoreError } from '../../errors.js';
import type { Connection } from './connection.js';
import { WRITE_CHUNK } from './scripts.js';

/** A chunk is one step of the server, in which it does nothing else: about a millisecond. */
export const CHUNK_BYTES = 256 * 1024;
/** So that a server that is far away does not cost a round trip for each chunk. */
const CHUNKS_AT_ONCE = 8;
/** What got no further chunk for so long has a dead writer; the server itself drops it then, ms. */
const ABANDONED_MS = 3_600_000;

export interface Upload {
  readonly base: string;
  readonly key: string;
  /** The version, which nobody sees until it is published. */
  readonly version: string;
  readonly signal?: AbortSignal | undefined;
}

/** Cuts bytes into chunks of {@link CHUNK_BYTES}, the last one shorter. They are copies: a source may use its buffer again. */
export async function* inChunks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, void> {
  let chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let filled = 0;
  for await (const piece of pieces) {
    for (let taken = 0; taken < piece.byteLength; ) {
      const some = piece.subarray(taken, taken + CHUNK_BYTES - filled);
      chunk.set(some, filled);
      filled += some.byteLength;
      taken += some.byteLength;
      if (filled < CHUNK_BYTES) continue;
      yield chunk;
      chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}

/** Writes chunks that nobody sees yet; returns their number and bytes. */
export async function writeChunks(
  connection: Connection,
  { base, key, version, signal }: Upload,
  chunks: AsyncIterable<Buffer>,
): Promise<{ readonly count: number; readonly size: number }> {
  const inFlight = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let count = 0;
  let size = 0;
  try {
    for await (const chunk of chunks) {
      const args = [version, `${count}`, chunk, `${ABANDONED_MS}`];
      const writing = connection.run(WRITE_CHUNK, base, args, signal).then((answer) => {
        if (String(answer) === 'swept') throw sweptError(key);
      });
      // The others are refused where the first one is not there, so they can't outlive the upload.
      if (count === 0) await writing;
      const watched: Promise<void> = writing
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => inFlight.delete(watched));
      inFlight.add(watched);
      count++;
      size += chunk.length;
      if (inFlight.size >= CHUNKS_AT_ONCE) await Promise.race(inFlight);
      if (failure !== undefined) throw failure.error;
    }
  } finally {
    await Promise.all(inFlight);
  }
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error;
  return { count, size };
}

/** The error of a put whose chunks are gone: it took too long, or the server has lost them. */
export function sweptError(key: string): StoreError {
  return new StoreError(`the chunks of "${key}" were swept, or lost by the server, while it was being put`);
}
