import type { Readable } from 'node:stream';
import { resultWithin } from '../../clock.js';
import { isStoreError, StoreError } from '../../errors.js';
import { adoptBody, assertSize, discardBody, throwIfAborted } from '../body.js';
import { assertConditions, assertFence, conflict } from '../conditions.js';
import { assertDigest } from '../digest.js';
import { assertPortableKey, assertPortablePrefix } from '../keys.js';
import { assertRange, assertVersion, boundsOf } from '../ranges.js';
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
} from '../session-store.js';
import { BATCH_BYTES, chunkBody } from './chunk-body.js';
import { Connection } from './connection.js';
import { toStoreFault } from './faults.js';
import { linkOf, openLink } from './links.js';
import { Notices } from './notices.js';
import { buffersOf, damagedError, type Entry, entryOf, expected, GRACE_MS, listOf } from './objects.js';
import { checkOptions, type RedisStoreOptions, type Settings } from './options.js';
import { Publisher } from './publisher.js';
import { HEAD, OPEN, PAGE, READ_ON, REMOVE, type Script } from './scripts.js';

const PAGE_KEYS = 500;
/** While the server deletes it does nothing else, so it does not delete more at once. */
const DELETED_AT_ONCE = 200;
/** How long the answer about the server's settings is waited for, ms. */
const INFO_MS = 5_000;

/**
 * Stores objects in Redis (6.2 or newer), by a client of ioredis or node-redis, or over a connection of its own, for which
 * it needs the package `ioredis`.
 *
 * A value is written in chunks that nobody sees, then one script compares its length, the conditions and the fence, and
 * makes it visible; so a put that fails or dies at any moment leaves the old value. With a digest the chunks are read back
 * before. A value that is replaced while it is read stays for its readers. Everything lies in the memory of the server:
 * give zipped backups another store. No connection is opened before the first call.
 *
 * What makes a server lose data (no append-only file, an eviction policy other than `noeviction`) is told by a `warning`
 * with code `store-limited`.
 *
 * @throws ConfigurationError by the constructor, for options that are wrong
 * @example
 * const store = new RedisStore({ url: process.env.REDIS_URL });
 * const session = new PersistentSession(client, { store });
 *
 * @example
 * const store = new RedisStore({ client: redis, prefix: 'bots' }); // a client that the application has already
 */
export class RedisStore implements SessionStore {
  readonly name: string;
  readonly capabilities = {
    conditionalPut: true,
    conditionalDelete: true,
    fencedPut: true,
    serverTime: true,
  } as const;
  readonly #settings: Settings;
  readonly #connection: Connection;
  readonly #publisher: Publisher;
  readonly #notices = new Notices();

