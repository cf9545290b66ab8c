import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import * as session from 'wwebjs-persistent-session';

/** The database: each call fails when it is down, and a `set` is seen as a whole or not at all. */
export interface KeyValue {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array): Promise<void>;
  delete(key: string): Promise<boolean>;
  keys(prefix: string): Promise<readonly string[]>;
}

/** An object is its bytes, under a name that is used once, and an entry that names them and makes them visible. */
export class KvStore implements session.SessionStore {
  readonly name = 'kv';
  readonly capabilities = { conditionalPut: false };
  constructor(readonly db: KeyValue) {}

  async put(key: string, body: Uint8Array | Readable, options: session.PutOptions = {}) {
    const bytes = await session.readPutBody(key, body, options);
    if (options.ifAbsent || options.ifVersion !== undefined || options.fence)
      throw new session.StoreError(`${this.name} keeps no conditions`, { retryable: false });
    const before = await this.head(key, options);
    const info = { key, size: bytes.length, version: randomUUID(), modifiedAt: new Date() };
    await this.#ask(options, () => this.db.set(`bytes/${info.version}`, bytes));
    await this.#ask(options, () => this.db.set(`info/${key}`, Buffer.from(JSON.stringify(info))));
    if (before) await this.db.delete(`bytes/${before.version}`).catch(() => false);
    return info;
  }

  async get(key: string, options: session.GetOptions = {}) {
    for (let attempt = 0; attempt < 5; attempt++) {
      const info = await this.head(key, options);
      if (info === undefined) return undefined;
      const bytes = await this.#ask(options, () => this.db.get(`bytes/${info.version}`));
      if (bytes) return { info, body: Readable.from([bytes], { objectMode: false }) };
    } // it was replaced between the two calls
    throw new session.StoreError(`"${key}" changes faster than it can be read`);
  }

  async head(key: string, options: session.StoreCallOptions = {}) {
    session.assertPortableKey(key);
    const entry = await this.#ask(options, () => this.db.get(`info/${key}`));
    if (entry === undefined) return undefined;
    const info: session.ObjectInfo = JSON.parse(Buffer.from(entry).toString());
    return { ...info, modifiedAt: new Date(info.modifiedAt) };
  }

  async *list(prefix: string, options: session.StoreCallOptions = {}) {
    session.assertPortablePrefix(prefix);
    for (const name of await this.#ask(options, () => this.db.keys(`info/${prefix}`))) {
      const info = await this.head(name.slice('info/'.length), options);
      if (info) yield info;
    }
  }

  async delete(key: string, options: session.StoreCallOptions = {}) {
    const info = await this.head(key, options);
    if (info === undefined) return false;
    const wasThere = await this.#ask(options, () => this.db.delete(`info/${key}`));
    await this.db.delete(`bytes/${info.version}`).catch(() => false);
    return wasThere;
  }

  /** A fault of the database is a StoreError, never a missing object. */
  async #ask<T>({ signal }: session.StoreCallOptions, call: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    return call().catch((cause) => Promise.reject(new session.StoreError(`${this.name} failed`, { cause })));
  }
}
