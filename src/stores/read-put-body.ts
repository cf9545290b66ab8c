import type { Readable } from 'node:stream';
import { adoptBody, chunksOf, discardBody } from './body.js';
import type { PutOptions } from './session-store.js';

/**
 * Reads the body of a `put` as a store must: whole, or not at all. Compares it with `options.size` and `options.digest` where
 * they are given, and ends the source when anything goes wrong, also one that hangs. For a store of your own that keeps an
 * object in one piece; the largest objects are packs of 16 MB, and the zips of backups, which may be as large as the profile.
 *
 * @returns all bytes
 * @throws StoreError if the body fails, or has another size or digest than announced; the reason of `options.signal`
 *
 * @example
 * async put(key, body, options = {}) {
 *   const bytes = await readPutBody(key, body, options);
 *   await this.db.set(key, bytes);
 *   return { key, size: bytes.length, version: randomUUID() };
 * }
 */
export async function readPutBody(
  key: string,
  body: Uint8Array | Readable,
  options: Pick<PutOptions, 'size' | 'digest' | 'signal'> = {},
): Promise<Buffer> {
  adoptBody(body);
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of chunksOf(key, body, options)) chunks.push(chunk);
    return Buffer.concat(chunks);
  } catch (error) {
    discardBody(body);
    throw error;
  }
}
