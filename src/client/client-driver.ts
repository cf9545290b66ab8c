import type { Clock } from '../clock.js';
import { ClosedError, ConfigurationError } from '../errors.js';
import type { PendingPairing } from '../types.js';
import { addIsConnected, isBrowserConnected } from './browser-handle.js';
import { type ClientEvent, translate } from './client-event.js';
import type { BrowserHandle, ClientInternals, PageHandle, WhatsAppClient } from './client-types.js';
import { guardInject } from './guard-inject.js';
import { launchesBrowser, navigatesByPage } from './hold-navigation.js';
import { intercept } from './intercept.js';
import { destroyStartsAgain, ownClose } from './own-close.js';
import { PageNews } from './page-news.js';
import { withPageFacts } from './start-news.js';
import { watchPage } from './watch-page.js';

/** Decides what the client may do, and is told what it did. */
export interface ClientSupervisor {
  onClientEvent(event: ClientEvent): void;
  /** Whether a QR or pairing code may be requested and delivered now. */
  mayPair(): boolean;
  /** These are called when the bot itself calls `client.initialize()`, `.destroy()` or `.logout()`. */
  onBotInitialize(): Promise<void>;
  onBotDestroy(): Promise<void>;
  onBotLogout(): Promise<void>;
}

const NOBODY: ClientSupervisor = {
  onClientEvent: () => undefined,
  mayPair: () => true,
  onBotInitialize: async () => undefined,
  onBotDestroy: async () => undefined,
  onBotLogout: async () => undefined,
};

/** Marks a client that has a session, because it can have only one. All builds of the library share this symbol. */
const taken = Symbol.for('wwebjs-persistent-session.driver');

/**
 * The only class that changes the bot's client. It wraps the methods `emit`, `inject`, `initialize`, `destroy`, `logout`
 * and `requestPairingCode` of the instance, and the strategy's `logout`. Everything else stays, including the listeners.
 */
