import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import { type Clock, sleep } from '../../clock.js';
import { StoreError } from '../../errors.js';
import { assertSize, throwIfAborted } from '../body.js';
import { conflict } from '../conditions.js';
import type { PutOptions, PutResult } from '../session-store.js';
import { isVersion, versionOf } from './answers.js';
import { type BucketProbe, inForm } from './bucket-probe.js';
import type { S3Connection } from './connection.js';
import { md5Header, md5Of } from './digests.js';
import { exactBody, gather } from './exact-body.js';
import { failureOf, isMissing } from './failure.js';
import { uploadInParts } from './multipart.js';

/** A stream up to this size is read into memory, where it can be sent again; bytes. */
const GATHERED_BYTES = 1024 * 1024;
/** A stream of unknown size up to this is read into memory, because a put must announce its size; bytes. */
const UNSIZED_BYTES = 8 * 1024 * 1024;
/** A larger stream is sent in parts, each of which can be sent again; bytes. */
const IN_PARTS_BYTES = 64 * 1024 * 1024;
/** S3 takes no more in one put, bytes. */
const MAX_PUT_BYTES = 5 * 1024 ** 3;
/** Requests that send more than this have no time limit for the first byte of the answer. */
const SMALL_BYTES = 64 * 1024;
/** A conflict of two writers at the same moment is tried again this often. */
const MAX_CLASHES = 5;
const FIRST_PAUSE_MS = 50;
/** Metadata by which a put knows its own value. The bytes would not do: others may have put the same. */
const PUT_ID = 'put-id';

export interface UploadPlace {
  readonly connection: S3Connection;
  readonly probe: BucketProbe;
  readonly bucket: string;
  /** The key in the bucket of a key of the store. */
  readonly keyIn: (key: string) => string;
  readonly clock: Clock;
}

/** The puts of a store: as one request where the size is known and moderate, else in parts. */
export class Uploader {
  readonly #place: UploadPlace;

  constructor(place: UploadPlace) {
    this.#place = place;
  }

  async put(key: string, body: Uint8Array | Readable, options: PutOptions): Promise<PutResult> {
    const { size } = options;
    const condition = await this.#condition(key, options);
    if (body instanceof Uint8Array) {
      assertSize(key, body.byteLength, size);
      return this.#putBytes(key, body, options, condition);
    }
    if (size === undefined || size <= GATHERED_BYTES) {
      const gathered = await gather(key, body, options, size === undefined ? UNSIZED_BYTES : GATHERED_BYTES);
      if (gathered.stream === undefined) return this.#putBytes(key, gathered.bytes, options, condition);
      if (condition === undefined) return this.#inParts(key, gathered.stream, options);
      gathered.stream.destroy();
      throw refusal(
        key,
        `is a stream of more than ${UNSIZED_BYTES} bytes: with a condition, its size must be given`,
      );
    }
    if (condition === undefined && size > IN_PARTS_BYTES) {
      return this.#inParts(key, exactBody(key, body, options), options);
    }
    if (size > MAX_PUT_BYTES)
      throw refusal(key, `has ${size} bytes: with a condition, ${MAX_PUT_BYTES} are the most`);
    return this.#putStream(key, body, { ...options, size }, condition);
  }

