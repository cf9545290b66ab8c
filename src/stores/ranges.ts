import { Readable } from 'node:stream';
import { StoreError } from '../errors.js';
import { conflict } from './conditions.js';
import type { ByteRange, GetOptions, StoredObject } from './session-store.js';

/** Refuses a range that is not made of integers from 0 on. */
export function assertRange(key: string, range: ByteRange | undefined): void {
  if (range === undefined || (isCount(range.offset) && isCount(range.length))) return;
  throw new StoreError(`"${key}": a range is { offset, length } in integers from 0 on`, { retryable: false });
}

/** The bytes of an object of `size` bytes that a range has; `to` is exclusive. */
export function boundsOf(range: ByteRange | undefined, size: number): { from: number; to: number } {
  if (range === undefined) return { from: 0, to: size };
  const from = Math.min(range.offset, size);
  return { from, to: Math.min(from + range.length, size) };
}

/** @throws StoreConflictError if the object has another version than the one that is wanted. */
export function assertVersion(key: string, wanted: string | undefined, version: string): void {
  if (wanted !== undefined && wanted !== version) throw conflict(key, 'was changed meanwhile');
}

/**
 * Makes the answer of a `get` what was asked for, also if the store ignores `range` and `ifVersion`. The part is then cut
 * out of the stream: what lies before it is read and dropped, and what lies behind it is not read.
 *
 * @throws StoreConflictError if the object has another version
 */
export function asAsked(key: string, found: StoredObject, { range, ifVersion }: GetOptions): StoredObject {
  try {
    assertVersion(key, ifVersion, found.info.version);
  } catch (error) {
    found.body.on('error', () => undefined).destroy();
    throw error;
  }
  if (range === undefined || found.range !== undefined) return found;
  return { info: found.info, body: partOf(found.body, boundsOf(range, found.info.size)), range };
}

/** A stream of its own, not a generator, because destroying it must reach a source that hangs. */
function partOf(body: Readable, { from, to }: { from: number; to: number }): Readable {
  const source: AsyncIterator<unknown> = body[Symbol.asyncIterator]();
  let position = 0;
  body.on('error', () => undefined);
  const part = new Readable({
    highWaterMark: 0, // reads nothing ahead: what is not needed is not fetched
    read() {
      nextOfPart().then(
        (bytes) => !this.destroyed && this.push(bytes),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      body.destroy();
      callback(error);
    },
  });
  part.on('error', () => undefined);
  return part;

  async function nextOfPart(): Promise<Uint8Array | null> {
    while (position < to) {
      const { done, value } = await source.next();
      if (done) return null;
      if (!(value instanceof Uint8Array)) throw notBytes();
      const begin = position;
      position += value.length;
      if (position > from) return value.subarray(Math.max(0, from - begin), to - begin);
    }
    body.destroy();
    return null;
  }
}

/** The error of a body that is not a stream of bytes. */
export function notBytes(): StoreError {
  return new StoreError('the store delivered something that is not bytes', { retryable: false });
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
