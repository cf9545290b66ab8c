import type { Readable } from 'node:stream';
import type {
  ObjectInfo,
  PutOptions,
  SessionStore,
  StoreCallOptions,
  StoredObject,
} from '../stores/session-store.js';
import { isSweeper } from './store-leftovers.js';

/** How a repository sees its store. */
export interface StoreView {
  /** See {@link GuardedStore}; default: it may always write. */
  readonly assertMayWrite?: (() => void) | undefined;
  /** How listings and messages name the store; default: as it names itself. */
  readonly storeName?: string | undefined;
}

/** The store itself where nobody has to be asked and its own name will do. */
export function guardStore(store: SessionStore, { assertMayWrite, storeName }: StoreView): SessionStore {
  if (assertMayWrite === undefined && (storeName ?? store.name) === store.name) return store;
  return new GuardedStore(store, assertMayWrite ?? (() => undefined), storeName);
}

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
  readonly #name: string | undefined;

  /**
   * @param assertMayWrite throws unless the session is ours at this moment
   * @param name default: the store's own
   */
  constructor(store: SessionStore, assertMayWrite: () => void, name?: string) {
    this.#store = store;
    this.#name = name;
    this.#assertMayWrite = assertMayWrite;
    const { putFile } = store;
    if (putFile !== undefined) {
      this.putFile = async (key, path, options) => {
        this.#assertStillWanted(options);
        return putFile.call(store, key, path, options);
      };
    }
    if (isSweeper(store)) {
      this.sweepTemporaries = async () => {
        this.#assertMayWrite();
        return store.sweepTemporaries();
      };
    }
    if (store.localPath !== undefined) this.localPath = store.localPath.bind(store);
    if (store.close !== undefined) this.close = store.close.bind(store);
  }

  get name(): string {
    return this.#name ?? this.#store.name;
  }

  get capabilities(): SessionStore['capabilities'] {
    return this.#store.capabilities;
  }

  async put(key: string, body: Uint8Array | Readable, options?: PutOptions): Promise<ObjectInfo> {
    this.#assertStillWanted(options);
    return this.#store.put(key, body, options);
  }

  async delete(key: string, options?: StoreCallOptions): Promise<boolean> {
    this.#assertStillWanted(options);
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

  // Also where it is ours again: a call that was given up is of an earlier time.
  #assertStillWanted(options: StoreCallOptions | undefined): void {
    options?.signal?.throwIfAborted();
    this.#assertMayWrite();
  }
}
