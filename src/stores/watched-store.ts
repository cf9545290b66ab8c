import { Readable } from 'node:stream';
import type { Clock } from '../clock.js';
import { discardBody } from './body.js';
import { isPortableKey } from './keys.js';
import { asAsked } from './ranges.js';
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
} from './session-store.js';
import { tellReads, watchedBody } from './watched/bodies.js';
import { type Moving, standstill, whileItMoves } from './watched/deadline.js';
import {
  CALL_MS,
  LIST_MS,
  LISTING_MS,
  msToCopy,
  msToDelete,
  msToPut,
  TRANSFER_MS,
} from './watched/limits.js';
import { ListingBound } from './watched/listing-bound.js';

/**
 * Each call that hangs in a folder (on a network share that is gone) blocks one of the four threads that node uses for
 * all files of the process. With this many stuck calls, the store is not called again until one of them returns.
 */
const MAX_STUCK = 2;

/** Called for a problem that is ignored because it does not matter. */
export type NoticeListener = (notice: string) => void;

/** A store on a local disk, which reports what its file system refuses. */
interface NoticeTeller {
  onNotice(listener: NoticeListener): void;
}

export interface StoreWatch {
  readonly clock: Clock;
  /** The name of the store in messages; default: the store's own name. */
  readonly name?: string;
  /** The name in errors of calls that stood still, with the place if it is a folder; default: `name`. */
  readonly label?: string;
  readonly onNotice?: NoticeListener | undefined;
  /**
   * Called with the key of an object that was stored after its put had been given up. Nobody expects this object, so it
   * may conflict with later changes.
   */
  readonly onLatePut?: (key: string) => void;
}

/**
 * A store whose every call ends: with an answer, with an error, or after no progress for too long. So nobody waits for
 * a store that hangs, and a signal ends the wait even if the store ignores it.
 *
 * A listed key that is not portable was put there by somebody else, and is left out. A listing always ends, too: one
 * that repeats itself, or is longer than any real one, is a fault.
 */
export class WatchedStore implements SessionStore {
  readonly putFile?: (key: string, path: string, options?: PutOptions) => Promise<PutResult>;
  readonly deleteMany?: NonNullable<SessionStore['deleteMany']>;
  readonly serverTime?: NonNullable<SessionStore['serverTime']>;
  readonly localPath?: (key: string) => string;
  readonly sweepTemporaries?: () => Promise<{ readonly count: number; readonly bytes: number }>;
  readonly close?: () => Promise<void>;
  readonly #store: SessionStore;
  readonly #watch: StoreWatch;
  /** The number of calls that were given up and are still running. */
  #stuck = 0;

