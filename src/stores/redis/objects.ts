import { StoreError } from '../../errors.js';
import type { ObjectInfo } from '../session-store.js';

export interface Entry {
  readonly info: ObjectInfo;
  readonly chunkBytes: number;
}

/** Readers of a value that is replaced have it for so long after they last asked for bytes of it, ms. */
export const GRACE_MS = 60_000;

/** The entry of an object as the scripts write it. */
export function entryOf(key: string, meta: unknown): Entry {
  const [version = '', ...numbers] = String(meta).split(' ');
  const [size = Number.NaN, chunkBytes = Number.NaN, modified = Number.NaN] = numbers.map(Number);
  if (![size, chunkBytes, modified].every(Number.isSafeInteger)) throw damagedError(key);
  return { info: { key, size, version, modifiedAt: new Date(modified) }, chunkBytes };
}

/** The answer of a script that is a list. */
export function listOf(answer: unknown): readonly unknown[] {
  if (Array.isArray(answer)) return answer;
  throw new StoreError("the server answered with something that is none of its scripts' answers", {
    retryable: false,
  });
}

export function buffersOf(answer: readonly unknown[]): readonly Buffer[] {
  return answer.map((bytes) => {
    if (Buffer.isBuffer(bytes)) return bytes;
    throw new StoreError('the client answered with texts instead of bytes', { retryable: false });
  });
}

/** The error of an object of which the server has a part. Never taken for an object that is missing. */
export function damagedError(key: string): StoreError {
  return new StoreError(
    `the server has lost a part of "${key}": were keys evicted (maxmemory-policy must be noeviction), or deleted by hand?`,
    { retryable: false },
  );
}

/** A condition on a version as the scripts take it: any text, also an empty one, differs from none. */
export function expected(ifVersion: string | undefined): string {
  return ifVersion === undefined ? '' : `=${ifVersion}`;
}
