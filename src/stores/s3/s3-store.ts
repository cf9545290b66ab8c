import type { Readable } from 'node:stream';
import { adoptBody, discardBody, throwIfAborted } from '../body.js';
import { assertConditions, assertOffered } from '../conditions.js';
import { assertDigest } from '../digest.js';
import { assertPortableKey, assertPortablePrefix } from '../keys.js';
import { assertRange, assertVersion } from '../ranges.js';
import type {
  DeleteOptions,
  DeleteResult,
  GetOptions,
  ObjectInfo,
  PutOptions,
  PutResult,
  SessionStore,
  StoreCallOptions,
  StoreCapabilities,
  StoredObject,
} from '../session-store.js';
import { type BucketConditions, BucketProbe } from './bucket-probe.js';
import { S3Connection } from './connection.js';
import { ObjectDeleter } from './deleter.js';
import { listObjects } from './listing.js';
import { deleteObjects } from './many-deletes.js';
import { resolveOptions, type S3Settings, type S3StoreOptions } from './options.js';
import { ObjectReader } from './reader.js';
import { Uploader } from './uploader.js';

/**
 * Stores objects in a bucket of AWS S3 or of any service that speaks its protocol. Needs the package
 * `@aws-sdk/client-s3`, and `@aws-sdk/lib-storage` for streams of more than 64 MB (8 MB where their size is not known).
 * Nothing is connected before the first call.
 *
 * Services differ in what they do with conditions, and many ignore them without a word. So the first put with a condition
 * tries them on the bucket, with an object of its own that is removed again. Where they are ignored, `capabilities` says
 * `conditionalPut: false` from then on and such puts are refused with a `StoreError`: two processes can't be kept apart
 * there. {@link probeConditions} asks at once. There are no fenced puts: a lease on S3 puts with `ifVersion`.
 *
 * A version is the ETag. The same bytes may get the same version again, so what must differ each time holds a nonce.
 *
 * @example
 * const store = new S3Store({
 *   bucket: 'my-bots',
 *   prefix: 'whatsapp/',
 *   endpoint: 'https://s3.example.com',
 *   credentials: { accessKeyId: '…', secretAccessKey: '…' },
 * });
 * const session = new PersistentSession(client, { store });
 */
export class S3Store implements SessionStore {
  readonly name: string;
  readonly #settings: S3Settings;
  readonly #connection: S3Connection;
  readonly #probe: BucketProbe;
  readonly #uploader: Uploader;
  readonly #reader: ObjectReader;
  readonly #deleter: ObjectDeleter;
  readonly #listeners = new Set<(notice: string) => void>();
  readonly #notices: string[] = [];
  /** What the probe has found. */
  #conditions: BucketConditions | undefined;

  /** @throws ConfigurationError that names the option, its value (never a secret), and what is accepted. */
  constructor(options: S3StoreOptions) {
    const settings = resolveOptions(options);
    const { bucket, prefix, clock } = settings;
    this.name = settings.name;
    this.#settings = settings;
    this.#connection = new S3Connection(settings);
    this.#probe = new BucketProbe(this.#connection, {
      ...{ bucket, prefix, clock },
      onConditions: (found) => this.#learn(found),
    });
    const place = { connection: this.#connection, bucket, keyIn: (key: string) => `${prefix}${key}` };
    this.#reader = new ObjectReader(place);
    this.#uploader = new Uploader({ ...place, probe: this.#probe, clock });
    this.#deleter = new ObjectDeleter({ ...place, prefix }, this.#reader);
  }

  /**
   * Conditional puts count as offered until the bucket was tried, conditional deletes only when it was. It is tried by the
   * first put with a condition, and by {@link probeConditions}.
   */
  get capabilities(): StoreCapabilities {
    const found = this.#conditions;
    if (found === undefined) return { conditionalPut: true };
    return { conditionalPut: holdsForPuts(found), conditionalDelete: found.deleteIfMatch };
  }

  /**
   * Tries the conditions on the bucket, unless that has been done: up to ten small requests below the prefix.
   *
   * @throws StoreError if the bucket does not answer, or the keys lack a right; the next call tries again.
   */
  async probeConditions({ signal }: StoreCallOptions = {}): Promise<StoreCapabilities> {
    throwIfAborted(signal);
    await this.#probe.conditions(signal);
    return this.capabilities;
  }

  async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}): Promise<PutResult> {
    adoptBody(body);
    try {
      assertPortableKey(key);
      throwIfAborted(options.signal);
      assertConditions(key, options);
      assertOffered(this, key, { put: options });
      assertDigest(key, options.digest);
      return await this.#uploader.put(key, body, options);
    } catch (error) {
      discardBody(body);
      throw error;
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    assertPortableKey(key);
    assertRange(key, options.range);
    const found = await this.#reader.get(key, options);
    if (found === undefined) return undefined;
    try {
      assertVersion(key, options.ifVersion, found.info.version);
    } catch (error) {
      found.body.destroy();
      throw error;
    }
    return found;
  }

  async head(key: string, options: StoreCallOptions = {}): Promise<ObjectInfo | undefined> {
    assertPortableKey(key);
    return this.#reader.head(key, options);
  }

  async *list(prefix: string, { signal }: StoreCallOptions = {}): AsyncGenerator<ObjectInfo, void, void> {
    throwIfAborted(signal);
    assertPortablePrefix(prefix);
    const { bucket, prefix: folder } = this.#settings;
    yield* listObjects(this.#connection, { bucket, prefix: folder, below: prefix, signal });
  }

  /** Costs two requests, because S3 does not tell whether there was anything to delete. */
  async delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    assertPortableKey(key);
    throwIfAborted(options.signal);
    if (options.ifVersion !== undefined) {
      await this.#probe.conditions(options.signal);
      assertOffered(this, key, { delete: options });
    }
    return this.#deleter.delete(key, options, this.#conditions);
  }

  async deleteMany(
    keys: readonly string[],
    options: StoreCallOptions = {},
  ): Promise<readonly DeleteResult[]> {
    throwIfAborted(options.signal);
    const { bucket, prefix } = this.#settings;
    return deleteObjects({ connection: this.#connection, bucket, prefix }, keys, options);
  }

  /** Ends the connections that the store has opened; a client that was given stays open. */
  async close(): Promise<void> {
    this.#connection.close();
  }

  /**
   * Sets a listener for what the bucket does not offer. What was found before is told at once.
   *
   * @internal
   */
  onNotice(listener: (notice: string) => void): void {
    this.#listeners.add(listener);
    for (const notice of this.#notices) listener(notice);
  }

  #learn(found: BucketConditions): void {
    this.#conditions = found;
    if (holdsForPuts(found)) return;
    const notice =
      `the bucket ${this.#settings.bucket} ignores the conditions of a put (If-None-Match, If-Match), so that two ` +
      'processes can not be kept apart by it: it is refused as the place of a lease';
    this.#notices.push(notice);
    for (const listener of this.#listeners) listener(notice);
  }
}

function holdsForPuts({ ifNoneMatch, ifMatch }: BucketConditions): boolean {
  return ifNoneMatch && ifMatch !== undefined;
}
