import type { Fence, SessionStore, StoreCallOptions } from '../../stores/session-store.js';
import { listAll, readStart } from '../store-calls/store-bytes.js';
import { putVerified } from '../store-calls/verified-put.js';
import type { Tail } from '../tail.js';
import { MAX_TAIL_BYTES, parseTail, serializeTail } from './tail-format.js';

/** Options of a call that puts a tail. */
export interface FencedCallOptions extends StoreCallOptions {
  readonly fence?: Fence | undefined;
}

/** The object with the tail of a client id, as the store lists it, and what it says. */
export interface FoundTail {
  readonly key: string;
  readonly version: string;
  readonly size: number;
  readonly modifiedAt: Date;
  /** The tail, or the reason why it can't be read. */
  readonly content: { readonly tail: Tail } | { readonly error: unknown };
}

/** The object `<client>/tail.json`; read once per version. */
export class TailObject {
  readonly key: string;
  readonly #store: SessionStore;
  #known: { readonly version: string; readonly tail: Tail } | undefined;

  constructor(store: SessionStore, clientId: string) {
    this.#store = store;
    this.key = `${clientId}/tail.json`;
  }

  /** `undefined` when there is none. A fault of the listing throws. */
  async find(options: StoreCallOptions): Promise<FoundTail | undefined> {
    const info = (await listAll(this.#store, this.key, options)).find(({ key }) => key === this.key);
    if (info === undefined) return undefined;
    const { key, version, size, modifiedAt } = info;
    if (this.#known?.version === version) return { key, version, size, modifiedAt, content: this.#known };
    try {
      const bytes = await readStart(this.#store, this.key, MAX_TAIL_BYTES + 1, options);
      if (bytes === undefined) return undefined; // deleted meanwhile
      const tail = parseTail(bytes);
      this.#known = { version, tail };
      return { key, version, size, modifiedAt, content: { tail } };
    } catch (error) {
      options.signal?.throwIfAborted();
      return { key, version, size, modifiedAt, content: { error } };
    }
  }

  /** Reads it again, because a damaged object keeps its version. */
  forget(): void {
    this.#known = undefined;
  }

  /**
   * @param options with the right to put it, where the store keeps fences
   * @returns bytes put
   */
  async put(tail: Tail, options: FencedCallOptions): Promise<number> {
    const bytes = serializeTail(tail);
    const { fence, ...call } = options;
    this.#known = undefined;
    const { version } = await putVerified(this.#store, this.key, bytes, {
      ...call,
      ...(fence && { fence }),
    });
    this.#known = { version, tail };
    return bytes.length;
  }
}
