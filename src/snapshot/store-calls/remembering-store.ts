import type { Readable } from 'node:stream';
import type { Clock } from '../../clock.js';
import type {
  ObjectInfo,
  PutOptions,
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
  readonly close?: () => Promise<void>;
  readonly #store: SessionStore;
  readonly #parameters: RememberingParameters;
  readonly #listings = new Set<Changes>();
  #known: Known | undefined;
  /** Counts the reasons to forget, so that a listing that has begun before is not kept. */
  #doubts = 0;

  constructor(store: SessionStore, parameters: RememberingParameters) {
    this.#store = store;
    this.#parameters = parameters;
    const { putFile, close } = store;
    if (putFile !== undefined) {
      this.putFile = (key, path, options) => this.#change(key, () => putFile.call(store, key, path, options));
    }
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

  put(key: string, body: Uint8Array | Readable, options?: PutOptions): Promise<ObjectInfo> {
    return this.#change(key, () => this.#store.put(key, body, options));
  }

  async delete(key: string, options?: StoreCallOptions): Promise<boolean> {
    try {
      const wasThere = await this.#store.delete(key, options);
      this.#note(key, undefined);
      return wasThere;
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  get(key: string, options?: StoreCallOptions): Promise<StoredObject | undefined> {
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
    const { infos } = this.#known ?? (await this.#read(period, options));
    options.signal?.throwIfAborted();
    for (const info of [...infos.values()]) if (info.key.startsWith(prefix)) yield info;
  }

  async #read(period: string, options: StoreCallOptions): Promise<Known> {
    const { prefix, clock } = this.#parameters;
    const doubts = this.#doubts;
    const readAt = clock.monotonic();
    const infos = new Map<string, ObjectInfo>();
    const changes: Changes = new Map();
    this.#listings.add(changes);
    try {
      for await (const info of this.#store.list(prefix, options)) infos.set(info.key, info);
    } finally {
      this.#listings.delete(changes);
    }
    for (const [key, info] of changes) setOrDelete(infos, key, info);
    const known = { period, readAt, infos };
    if (doubts === this.#doubts && this.#parameters.period() === period) this.#known = known;
    return known;
  }

  async #change(key: string, change: () => Promise<ObjectInfo>): Promise<ObjectInfo> {
    try {
      const info = await change();
      this.#note(key, withTime(info));
      return info;
    } catch (error) {
      this.forget();
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
function withTime(info: ObjectInfo): ObjectInfo {
  return info.modifiedAt instanceof Date ? info : { ...info, modifiedAt: new Date(0) };
}

function setOrDelete(infos: Map<string, ObjectInfo>, key: string, info: ObjectInfo | undefined): void {
  if (info === undefined) infos.delete(key);
  else infos.set(key, info);
}
