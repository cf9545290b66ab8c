import type { Readable } from 'node:stream';
import { type Clock, orAborted } from '../../clock.js';
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

export interface RememberingParameters {
  /** Only keys below this prefix are remembered; it ends with `/`. */
  readonly prefix: string;
  readonly clock: Clock;
  /**
   * The name of the time in which this process owns the session without a break; `undefined` while it does not. Nobody
   * else writes below the prefix in that time.
   */
  readonly period: () => string | undefined;
}

/** What is stored below the prefix, as this process knows it. */
interface Known {
  readonly period: string;
  /** When it was asked from the store, monotonic ms. */
  readonly readAt: number;
  readonly infos: Map<string, ObjectInfo>;
}

/** What was put (or deleted: `undefined`) since a listing began, which may have missed it. */
type Changes = Map<string, ObjectInfo | undefined>;

/**
 * A store that lists the objects of a session once, and then knows them while the session is owned: this process makes
 * every change itself. Each call of a remote store costs time and money.
 *
 * After any doubt everything is forgotten, and the next reading asks the store again: another owner, a change whose
 * outcome is unknown, or a conflict with somebody who writes without owning the session.
 */
export class RememberingStore implements SessionStore {
  readonly putFile?: NonNullable<SessionStore['putFile']>;
  readonly deleteMany?: NonNullable<SessionStore['deleteMany']>;
  readonly serverTime?: NonNullable<SessionStore['serverTime']>;
  readonly close?: () => Promise<void>;
  readonly #store: SessionStore;
  readonly #parameters: RememberingParameters;
  readonly #listings = new Set<Changes>();
  #known: Known | undefined;
  #reading: { readonly period: string; readonly doubts: number; readonly known: Promise<Known> } | undefined;
  /** Counts the reasons to forget, so that a listing that has begun before is not kept. */
  #doubts = 0;

  constructor(store: SessionStore, parameters: RememberingParameters) {
    this.#store = store;
    this.#parameters = parameters;
    const { putFile, deleteMany, serverTime, close } = store;
    if (putFile !== undefined) {
      this.putFile = (key, path, options) => this.#change(key, () => putFile.call(store, key, path, options));
    }
    if (deleteMany !== undefined) {
      this.deleteMany = async (keys, options) => {
        const results = await this.#unlessFailed(() => deleteMany.call(store, keys, options));
        for (const { key, error } of results) {
          if (error === undefined) this.#note(key, undefined);
          else this.forget();
        }
        return results;
      };
    }
    if (serverTime !== undefined) this.serverTime = serverTime.bind(store);
    if (close !== undefined) this.close = close.bind(store);
  }

  get name(): string {
    return this.#store.name;
  }

  get capabilities(): SessionStore['capabilities'] {
    return this.#store.capabilities;
  }

  /** Call after any doubt about what is known. */
  forget(): void {
    this.#doubts++;
    this.#known = undefined;
  }

  /** Call before a decision that needs what the store holds now: what was asked this long ago, ms, or longer is forgotten. */
  forgetOlderThan(ms: number): void {
    const { clock } = this.#parameters;
    if (this.#known !== undefined && clock.monotonic() - this.#known.readAt >= ms) this.forget();
  }

  put(key: string, body: Uint8Array | Readable, options?: PutOptions): Promise<PutResult> {
    return this.#change(key, () => this.#store.put(key, body, options));
  }

  async delete(key: string, options?: DeleteOptions): Promise<boolean> {
    const wasThere = await this.#unlessFailed(() => this.#store.delete(key, options));
    this.#note(key, undefined);
    return wasThere;
  }

  get(key: string, options?: GetOptions): Promise<StoredObject | undefined> {
    return this.#store.get(key, options);
  }

  head(key: string, options?: StoreCallOptions): Promise<ObjectInfo | undefined> {
    return this.#store.head(key, options);
  }

  async *list(prefix: string, options: StoreCallOptions = {}): AsyncGenerator<ObjectInfo, void, void> {
    const period = prefix.startsWith(this.#parameters.prefix) ? this.#parameters.period() : undefined;
    if (this.#known?.period !== period) this.#known = undefined;
    if (period === undefined) {
      yield* this.#store.list(prefix, options);
      return;
    }
    const { signal } = options;
    signal?.throwIfAborted();
    const reading = this.#known ?? this.#readOnce(period);
    const { infos } = await (signal === undefined ? reading : orAborted(Promise.resolve(reading), signal));
    for (const info of [...infos.values()]) if (info.key.startsWith(prefix)) yield info;
  }

  /** Whoever needs it meanwhile joins, so no single caller can abort it; the store itself has its time limits. */
  #readOnce(period: string): Promise<Known> {
    const doubts = this.#doubts;
    const joined = this.#reading;
    if (joined?.period === period && joined.doubts === doubts) return joined.known;
    const known = this.#read(period).finally(() => {
      if (this.#reading?.known === known) this.#reading = undefined;
    });
    known.catch(() => undefined); // whoever waits has it
    this.#reading = { period, doubts, known };
    return known;
  }

  async #read(period: string): Promise<Known> {
    const { prefix, clock } = this.#parameters;
    const doubts = this.#doubts;
    const readAt = clock.monotonic();
    const infos = new Map<string, ObjectInfo>();
    const changes: Changes = new Map();
    this.#listings.add(changes);
    try {
      for await (const info of this.#store.list(prefix)) infos.set(info.key, info);
    } finally {
      this.#listings.delete(changes);
    }
    for (const [key, info] of changes) setOrDelete(infos, key, info);
    const known = { period, readAt, infos };
    if (doubts === this.#doubts && this.#parameters.period() === period) this.#known = known;
    return known;
  }

  async #change(key: string, change: () => Promise<PutResult>): Promise<PutResult> {
    const info = await this.#unlessFailed(change);
    this.#note(key, withTime(info));
    return info;
  }

  async #unlessFailed<Answer>(change: () => Promise<Answer>): Promise<Answer> {
    try {
      return await change();
    } catch (error) {
      this.forget(); // it may have been done all the same
      throw error;
    }
  }

  #note(key: string, info: ObjectInfo | undefined): void {
    for (const changes of this.#listings) changes.set(key, info);
    if (this.#known !== undefined) setOrDelete(this.#known.infos, key, info);
  }
}

/**
 * Not every server tells the time of what it has just stored. It then counts as old, so that nothing is deleted because
 * it was put lately.
 */
function withTime(info: PutResult): ObjectInfo {
  return { ...info, modifiedAt: info.modifiedAt ?? new Date(0) };
}

function setOrDelete(infos: Map<string, ObjectInfo>, key: string, info: ObjectInfo | undefined): void {
  if (info === undefined) infos.delete(key);
  else infos.set(key, info);
}
