import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { orAborted } from '../../clock.js';
import { throwIfAborted } from '../body.js';
import { loadPeer } from '../load-peer.js';
import { toStoreFault } from './failure.js';
import type { S3Settings } from './options.js';

export type Sdk = typeof import('@aws-sdk/client-s3');

/** Ends a transfer in which nothing moves, ms. */
const IDLE_MS = 60_000;
const CONNECT_MS = 5_000;
/** A request is sent this often at most, with the SDK's backoff between. */
const MAX_ATTEMPTS = 3;

/** The SDK would write to the console that it can't repeat a stream. */
const SILENT = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What a request is made with. */
export interface Channel {
  readonly sdk: Sdk;
  readonly client: S3Client;
  /** The second argument of `client.send()`. */
  readonly http: { readonly abortSignal: AbortSignal; readonly requestTimeout?: number };
  /** Ends the request, also while its body is being sent. */
  readonly end: () => void;
}

export interface Call {
  readonly signal?: AbortSignal | undefined;
  /** A request that sends much has no time limit for its answer, as long as something moves. */
  readonly isLarge?: boolean;
}

/** The client and its module, both loaded when the first request needs them. */
export class S3Connection {
  readonly #settings: S3Settings;
  #opened: Promise<{ readonly sdk: Sdk; readonly client: S3Client }> | undefined;
  #own: S3Client | undefined;

  constructor(settings: S3Settings) {
    this.#settings = settings;
  }

  /** The store for messages. */
  get label(): string {
    return `${this.#settings.name} (bucket ${this.#settings.bucket})`;
  }

  /**
   * Makes one or more requests. Ends with the signal, also if the SDK waits for something else.
   *
   * @param what for the message of an error: `put "shop/a"`
   * @throws StoreError; the reason of the signal; ConfigurationError if the SDK is not installed
   */
  async run<T>(what: string, call: Call, work: (channel: Channel) => Promise<T>): Promise<T> {
    const { signal } = call;
    throwIfAborted(signal);
    const ending = new AbortController();
    const end = () => ending.abort();
    signal?.addEventListener('abort', end, { once: true });
    try {
      const { sdk, client } = await this.#open();
      const http = { abortSignal: ending.signal, ...this.#limit(call) };
      const working = work({ sdk, client, http, end });
      return await (signal === undefined ? working : orAborted(working, signal));
    } catch (error) {
      throw toStoreFault(`${what} in ${this.label}`, error, this.#secrets(), signal);
    } finally {
      signal?.removeEventListener('abort', end);
    }
  }

  /** Ends the connections that this store has opened. */
  close(): void {
    this.#own?.destroy();
    this.#own = undefined;
    this.#opened = undefined;
  }

  #limit({ isLarge = false }: Call): { requestTimeout?: number } {
    if (this.#settings.client !== undefined) return {};
    return { requestTimeout: isLarge ? 0 : this.#settings.requestTimeoutMs };
  }

  #open(): Promise<{ readonly sdk: Sdk; readonly client: S3Client }> {
    this.#opened ??= this.#load().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #load() {
    const sdk = await loadPeer(
      '@aws-sdk/client-s3',
      'S3Store',
      (name) =>
        import(/* webpackIgnore: true */ /* turbopackIgnore: true */ name) as Promise<
          typeof import('@aws-sdk/client-s3')
        >,
    );
    const { client } = this.#settings;
    if (client !== undefined) return { sdk, client: withoutExtraChecksums(client) };
    this.#own = new sdk.S3Client(configOf(this.#settings));
    return { sdk, client: this.#own };
  }

  #secrets(): readonly string[] {
    const { credentials } = this.#settings;
    if (credentials === undefined || typeof credentials === 'function') return [];
    return [credentials.secretAccessKey, credentials.sessionToken ?? ''].filter((secret) => secret !== '');
  }
}

function configOf(settings: S3Settings): S3ClientConfig {
  const { endpoint, region, credentials, forcePathStyle, requestTimeoutMs } = settings;
  return {
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && { credentials }),
    forcePathStyle,
    maxAttempts: MAX_ATTEMPTS,
    // With their defaults, streams are sent in a framing that some services refuse, and others store.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // It would open a connection of its own for each put from 2 MB on, and wait 6 s where the server does not know it.
    expectContinueHeader: false,
    logger: SILENT,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: IDLE_MS,
    },
  };
}

/** The same client for requests of this store; the one that was given stays as it is. */
function withoutExtraChecksums(given: S3Client): S3Client {
  const config = { ...given.config, requestChecksumCalculation: async () => 'WHEN_REQUIRED' as const };
  return Object.create(given, { config: { value: config } });
}
