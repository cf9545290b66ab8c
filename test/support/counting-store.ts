import { Readable } from 'node:stream';
import { MemoryStore } from '../../src/testing/memory-store.js';

/** A call of a store, and the bytes of the values that went with it. */
export interface CountedCall {
  readonly method: 'put' | 'get' | 'head' | 'list' | 'delete';
  readonly key: string;
  /** Bytes put, or bytes of the object that was read; 0 for the other calls. */
  readonly bytes: number;
}

/** An in-memory store that records its calls, as a server would bill them. */
export class CountingStore extends MemoryStore {
  #calls: CountedCall[] = [];

  /** The calls since the last {@link reset}, without the health check's looks for an answer and those of the lease. */
  get calls(): readonly CountedCall[] {
    const isPing = ({ method, key }: CountedCall) => method === 'head' && key.endsWith('/ping');
    return this.#calls.filter((call) => !isPing(call) && !/^\.(leases|processes)\//.test(call.key));
  }

  /** The calls in words, for messages. */
  get told(): readonly string[] {
    return this.calls.map(({ method, key, bytes }) => `${method} ${key} ${bytes}`);
  }

  get lists(): number {
    return this.calls.filter(({ method }) => method === 'list').length;
  }

  get bytesUp(): number {
    return this.#bytes('put');
  }

  get bytesDown(): number {
    return this.#bytes('get');
  }

  /** Every key, without a call. */
  get keys(): Promise<readonly string[]> {
    return this.#keys();
  }

  reset(): void {
    this.#calls = [];
  }

  override async put(...given: Parameters<MemoryStore['put']>): ReturnType<MemoryStore['put']> {
    const info = await super.put(...given);
    this.#calls.push({ method: 'put', key: given[0], bytes: info.size });
    return info;
  }

  override async get(...given: Parameters<MemoryStore['get']>): ReturnType<MemoryStore['get']> {
    const found = await super.get(...given);
    const call = { method: 'get' as const, key: given[0], bytes: 0 };
    this.#calls.push(call);
    if (found === undefined) return undefined;
    return { ...found, body: Readable.from(counted(found.body, call), { objectMode: false }) };
  }

  override async head(...given: Parameters<MemoryStore['head']>): ReturnType<MemoryStore['head']> {
    this.#calls.push({ method: 'head', key: given[0], bytes: 0 });
    return super.head(...given);
  }

  override async *list(...given: Parameters<MemoryStore['list']>): ReturnType<MemoryStore['list']> {
    this.#calls.push({ method: 'list', key: given[0], bytes: 0 });
    yield* super.list(...given);
  }

  override async delete(...given: Parameters<MemoryStore['delete']>): ReturnType<MemoryStore['delete']> {
    this.#calls.push({ method: 'delete', key: given[0], bytes: 0 });
    return super.delete(...given);
  }

  override async deleteMany(
    ...given: Parameters<MemoryStore['deleteMany']>
  ): ReturnType<MemoryStore['deleteMany']> {
    this.#calls.push({ method: 'delete', key: given[0].join(' '), bytes: 0 });
    return super.deleteMany(...given);
  }

  async #keys(): Promise<readonly string[]> {
    const keys: string[] = [];
    for await (const { key } of super.list('')) keys.push(key);
    return keys;
  }

  #bytes(method: CountedCall['method']): number {
    return this.calls.reduce((sum, call) => (call.method === method ? sum + call.bytes : sum), 0);
  }
}

/** Counts what is read, not what could be: a reader may need only the beginning. */
async function* counted(body: Readable, call: { bytes: number }): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    call.bytes += (chunk as Buffer).length;
    yield chunk as Buffer;
  }
}
