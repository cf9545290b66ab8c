import { Readable } from 'node:stream';
import type { Clock } from '../clock.js';
import { discardBody } from './body.js';
import { isPortableKey } from './keys.js';
import type {
  ObjectInfo,
  PutOptions,
  SessionStore,
  StoreCallOptions,
  StoredObject,
} from './session-store.js';
import { tellReads, watchedBody } from './watched/bodies.js';
import { type Moving, standstill, whileItMoves } from './watched/deadline.js';
import { CALL_MS, LIST_MS, LISTING_MS, msToCopy, msToPut, TRANSFER_MS } from './watched/limits.js';
import { ListingBound } from './watched/listing-bound.js';

/**
 * Each call that hangs in a folder (of a network share that is gone) keeps one of the four threads in which node works on
 * all files of the process. With so many stuck it is not asked for more, until one of them comes back.
 */
const MAX_STUCK = 2;

/** Called for something that is passed over because it does not matter. */
export type NoticeListener = (notice: string) => void;

/** A store on a local disk, which tells of what its file system refuses. */
interface NoticeTeller {
  onNotice(listener: NoticeListener): void;
}

export interface StoreWatch {
  readonly clock: Clock;
  /** How messages name the store; default: as it names itself. */
  readonly name?: string;
  readonly onNotice?: NoticeListener | undefined;
  /**
   * Called with the key of an object that was put after its put had been given up. Nobody counts on it, so it may be in
   * the way of what was done since.
   */
  readonly onLatePut?: (key: string) => void;
}

/**
 * A store whose every call ends: with its answer, with its error, or when it stood still for too long. Nobody who asks a
 * store that hangs waits for it, and its signal ends the wait also where the store does not heed it.
 *
 * What is no portable key in a listing was put there by somebody else, and is passed over. A listing ends, too: one that
 * repeats itself, or is longer than any can be, is a fault.
 */
export class WatchedStore implements SessionStore {
  readonly putFile?: (key: string, path: string, options?: PutOptions) => Promise<ObjectInfo>;
  readonly localPath?: (key: string) => string;
  readonly sweepTemporaries?: () => Promise<{ readonly count: number; readonly bytes: number }>;
  readonly close?: () => Promise<void>;
  readonly #store: SessionStore;
  readonly #watch: StoreWatch;
  /** Calls that were given up and still go on. */
  #stuck = 0;

  constructor(store: SessionStore, watch: StoreWatch) {
    this.#store = store;
    this.#watch = watch;
    const { putFile, localPath, close } = store;
    const { sweepTemporaries } = store as Partial<WatchedStore>;
    if (watch.onNotice !== undefined) (store as Partial<NoticeTeller>).onNotice?.(watch.onNotice);
    if (putFile !== undefined) {
      this.putFile = (key, path, options = {}) =>
        this.#put(key, msToCopy(options.size), options, (own) => putFile.call(store, key, path, own));
    }
    if (sweepTemporaries !== undefined) {
      this.sweepTemporaries = () =>
        this.#wait('be swept', TRANSFER_MS, {}, () => sweepTemporaries.call(store));
    }
    if (localPath !== undefined) this.localPath = localPath.bind(store);
    if (close !== undefined) this.close = () => this.#wait('be closed', CALL_MS, {}, () => close.call(store));
  }

  get name(): string {
    return this.#watch.name ?? this.#store.name;
  }

  get capabilities(): SessionStore['capabilities'] {
    return this.#store.capabilities;
  }

  async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}): Promise<ObjectInfo> {
    if (!(body instanceof Readable)) {
      const ms = body instanceof Uint8Array ? msToPut(body.byteLength) : TRANSFER_MS;
      return this.#put(key, ms, options, (own) => this.#store.put(key, body, own));
    }
    try {
      return await this.#put(key, TRANSFER_MS, options, (own, moving) => {
        tellReads(body, moving);
        return this.#store.put(key, body, own);
      });
    } catch (error) {
      discardBody(body);
      throw error;
    }
  }

  get(key: string, options: StoreCallOptions = {}): Promise<StoredObject | undefined> {
    const action = `read ${key}`;
    const late = (found: StoredObject | undefined) => void found?.body.on('error', () => undefined).destroy();
    const get = async (own: StoreCallOptions) => {
      const found = await this.#store.get(key, own);
      if (found === undefined) return undefined;
      const given = () => standstill(this.name, action, TRANSFER_MS);
      return { info: found.info, body: watchedBody(found.body, this.#watch.clock, given) };
    };
    return this.#wait(action, CALL_MS, options, get, late);
  }

  head(key: string, options: StoreCallOptions = {}): Promise<ObjectInfo | undefined> {
    return this.#wait(`look up ${key}`, CALL_MS, options, (own) => this.#store.head(key, own));
  }

  delete(key: string, options: StoreCallOptions = {}): Promise<boolean> {
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
        if (waitedMs >= LISTING_MS) throw standstill(this.name, action, LISTING_MS);
        const from = clock.monotonic();
        const { done, value } = await this.#wait(action, LIST_MS, options, () => listing.next());
        waitedMs += clock.monotonic() - from;
        isOver = done === true;
        if (!isOver && bound.take(value.key) && this.#isOurs(prefix, value)) yield value;
      }
    } finally {
      // Not awaited: one that hangs would not end, either.
      if (!isOver) listing.return?.().catch(() => undefined);
    }
  }

  #isOurs(prefix: string, info: ObjectInfo): boolean {
    const { key } = info;
    if (isPortableKey(key) && key.startsWith(prefix)) return true;
    const shown = typeof key === 'string' ? JSON.stringify(key.slice(0, 120)) : typeof key;
    this.#watch.onNotice?.(`${shown} in its listing is no key of ours, and is passed over`);
    return false;
  }

  async #put(
    key: string,
    ms: number,
    options: PutOptions,
    put: (own: PutOptions, moving: Moving) => Promise<ObjectInfo>,
  ): Promise<ObjectInfo> {
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
      return Promise.reject(standstill(this.name, action, ms));
    }
    const waiting = { clock, name: this.name, action, ms, signal: options.signal };
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