  constructor(options: RedisStoreOptions) {
    const settings = checkOptions(options);
    const { base, clock, from } = settings;
    const connection = new Connection(clock, async () =>
      'client' in from ? linkOf(from.client) : openLink(from.settings, clock),
    );
    connection.onFirstOpen(() => this.#look());
    this.name = settings.name;
    this.#settings = settings;
    this.#connection = connection;
    this.#publisher = new Publisher({ base, clock, connection });
  }

  async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}): Promise<PutResult> {
    adoptBody(body);
    try {
      return await this.#call(`put "${key}"`, key, options, async () => {
        assertConditions(key, options);
        assertFence(key, options.fence);
        assertDigest(key, options.digest);
        if (body instanceof Uint8Array) assertSize(key, body.byteLength, options.size);
        const done = await this.#publisher.put(key, body, options);
        this.#notices.readPut(key, done.size);
        return done;
      });
    } catch (error) {
      discardBody(body);
      throw error;
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    const { range, ifVersion, signal } = options;
    return this.#call(`read "${key}"`, key, options, async () => {
      assertRange(key, range);
      const { offset = 0, length = Number.MAX_SAFE_INTEGER } = range ?? {};
      const args = [key, offset, length, BATCH_BYTES, expected(ifVersion), GRACE_MS];
      const [outcome, meta, ...first] = await this.#read(OPEN, args, signal);
      const entry = found(key, outcome, meta);
      if (entry === undefined) return undefined;
      const { info } = entry;
      assertVersion(key, ifVersion, info.version);
      const fetch = (from: number, to: number, own: AbortSignal) => this.#readOn(entry, from, to, own);
      const body = chunkBody({ first: buffersOf(first), ...boundsOf(range, info.size), fetch });
      return { info, body, ...(range !== undefined && { range }) };
    });
  }

  async head(key: string, options: StoreCallOptions = {}): Promise<ObjectInfo | undefined> {
    return this.#call(`look up "${key}"`, key, options, async () => {
      const [outcome, meta] = await this.#read(HEAD, [key], options.signal);
      return found(key, outcome, meta)?.info;
    });
  }

  async *list(prefix: string, options: StoreCallOptions = {}): AsyncGenerator<ObjectInfo, void, void> {
    const { signal } = options;
    assertPortablePrefix(prefix);
    for (let after = '', isMore = true; isMore; ) {
      const page: readonly ObjectInfo[] = await this.#call(
        `list "${prefix}"`,
        undefined,
        options,
        async () => {
          const [outcome, ...entries] = await this.#read(PAGE, [prefix, after, PAGE_KEYS], signal);
          if (String(outcome) !== 'found') throw damagedError(String(entries[0]));
          const keys = entries.filter((_, index) => index % 2 === 0).map(String);
          return keys.map((key, index) => entryOf(key, entries[2 * index + 1]).info);
        },
      );
      for (const info of page) {
        throwIfAborted(signal);
        yield info;
        after = info.key;
      }
      isMore = page.length === PAGE_KEYS;
    }
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    return this.#call(`delete "${key}"`, key, options, async () => {
      const [outcome] = await this.#remove([key], options);
      if (outcome === 'changed') throw conflict(key, 'was changed meanwhile');
      return outcome === 'deleted';
    });
  }

  async deleteMany(
    keys: readonly string[],
    options: StoreCallOptions = {},
  ): Promise<readonly DeleteResult[]> {
    const errors = new Map<string, StoreError>();
    const portable = keys.filter((key) => {
      const refusal = refusalOf(key);
      if (refusal !== undefined) errors.set(key, refusal);
      return refusal === undefined;
    });
    for (let from = 0; from < portable.length; from += DELETED_AT_ONCE) {
      const some = portable.slice(from, from + DELETED_AT_ONCE);
      try {
        await this.#call(`delete ${some.length} objects`, undefined, options, () =>
          this.#remove(some, options),
        );
      } catch (error) {
        throwIfAborted(options.signal);
        if (from === 0 || !isStoreError(error)) throw error;
        for (const key of portable.slice(from)) errors.set(key, error);
        break;
      }
    }
    throwIfAborted(options.signal);
    return keys.map((key) => {
      const error = errors.get(key);
      return error === undefined ? { key } : { key, error };
    });
  }

  async serverTime(options: StoreCallOptions = {}): Promise<number> {
    return this.#call('tell the time', undefined, options, async () => {
      const [seconds, microseconds] = listOf(await this.#connection.send(['TIME'], options.signal));
      return Number(String(seconds)) * 1000 + Math.floor(Number(String(microseconds)) / 1000);
    });
  }

  /** Ends the connection that the store has opened itself; a client that was given stays open. A later call opens anew. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  /**
   * Sets the listener for what the server does that may lose the login.
   *
   * @internal
   */
  onNotice(listener: (notice: string) => void): void {
    this.#notices.add(listener);
  }

  /** Asks how the server keeps its data. Nobody waits for it, and a server that does not tell is none the worse. */
  #look(): void {
    const ending = new AbortController();
    const looking = this.#connection.send(['INFO'], ending.signal).then(
      (info) => this.#notices.readServer(String(info)),
      () => undefined,
    );
    void resultWithin(this.#settings.clock, INFO_MS, looking).finally(() => ending.abort());
  }

  async #read(
    script: Script,
    args: readonly (string | number)[],
    signal: AbortSignal | undefined,
  ): Promise<readonly unknown[]> {
    return listOf(await this.#connection.read(script, this.#settings.base, args.map(String), signal));
  }

  async #remove(keys: readonly string[], { ifVersion, signal }: DeleteOptions): Promise<readonly string[]> {
    const args = [expected(ifVersion), `${GRACE_MS}`, ...keys];
    return listOf(await this.#connection.run(REMOVE, this.#settings.base, args, signal)).map(String);
  }

  async #readOn(
    { info: { key, version }, chunkBytes }: Entry,
    from: number,
    to: number,
    signal: AbortSignal,
  ): Promise<readonly Buffer[]> {
    return this.#call(`read "${key}" to its end`, undefined, { signal }, async () => {
      const chunks = buffersOf(await this.#read(READ_ON, [version, chunkBytes, from, to, GRACE_MS], signal));
      if (chunks.reduce((sum, { length }) => sum + length, 0) === to - from) return chunks;
      throw new StoreError(`"${key}" was replaced or deleted while it was read`);
    });
  }

  async #call<T>(
    action: string,
    key: string | undefined,
    { signal }: StoreCallOptions,
    work: () => Promise<T>,
  ): Promise<T> {
    if (key !== undefined) assertPortableKey(key);
    throwIfAborted(signal);
    try {
      return await work();
    } catch (error) {
      throw toStoreFault({ name: this.name, action, signal }, error);
    }
  }
}

function found(key: string, outcome: unknown, meta: unknown): Entry | undefined {
  switch (String(outcome)) {
    case 'none':
      return undefined;
    case 'found':
      return entryOf(key, meta);
    default:
      throw damagedError(key);
  }
}

function refusalOf(key: string): StoreError | undefined {
  try {
    assertPortableKey(key);
    return undefined;
  } catch (error) {
    if (isStoreError(error)) return error as StoreError;
    throw error;
  }
}
