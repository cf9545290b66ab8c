import type { Readable } from 'node:stream';
import { isSessionError } from '../../errors.js';
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
import { isSweeper } from './store-leftovers.js';

/** How a repository uses its store. */
export interface StoreView {
  /** See {@link WriteCheckedStore}; default: writing is always allowed. */
  readonly assertMayWrite?: (() => void) | undefined;
  /** The store's name in listings and messages; default: the store's own name. */
  readonly storeName?: string | undefined;
  /** Called with the fencing number of a put that the store refused because of a later owner. */
  readonly onFencedOff?: ((generation: number) => void) | undefined;
}

/** Returns the store itself when no check and no other name is needed. */
export function checkWrites(
  store: SessionStore,
  { assertMayWrite, storeName, onFencedOff }: StoreView,
): SessionStore {
  const isNamedSo = (storeName ?? store.name) === store.name;
  if (assertMayWrite === undefined && onFencedOff === undefined && isNamedSo) return store;
  return new WriteCheckedStore(store, assertMayWrite ?? (() => undefined), storeName, onFencedOff);
}

/**
 * A store that checks before every single write whether it is allowed. A save makes many writes, and a process
 * that was suspended during a save may no longer own the session when it wakes up; its put or delete would then
 * change another owner's data.
 */
export class WriteCheckedStore implements SessionStore {
  readonly putFile?: (key: string, path: string, options?: PutOptions) => Promise<PutResult>;
  readonly deleteMany?: NonNullable<SessionStore['deleteMany']>;
  readonly serverTime?: NonNullable<SessionStore['serverTime']>;
  readonly localPath?: (key: string) => string;
  readonly sweepTemporaries?: () => Promise<{ readonly count: number; readonly bytes: number }>;
  readonly close?: () => Promise<void>;
  readonly #store: SessionStore;
  readonly #assertMayWrite: () => void;
  readonly #name: string | undefined;
  readonly #onFencedOff: StoreView['onFencedOff'];

  /**
   * @param assertMayWrite throws unless the session is ours at this moment
   * @param name default: the store's own name
   * @param onFencedOff see {@link StoreView.onFencedOff}
   */
  constructor(
    store: SessionStore,
    assertMayWrite: () => void,
    name?: string,
    onFencedOff?: StoreView['onFencedOff'],
  ) {
    this.#onFencedOff = onFencedOff;
    this.#store = store;
    this.#name = name;
    this.#assertMayWrite = assertMayWrite;
    const { putFile, deleteMany } = store;
    if (putFile !== undefined) {
      this.putFile = async (key, path, options) => {
        this.#assertStillWanted(options);
        return putFile.call(store, key, path, options);
      };
    }
    if (deleteMany !== undefined) {
      this.deleteMany = async (keys: readonly string[], options?: StoreCallOptions) => {
        this.#assertStillWanted(options);
        return deleteMany.call(store, keys, options);
      };
    }
    if (isSweeper(store)) {
      this.sweepTemporaries = async () => {
        this.#assertMayWrite();
        return store.sweepTemporaries();
      };
    }
    if (store.serverTime !== undefined) this.serverTime = store.serverTime.bind(store);
    if (store.localPath !== undefined) this.localPath = store.localPath.bind(store);
    if (store.close !== undefined) this.close = store.close.bind(store);
  }

  get name(): string {
    return this.#name ?? this.#store.name;
  }

  get capabilities(): SessionStore['capabilities'] {
    return this.#store.capabilities;
  }

  async put(key: string, body: Uint8Array | Readable, options?: PutOptions): Promise<PutResult> {
    this.#assertStillWanted(options);
    try {
      return await this.#store.put(key, body, options);
    } catch (error) {
      const { fence } = options ?? {};
      if (fence && isSessionError(error) && error.code === 'LEASE_LOST')
        this.#onFencedOff?.(fence.generation);
      throw error;
    }
  }

  async delete(key: string, options?: DeleteOptions): Promise<boolean> {
    this.#assertStillWanted(options);
    return this.#store.delete(key, options);
  }

  get(key: string, options?: GetOptions): Promise<StoredObject | undefined> {
    return this.#store.get(key, options);
  }

  head(key: string, options?: StoreCallOptions): Promise<ObjectInfo | undefined> {
    return this.#store.head(key, options);
  }

  list(prefix: string, options?: StoreCallOptions): AsyncIterable<ObjectInfo> {
    return this.#store.list(prefix, options);
  }

  // An aborted call is refused even when the session is ours again, because it belongs to an earlier period.
  #assertStillWanted(options: StoreCallOptions | undefined): void {
    options?.signal?.throwIfAborted();
    this.#assertMayWrite();
  }
}
