import path from 'node:path';
import { type Clock, withDeadline } from '../clock.js';
import { describeError } from '../errors.js';
import { type FileSystem, makeFolders } from '../file-system.js';
import { tryToWrite } from '../own-file.js';
import type { ClientInternals, WebVersionCacheOptions } from './client-types.js';
import { faultOfRemotePage, type RemotePageFault } from './remote-page.js';

/** The default folder of whatsapp-web.js's LocalWebCache. */
const DEFAULT_FOLDER = './.wwebjs_cache/';
/** A folder on a network disk that does not answer in this time counts as not writable. */
const TRY_DEADLINE_MS = 5_000;

/** The folder in which the client keeps WhatsApp's page can't be written. */
export interface UnwritableWebCache {
  readonly kind: 'unwritable';
  /** Absolute path. */
  readonly folder: string;
  readonly why: string;
}

/** The server that WhatsApp's page should come from does not deliver it. */
export interface UnreachableWebCache extends RemotePageFault {
  readonly kind: 'unreachable';
  readonly version: string;
  /** Whether the bot accepts no other page than that one. */
  readonly isStrict: boolean;
}

export type WebCacheFault = UnwritableWebCache | UnreachableWebCache;

/**
 * Prevents that a client hangs because of its web cache. Between `authenticated` and `ready`, whatsapp-web.js writes
 * WhatsApp's page into a folder, by default `./.wwebjs_cache`, in a function that only the page calls (Client.js,
 * onAppStateHasSyncedEvent). If the folder can't be written, `ready` never comes, and there is no error.
 */
export class WebCache {
  readonly #client: ClientInternals;
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  /** The bot's own setting, while it is replaced. */
  #given: WebVersionCacheOptions | undefined;

  constructor(client: ClientInternals, parts: { readonly fs: FileSystem; readonly clock: Clock }) {
    this.#client = client;
    this.#fs = parts.fs;
    this.#clock = parts.clock;
  }

  /**
   * Call this before every start. Tests the folder or asks the server, and switches the client's cache off for this start if
   * it does not work. Once it works again, the bot's own setting is used again.
   *
   * @returns the fault, if the cache is switched off for this start, or is strict so that the start can't succeed
   * @throws the signal's reason, nothing else
   */
  async settle(signal: AbortSignal): Promise<WebCacheFault | undefined> {
    const { options } = this.#client;
    if (options === undefined) return undefined;
    if (this.#given !== undefined) options.webVersionCache = this.#given;
    this.#given = undefined;
    const given = options.webVersionCache;
    if (given?.type === 'remote') return this.#settleRemote(options, given, signal);
    if (given?.type !== 'local' || given.strict === true) return undefined; // a strict cache writes nothing
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
    // Without a cache the client loads the newest page. It would do so by itself too, but with no deadline and no warning.
    if (!isStrict) {
      this.#given = given;
      options.webVersionCache = { type: 'none' };
    }
    return { kind: 'unreachable', ...fault, version, isStrict };
  }

  /** Whether the folder has the requested version. It is then only read and never written, so a read-only disk is fine. */
  async #holds(folder: string, version: unknown): Promise<boolean> {
    if (typeof version !== 'string') return false;
    const page = path.join(folder, `${version}.html`);
    const look = async () =>
      (await this.#fs.promises.stat(page)).isFile() && (await this.#fs.promises.readFile(page)).length > 0;
    return this.#within(look()).catch(() => false);
  }

  async #whyUnwritable(folder: string): Promise<string | undefined> {
    const tryIt = async () => {
      await makeFolders(this.#fs, folder, 0o777);
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
