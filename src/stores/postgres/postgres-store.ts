import type { Readable } from 'node:stream';
import { type Clock, resultWithin } from '../../clock.js';
import { isSessionError, isStoreError, StoreError } from '../../errors.js';
import { adoptBody, assertSize, discardBody, throwIfAborted } from '../body.js';
import { assertConditions, assertFence, conflict } from '../conditions.js';
import { assertDigest } from '../digest.js';
import { assertPortableKey, assertPortablePrefix, isPortableKey } from '../keys.js';
import { loadPeer } from '../load-peer.js';
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
import { standstill } from '../watched/deadline.js';
import { chunkBody } from './chunk-body.js';
import { Connections, type OwnPool, type PostgresPool, type Row } from './connections.js';
import { toStoreFault } from './faults.js';
import { bytesOf, infoOf, isFullPage, ReadStatements } from './objects.js';
import { checkOptions, type PoolSettings, type PostgresStoreOptions, type Settings } from './options.js';
import { Publisher } from './publisher.js';
import { Reclaimer } from './reclaimer.js';
import { Tables } from './tables.js';

/** How long `close()` waits for the server, ms. */
const CLOSE_MS = 3_000;
/** A deletion is one transaction, and this many large objects at once are long enough for one. */
const DELETED_AT_ONCE = 100;
/** Longer than a sweep is waited for, ms; a connection that hangs must not be kept for it. */
const SWEEP_MS = 60_000;
/** No put stands still for so long, so its writer is dead, ms. */
const LEFTOVER_MS = 3_600_000;

/**
 * Stores objects in a PostgreSQL database (12 or newer), also behind PgBouncer. Needs the package `pg`.
 *
 * A value is written in chunks that nobody sees, then one statement compares its length, its digest, the conditions and
 * the fence, and makes it visible; so a put that fails or dies at any moment leaves the old value. Conditional puts and
 * deletes, fences and the time of the server hold for all processes that use the schema. The tables are made at the
 * first use, and no connection is opened before.
 *
 * @throws ConfigurationError by the constructor, for options that are wrong
 * @example
 * const store = new PostgresStore({ connectionString: process.env.DATABASE_URL });
 * const session = new PersistentSession(client, { store });
 *
 * @example
 * const store = new PostgresStore({ pool, schema: 'bots' }); // a Pool of pg that the application has already
 */
export class PostgresStore implements SessionStore {
  readonly name: string;
  readonly capabilities = {
    conditionalPut: true,
    conditionalDelete: true,
    fencedPut: true,
    serverTime: true,
  } as const;
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #connections: Connections;
  readonly #reads: ReadStatements;
  readonly #reclaimer: Reclaimer;
  readonly #publisher: Publisher;
  readonly #tables: Tables;

  constructor(options: PostgresStoreOptions) {
    const settings = checkOptions(options);
    const { name, schema, clock, from } = settings;
    const open = async () => ('pool' in from ? from.pool : openPool(from.settings));
    const connections = new Connections(clock, open);
    const reads = new ReadStatements(schema);
    const reclaimer = new Reclaimer(connections, clock, schema);
    this.name = name;
    this.#settings = settings;
    this.#clock = clock;
    this.#connections = connections;
    this.#reads = reads;
    this.#tables = new Tables(connections, clock, { name, schema });
    this.#reclaimer = reclaimer;
    this.#publisher = new Publisher({ schema, connections, reads, reclaimer });
  }

