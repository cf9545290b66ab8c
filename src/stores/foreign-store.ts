import { Readable } from 'node:stream';
import { describeError, isSessionError, isStoreError, StoreError } from '../errors.js';
import { adoptBody, discardBody, throwIfAborted } from './body.js';
import { assertOffered } from './conditions.js';
import { localStoreSpec } from './local-store-spec.js';
import type {
  ByteRange,
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

/** Limits the quoted text, because an error of a foreign store may quote a server's whole reply. */
const MAX_WHY = 300;

/**
 * Guards the stores of one session. A store that is given twice gets one guard. This library's own store on the local
 * disk gets none: it keeps the contract, and the worker thread must be able to recognize it.
 */
export function guardForeignStores(): (store: SessionStore) => SessionStore {
  const guarded = new Map<SessionStore, SessionStore>();
  return (store) => {
    const known = guarded.get(store);
    if (known !== undefined) return known;
    const safe = localStoreSpec(store) === undefined ? new ForeignStore(store) : store;
    guarded.set(store, safe);
    return safe;
  };
}

/** What this library's own stores have besides the interface. */
interface Extras {
  sweepTemporaries?: () => Promise<{ readonly count: number; readonly bytes: number }>;
  /** Sets a listener for what is ignored because it does not matter, or not offered by the server. */
  onNotice?: (listener: (notice: string) => void) => void;
}

/**
 * Makes a store of the bot keep the contract: whatever it throws, at once or later, becomes a `StoreError` with the
 * original as its cause, and so does an invalid answer. So the code above need not expect a TypeError when it reads an
 * object, and no error of a stream without a listener ends the process.
 */
class ForeignStore implements SessionStore, Extras {
  readonly putFile?: NonNullable<SessionStore['putFile']>;
  readonly deleteMany?: NonNullable<SessionStore['deleteMany']>;
  readonly serverTime?: NonNullable<SessionStore['serverTime']>;
  readonly localPath?: (key: string) => string;
  readonly sweepTemporaries?: NonNullable<Extras['sweepTemporaries']>;
  readonly onNotice?: NonNullable<Extras['onNotice']>;
  readonly close?: () => Promise<void>;
  readonly #store: SessionStore;

  constructor(store: SessionStore & Extras) {
    this.#store = store;
    const { putFile, close, sweepTemporaries, deleteMany, serverTime, onNotice } = store;
    if (putFile !== undefined) {
      this.putFile = (key, path, options) =>
        this.#ask('putFile', options, async () => {
          assertOffered(store, key, { put: options });
          return this.#written(await putFile.call(store, key, path, options));
        });
    }
    if (deleteMany !== undefined) {
      this.deleteMany = (keys, options) =>
        this.#ask('deleteMany', options, async () =>
          this.#deleted(keys, await deleteMany.call(store, keys, options)),
        );
    }
    if (serverTime !== undefined) {
      this.serverTime = (options) =>
        this.#ask('serverTime', options, async () => {
          const ms: unknown = await serverTime.call(store, options);
          if (typeof ms === 'number' && Number.isFinite(ms)) return ms;
          throw this.#unfit('serverTime', 'no number');
        });
    }
    const { localPath } = store;
    if (localPath !== undefined) {
      this.localPath = (key) => {
        try {
          return localPath.call(store, key);
        } catch (error) {
          throw this.#asSessionErrors('localPath', undefined, error);
        }
      };
    }
    if (typeof onNotice === 'function') {
      this.onNotice = (listener) => {
        try {
          onNotice.call(store, (notice) => listener(String(notice).slice(0, MAX_WHY)));
        } catch (error) {
          throw this.#asSessionErrors('onNotice', undefined, error);
        }
      };
    }
    if (close !== undefined) this.close = () => this.#ask('close', undefined, () => close.call(store));
    if (sweepTemporaries !== undefined) {
      this.sweepTemporaries = () =>
        this.#ask('sweepTemporaries', undefined, () => sweepTemporaries.call(store));
    }
  }

  get name(): string {
    return this.#store.name;
  }

  get capabilities(): SessionStore['capabilities'] {
    return this.#store.capabilities;
  }

  async put(key: string, body: Uint8Array | Readable, options?: PutOptions): Promise<PutResult> {
    adoptBody(body);
    try {
      return await this.#ask('put', options, async () => {
        assertOffered(this.#store, key, { put: options });
        return this.#written(await this.#store.put(key, body, options));
      });
    } catch (error) {
      discardBody(body);
      throw error;
    }
  }

  get(key: string, options?: GetOptions): Promise<StoredObject | undefined> {
    return this.#ask('get', options, async () => {
      const found: unknown = await this.#store.get(key, options);
      if (found === undefined) return undefined;
      const { info, body, range } = isObject(found) ? found : {};
      if (!(body instanceof Readable)) throw this.#unfit('get', 'a body that is no stream of node');
      adoptBody(body);
      const part = this.#part(range, options?.range, body);
      return { info: this.#info(info), body, ...(part !== undefined && { range: part }) };
    });
  }

  head(key: string, options?: StoreCallOptions): Promise<ObjectInfo | undefined> {
    return this.#ask('head', options, async () => {
      const found: unknown = await this.#store.head(key, options);
      return found === undefined ? undefined : this.#info(found);
    });
  }

  async *list(prefix: string, options?: StoreCallOptions): AsyncGenerator<ObjectInfo, void, void> {
    try {
      const found: unknown = await this.#store.list(prefix, options);
      if (!isIterable(found)) throw this.#unfit('list', 'nothing to iterate over');
      for await (const info of found) yield this.#info(info);
    } catch (error) {
      throw this.#asSessionErrors('list', options, error);
    }
  }

  delete(key: string, options?: DeleteOptions): Promise<boolean> {
    return this.#ask('delete', options, async () => {
      assertOffered(this.#store, key, { delete: options });
      return (await this.#store.delete(key, options)) === true;
    });
  }

  async #ask<Answer>(
    method: string,
    options: StoreCallOptions | undefined,
    ask: () => Answer | Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await ask();
    } catch (error) {
      throw this.#asSessionErrors(method, options, error);
    }
  }

  #asSessionErrors(method: string, options: StoreCallOptions | undefined, error: unknown): unknown {
    if (isSessionError(error)) return error;
    try {
      throwIfAborted(options?.signal);
    } catch (reason) {
      return reason; // the store's error only says that the call was aborted
    }
    return this.#fault(method, error);
  }

  #fault(method: string, error: unknown): StoreError {
    const why = describeError(error).message.slice(0, MAX_WHY);
    return new StoreError(`the store ${this.name} failed in ${method}(): ${why}`, { cause: error });
  }

  /** The answer of a put; not every server returns the time of the object that it has just stored. */
  #written(value: unknown): PutResult {
    const { key, size, version, verifiedBy } = isObject(value) ? value : {};
    const isWhole = typeof key === 'string' && typeof version === 'string' && Number.isSafeInteger(size);
    if (!isWhole) throw this.#unfit('its answer', 'no { key, size, version }');
    if (verifiedBy !== undefined && verifiedBy !== 'server' && verifiedBy !== 'readback') {
      throw this.#unfit('its answer', 'a verifiedBy that is neither server nor readback');
    }
    return value as PutResult;
  }

  #info(value: unknown): ObjectInfo {
    const info = this.#written(value);
    const { modifiedAt } = info;
    if (modifiedAt instanceof Date && !Number.isNaN(modifiedAt.getTime())) return info as ObjectInfo;
    throw this.#unfit('its answer', 'no modifiedAt that is a Date');
  }

  /** The returned range must equal the requested one; otherwise wrong bytes would go unnoticed. */
  #part(given: unknown, asked: ByteRange | undefined, body: Readable): ByteRange | undefined {
    if (given === undefined) return undefined;
    const { offset, length } = isObject(given) ? given : {};
    if (asked !== undefined && offset === asked.offset && length === asked.length) return asked;
    body.destroy();
    throw this.#unfit('get', 'another range than the requested one');
  }

  /** A key without a result is not known to be gone. */
  #deleted(keys: readonly string[], value: unknown): readonly DeleteResult[] {
    const answers: readonly unknown[] = Array.isArray(value) ? value : [];
    return keys.map((key, index): DeleteResult => {
      const { key: named, error } = isObject(answers[index]) ? answers[index] : {};
      if (named !== key) throw this.#unfit('deleteMany', 'no result for each key, in their order');
      if (error === undefined) return { key };
      return { key, error: isStoreError(error) ? error : this.#fault('deleteMany', error) };
    });
  }

  #unfit(where: string, what: string): StoreError {
    return new StoreError(
      `the store ${this.name} violates the contract of SessionStore: ${where} returned ${what}`,
      {
        retryable: false,
      },
    );
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return isObject(value) && (Symbol.asyncIterator in value || Symbol.iterator in value);
}
