import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { isSessionError, type SessionErrorCode } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import type { ContentDigest, GetOptions, PutResult, SessionStore } from '../../stores/session-store.js';

/**
 * What the suite may expect of a store, as the store itself declares it. What is left out is tested only for being
 * refused, or left alone, properly.
 */
export interface StoreExpectations {
  /** Whether conditions of `put` hold. Default true. */
  readonly conditionalPut?: boolean;
  /** Whether `ifVersion` of `delete` holds. Default false. */
  readonly conditionalDelete?: boolean;
  /** Whether `fence` of `put` holds. Default false. */
  readonly fencedPut?: boolean;
  /** Whether the store has `serverTime`. Default false. */
  readonly serverTime?: boolean;
  /** Whether the store has `deleteMany`. Default false. */
  readonly deleteMany?: boolean;
  /** Whether `get` itself keeps `range` and `ifVersion`. Default false: it ignores them, and the library helps out. */
  readonly ranges?: boolean;
  /** Who compares the digest of a `put`, as its answer says. Default: nobody, and the answer says nothing. */
  readonly verifiedBy?: PutResult['verifiedBy'];
  /** Default: no limit. */
  readonly maxObjectBytes?: number;
  /** Whether the store has `putFile`. Default false. */
  readonly putFile?: boolean;
  /** Whether the store has `localPath`. Default false. */
  readonly localPath?: boolean;
  /** Whether the fixture has `breakDown`. Default false. */
  readonly breakDown?: boolean;
  /** The faults that the fixture can make. Default: none. */
  readonly faults?: readonly (keyof StoreFaults)[];
  /** Whether the values themselves lie in the memory of this process, which is then not measured. Default false. */
  readonly inMemory?: boolean;
}

/**
 * Faults of the server behind a store, for tests that no store can pass by good luck. Each is optional.
 *
 * @example
 * const faults = {
 *   killInMidPut: async () => {
 *     await server.kill('SIGKILL');
 *     return () => server.start(); // on the same data, at the same address
 *   },
 *   hang: () => {
 *     server.kill('SIGSTOP');
 *     return () => server.kill('SIGCONT');
 *   },
 *   loseAnswer: () => proxy.cutAfterNextWrite(),
 * };
 */
export interface StoreFaults {
  /**
   * Called when the store has read about half of a body of 2.5 MB (less where `maxObjectBytes` is less): ends the server at once, as by SIGKILL. Returns what
   * starts it again with everything that it had stored, at the same address; the suite waits for both.
   */
  readonly killInMidPut?: () => Undo | Promise<Undo>;
  /**
   * From now on the server answers nothing, and closes no connection, as under SIGSTOP. Returns what ends that. What the
   * server does then with requests of the meantime is free: it may have done them, or not.
   */
  readonly hang?: () => Undo | Promise<Undo>;
  /** The server does the next write that reaches it, but its answer is lost: the connection breaks instead. */
  readonly loseAnswer?: () => unknown;
}

/** Ends a fault. */
export type Undo = () => unknown;

/** The test runner's own functions, and the expectations. */
export interface ConformanceOptions {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, test: () => Promise<void>) => unknown;
  /** Title of the suite. Default `SessionStore`. */
  readonly name?: string;
  readonly expects?: StoreExpectations;
  /** How long a call may take that a fault must end, ms; then the test fails instead of hanging. Default 10,000. */
  readonly patienceMs?: number;
}

/** An empty store for one test, and its helpers. */
export interface StoreFixture {
  readonly store: SessionStore;
  /** Called after the test, whether it passed or not. */
  readonly dispose?: () => unknown;
  /** Cuts the connection to the stored bytes, as a lost network or a full outage does. */
  readonly breakDown?: () => unknown;
  /** What can happen to the server. */
  readonly faults?: StoreFaults;
  /** The file system for `putFile` and `localPath`. Default: the real one. */
  readonly fs?: FileSystem;
}

/** Makes an *empty* store for each test. */
export type StoreFactory = () => SessionStore | StoreFixture | Promise<SessionStore | StoreFixture>;

/** Registers one test with its own store. */
export type StoreTest = (
  name: string,
  test: (store: SessionStore, fixture: StoreFixture) => Promise<void>,
) => void;

/** One chapter of the suite. */
export type Chapter = (test: StoreTest, expects: StoreExpectations, limits: SuiteLimits) => void;

export interface SuiteLimits {
  readonly patienceMs: number;
}

/** Wraps the user's `it` so that each test gets a fresh store, which is disposed of afterwards. */
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

/** `size` bytes in which every byte value appears; the same for the same `salt`. */
export function bytesOf(size: number, salt = 0): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let index = 0; index < size; index++) bytes[index] = (index * 31 + (index >> 8) + salt) & 255;
  return bytes;
}

/** The digest of bytes, complete as a careful caller knows it. */
export function digestOf(bytes: Uint8Array): Required<ContentDigest> {
  const hex = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
  return { sha256: hex('sha256'), md5: hex('md5') };
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
export async function bytesAt(
  store: SessionStore,
  key: string,
  options?: GetOptions,
): Promise<Buffer | undefined> {
  const found = await store.get(key, options);
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

/** Compares without printing megabytes into the message. */
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

/** Asserts that `work` fails with an error of the library with this code, and returns that error. */
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
