import type { S3Client } from '@aws-sdk/client-s3';
import { type Clock, systemClock } from '../../clock.js';
import { ConfigurationError } from '../../errors.js';
import { isPortableKey } from '../keys.js';

/** S3 accepts keys of 1,024 bytes, and a key of this library has 900. */
const MAX_PREFIX_BYTES = 120;
const REQUEST_TIMEOUT_MS = 3_000;

/** Keys of an account that may use the bucket. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Only with temporary keys. */
  readonly sessionToken?: string;
}

export interface S3StoreOptions {
  /** Name of the bucket, which must exist. */
  readonly bucket: string;
  /**
   * Folder in the bucket for everything of this store, for example `bots/`; a missing `/` at its end is added. Default:
   * the whole bucket.
   */
  readonly prefix?: string;
  /** Name of the store in messages and listings. Default `s3`. */
  readonly name?: string;
  /**
   * A client of your own, instead of `endpoint`, `region`, `credentials` and `forcePathStyle`. `close()` leaves it open.
   * Its time limits are its own: set `requestTimeout` with `throwOnRequestTimeout` in its `requestHandler`.
   */
  readonly client?: S3Client;
  /** Address of an S3-compatible service, for example `https://s3.example.com`. Default: AWS. */
  readonly endpoint?: string;
  /** Default: `us-east-1` with an `endpoint`, otherwise what the environment says (`AWS_REGION`, `~/.aws/config`). */
  readonly region?: string;
  /**
   * Default: where the AWS SDK looks: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, `~/.aws/credentials`, the role of
   * the machine or container. A function is asked whenever new keys are needed.
   */
  readonly credentials?: S3Credentials | (() => Promise<S3Credentials>);
  /**
   * Whether the bucket's name stands in the path of an address, not in its host name. Default: `true` with an `endpoint`,
   * otherwise `false`.
   */
  readonly forcePathStyle?: boolean;
  /**
   * How long the server may take for the first byte of an answer, ms; then the request is tried again, up to 3 times in
   * all. Requests that send more than 64 KB end when nothing has moved for 60 s. Default 3,000.
   */
  readonly requestTimeoutMs?: number;
  /** For tests. Default: the real clock. */
  readonly clock?: Clock;
}

/** The options, checked and complete. */
export interface S3Settings {
  readonly bucket: string;
  /** Empty, or ends with `/`. */
  readonly prefix: string;
  readonly name: string;
  readonly client: S3Client | undefined;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly credentials: S3StoreOptions['credentials'];
  readonly forcePathStyle: boolean;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
}

/** Only one of these and a client can say how to connect. */
const OF_CLIENT = ['endpoint', 'region', 'credentials', 'forcePathStyle', 'requestTimeoutMs'] as const;

/** @throws ConfigurationError that names the option, its value (never a secret), and what is accepted. */
export function resolveOptions(options: S3StoreOptions): S3Settings {
  if (typeof options !== 'object' || options === null) refuse('options', options, 'an object with a bucket');
  const { bucket, name = 's3', client, endpoint, region, credentials, forcePathStyle } = options;
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS, clock = systemClock } = options;
  if (!isText(bucket) || !/^[A-Za-z0-9][\w.:/-]{1,2000}$/.test(bucket)) {
    refuse('bucket', bucket, 'the name of an existing bucket');
  }
  if (!isText(name)) refuse('name', name, 'a short text that is not empty');
  if (region !== undefined && !isText(region)) refuse('region', region, 'a name such as eu-central-1');
  if (forcePathStyle !== undefined && typeof forcePathStyle !== 'boolean') {
    refuse('forcePathStyle', forcePathStyle, 'true or false');
  }
  if (!Number.isInteger(requestTimeoutMs) || requestTimeoutMs < 100 || requestTimeoutMs > 600_000) {
    refuse('requestTimeoutMs', requestTimeoutMs, 'an integer from 100 to 600000');
  }
  if (client !== undefined) assertClient(client, options);
  if (endpoint !== undefined) assertEndpoint(endpoint);
  if (credentials !== undefined) assertCredentials(credentials);
  return {
    ...{ bucket, name, client, endpoint, credentials, requestTimeoutMs, clock },
    prefix: prefixOf(options.prefix),
    region: region ?? (endpoint === undefined ? undefined : 'us-east-1'),
    forcePathStyle: forcePathStyle ?? endpoint !== undefined,
  };
}

function prefixOf(prefix: unknown = ''): string {
  if (prefix === '') return '';
  const accepted = `a folder such as bots/, of at most ${MAX_PREFIX_BYTES} bytes, made of names as in a key`;
  if (!isText(prefix)) refuse('prefix', prefix, accepted);
  const folder = prefix.replace(/\/$/, '');
  if (!isPortableKey(folder) || Buffer.byteLength(folder) >= MAX_PREFIX_BYTES)
    refuse('prefix', prefix, accepted);
  return `${folder}/`;
}

function assertClient(client: unknown, options: S3StoreOptions): void {
  const { send, config } = (client ?? {}) as { send?: unknown; config?: unknown };
  if (typeof send !== 'function' || typeof config !== 'object') {
    refuse('client', typeof client, 'an S3Client of @aws-sdk/client-s3');
  }
  const double = OF_CLIENT.find((option) => options[option] !== undefined);
  if (double !== undefined) {
    throw new ConfigurationError(`S3Store: ${double} and client exclude each other: set it in the client`);
  }
}

/** The value is shown without what may be a password. */
function assertEndpoint(endpoint: unknown): void {
  const accepted = 'an address such as https://s3.example.com, without user, password and query';
  const url = isText(endpoint) && URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined) refuse('endpoint', typeof endpoint === 'string' ? 'no address' : endpoint, accepted);
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!isPlain || !/^https?:$/.test(url.protocol))
    refuse('endpoint', `${url.protocol}//${url.host}`, accepted);
}

function assertCredentials(credentials: unknown): void {
  if (typeof credentials === 'function') return;
  const given = (typeof credentials === 'object' && credentials !== null ? credentials : {}) as Record<
    string,
    unknown
  >;
  const { accessKeyId, secretAccessKey, sessionToken } = given;
  const isWhole =
    isText(accessKeyId) &&
    isText(secretAccessKey) &&
    (sessionToken === undefined || typeof sessionToken === 'string');
  if (isWhole) return;
  const missing = isText(accessKeyId) ? 'secretAccessKey' : 'accessKeyId';
  throw new ConfigurationError(
    `S3Store: credentials must be { accessKeyId, secretAccessKey, sessionToken? } in texts, or a function that returns them; see ${missing}`,
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function refuse(option: string, value: unknown, accepted: string): never {
  const shown =
    typeof value === 'object' && value !== null ? 'an object' : (JSON.stringify(value) ?? `${value}`);
  throw new ConfigurationError(`S3Store: ${option} is ${shown.slice(0, 120)}, but must be ${accepted}`);
}