  constructor(store: SessionStore, watch: StoreWatch) {
    this.#store = store;
    this.#watch = watch;
    const { putFile, localPath, close, deleteMany, serverTime } = store;
    const { sweepTemporaries } = store as Partial<WatchedStore>;
    if (watch.onNotice !== undefined) (store as Partial<NoticeTeller>).onNotice?.(watch.onNotice);
    if (putFile !== undefined) {
      this.putFile = (key, path, options = {}) =>
        this.#put(key, msToCopy(options.size), options, (own) => putFile.call(store, key, path, own));
    }
    if (sweepTemporaries !== undefined) {
      this.sweepTemporaries = () =>
        this.#wait('delete temporary files', TRANSFER_MS, {}, () => sweepTemporaries.call(store));
    }
    if (deleteMany !== undefined) {
      this.deleteMany = (keys: readonly string[], options: StoreCallOptions = {}) =>
        this.#wait<readonly DeleteResult[], StoreCallOptions>(
          `delete ${keys.length} objects`,
          msToDelete(keys.length),
          options,
          (own) => deleteMany.call(store, keys, own),
        );
    }
    if (serverTime !== undefined) {
      this.serverTime = (options: StoreCallOptions = {}) =>
        this.#wait('return its time', CALL_MS, options, (own) => serverTime.call(store, own));
    }
    if (localPath !== undefined) this.localPath = localPath.bind(store);
    if (close !== undefined) this.close = () => this.#wait('be closed', CALL_MS, {}, () => close.call(store));
  }

  get #label(): string {
    return this.#watch.label ?? this.name;
  }

  get name(): string {
    return this.#watch.name ?? this.#store.name;
  }

  get capabilities(): SessionStore['capabilities'] {
    return this.#store.capabilities;
  }

  async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}): Promise<PutResult> {
    if (!(body instanceof Readable)) {
      const ms = body instanceof Uint8Array ? msToPut(body.byteLength) : TRANSFER_MS;
      return this.#put(key, ms, options, (own) => this.#store.put(key, body, own));
    }
    try {
      return await this.#put(key, TRANSFER_MS, options, (own, moving) => {
        // A local disk may write all that it was given only now, which a slow one needs its time for.
        tellReads(body, moving, this.localPath === undefined ? undefined : msToCopy);
        return this.#store.put(key, body, own);
      });
    } catch (error) {
      discardBody(body);
      throw error;
    }
  }

  get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    const action = `read ${key}`;
    const late = (found: StoredObject | undefined) => void found?.body.on('error', () => undefined).destroy();
    const get = async (own: GetOptions) => {
      const found = await this.#store.get(key, own);
      if (found === undefined) return undefined;
      const given = () => standstill(this.#label, action, TRANSFER_MS);
      const body = watchedBody(found.body, this.#watch.clock, given);
      return asAsked(key, { ...found, body }, own);
    };
    return this.#wait(action, CALL_MS, options, get, late);
  }

  head(key: string, options: StoreCallOptions = {}): Promise<ObjectInfo | undefined> {
    return this.#wait(`look up ${key}`, CALL_MS, options, (own) => this.#store.head(key, own));
  }

  delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    return this.#wait(`delete ${key}`, CALL_MS, options, (own) => this.#store.delete(key, own));
  }

  async *list(prefix: string, options: StoreCallOptions = {}): AsyncGenerator<ObjectInfo, void, void> {
    const action = `list ${prefix}`;
    const { clock } = this.#watch;
    const listing = this.#store.list(prefix, options)[Symbol.asyncIterator]();
    const bound = new ListingBound(this.name, action);
    let waitedMs = 0;
    let isOver = false;
    try {
      while (!isOver) {
        if (waitedMs >= LISTING_MS) throw standstill(this.#label, action, LISTING_MS);
        const from = clock.monotonic();
        const { done, value } = await this.#wait(action, LIST_MS, options, () => listing.next());
        waitedMs += clock.monotonic() - from;
        isOver = done === true;
        if (!isOver && bound.take(value.key) && this.#isOurs(prefix, value)) yield value;
      }
    } finally {
      // Not awaited, because a listing that hangs would not end here, either.
      if (!isOver) listing.return?.().catch(() => undefined);
    }
  }

  #isOurs(prefix: string, info: ObjectInfo): boolean {
    const { key } = info;
    if (isPortableKey(key) && key.startsWith(prefix)) return true;
    const shown = typeof key === 'string' ? JSON.stringify(key.slice(0, 120)) : typeof key;
    this.#watch.onNotice?.(`${shown} in its listing is not a key of this library, and is skipped`);
    return false;
  }

  async #put(
    key: string,
    ms: number,
    options: PutOptions,
    put: (own: PutOptions, moving: Moving) => Promise<PutResult>,
  ): Promise<PutResult> {
    return this.#wait(`write ${key}`, ms, options, put, () => this.#watch.onLatePut?.(key));
  }

  #wait<T, Options extends StoreCallOptions>(
    action: string,
    ms: number,
    options: Options,
    call: (own: Options, moving: Moving) => Promise<T>,
    late?: (value: T) => void,
  ): Promise<T> {
    const { clock } = this.#watch;
    if (this.localPath !== undefined && this.#stuck >= MAX_STUCK) {
      return Promise.reject(standstill(this.#label, action, ms));
    }
    const waiting = { clock, name: this.#label, action, ms, signal: options.signal };
    const started = (signal: AbortSignal, moving: Moving) => {
      const calling = call({ ...options, signal }, moving);
      const settled = () => {
        isSettled = true;
        if (isGivenUp) this.#stuck--;
      };
      calling.then(settled, settled);
      return calling;
    };
    let isSettled = false;
    let isGivenUp = false;
    return whileItMoves(waiting, started, late).catch((error: unknown) => {
      isGivenUp = !isSettled;
      if (isGivenUp) this.#stuck++;
      throw error;
    });
  }
}
