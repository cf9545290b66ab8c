import type { Readable } from 'node:stream';
import type {
  ObjectInfo,
  PutOptions,
  SessionStore,
  StoreCallOptions,
  StoredObject,
} from '../stores/session-store.js';
import { isSweeper } from './store-leftovers.js';

/**
 * A store that asks before every single write whether it may: a save is many, and whoever was suspended in the midst
 * of one does not own the session any more when it wakes up. What it would put or delete then is another owner's.
 */
export class GuardedStore implements SessionStore {
  readonly putFile?: (key: string, path: string, options?: PutOptions) => Promise<ObjectInfo>;
  readonly localPath?: (key: string) => string;
  readonly sweepTemporaries?: () => Promise<{ readonly count: number; readonly bytes: number }>;
  readonly close?: () => Promise<void>;
  readonly #store: SessionStore;
  readonly #assertMayWrite: () => void;

  /** @param assertMayWrite throws unless the session is ours at this moment */
  constructor(store: SessionStore, assertMayWrite: () => void) {
    this.#store = store;
    this.#assertMayWrite = assertMayWrite;
    if (store.putFile !== undefined) this.putFile = this.#guarded(store.putFile.bind(store));
    if (isSweeper(store)) this.sweepTemporaries = this.#guarded(store.sweepTemporaries.bind(store));
    if (store.localPath !== undefined) this.localPath = store.localPath.bind(store);
    if (store.close !== undefined) this.close = store.close.bind(store);
  }

  get name(): string {
    return this.#store.name;
  }

  get capabilities(): SessionStore['capabilities'] {
    return this.#store.capabilities;
  }

  async put(key: string, body: Uint8Array | Readable, options?: PutOptions): Promise<ObjectInfo> {
    this.#assertMayWrite();
    return this.#store.put(key, body, options);
  }

  async delete(key: string, options?: StoreCallOptions): Promise<boolean> {
    this.#assertMayWrite();
    return this.#store.delete(key, options);
  }

  get(key: string, options?: StoreCallOptions): Promise<StoredObject | undefined> {
    return this.#store.get(key, options);
  }

  head(key: string, options?: StoreCallOptions): Promise<ObjectInfo | undefined> {
    return this.#store.head(key, options);
  }

  list(prefix: string, options?: StoreCallOptions): AsyncIterable<ObjectInfo> {
    return this.#store.list(prefix, options);
  }

  #guarded<Arguments extends unknown[], Result>(
    write: (...given: Arguments) => Promise<Result>,
  ): (...given: Arguments) => Promise<Result> {
    return async (...given) => {
      this.#assertMayWrite();
      return write(...given);
    };
  }
}
