import type { Readable } from 'node:stream';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { ByteRange, GetOptions, ObjectInfo, StoreCallOptions, StoredObject } from '../session-store.js';
import { infoOf, wholeSize } from './answers.js';
import type { S3Connection } from './connection.js';
import { bodyOf, emptyBody } from './download.js';
import { failureOf, isMissing } from './failure.js';

export interface ReaderPlace {
  readonly connection: S3Connection;
  readonly bucket: string;
  readonly keyIn: (key: string) => string;
}

/** What is read of a bucket: objects, parts of them, and what is known of them. */
export class ObjectReader {
  readonly #place: ReaderPlace;

  constructor(place: ReaderPlace) {
    this.#place = place;
  }

  async head(key: string, options: StoreCallOptions): Promise<ObjectInfo | undefined> {
    const { connection, bucket, keyIn } = this.#place;
    try {
      return await connection.run(`look up "${key}"`, options, async ({ sdk, client, http }) => {
        const found = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: keyIn(key) }), http);
        return infoOf(key, found.ContentLength, found);
      });
    } catch (error) {
      if (failureOf(error)?.status !== 404) throw error;
      // The answer to a HEAD has no text: a missing bucket looks the same, and only a GET tells them apart.
      const found = await this.#open(
        key,
        { ...options, range: { offset: 0, length: 1 } },
        async () => undefined,
      );
      found?.body.destroy();
      return found?.info;
    }
  }

  async get(key: string, options: GetOptions): Promise<StoredObject | undefined> {
    const { range } = options;
    const found = range?.length === 0 ? undefined : await this.#open(key, options);
    if (found !== undefined || range?.length !== 0) return found;
    return this.#nothingOf(key, range, options);
  }

  /** @param nothing the answer where the object has nothing in the range; by default what a HEAD tells of it */
  async #open(
    key: string,
    options: GetOptions,
    nothing: (range: ByteRange) => Promise<StoredObject | undefined> = (range) =>
      this.#nothingOf(key, range, options),
  ): Promise<StoredObject | undefined> {
    const { connection, bucket, keyIn } = this.#place;
    const { range } = options;
    try {
      return await connection.run(`read "${key}"`, options, async ({ sdk, client, http }) => {
        const part = range === undefined ? {} : { Range: headerOf(range) };
        const command = new sdk.GetObjectCommand({ Bucket: bucket, Key: keyIn(key), ...part });
        return asStored(key, await client.send(command, http), range);
      });
    } catch (error) {
      const failure = failureOf(error);
      if (isMissing(failure)) return undefined;
      if (failure?.status === 416 && range !== undefined) return nothing(range);
      throw error;
    }
  }

  /** The answer where the object has nothing in the range. */
  async #nothingOf(
    key: string,
    range: ByteRange,
    options: StoreCallOptions,
  ): Promise<StoredObject | undefined> {
    const info = await this.head(key, options);
    return info && { info, body: emptyBody(), range };
  }
}

function headerOf({ offset, length }: ByteRange): string {
  return `bytes=${offset}-${Math.min(offset + length, Number.MAX_SAFE_INTEGER) - 1}`;
}

/** A service that ignores the range gives everything, and tells no part; the library then cuts it out. */
function asStored(key: string, found: GetObjectCommandOutput, range: ByteRange | undefined): StoredObject {
  const source = found.Body as Readable;
  try {
    const isPart = range !== undefined && found.ContentRange !== undefined;
    const size = isPart ? wholeSize(found.ContentRange) : found.ContentLength;
    const info = infoOf(key, size, found);
    const body = bodyOf(key, source, found.ContentLength ?? 0);
    return { info, body, ...(isPart && { range }) };
  } catch (error) {
    source.on('error', () => undefined).destroy();
    throw error;
  }
}