  async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}): Promise<PutResult> {
    adoptBody(body);
    try {
      return await this.#call(`put "${key}"`, key, options, async () => {
        assertConditions(key, options);
        assertFence(key, options.fence);
        assertDigest(key, options.digest);
        if (body instanceof Uint8Array) assertSize(key, body.byteLength, options.size);
        await this.#tables.areThere(options.signal);
        return this.#publisher.put(key, body, options);
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
      await this.#tables.areThere(signal);
      const { offset = 0, length = Number.MAX_SAFE_INTEGER } = range ?? {};
      const rows = await this.#connections.read(this.#reads.open(key, offset, length, ifVersion), signal);
      if (rows[0] === undefined) return undefined;
      const info = infoOf(rows[0]);
      assertVersion(key, ifVersion, info.version);
      const first = bytesOf(rows);
      const chunkBytes = Number(rows[0].chunk_bytes);
      const fetch = (from: number, bytes: number, own: AbortSignal) =>
        this.#more(info, chunkBytes, from, bytes, own);
      const body = chunkBody({ first, ...boundsOf(range, info.size), fetch });
      return { info, body, ...(range !== undefined && { range }) };
    });
  }

  async head(key: string, options: StoreCallOptions = {}): Promise<ObjectInfo | undefined> {
    return this.#call(`look up "${key}"`, key, options, async () => {
      await this.#tables.areThere(options.signal);
      const [row] = await this.#connections.read(this.#reads.head(key), options.signal);
      return row && infoOf(row);
    });
  }

  async *list(prefix: string, options: StoreCallOptions = {}): AsyncGenerator<ObjectInfo, void, void> {
    const { signal } = options;
    assertPortablePrefix(prefix);
    for (let after = '', isMore = true; isMore; ) {
      const rows: readonly Row[] = await this.#call(`list "${prefix}"`, undefined, options, async () => {
        await this.#tables.areThere(signal);
        return this.#connections.read(this.#reads.page(prefix, after), signal);
      });
      for (const row of rows) {
        const info = infoOf(row);
        throwIfAborted(signal);
        yield info;
        after = info.key;
      }
      isMore = isFullPage(rows);
    }
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    return this.#call(`delete "${key}"`, key, options, async () => {
      const [row] = await this.#remove([key], options);
      if (row?.outcome === 'changed') throw conflict(key, 'was changed meanwhile');
      return row?.outcome === 'deleted';
    });
  }

  async deleteMany(
    keys: readonly string[],
    options: StoreCallOptions = {},
  ): Promise<readonly DeleteResult[]> {
    const errors = new Map<string, StoreError>();
    const portable = keys.filter((key) => isPortableKey(key) || void errors.set(key, refusalOf(key)));
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
      const text = 'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint::text AS now';
      const [row] = await this.#connections.read({ text, values: [] }, options.signal);
      return Number(row?.now);
    });
  }

  /**
   * Removes the chunks of puts whose process died, when they got no further chunk for `olderThanMs` (default one hour).
   *
   * @returns the number of such puts, and their bytes
   */
  async sweepTemporaries(olderThanMs: number = LEFTOVER_MS): Promise<{ count: number; bytes: number }> {
    const ending = new AbortController();
    const timer = this.#clock.setTimeout(
      () => ending.abort(standstill(this.name, 'sweep', SWEEP_MS)),
      SWEEP_MS,
    );
    const { signal } = ending;
    try {
      return await this.#call('sweep', undefined, { signal }, async () => {
        await this.#tables.areThere(signal);
        const text = `SELECT freed FROM "${this.#settings.schema}".sweep(make_interval(secs => $1))`;
        const rows = await this.#connections.run({ text, values: [olderThanMs / 1000] }, signal);
        const bytes = rows.reduce((sum, { freed }) => sum + Number(freed), 0);
        this.#reclaimer.count(bytes);
        return { count: rows.length, bytes };
      });
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }

  /** Ends the connections that the store has opened itself; a pool that was given stays open. A later call opens anew. */
  async close(): Promise<void> {
    await resultWithin(this.#clock, CLOSE_MS, this.#connections.idle());
    this.#tables.forget();
    await this.#connections.close(async (pool) => {
      if ('settings' in this.#settings.from) {
        const ending = (pool as OwnPool).end().catch(() => undefined);
        await resultWithin(this.#clock, CLOSE_MS, ending);
      }
    });
  }

  async #remove(keys: readonly string[], { ifVersion, signal }: DeleteOptions): Promise<readonly Row[]> {
    await this.#tables.areThere(signal);
    const text = `SELECT removed, outcome, freed FROM "${this.#settings.schema}".remove($1::text[], $2)`;
    const rows = await this.#connections.run({ text, values: [keys, ifVersion ?? null] }, signal);
    this.#reclaimer.count(rows.reduce((sum, { freed }) => sum + Number(freed), 0));
    return rows;
  }

  async #more(
    { key, version }: ObjectInfo,
    chunkBytes: number,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<readonly Buffer[]> {
    return this.#call(`read "${key}" to its end`, undefined, { signal }, async () => {
      const rows = await this.#connections.read(
        this.#reads.more(version, chunkBytes, offset, length),
        signal,
      );
      const chunks = bytesOf(rows);
      if (chunks.reduce((sum, chunk) => sum + chunk.length, 0) === length) return chunks;
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
      const { name, schema } = this.#settings;
      throw toStoreFault({ name, schema, action, signal }, error);
    }
  }
}

async function openPool(settings: PoolSettings): Promise<PostgresPool> {
  const pg = await loadPeer(
    'pg',
    'PostgresStore',
    (name) =>
      import(/* webpackIgnore: true */ /* turbopackIgnore: true */ name) as Promise<typeof import('pg')>,
  );
  return new pg.default.Pool(settings) satisfies OwnPool;
}

function refusalOf(key: string): StoreError {
  try {
    assertPortableKey(key);
  } catch (error) {
    if (isStoreError(error) && isSessionError(error)) return error;
    throw error;
  }
  return new StoreError(`the key ${JSON.stringify(key)} is not portable`, { retryable: false });
}
