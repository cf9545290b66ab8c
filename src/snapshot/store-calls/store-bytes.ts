import type { Readable } from 'node:stream';
import { describeError, errnoOf, isSessionError, SnapshotCorruptError, StoreError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import { asAsked, boundsOf } from '../../stores/ranges.js';
import type {
  DeleteOptions,
  GetOptions,
  ObjectInfo,
  PutOptions,
  PutResult,
  SessionStore,
  StoreCallOptions,
  StoredObject,
} from '../../stores/session-store.js';

/**
 * Streams the bytes of an object, or of a part of it. A missing object is a damaged snapshot, and the error names `what` (a file of
 * the snapshot, or the zip). A transfer that breaks, or ends before the size that the store promised, is a fault
 * of the store.
 */
export async function* objectBytes(
  store: SessionStore,
  key: string,
  what: string,
  options: GetOptions = {},
): AsyncGenerator<Uint8Array> {
  const object = await asStoreCall(store, `read ${what}`, () => getAsAsked(store, key, options), what);
  if (object === undefined) throw missingObject(what);
  const { from, to } = boundsOf(options.range, object.info.size);
  let received = 0;
  try {
    for await (const chunk of object.body) {
      const bytes = toBytes(chunk);
      received += bytes.length;
      yield bytes;
    }
  } catch (error) {
    throw asStoreError(store, `read ${what}`, error, what);
  } finally {
    object.body.destroy();
  }
  if (received < to - from) {
    throw new StoreError(
      `${store.name} sent ${received} of the ${to - from} bytes of ${what} and then ended`,
      { file: what },
    );
  }
}

/** The error for an object that its manifest names and its store does not have. */
export function missingObject(what: string): SnapshotCorruptError {
  return new SnapshotCorruptError(`${what} of the snapshot is damaged: it is missing`, { file: what });
}

/**
 * Turns a failed read from a local store into a StoreError, so that it is not mistaken for a fault of the disk to
 * which the bytes are written. The error for a missing file stays unchanged.
 */
export function asFileReadFault(store: string, what: string, error: unknown): unknown {
  const errno = errnoOf(error);
  const isOfTheSystem = errno !== undefined && !isSessionError(error) && errno !== 'ABORT_ERR';
  if (!isOfTheSystem || errno === 'ENOENT') return error;
  return new StoreError(`${store} could not read ${what}: ${errno}`, { cause: error, file: what });
}

/**
 * A whole small object, or its first `limit` bytes; `undefined` when there is none. A transfer that ends early is
 * a fault of the store, not a torn object. Only these bytes are asked for.
 */
export async function readStart(
  store: SessionStore,
  key: string,
  limit: number,
  options: Omit<GetOptions, 'range'> = {},
): Promise<Buffer | undefined> {
  const get = () => getAsAsked(store, key, { ...options, range: { offset: 0, length: limit } });
  const object = await asStoreCall(store, `read ${key}`, get);
  if (object === undefined) return undefined;
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of object.body) {
      const bytes = toBytes(chunk);
      parts.push(bytes);
      size += bytes.length;
      if (size >= limit) break;
    }
  } catch (error) {
    throw asStoreError(store, `read ${key}`, error);
  } finally {
    object.body.destroy();
  }
  if (size < Math.min(limit, object.info.size)) {
    throw new StoreError(
      `${store.name} sent ${size} of the ${object.info.size} bytes of ${key} and then ended`,
    );
  }
  return Buffer.concat(parts).subarray(0, limit);
}