export class ClientDriver {
  readonly #client: ClientInternals;
  #supervisor: ClientSupervisor = NOBODY;
  readonly #originals: {
    readonly initialize: () => Promise<unknown>;
    readonly close: () => Promise<unknown>;
    readonly logout: () => Promise<unknown>;
  };
  readonly #clock: Clock;
  #mayNavigate: () => Promise<void> = async () => undefined;
  readonly #navigatesByPage: boolean;
  readonly #pageNews = new PageNews();
  #starting = false;
  #closing = true;
  #pairing: PendingPairing | undefined;
  #launched: Promise<unknown> = Promise.resolve();
  /** Number of our starts that have not settled yet, including those that we no longer wait for. */
  #launches = 0;
  #onForeignStart: () => void = () => undefined;
  readonly #launchListeners = new Set<(launched: Promise<unknown>) => void>();
  /** Whether the client has emitted `ready` since its browser was launched. */
  #wasReady = false;
  /** Set for the rest of a tick in which the client gave up by itself, because it calls its `destroy()` in the same tick. */
  #ownDestroyFollows = false;

  /** @throws ConfigurationError when the client already has a session, is already running, or can't be closed. */
  constructor(client: WhatsAppClient, clock: Clock) {
    this.#client = client as ClientInternals;
    this.#clock = clock;
    this.#navigatesByPage = navigatesByPage(client);
    if (taken in client) {
      throw new ConfigurationError(
        'client: this client already has a PersistentSession; use that one, or a new Client',
      );
    }
    if (this.connected) {
      throw new ConfigurationError(
        'client: this client was started already, and its browser is open; call new PersistentSession(client) first, ' +
          'then initialize()',
      );
    }
    this.#originals = {
      initialize: client.initialize.bind(client),
      close: ownClose(this.#client),
      logout: client.logout.bind(client),
    };
  }

  /** Wraps the client, so that `supervisor` decides from now on. Call it once. */
  attach(supervisor: ClientSupervisor): void {
    this.#supervisor = supervisor;
    Object.defineProperty(this.#client, taken, { value: true });
    this.#wrapCalls();
    this.#wrapEmit();
    this.#wrapInject();
    this.#wrapStrategy();
    this.#watchBrowser();
  }

  /** Holds the navigations of each page until `verdict` resolves; if it rejects, the start fails with that error. */
  holdNavigation(verdict: () => Promise<void>): void {
    this.#mayNavigate = verdict;
  }

  /** Whether a browser that the client starts next opens no page before {@link holdNavigation} lets it. */
  get canHoldNavigation(): boolean {
    return this.#navigatesByPage && launchesBrowser(this.#client);
  }

  /** Sets the listener for a browser that was started by other code, which called the client's own `initialize()`. */
  onForeignStart(listener: () => void): void {
    this.#onForeignStart = listener;
  }

  get client(): ClientInternals {
    return this.#client;
  }

  /** The QR or code that was delivered last; `undefined` once it is used, has expired, or the browser has ended. */
  get pairing(): PendingPairing | undefined {
    return this.#closing ? undefined : this.#pairing;
  }

  /** The last error in the page, or in the client's functions that the page calls. */
  get lastPageError(): string | undefined {
    return this.#pageNews.last;
  }

  /** To be called when the waiting code can't be used any more. */
  expirePairing(): void {
    this.#pairing = undefined;
  }

  get page(): PageHandle | undefined {
    return this.#client.pupPage ?? undefined;
  }

  get browser(): BrowserHandle | undefined {
    return this.#client.pupBrowser ?? undefined;
  }

  /** Whether there is a browser and the connection to it is alive. */
  get connected(): boolean {
    const browser = this.browser;
    return browser !== undefined && isBrowserConnected(browser);
  }

  /** Starts the client by its own `initialize()`, and rejects with the same error. */
  async launch(): Promise<void> {
    this.#closing = false;
    this.#pairing = undefined;
    this.#wasReady = false;
    this.#starting = true;
    this.#pageNews.clear();
    const launched = this.#originals.initialize();
    this.#launches++;
    for (const listener of this.#launchListeners) listener(launched);
    const settled = () => void this.#launches--;
    this.#launched = launched.then(settled, settled);
    try {
      await launched;
    } finally {
      this.#starting = false;
    }
  }

  /** Calls `listener` with the promise of the client's own `initialize()` at every start. Returns an unsubscribe function. */
  onLaunch(listener: (launched: Promise<unknown>) => void): () => void {
    this.#launchListeners.add(listener);
    return () => this.#launchListeners.delete(listener);
  }

  /** Whether the browser is being closed, or was closed and no other one has been started since. */
  get isClosing(): boolean {
    return this.#closing;
  }

  /** Settles when no start of the client is running any more. Never rejects. */
  get launched(): Promise<unknown> {
    return this.#launched;
  }

  /** From now on the session ignores the running browser's events, and the bot gets no QR or code from it. */
  beginClosing(): void {
    this.#closing = true;
  }

  /** Closes the browser by the client's own `destroy()`, or by the method that replaces it in a fork. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#originals.close();
  }

  /** Unlinks the device by the client's own `logout()`. Does not delete the profile. */
  async logout(): Promise<void> {
    this.#closing = true;
    await this.#originals.logout();
  }

  #wrapCalls(): void {
    if (destroyStartsAgain(this.#client)) this.#client.stop = () => this.#supervisor.onBotDestroy();
    this.#client.initialize = () => this.#supervisor.onBotInitialize();
    this.#client.destroy = async () => {
      if (this.#ownDestroyFollows) return;
      await this.#supervisor.onBotDestroy();
    };
    this.#client.logout = () => this.#supervisor.onBotLogout();
  }

  #wrapEmit(): void {
    const emit = this.#client.emit.bind(this.#client);
    this.#client.emit = (event, ...args) => {
      if (this.#closing) return event === 'qr' || event === 'code' ? false : emit(event, ...args);
      const news = translate(event, args, this.#wasReady);
      if (news?.type === 'pairing' && !this.#supervisor.mayPair()) {
        this.#tell({ type: 'pairing-held', via: news.via });
        return false;
      }
      this.#notePairing(news, args[0]);
      if (news) this.#tell(news);
      if (news?.type === 'ready') {
        if (news.repeated) return false;
        this.#wasReady = true;
      }
      const isLast = news?.type === 'disconnected' || news?.type === 'auth-failure';
      // After a LOGOUT the same browser still shows a QR, which must be ignored (docs/chromium-facts.md F2.2).
      if (isLast) this.#closing = true;
      const heard = emit(event, ...args);
      if (isLast) this.#expectOwnDestroy();
      return heard;
    };
  }

  #notePairing(news: ClientEvent | undefined, value: unknown): void {
    if (news?.type === 'pairing') {
      const receivedAt = new Date(this.#clock.now()).toISOString();
      this.#pairing = { kind: news.via, value: String(value), receivedAt };
    } else if (news?.type === 'authenticated' || news?.type === 'ready') this.#pairing = undefined;
  }

  // Client.js emits `disconnected` or `auth_failure` and calls `this.destroy()` in the same tick. The supervisor already
  // closes the browser properly, so that call must neither interfere nor count as a call of the bot.
  #expectOwnDestroy(): void {
    this.#ownDestroyFollows = true;
    queueMicrotask(() => {
      this.#ownDestroyFollows = false;
    });
  }

  #wrapInject(): void {
    guardInject(this.#client, {
      isClosing: () => this.#closing,
      isStarting: () => this.#starting,
      mayPair: () => this.#supervisor.mayPair(),
      onHeldCode: () => this.#tell({ type: 'pairing-held', via: 'code' }),
      onFailed: (error) => this.#tell({ type: 'inject-failed', error: withPageFacts(error, this) }),
    });
  }

  // LocalAuth.logout() deletes the profile of the running browser (docs/chromium-facts.md F2.2). It starts in the same tick
  // as `disconnected('LOGOUT')`, too early for a listener to prevent it. So it is replaced, and the session does its work.
  #wrapStrategy(): void {
    const strategy = this.#client.authStrategy;
    if (strategy) strategy.logout = async () => undefined;
  }

  /** Watches browser and page from the start, because the client does not notice their end (docs/chromium-facts.md F2.3). */
  #watchBrowser(): void {
    intercept(this.#client, 'pupBrowser', (browser: BrowserHandle) => {
      addIsConnected(browser);
      if (this.#launches === 0) this.#onForeignStart();
      // The session no longer waited for this launch, or other code started the browser without a session: it is not needed.
      if (this.#closing) browser.close().catch(() => browser.process?.()?.kill?.('SIGKILL'));
      this.#tell({ type: 'browser-launched', pid: browser.process?.()?.pid });
      browser.on('disconnected', () => {
        if (browser === this.browser) this.#tell({ type: 'browser-gone' });
      });
    });
    intercept(this.#client, 'pupPage', (page: PageHandle) => {
      watchPage(page, {
        clock: this.#clock,
        news: this.#pageNews,
        tell: (event) => void (page === this.page && this.#tell(event)),
        onContained: (event) => this.#supervisor.onClientEvent(event),
        isStarting: () => this.#starting,
        mayNavigate: () => this.#passGate(),
      });
    });
  }

  async #passGate(): Promise<void> {
    await this.#mayNavigate();
    // The session no longer waits for this launch, and may already be replacing what its page would open.
    if (this.#closing) throw new ClosedError('the browser is being closed');
  }

  #tell(event: ClientEvent): void {
    if (!this.#closing) this.#supervisor.onClientEvent(event);
  }
}
