import { Readable } from 'node:stream';
import { type Clock, systemClock } from '../clock.js';
import { StoreError } from '../errors.js';
import { adoptBody, assertSize, chunksOf, discardBody, throwIfAborted } from '../stores/body.js';
import { assertConditions, assertExpected, assertFence, assertNotFencedOff } from '../stores/conditions.js';
import { deleteEach } from '../stores/delete-each.js';
import { assertPortableKey, assertPortablePrefix } from '../stores/keys.js';
import { assertRange, assertVersion, boundsOf } from '../stores/ranges.js';
import type {
  DeleteOptions,
  DeleteResult,
  GetOptions,
  ObjectInfo,
  PutOptions,
  PutResult,
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
 * A complete store in memory, for tests: fast, atomic, with everything that the contract of `SessionStore` offers a
 * remote store. Its contents are lost with the process.
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
  /** The highest generation of each fence. */
  readonly #generations = new Map<string, number>();
  #puts = 0;
  #down = false;

  constructor(options: MemoryStoreOptions = {}) {
    this.name = options.name ?? 'memory';
    this.#clock = options.clock ?? systemClock;
    this.capabilities = {
      conditionalPut: true,
      conditionalDelete: true,
      fencedPut: true,
      serverTime: true,
      ...(options.maxObjectBytes === undefined ? {} : { maxObjectBytes: options.maxObjectBytes }),
    };
  }

  /** While the store is down, every call throws a `StoreError`, as with a lost connection; the contents are kept. */
  setDown(down: boolean): void {
    this.#down = down;
  }

  async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}): Promise<PutResult> {
    adoptBody(body);
    try {
      this.#check(key, options);
      assertConditions(key, options);
      assertFence(key, options.fence);
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

  async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    const { range, ifVersion } = options;
    this.#check(key, options);
    assertRange(key, range);
    const found = this.#objects.get(key);
    if (found === undefined) return undefined;
    assertVersion(key, ifVersion, found.info.version);
    const { from, to } = boundsOf(range, found.bytes.length);
    const body = Readable.from([Buffer.from(found.bytes.subarray(from, to))], { objectMode: false });
    return { info: found.info, body, ...(range !== undefined && { range }) };
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

  async delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    return this.#delete(key, options);
  }

  async deleteMany(
    keys: readonly string[],
    options: StoreCallOptions = {},
  ): Promise<readonly DeleteResult[]> {
    throwIfAborted(options.signal);
    this.#assertUp();
    const { name } = this;
    return deleteEach({ name, delete: async (key, own = {}) => this.#delete(key, own) }, keys, options);
  }

  async serverTime(options: StoreCallOptions = {}): Promise<number> {
    throwIfAborted(options.signal);
    this.#assertUp();
    return this.#clock.now();
  }

  #delete(key: string, options: DeleteOptions): boolean {
    this.#check(key, options);
    const found = this.#objects.get(key);
    if (found !== undefined) assertVersion(key, options.ifVersion, found.info.version);
    return this.#objects.delete(key);
  }

  /** There is no await between the check and the change, so that exactly one of several racing puts wins. */
  #commit(key: string, bytes: Buffer, options: PutOptions): PutResult {
    const { size, fence, digest } = options;
    const highest = (fence && this.#generations.get(fence.name)) ?? 0;
    this.#assertUp();
    assertSize(key, bytes.byteLength, size);
    if (fence !== undefined) assertNotFencedOff(key, fence, highest);
    assertExpected(key, options, this.#objects.get(key)?.info.version);
    const modifiedAt = new Date(this.#clock.now());
    const info: ObjectInfo = { key, size: bytes.byteLength, version: `${++this.#puts}`, modifiedAt };
    this.#objects.set(key, { info, bytes });
    if (fence !== undefined) this.#generations.set(fence.name, Math.max(highest, fence.generation));
    return digest === undefined ? info : { ...info, verifiedBy: 'server' };
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
