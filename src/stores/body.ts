import type { Readable } from 'node:stream';
import { abortReason, orAborted } from '../clock.js';
import { describeError, errnoOf, isSessionError, StoreError } from '../errors.js';
import { DigestCheck } from './digest.js';
import type { PutOptions } from './session-store.js';

/**
 * Takes over the body of a `put`: from now on the store reports any error of the stream, so that it is never an
 * uncaught one.
 */
export function adoptBody(body: Uint8Array | Readable): void {
  if (!(body instanceof Uint8Array)) body.on('error', () => undefined);
}

/** Ends the body of a `put` that failed before the body was read completely. */
export function discardBody(body: Uint8Array | Readable): void {
  if (!(body instanceof Uint8Array)) body.destroy();
}

/**
 * The bytes of a body, checked against `options.size` and, at their end, against `options.digest`; `options.signal` ends
 * them.
 *
 * @throws StoreError if the length or the digest differs from the announced one, or if the source fails.
 */
export async function* chunksOf(
  key: string,
  body: Uint8Array | Readable,
  options: Pick<PutOptions, 'size' | 'digest' | 'signal'>,
): AsyncGenerator<Uint8Array, void, void> {
  const { size, digest, signal } = options;
  throwIfAborted(signal);
  const check = digest && new DigestCheck(key, digest);
  if (body instanceof Uint8Array) {
    assertSize(key, body.byteLength, size);
    check?.update(body);
    check?.assertSame();
    yield body;
    return;
  }
  // Iterates without `for await`, which at the end waits for the source to stop; a source that hangs never stops.
  const source: AsyncIterator<unknown> = body[Symbol.asyncIterator]();
  let seen = 0;
  try {
    for (;;) {
      const next = source.next();
      const { done, value } = await (signal === undefined ? next : orAborted(next, signal));
      if (done) break;
      const bytes = toBytes(key, value);
      seen += bytes.byteLength;
      if (size !== undefined && seen > size) assertSize(key, seen, size);
      check?.update(bytes);
      yield bytes;
    }
  } catch (error) {
    throwIfAborted(signal);
    if (isSessionError(error)) throw error;
    const why = errnoOf(error) ?? describeError(error).message;
    throw new StoreError(`the body of "${key}" failed while it was read: ${why}`, { cause: error });
  } finally {
    body.destroy();
  }
  throwIfAborted(signal);
  assertSize(key, seen, size);
  check?.assertSame();
}

/** @throws StoreError if a `size` was announced and the actual size differs. */
export function assertSize(key: string, actual: number, size: number | undefined): void {
  if (size === undefined || actual === size) return;
  const found = actual > size ? `at least ${actual}` : `${actual}`;
  throw new StoreError(`the body of "${key}" was announced with ${size} bytes and has ${found}`, {
    retryable: false,
  });
}

/** @throws the signal's reason, or ClosedError if the reason is not an error. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortReason(signal);
}

function toBytes(key: string, chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk);
  throw new StoreError(`the body of "${key}" is a stream of objects, not of bytes`, { retryable: false });
}
