import { createHash } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { buffer, json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { isSessionError, StoreConflictError, StoreError } from '../../../src/errors.js';
import { adoptBody, chunksOf, discardBody, throwIfAborted } from '../../../src/stores/body.js';
import { assertConditions, conflict } from '../../../src/stores/conditions.js';
import { assertDigest } from '../../../src/stores/digest.js';
import { assertPortableKey, assertPortablePrefix, isPortableKey } from '../../../src/stores/keys.js';
import { assertRange, assertVersion } from '../../../src/stores/ranges.js';
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
} from '../../../src/stores/session-store.js';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal | undefined;
  readonly send?: AsyncIterable<Uint8Array> | Uint8Array;
}

/**
 * A store over `LoopbackServer`, with what a store over S3 has to mind: retries after a lost answer, pages, answers without a
 * time, digests that the server compares only in part, ranges that it refuses.
 */
export class LoopbackStore implements SessionStore {
  readonly name = 'loopback';
  readonly capabilities = { conditionalPut: true } as const;
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}): Promise<PutResult> {
    adoptBody(body);
    try {
      assertPortableKey(key);
      throwIfAborted(options.signal);
      assertConditions(key, options);
      assertDigest(key, options.digest);
      if (!(body instanceof Uint8Array)) return await this.#put(key, chunksOf(key, body, options), options);
      const { digest } = options;
      const bytes = Buffer.from(body);
      for await (const _ of chunksOf(key, bytes, options)); // compares what the server can't
      const known = digest && { digest: { ...digest, md5: createHash('md5').update(bytes).digest('hex') } };
      return await this.#putAgain(key, bytes, { ...options, ...known });
    } catch (error) {
      discardBody(body);
      throw error;
    }
  }

  /** A put is tried again after a fault; a conflict with what the first try stored is then none. */
  async #putAgain(key: string, bytes: Buffer, options: PutOptions): Promise<PutResult> {
    try {
      return await this.#put(key, bytes, options);
    } catch (error) {
      throwIfAborted(options.signal);
      if (!isSessionError(error) || error.code !== 'STORE' || !isReset(error.cause)) throw error;
    }
    try {
      return await this.#put(key, bytes, options);
    } catch (error) {
      if (isSessionError(error) && error.code === 'STORE_CONFLICT') {
        const found = await this.get(key, options.signal ? { signal: options.signal } : {});
        if (found !== undefined && bytes.equals(await buffer(found.body))) return found.info;
      }
      throw error;
    }
  }

  async #put(key: string, send: AsyncIterable<Uint8Array> | Buffer, options: PutOptions): Promise<PutResult> {
    const { ifAbsent, ifVersion, digest, size } = options;
    const length = send instanceof Uint8Array ? send.length : size;
    const headers = {
      ...(ifAbsent && { 'if-none-match': '*' }),
      ...(ifVersion !== undefined && { 'if-match': ifVersion }),
      ...(digest?.md5 !== undefined && { 'content-md5': Buffer.from(digest.md5, 'hex').toString('base64') }),
      ...(length !== undefined && { 'content-length': `${length}` }),
    };
    const answer = await this.#call(key, { method: 'PUT', path: pathOf(key), headers, ...options, send });
    if (answer.statusCode === 412) throw conflict(key, 'has another version');
    if (answer.statusCode === 400) throw new StoreError(`"${key}" came with other bytes`);
    const { modifiedAt: _, ...info } = infoOf(key, answer);
    return { ...info, ...(digest?.md5 !== undefined && { verifiedBy: 'server' }) };
  }

  async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    const { range, ifVersion } = options;
    assertRange(key, range);
    const { offset = 0, length = 1 } = range ?? {};
    if (length === 0) return this.#nothing(key, options); // HTTP has no empty range
    const headers = {
      ...(ifVersion !== undefined && { 'if-match': ifVersion }),
      ...(range !== undefined && { range: `bytes=${offset}-${offset + length - 1}` }),
    };
    const answer = await this.#call(key, { method: 'GET', path: pathOf(key), headers, ...options });
    if (answer.statusCode === 404) return undefined;
    if (answer.statusCode === 412) throw conflict(key, 'has another version');
    if (answer.statusCode === 416) return this.#nothing(key, options);
    return { info: infoOf(key, answer), body: answer, ...(range !== undefined && { range }) };
  }

  async #nothing(key: string, { range, ifVersion, ...options }: GetOptions) {
    const info = await this.head(key, options);
    if (info === undefined) return undefined;
    assertVersion(key, ifVersion, info.version);
    return { info, body: Readable.from([], { objectMode: false }), ...(range !== undefined && { range }) };
  }

  async head(key: string, options: StoreCallOptions = {}): Promise<ObjectInfo | undefined> {
    const answer = await this.#call(key, { method: 'HEAD', path: pathOf(key), ...options });
    return answer.statusCode === 404 ? undefined : infoOf(key, answer);
  }

  async *list(prefix: string, options: StoreCallOptions = {}): AsyncGenerator<ObjectInfo, void, void> {
    assertPortablePrefix(prefix);
    for (let after = ''; ; ) {
      const path = `/list?prefix=${encodeURIComponent(prefix)}&after=${encodeURIComponent(after)}`;
      const answer = await this.#call('list', { method: 'GET', path, ...options });
      const page = (await json(answer)) as (Omit<ObjectInfo, 'modifiedAt'> & { modifiedAt: number })[];
      if (page.length === 0) return;
      for (const { modifiedAt, ...info } of page) {
        throwIfAborted(options.signal);
        yield { ...info, modifiedAt: new Date(Math.floor(modifiedAt / 1000) * 1000) };
        after = info.key;
      }
    }
  }

  /** The server does not tell what there was. */
  async delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    const found = await this.head(key, options);
    if (found !== undefined) await this.#call(key, { method: 'DELETE', path: pathOf(key), ...options });
    return found !== undefined;
  }

  async deleteMany(
    keys: readonly string[],
    options: StoreCallOptions = {},
  ): Promise<readonly DeleteResult[]> {
    const results = keys.map((key) => (isPortableKey(key) ? { key } : { key, error: refusalOf(key) }));
    const body = JSON.stringify(keys.filter(isPortableKey));
    await this.#call('delete', { method: 'POST', path: '/delete', send: Buffer.from(body), ...options });
    return results;
  }

  async #call(key: string, { method, path, headers, signal, send }: Call): Promise<IncomingMessage> {
    assertPortableKey(key);
    throwIfAborted(signal);
    try {
      return await new Promise<IncomingMessage>((resolve, reject) => {
        const port = this.#port;
        const calling = request({ host: '127.0.0.1', port, method, path, headers, signal, agent: false });
        calling.on('error', reject).on('response', (answer) => {
          answer.on('error', () => undefined);
          resolve(answer);
        });
        if (send === undefined) calling.end();
        else if (send instanceof Uint8Array) calling.end(send);
        else pipeline(Readable.from(send, { objectMode: false }), calling).catch(reject);
      });
    } catch (error) {
      throwIfAborted(signal);
      if (isSessionError(error) || error instanceof StoreConflictError) throw error;
      throw new StoreError(`"${key}": ${String(error)}`, { cause: error });
    }
  }
}

function pathOf(key: string): string {
  assertPortableKey(key);
  return `/o/${encodeURIComponent(key)}`;
}

function infoOf(key: string, { headers, statusCode }: IncomingMessage): ObjectInfo {
  if (statusCode !== 200) throw new StoreError(`"${key}": the server answered ${statusCode}`);
  const { etag, 'x-size': size, 'last-modified': modified = '' } = headers;
  return { key, size: Number(size), version: `${etag}`, modifiedAt: new Date(modified) };
}

function refusalOf(key: string): StoreError {
  return new StoreError(`the key ${JSON.stringify(key)} is not portable`, { retryable: false });
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}
