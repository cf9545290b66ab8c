import path from 'node:path';
import { type Clock, withDeadline } from '../clock.js';
import { describeError } from '../errors.js';
import type { FileSystem } from '../file-system.js';
import { tryToWrite } from '../own-file.js';
import type { ClientInternals, WebVersionCacheOptions } from './client-types.js';
import { faultOfRemotePage, type RemotePageFault } from './remote-page.js';

/** Of whatsapp-web.js's LocalWebCache. */
const DEFAULT_FOLDER = './.wwebjs_cache/';
/** A folder on a network disk that hangs counts as one that can't be written. */
const TRY_DEADLINE_MS = 5_000;

/** What was found of the folder in which the client keeps WhatsApp's page. */
export interface UnwritableWebCache {
  readonly kind: 'unwritable';
  /** Absolute. */
  readonly folder: string;
  readonly why: string;
}

/** What was found of the server that WhatsApp's page was to come from. */
export interface UnreachableWebCache extends RemotePageFault {
  readonly kind: 'unreachable';
  readonly version: string;
  /** Whether the bot wants no other page than that one. */
  readonly isStrict: boolean;
}

export type WebCacheFault = UnwritableWebCache | UnreachableWebCache;

/**
 * Keeps a client from hanging on its web cache. whatsapp-web.js writes WhatsApp's page into a folder, `./.wwebjs_cache`
 * unless told otherwise, between `authenticated` and `ready`, in a function that only the page calls (Client.js,
 * onAppStateHasSyncedEvent): where the folder can't be written, `ready` never comes, and nothing says why.
 */
export class WebCache {
  readonly #client: ClientInternals;
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  /** What the bot has set, while it is replaced. */
  #given: WebVersionCacheOptions | undefined;

  constructor(client: ClientInternals, parts: { readonly fs: FileSystem; readonly clock: Clock }) {
    this.#client = client;
    this.#fs = parts.fs;
    this.#clock = parts.clock;
  }

  /**
   * Call before every start: tries the folder, or asks the server, and starts the client without a cache where that is of no
   * use. Where it is again, the bot's own setting is back.
   *
   * @returns what was found, where the cache is switched off for this start, or is strict and the start can't succeed
   * @throws the signal's reason, nothing else
   */
  async settle(signal: AbortSignal): Promise<WebCacheFault | undefined> {
    const { options } = this.#client;
    if (options === undefined) return undefined;
    if (this.#given !== undefined) options.webVersionCache = this.#given;
    this.#given = undefined;
    const given = options.webVersionCache;
    if (given?.type === 'remote') return this.#settleRemote(options, given, signal);
    if (given?.type !== 'local' || given.strict === true) return undefined; // a strict one writes nothing
    const folder = path.resolve(
      typeof given.path === 'string' && given.path !== '' ? given.path : DEFAULT_FOLDER,
    );
    if (await this.#holds(folder, options.webVersion)) return undefined;
    const why = await this.#whyUnwritable(folder);
    if (why === undefined) return undefined;
    this.#given = given;
    options.webVersionCache = { type: 'none' };
    return { kind: 'unwritable', folder, why };
  }

  async #settleRemote(
    options: NonNullable<ClientInternals['options']>,
    given: WebVersionCacheOptions,
    signal: AbortSignal,
  ): Promise<UnreachableWebCache | undefined> {
    const version = String(options.webVersion);
    const asked = { remotePath: given.remotePath, version };
    const fault = await faultOfRemotePage(asked, { clock: this.#clock, signal });
    if (fault === undefined) return undefined;
    const isStrict = given.strict === true;
    // As the client does by itself, without a deadline and without a word: it loads the newest page.
    if (!isStrict) {
      this.#given = given;
      options.webVersionCache = { type: 'none' };
    }
    return { kind: 'unreachable', ...fault, version, isStrict };
  }

  /** A version that is asked for and is there is read, and never written: also from a disk that is read-only. */
  async #holds(folder: string, version: unknown): Promise<boolean> {
    if (typeof version !== 'string') return false;
    const page = path.join(folder, `${version}.html`);
    const look = async () =>
      (await this.#fs.promises.stat(page)).isFile() && (await this.#fs.promises.readFile(page)).length > 0;
    return this.#within(look()).catch(() => false);
  }

  async #whyUnwritable(folder: string): Promise<string | undefined> {
    const tryIt = async () => {
      await this.#fs.promises.mkdir(folder, { recursive: true });
      await tryToWrite(this.#fs, folder, 'a page of WhatsApp Web');
    };
    try {
      await this.#within(tryIt());
      return undefined;
    } catch (error) {
      return describeError(error).message;
    }
  }

  #within<Result>(work: Promise<Result>): Promise<Result> {
    return withDeadline(this.#clock, TRY_DEADLINE_MS, 'the web cache', work);
  }
}
