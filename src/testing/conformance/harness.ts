import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { isSessionError, type SessionErrorCode } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import type { SessionStore } from '../../stores/session-store.js';

/** What the suite is told of a store. What is not declared is not tested, but for being refused properly. */
export interface StoreExpectations {
  /** Default true. */
  readonly conditionalPut?: boolean;
  /** Default: no limit. */
  readonly maxObjectBytes?: number;
  /** Whether the store has `putFile`. Default false. */
  readonly putFile?: boolean;
  /** Whether the store has `localPath`. Default false. */
  readonly localPath?: boolean;
  /** Whether the fixture has `breakDown`. Default false. */
  readonly breakDown?: boolean;
}

/** The runner's own functions, and what to expect. */
export interface ConformanceOptions {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, test: () => Promise<void>) => unknown;
  /** Title of the suite. Default `SessionStore`. */
  readonly name?: string;
  readonly expects?: StoreExpectations;
}

/** An empty store for one test, and what goes with it. */
export interface StoreFixture {
  readonly store: SessionStore;
  /** Called after the test, whether it passed or not. */
  readonly dispose?: () => unknown;
  /** Cuts the store off from where its bytes live, as a lost connection or a full outage does. */
  readonly breakDown?: () => unknown;
  /** Where `putFile` and `localPath` have their files. Default: the real file system. */
  readonly fs?: FileSystem;
}

/** Makes an *empty* store for each test. */
export type StoreFactory = () => SessionStore | StoreFixture | Promise<SessionStore | StoreFixture>;

/** Registers one test with a store of its own. */
export type StoreTest = (
  name: string,
  test: (store: SessionStore, fixture: StoreFixture) => Promise<void>,
) => void;

/** One chapter of the suite. */
export type Chapter = (test: StoreTest, expects: StoreExpectations) => void;

/** Turns the user's `it` into one that hands out fresh stores and disposes of them. */
export function storeTest(it: ConformanceOptions['it'], factory: StoreFactory): StoreTest {
  return (name, test) => {
    it(name, async () => {
      const made = await factory();
      const fixture: StoreFixture = 'store' in made ? made : { store: made };
      try {
        await test(fixture.store, fixture);
        await fixture.store.close?.();
      } finally {
        await fixture.dispose?.();
      }
    });
  };
}

/** `size` bytes of every value, the same at each call with the same `salt`. */
export function bytesOf(size: number, salt = 0): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let index = 0; index < size; index++) bytes[index] = (index * 31 + (index >> 8) + salt) & 255;
  return bytes;
}

/** A stream of `bytes` in pieces. */
export function streamOf(bytes: Uint8Array, pieceBytes = 10_000): Readable {
  function* pieces() {
    for (let offset = 0; offset < bytes.byteLength; offset += pieceBytes) {
      yield bytes.subarray(offset, offset + pieceBytes);
    }
  }
  return Readable.from(pieces(), { objectMode: false });
}

/** The value of a key; `undefined` when it is missing. */
export async function bytesAt(store: SessionStore, key: string): Promise<Buffer | undefined> {
  const found = await store.get(key);
  return found && readAll(found.body);
}

/** Reads a body to its end. */
export async function readAll(body: Readable): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    assert.ok(chunk instanceof Uint8Array, 'a body must be a stream of bytes');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Compares without printing megabytes. */
export function assertBytes(actual: Uint8Array | undefined, expected: Uint8Array): void {
  assert.ok(actual !== undefined, 'the object is missing');
  assert.ok(
    Buffer.compare(actual, expected) === 0,
    `${actual.byteLength} bytes differ from the ${expected.byteLength} expected`,
  );
}

/** The keys below `prefix`, sorted. */
export async function keysOf(store: SessionStore, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys.sort();
}

/** Asserts that `work` fails with an error of the library with this code, and gives it back. */
export async function rejectsWith(code: SessionErrorCode, work: Promise<unknown>) {
  const error = await work.then(
    () => assert.fail(`succeeded, instead of failing with ${code}`),
    (reason: unknown) => reason,
  );
  if (!isSessionError(error))
    throw new assert.AssertionError({ message: `failed with ${error}, not with ${code}` });
  assert.equal(error.code, code, error.message);
  return error;
}