  /** The headers of a condition, as this bucket understands them; `undefined` without a condition. */
  async #condition(key: string, { ifAbsent, ifVersion, signal }: PutOptions): Promise<Condition | undefined> {
    if (ifAbsent !== true && ifVersion === undefined) return undefined;
    const { ifMatch, ifNoneMatch } = await this.#place.probe.conditions(signal);
    if (ifMatch === undefined || !ifNoneMatch) {
      throw refusal(
        key,
        'can not be put with a condition: the bucket ignores conditions, and would overwrite any value',
      );
    }
    if (ifVersion === undefined) return { IfNoneMatch: '*' };
    if (!isVersion(ifVersion)) throw conflict(key, 'was changed meanwhile');
    return { IfMatch: inForm(ifVersion, ifMatch) };
  }

  async #putBytes(
    key: string,
    bytes: Uint8Array,
    options: PutOptions,
    condition: Condition | undefined,
  ): Promise<PutResult> {
    const { signal, digest } = options;
    const { clock } = this.#place;
    const md5 = md5Of(key, bytes, digest);
    const isVerified = await this.#isCompared(md5, options);
    const id = randomUUID();
    const marked = condition && { ...condition, Metadata: { [PUT_ID]: id } };
    const headers = { ...marked, ContentLength: bytes.byteLength, ...md5Headers(md5) };
    let mayBeDone = false;
    for (let attempt = 1; ; attempt++) {
      try {
        const etag = await this.#send(key, asBuffer(bytes), headers, options);
        return resultOf(key, bytes.byteLength, etag, isVerified);
      } catch (error) {
        const failure = failureOf(error);
        mayBeDone ||= (failure?.attempts ?? 1) > 1; // one of them was, if only its answer was lost
        if (failure?.status === 409 && attempt < MAX_CLASHES) {
          await sleep(clock, FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
          continue;
        }
        const isRefused = condition !== undefined && isConflict(failure);
        const own = isRefused && mayBeDone ? await this.#ownValue(key, id, options) : undefined;
        if (own !== undefined) return resultOf(key, bytes.byteLength, own, isVerified);
        throw isRefused ? asConflict(key, condition, failure) : error;
      }
    }
  }

  async #putStream(
    key: string,
    body: Readable,
    options: PutOptions & { readonly size: number },
    condition: Condition | undefined,
  ): Promise<PutResult> {
    const { size, digest } = options;
    const isVerified = await this.#isCompared(digest?.md5, options);
    const headers = { ...condition, ContentLength: size, ...md5Headers(digest?.md5) };
    try {
      const etag = await this.#send(key, exactBody(key, body, options), headers, options);
      return resultOf(key, size, etag, isVerified);
    } catch (error) {
      const failure = failureOf(error);
      throw condition !== undefined && isConflict(failure) ? asConflict(key, condition, failure) : error;
    }
  }

  async #inParts(key: string, stream: Readable, options: PutOptions): Promise<PutResult> {
    const { connection, bucket, keyIn } = this.#place;
    const id = randomUUID();
    const { etag, size } = await uploadInParts(connection, stream, {
      ...{ key, size: options.size, signal: options.signal },
      target: { Bucket: bucket, Key: keyIn(key), Metadata: { [PUT_ID]: id } },
    });
    const version = etag === '' ? await this.#ownValue(key, id, options) : versionOf(key, etag);
    if (version !== undefined) return resultOf(key, size, version, false);
    throw new StoreError(
      `"${key}" was sent, and is not there: it failed in the end, or was overwritten at once`,
    );
  }

  /** The ETag of one put. A stream that fails ends the request, because a server would wait for the rest of it. */
  #send(
    key: string,
    body: Buffer | Readable,
    headers: Partial<PutObjectCommandInput>,
    { signal, size }: PutOptions,
  ): Promise<string> {
    const { connection, bucket, keyIn } = this.#place;
    const isLarge = !Buffer.isBuffer(body) || body.byteLength > SMALL_BYTES || (size ?? 0) > SMALL_BYTES;
    return connection.run(`put "${key}"`, { signal, isLarge }, async ({ sdk, client, http, end }) => {
      const command = new sdk.PutObjectCommand({ Bucket: bucket, Key: keyIn(key), Body: body, ...headers });
      if (Buffer.isBuffer(body)) return versionOf(key, (await client.send(command, http)).ETag);
      const failed = new Promise<never>((_, reject) => body.once('error', reject));
      failed.catch(() => undefined);
      try {
        return versionOf(key, (await Promise.race([client.send(command, http), failed])).ETag);
      } finally {
        if (!body.readableEnded) end(); // the connection would wait for bytes that never come
        body.destroy();
      }
    });
  }

  /** Whether the server compares the MD5 that is sent, in a put whose caller has asked for that. */
  async #isCompared(md5: string | undefined, { digest, signal }: PutOptions): Promise<boolean> {
    if (digest === undefined || md5 === undefined) return false;
    try {
      return await this.#place.probe.digests(signal);
    } catch {
      throwIfAborted(signal);
      return false;
    }
  }

  /** The ETag of the object if this very put has made it: it was done, and its answer was lost. */
  async #ownValue(key: string, id: string, { signal }: PutOptions): Promise<string | undefined> {
    const { connection, bucket, keyIn } = this.#place;
    try {
      return await connection.run(`look up "${key}"`, { signal }, async ({ sdk, client, http }) => {
        const found = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: keyIn(key) }), http);
        return found.Metadata?.[PUT_ID] === id ? versionOf(key, found.ETag) : undefined;
      });
    } catch (error) {
      if (isMissing(failureOf(error))) return undefined;
      throw error;
    }
  }
}

type Condition = { readonly IfNoneMatch: '*' } | { readonly IfMatch: string };

function md5Headers(md5: string | undefined): { ContentMD5?: string } {
  return md5 === undefined ? {} : { ContentMD5: md5Header(md5) };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether a condition did not hold; with `If-Match` some services say that the object is missing. */
function isConflict(failure: ReturnType<typeof failureOf>): boolean {
  return failure?.status === 412 || isMissing(failure);
}

function asConflict(key: string, condition: Condition, failure: ReturnType<typeof failureOf>) {
  if (isMissing(failure)) return conflict(key, 'is not there any more');
  return conflict(key, 'IfNoneMatch' in condition ? 'is there already' : 'was changed meanwhile');
}

function resultOf(key: string, size: number, version: string, isVerified: boolean): PutResult {
  return { key, size, version, ...(isVerified && { verifiedBy: 'server' as const }) };
}

function refusal(key: string, why: string): StoreError {
  return new StoreError(`"${key}" ${why}`, { retryable: false });
}
