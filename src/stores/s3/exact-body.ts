import { Readable } from 'node:stream';
import { chunksOf } from '../body.js';
import type { PutOptions } from '../session-store.js';

/**
 * The bytes of a stream, never more than `options.size`. The last piece is held back until the source has ended and its
 * length and digest are known to be right: a server that lacks it stores nothing.
 */
export function exactBody(key: string, body: Readable, options: PutOptions): Readable {
  return Readable.from(withLastHeldBack(chunksOf(key, body, options)), { objectMode: false });
}

async function* withLastHeldBack(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let held: Uint8Array | undefined;
  for await (const chunk of chunks) {
    if (chunk.byteLength === 0) continue;
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (held !== undefined) yield held;
}

/** A whole body in memory, or, where that would be too much, a stream of the same bytes. */
export type Gathered =
  | { readonly bytes: Buffer; readonly stream?: undefined }
  | { readonly stream: Readable };

/** Reads a stream of at most `limit` bytes into memory. Its length and digest are checked in either case. */
export async function gather(
  key: string,
  body: Readable,
  options: PutOptions,
  limit: number,
): Promise<Gathered> {
  const chunks = chunksOf(key, body, options);
  const begun: Uint8Array[] = [];
  let size = 0;
  while (size <= limit) {
    const { done, value } = await chunks.next();
    if (done) return { bytes: Buffer.concat(begun) };
    begun.push(value);
    size += value.byteLength;
  }
  async function* everything() {
    for (let chunk = begun.shift(); chunk !== undefined; chunk = begun.shift()) yield chunk;
    yield* chunks;
  }
  return { stream: Readable.from(everything(), { objectMode: false }) };
}
