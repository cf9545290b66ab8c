import { EventEmitter } from 'node:events';
import { type FileSystem, systemFileSystem } from '../file-system.js';
import { FakeBrowser, FakePage } from './fake-browser.js';
import { type FakeLogin, openAsChromium, readFakeProfile, writeFakeProfile } from './fake-profile.js';
import { FakeLocalAuth, type FakeLocalAuthOptions, FakeNoAuth } from './fake-strategy.js';
import type { FakeWhatsApp } from './fake-whatsapp.js';

export interface FakeClientOptions {
  readonly whatsApp: FakeWhatsApp;
  /** LocalAuth's options; without them the client uses NoAuth. */
  readonly localAuth?: FakeLocalAuthOptions;
  /** The file system of the profile. Default: the real one. */
  readonly fs?: FileSystem;
  readonly puppeteer?: Record<string, unknown>;
  /**
   * Major version of the Chromium that the client launches. That browser reports its version, writes with its own
   * data version, and resets a database that a newer browser has written. Default: a browser that reports no
   * version and does none of this.
   */
  readonly chromium?: number;
  readonly takeoverOnConflict?: boolean;
  /** Pairs by code instead of QR. */
  readonly pairWithPhoneNumber?: string;
  /** The client gives up after this many QR codes; 0 (the default) means never. */
  readonly qrMaxRetries?: number;
}

/**
 * Behaves as the Client of whatsapp-web.js 1.34.7 does towards this library, without a browser: it starts, shows a
 * QR, becomes ready, loses its state and logs out in the same order of calls and events, on a profile that is
 * sound on disk. For tests of bots and of this library.
 *
 * @example
 * const whatsApp = new FakeWhatsApp();
 * const client = new FakeClient({ whatsApp, localAuth: { dataPath: folder, clientId: 'shop' } });
 * const session = new PersistentSession(client, { sessionPath, backupPath });
 * await session.initialize(); // a QR
 * await client.scan(); // ready
 */
export class FakeClient extends EventEmitter {
  readonly options: {
    puppeteer: Record<string, unknown>;
    takeoverOnConflict: boolean;
    pairWithPhoneNumber: { phoneNumber: string };
    qrMaxRetries: number;
  };
  readonly authStrategy: FakeNoAuth;
  readonly whatsApp: FakeWhatsApp;
  pupBrowser: FakeBrowser | null = null;
  pupPage: FakePage | null = null;
  info: { wid: { _serialized: string } } | undefined;
  /** The texts that were sent, oldest first. */
  readonly sent: { readonly chatId: string; readonly content: string }[] = [];
  /** How often the browser was launched. */
  launches = 0;
  /**
   * While set, injecting the client's code into the page rejects with this error, as after a navigation at a bad
   * moment.
   */
  injectError: unknown;
  /** While set, the browser does not start: `initialize()` rejects with this error, as puppeteer's launch does. */
  launchError: unknown;
  readonly #fs: FileSystem;
  /** See {@link FakeClientOptions.chromium}; a test may change it, as a browser update does. */
  chromium: number | undefined;
  #qrShown = 0;
  #lastLoggedOut = false;