/** Puts a local file: with the store's own method if it has one, else as a stream. */
export async function putLocalFile(
  store: SessionStore,
  fs: FileSystem,
  key: string,
  path: string,
  options: PutOptions & { readonly size: number },
): Promise<PutResult> {
  const { maxObjectBytes } = store.capabilities;
  if (maxObjectBytes !== undefined && options.size > maxObjectBytes) {
    throw new StoreError(
      `${store.name} takes objects up to ${maxObjectBytes} bytes; one of the snapshot has ${options.size}`,
      { retryable: false },
    );
  }
  return asStoreCall(store, `write ${key}`, async () => {
    if (store.putFile !== undefined) return store.putFile(key, path, options);
    const body = fs.createReadStream(path);
    // The stream's errors reach the store's put; without a listener, a late one would end the bot's process.
    body.on('error', () => undefined);
    try {
      return await store.put(key, body, options);
    } finally {
      body.destroy();
    }
  });
}

/** Puts the bytes of a stream, whose length is not known. */
export function putStream(
  store: SessionStore,
  key: string,
  body: Readable,
  options: PutOptions = {},
): Promise<PutResult> {
  return asStoreCall(store, `write ${key}`, () => store.put(key, body, options));
}

/** Puts a small object whose bytes are in memory. */
export function putBytes(
  store: SessionStore,
  key: string,
  bytes: Uint8Array,
  options: PutOptions = {},
): Promise<PutResult> {
  return asStoreCall(store, `write ${key}`, () => store.put(key, bytes, { ...options, size: bytes.length }));
}

/** All objects below a prefix. */
export function listAll(
  store: SessionStore,
  prefix: string,
  options: StoreCallOptions = {},
): Promise<readonly ObjectInfo[]> {
  return asStoreCall(store, `list ${prefix}`, async () => {
    const found: ObjectInfo[] = [];
    for await (const info of store.list(prefix, options)) found.push(info);
    return found;
  });
}

/** The store's information about an object; `undefined` when there is none. */
export function headObject(
  store: SessionStore,
  key: string,
  options: StoreCallOptions = {},
): Promise<ObjectInfo | undefined> {
  return asStoreCall(store, `look up ${key}`, () => store.head(key, options));
}

/** Deletes an object; `false` when there was none. */
export function deleteObject(
  store: SessionStore,
  key: string,
  options: DeleteOptions = {},
): Promise<boolean> {
  return asStoreCall(store, `delete ${key}`, () => store.delete(key, options));
}

/**
 * Deletes an object that the store did not keep as it was written. Failures are ignored, because the caller
 * reports the damage. But a lost lease is reported instead, because the damage is then the work of another owner.
 *
 * @throws LeaseLostError
 */
export async function withdrawObject(
  store: SessionStore,
  key: string,
  options: DeleteOptions = {},
): Promise<void> {
  try {
    await deleteObject(store, key, options);
  } catch (error) {
    if (isSessionError(error) && error.code === 'LEASE_LOST') throw error;
  }
}

/** A get whose answer is what was asked for, also if the store, or a wrapper of the bot around it, ignores ranges. */
async function getAsAsked(
  store: SessionStore,
  key: string,
  options: GetOptions,
): Promise<StoredObject | undefined> {
  const found = await store.get(key, options);
  return found && asAsked(key, found, options);
}

/** Turns what the call of a store throws into an error of this library. */
export async function asStoreCall<Result>(
  store: SessionStore,
  action: string,
  call: () => Promise<Result>,
  file?: string,
): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw asStoreError(store, action, error, file);
  }
}

/** Wraps any error of a plug-in store; an abort keeps its own reason. */
function asStoreError(store: SessionStore, action: string, error: unknown, file?: string): unknown {
  if (isSessionError(error) || (error instanceof Error && error.name === 'AbortError')) return error;
  return new StoreError(`${store.name} could not ${action}: ${reasonOf(error)}`, {
    cause: error,
    ...(file === undefined ? {} : { file }),
  });
}

/** The errno where there is one: the message of a system error has a path of this machine in it. */
function reasonOf(error: unknown): string {
  const isOfTheSystem = typeof error === 'object' && error !== null && 'syscall' in error;
  return (isOfTheSystem ? errnoOf(error) : undefined) ?? describeError(error).message;
}

function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new StoreError('the store delivered something that is not bytes', { retryable: false });
}
