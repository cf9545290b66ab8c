import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { StoreConflictError, StoreError } from '../../../src/errors.js';
import { boundsOf } from '../../../src/stores/ranges.js';
import type {
  GetOptions,
  ObjectInfo,
  PutOptions,
  SessionStore,
  StoredObject,
} from '../../../src/stores/session-store.js';

/** A remote store in miniature: no `putFile`, no `localPath`, bytes arrive in pieces. */
export class TinyStore implements SessionStore {
  readonly name: string = 'tiny';
  readonly capabilities = { conditionalPut: true };
  readonly objects = new Map<string, { bytes: Buffer; version: string; modifiedAt: Date }>();
  /** Ms since 1970, for `modifiedAt`. */
  now = 0;
  /** Called before every call with its name and key: throw to make the call fail. */
  onCall: (call: string, key: string) => void = () => undefined;
  /** Bytes delivered by all `get`s: what a listing costs. */
  delivered = 0;
  #versions = 0;

  async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}): Promise<ObjectInfo> {
    this.onCall('put', key);
    options.signal?.throwIfAborted();
    const bytes = body instanceof Uint8Array ? Buffer.from(body) : await buffer(body);
    if (options.size !== undefined && options.size !== bytes.length) throw new StoreError('wrong size');
    if (options.ifAbsent && this.objects.has(key)) throw new StoreConflictError(`${key} is there`);
    this.set(key, bytes);
    this.onCall('put:after', key);
    return this.#info(key);
  }

  async get(key: string, { range }: GetOptions = {}): Promise<StoredObject | undefined> {
    this.onCall('get', key);
    const object = this.objects.get(key);
    if (object === undefined) return undefined;
    const { from, to } = boundsOf(range, object.bytes.length);
    const body = Readable.from(this.#pieces(object.bytes.subarray(from, to)), { objectMode: false });
    return { info: this.#info(key), body, ...(range !== undefined && { range }) };
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    this.onCall('head', key);
    return this.objects.has(key) ? this.#info(key) : undefined;
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    this.onCall('list', prefix);
    for (const key of [...this.objects.keys()]) if (key.startsWith(prefix)) yield this.#info(key);
  }

  async delete(key: string): Promise<boolean> {
    this.onCall('delete', key);
    return this.objects.delete(key);
  }

  /** Puts bytes behind the store's back, as a bad disk would, with or without a new version. */
  set(key: string, bytes: Uint8Array, version = `v${++this.#versions}`): void {
    this.objects.set(key, { bytes: Buffer.from(bytes), version, modifiedAt: new Date(this.now) });
  }

  /** Changes one byte of an object and leaves its version. */
  rot(key: string, offset = 0): void {
    const object = this.objects.get(key);
    if (object === undefined) throw new Error(`nothing to rot at ${key}`);
    const bytes = Buffer.from(object.bytes);
    bytes[offset] = (bytes[offset] ?? 0) ^ 0xff;
    this.set(key, bytes, object.version);
  }

  keys(): string[] {
    return [...this.objects.keys()].sort();
  }

  *#pieces(bytes: Buffer): Generator<Buffer> {
    for (let offset = 0; offset < bytes.length; offset += 16_384) {
      const piece = bytes.subarray(offset, offset + 16_384);
      this.delivered += piece.length;
      yield piece;
    }
  }

  #info(key: string): ObjectInfo {
    const none = { bytes: Buffer.alloc(0), version: '', modifiedAt: new Date(0) };
    const { bytes, version, modifiedAt } = this.objects.get(key) ?? none;
    return { key, size: bytes.length, version, modifiedAt };
  }
}
