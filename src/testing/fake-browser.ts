import { EventEmitter } from 'node:events';

/** puppeteer's Browser, as far as whatsapp-web.js and this library use it. It has no process. */
export class FakeBrowser extends EventEmitter {
  /** Settles when the browser is gone, as every call to it does: by a rejection. */
  readonly closed: Promise<never>;
  /** While set, `close()` does not come to its end, as with a browser that hangs. */
  hangs = false;
  #rejectClosed: (reason: Error) => void = () => undefined;
  #connected = true;
  readonly #version: string;

  constructor(version = 'Fake/1.0') {
    super();
    this.#version = version;
    this.closed = new Promise((_, reject) => {
      this.#rejectClosed = reject;
    });
    this.closed.catch(() => undefined);
  }

  process(): null {
    return null;
  }

  isConnected(): boolean {
    return this.#connected;
  }

  async version(): Promise<string> {
    return this.#version;
  }

  async close(): Promise<void> {
    if (this.hangs) await this.closed;
    this.kill();
  }

  /** Ends it without any order, as SIGKILL does. */
  kill(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#rejectClosed(new Error('Protocol error: Target closed'));
    this.emit('disconnected');
  }
}

const HOME = 'https://web.whatsapp.com/';

/** puppeteer's Page, showing WhatsApp Web. */
export class FakePage extends EventEmitter {
  /** The socket's state; `undefined` until the page has loaded. */
  state: string | undefined;
  hasSynced = false;
  /** Whether the client has put its utilities there (`window.WWebJS`). */
  injected = false;
  /** What the client exposed as `onAppStateHasSyncedEvent`. */
  onSynced: (() => void) | undefined;
  /** What the page does when it is asked for a new QR; `undefined`: it has no such function. */
  onRefreshQr: (() => void) | undefined;
  /** While set, it answers nothing and tells nobody, as a page that hangs in a loop of its own. */
  hangs = false;
  /** What stands there in place of WhatsApp's page. */
  otherPage: { readonly status: number; readonly title: string } | undefined;
  readonly #browser: FakeBrowser;
  #url = 'about:blank';
  #crashed = false;
  /** Whether the library has noted in the document that the client's code is there. */
  #marked = false;

  constructor(browser: FakeBrowser) {
    super();
    this.#browser = browser;
  }

  url(): string {
    return this.#url;
  }

  async goto(url: string): Promise<{ status(): number }> {
    this.navigate(url);
    return { status: () => this.otherPage?.status ?? 200 };
  }

  /** A navigation has ended, and a new document is there: tells who listens for `framenavigated`. */
  navigate(url = HOME): void {
    this.#url = url;
    this.#marked = false;
    this.injected = false;
    this.emit('framenavigated', { url: () => url });
  }

  /** A frame inside the page has navigated, or the page has only changed its address: the document stays. */
  navigateFrame(url = `${HOME}frame`): void {
    this.emit('framenavigated', { url: () => url });
  }

  /**
   * Answers every question about the socket; a script that calls `onAppStateHasSyncedEvent` wakes the client, one that
   * calls `refreshQR` asks for a new QR. After a
   * crash it never answers, after the browser's end it rejects, both as puppeteer does.
   */
  async evaluate(script: string): Promise<unknown> {
    if (!this.#browser.isConnected()) throw new Error('Protocol error: Target closed');
    if (this.#crashed || this.hangs) return this.#browser.closed;
    if (script.includes('persistent-session.injected')) {
      if (!script.endsWith('=== true')) this.#marked = true;
      return this.#marked;
    }
    if (script.includes('refreshQR')) {
      this.onRefreshQr?.();
      return this.onRefreshQr !== undefined;
    }
    if (script.includes('onAppStateHasSyncedEvent(')) {
      this.onSynced?.();
      return this.onSynced !== undefined;
    }
    if (script.includes('document.title')) return this.otherPage?.title ?? 'WhatsApp';
    if (this.otherPage !== undefined) return undefined;
    return { state: this.state, hasSynced: this.hasSynced, injected: this.injected };
  }

  /** The renderer crashes. */
  crash(): void {
    this.#crashed = true;
    // puppeteer's emitter, unlike node's, does not throw where nobody listens for `error`.
    if (this.listenerCount('error') > 0) this.emit('error', new Error('Page crashed!'));
  }
}