  constructor(options: FakeClientOptions) {
    super();
    this.whatsApp = options.whatsApp;
    this.#fs = options.fs ?? systemFileSystem;
    this.chromium = options.chromium;
    this.options = {
      puppeteer: { ...options.puppeteer },
      takeoverOnConflict: options.takeoverOnConflict ?? false,
      pairWithPhoneNumber: { phoneNumber: options.pairWithPhoneNumber ?? '' },
      qrMaxRetries: options.qrMaxRetries ?? 0,
    };
    this.authStrategy = options.localAuth
      ? new FakeLocalAuth(this, this.#fs, options.localAuth)
      : new FakeNoAuth(this, this.#fs);
  }

  /** @throws Error as long as a NoAuth client has no folder */
  get profileDir(): string {
    const { userDataDir } = this.options.puppeteer;
    if (typeof userDataDir !== 'string') throw new Error('the fake client has no profile yet');
    return userDataDir;
  }

  async initialize(): Promise<void> {
    await this.authStrategy.beforeBrowserInitialized();
    this.launches++;
    if (this.launchError !== undefined) throw this.launchError;
    const browser = new FakeBrowser(
      this.chromium === undefined ? undefined : `Chrome/${this.chromium}.0.7000.1`,
    );
    const page = new FakePage(browser);
    this.pupBrowser = browser;
    this.pupPage = page;
    await this.authStrategy.afterBrowserInitialized();
    if (this.whatsApp.offline) throw new Error('net::ERR_CONNECTION_REFUSED at https://web.whatsapp.com/');
    if (this.whatsApp.hangs) await browser.closed;
    page.otherPage = this.whatsApp.otherPage;
    await page.goto('https://web.whatsapp.com/');
    if (this.chromium) await openAsChromium(this.#fs, this.profileDir, this.chromium);
    await this.inject();
    page.on('framenavigated', async (frame: { url(): string }) => {
      if (frame.url().includes('post_logout=1') || this.#lastLoggedOut) {
        this.emit('disconnected', 'LOGOUT');
        await this.authStrategy.logout();
        await this.authStrategy.beforeBrowserInitialized();
        await this.authStrategy.afterBrowserInitialized();
        this.#lastLoggedOut = false;
      }
      await this.inject();
    });
  }

  async inject(): Promise<void> {
    const page = this.#openPage();
    if (this.injectError !== undefined) throw this.injectError;
    if (page.otherPage !== undefined) throw 'auth timeout'; // a string, as whatsapp-web.js throws it
    page.state = this.whatsApp.stallsIn ?? 'OPENING';
    if (this.whatsApp.stallsIn !== undefined) await this.pupBrowser?.closed;
    const login = await readFakeProfile(this.#fs, this.profileDir);
    await page.evaluate('Socket.state');
    const isLoggedIn = login !== undefined && this.whatsApp.accepts(login);
    page.state = isLoggedIn ? 'CONNECTED' : 'UNPAIRED';
    page.onSynced = () => this.#inPage(() => this.#becomeReady(login));
    if (isLoggedIn) {
      page.hasSynced = true;
      // The page reports it later: the client's start does not wait for it.
      if (!this.whatsApp.syncsEarly) setImmediate(page.onSynced);
    } else if (login !== undefined && login.credential !== '' && this.whatsApp.answersWithLogout) {
      setImmediate(() => this.#inPage(() => this.logOutByPhone()));
    } else if (this.options.pairWithPhoneNumber.phoneNumber) {
      void this.requestPairingCode(this.options.pairWithPhoneNumber.phoneNumber);
    } else {
      this.#qrShown = 0;
      this.showQr();
    }
  }

  async requestPairingCode(_phoneNumber: string): Promise<string> {
    await this.#openPage().evaluate('startAltLinkingFlow');
    const code = this.whatsApp.nextCode();
    this.emit('code', code);
    return code;
  }

  /** Emits a QR; call it again for the next one. */
  showQr(): void {
    this.emit('qr', this.whatsApp.nextCode());
    if (this.options.qrMaxRetries > 0 && ++this.#qrShown > this.options.qrMaxRetries) {
      this.emit('disconnected', 'Max qrcode retries reached');
      void this.destroy();
    }
  }

  /**
   * Nobody scans for some minutes: the QR expires, and the page waits to be asked for a new one. The client emits
   * nothing.
   */
  expireQr(): void {
    const page = this.#openPage();
    page.state = 'UNPAIRED_IDLE';
    page.onRefreshQr = () => {
      if (!this.whatsApp.renewsQr) return;
      page.state = 'UNPAIRED';
      setImmediate(() => this.showQr());
    };
  }

  /** The phone scans the QR or accepts the code. Resolves when the client has emitted its events. */
  async scan(account = '4915100000001@c.us'): Promise<void> {
    const page = this.#openPage();
    const login = this.whatsApp.pair(account);
    await this.writeLogin(login);
    page.state = 'CONNECTED';
    page.hasSynced = true;
    page.onSynced = () => this.#inPage(() => this.#becomeReady(login));
    if (!this.whatsApp.syncsEarly) await this.#becomeReady(login);
  }

  /** Writes into the profile, as a browser does all the time. */
  async writeLogin(login: FakeLogin): Promise<void> {
    await writeFakeProfile(this.#fs, this.profileDir, login, this.chromium);
  }

  /** The login that is in the profile now. */
  readLogin(): Promise<FakeLogin | undefined> {
    return readFakeProfile(this.#fs, this.profileDir);
  }

  /** WhatsApp reports its progress with loading messages. */
  showLoading(percent: number): void {
    this.emit('loading_screen', percent, 'WhatsApp');
  }

  /** Changes the state of the socket (Client.js, onAppStateChangedEvent). */
  async changeState(state: string): Promise<void> {
    this.#openPage().state = state;
    this.emit('change_state', state);
    const accepted = ['CONNECTED', 'OPENING', 'PAIRING', 'TIMEOUT'];
    if (this.options.takeoverOnConflict) accepted.push('CONFLICT');
    if (accepted.includes(state)) return;
    await this.authStrategy.disconnect();
    this.emit('disconnected', state);
    void this.destroy();
  }

  /** The phone unlinks the device: the page wipes its storage and goes to the login page. */
  async logOutByPhone(): Promise<void> {
    const page = this.#openPage();
    const login = await this.readLogin();
    if (login) this.whatsApp.revoke(login);
    await this.writeLogin({ credential: '', note: 'logged out' });
    this.#lastLoggedOut = true;
    page.navigate('https://web.whatsapp.com/?post_logout=1');
  }

  async destroy(): Promise<void> {
    if (this.pupBrowser?.isConnected()) await this.pupBrowser.close();
    await this.authStrategy.destroy();
  }

  async logout(): Promise<void> {
    await this.#openPage().evaluate('Socket.logout');
    const login = await this.readLogin();
    if (login) this.whatsApp.revoke(login);
    await this.pupBrowser?.close();
    await this.authStrategy.logout();
  }

  async getState(): Promise<string | null> {
    await this.#openPage().evaluate('Socket.state');
    return this.#openPage().state ?? null;
  }

  async sendMessage(chatId: string, content: string): Promise<{ id: { _serialized: string } }> {
    await this.#openPage().evaluate('sendMessage');
    this.sent.push({ chatId, content });
    return { id: { _serialized: `true_${chatId}_${this.sent.length}` } };
  }

  async #becomeReady(login: FakeLogin | undefined): Promise<void> {
    const page = this.#openPage();
    this.emit('authenticated');
    // The second time, the client takes its injection for complete, even if a part of it had failed (Client.js).
    if (!page.injected) {
      page.injected = true;
      if (this.whatsApp.neverReady) return;
      await page.evaluate('LoadUtils');
      this.info = { wid: { _serialized: login ? this.whatsApp.accountOf(login) : this.whatsApp.account } };
    }
    this.emit('ready');
    await this.authStrategy.afterAuthReady();
  }

  /** Runs work for the page: puppeteer reports a rejection to the page, not to the process. */
  #inPage(work: () => Promise<void>): void {
    work().catch(() => undefined);
  }

  #openPage(): FakePage {
    if (!this.pupPage || !this.pupBrowser?.isConnected()) throw new Error('the fake client has no open page');
    return this.pupPage;
  }
}
