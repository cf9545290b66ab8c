import { Readable } from 'node:stream';
import { type Clock, systemClock } from '../clock.js';
import { StoreError } from '../errors.js';
import { adoptBody, assertSize, chunksOf, discardBody, throwIfAborted } from '../stores/body.js';
import { assertConditions, assertExpected } from '../stores/conditions.js';
import { assertPortableKey, assertPortablePrefix } from '../stores/keys.js';
import type {
  ObjectInfo,
  PutOptions,
  SessionStore,
  StoreCallOptions,
  StoredObject,
} from '../stores/session-store.js';

export interface MemoryStoreOptions {
  /** Name of the store. Default `memory`. */
  readonly name?: string;
  /** Larger objects are refused. Default: no limit. */
  readonly maxObjectBytes?: number;
  readonly clock?: Clock;
}

/**
 * A complete store in memory, for tests: fast, atomic, with conditional puts. Its contents are lost with the
 * process.
 *
 * @example
 * const store = new MemoryStore();
 * const session = new PersistentSession(client, { store, backupStore: new MemoryStore() });
 */
export class MemoryStore implements SessionStore {
  readonly name: string;
  readonly capabilities: SessionStore['capabilities'];
  readonly #clock: Clock;
  readonly #objects = new Map<string, { readonly info: ObjectInfo; readonly bytes: Buffer }>();
  #puts = 0;
  #down = false;

  constructor(options: MemoryStoreOptions = {}) {
    this.name = options.name ?? 'memory';
    this.#clock = options.clock ?? systemClock;
    this.capabilities = {
      conditionalPut: true,
      ...(options.maxObjectBytes === undefined ? {} : { maxObjectBytes: options.maxObjectBytes }),
    };
  }

  /** While the store is down, every call throws a `StoreError`, as with a lost connection; the contents are kept. */
  setDown(down: boolean): void {
    this.#down = down;
  }

  async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}): Promise<ObjectInfo> {
    adoptBody(body);
    try {
      this.#check(key, options);
      assertConditions(key, options);
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of chunksOf(key, body, options)) {
        size += chunk.byteLength;
        this.#assertFits(key, size);
        chunks.push(Uint8Array.from(chunk)); // the caller may use its buffer again
      }
      return this.#commit(key, Buffer.concat(chunks), options);
    } catch (error) {
      discardBody(body);
      throw error;
    }
  }

  async get(key: string, options: StoreCallOptions = {}): Promise<StoredObject | undefined> {
    this.#check(key, options);
    const found = this.#objects.get(key);
    return (
      found && { info: found.info, body: Readable.from([Buffer.from(found.bytes)], { objectMode: false }) }
    );
  }

  async head(key: string, options: StoreCallOptions = {}): Promise<ObjectInfo | undefined> {
    this.#check(key, options);
    return this.#objects.get(key)?.info;
  }

  async *list(prefix: string, options: StoreCallOptions = {}): AsyncGenerator<ObjectInfo, void, void> {
    assertPortablePrefix(prefix);
    for (const key of [...this.#objects.keys()].sort()) {
      this.#check(key, options);
      const found = this.#objects.get(key);
      if (key.startsWith(prefix) && found !== undefined) yield found.info;
    }
    this.#assertUp();
  }

  async delete(key: string, options: StoreCallOptions = {}): Promise<boolean> {
    this.#check(key, options);
    return this.#objects.delete(key);
  }

  /** There is no await between the check and the change, so that exactly one of several racing puts wins. */
  #commit(key: string, bytes: Buffer, options: PutOptions): ObjectInfo {
    this.#assertUp();
    assertSize(key, bytes.byteLength, options.size);
    assertExpected(key, options, this.#objects.get(key)?.info.version);
    const modifiedAt = new Date(this.#clock.now());
    const info: ObjectInfo = { key, size: bytes.byteLength, version: `${++this.#puts}`, modifiedAt };
    this.#objects.set(key, { info, bytes });
    return info;
  }

  #check(key: string, { signal }: StoreCallOptions): void {
    assertPortableKey(key);
    throwIfAborted(signal);
    this.#assertUp();
  }

  #assertUp(): void {
    if (this.#down) throw new StoreError(`the store ${this.name} is down`);
  }

  #assertFits(key: string, size: number): void {
    const { maxObjectBytes } = this.capabilities;
    if (maxObjectBytes === undefined || size <= maxObjectBytes) return;
    throw new StoreError(`"${key}" is larger than the ${maxObjectBytes} bytes that ${this.name} takes`, {
      retryable: false,
    });
  }
}
