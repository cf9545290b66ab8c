import { EventEmitter } from 'node:events';

/** The part of puppeteer's Browser that whatsapp-web.js and this library use. It has no process. */
export class FakeBrowser extends EventEmitter {
  /** Rejects when the browser is gone, like every call to the browser. */
  readonly closed: Promise<never>;
  /** While set, `close()` never ends, as with a browser that hangs. */
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

  /** Ends the browser abruptly, as SIGKILL does. */
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
  /** Whether the client has injected its utilities (`window.WWebJS`). */
  injected = false;
  /** The function that the client exposed as `onAppStateHasSyncedEvent`. */
  onSynced: (() => void) | undefined;
  /** Called when the page is asked for a new QR; `undefined` when the page has no such function. */
  onRefreshQr: (() => void) | undefined;
  /** While set, the page answers nothing and reports nothing, like a page in an endless loop. */
  hangs = false;
  /** What stands there in place of WhatsApp's page. */
  otherPage: { readonly status: number; readonly title: string } | undefined;
  readonly #browser: FakeBrowser;
  #url = 'about:blank';
  #crashed = false;
  /** Whether the library has marked this document as having the client's code. */
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

  /** Ends a navigation with a new document, and emits `framenavigated`. */
  navigate(url = HOME): void {
    this.#url = url;
    this.#marked = false;
    this.injected = false;
    this.emit('framenavigated', { url: () => url });
  }

  /** Emits `framenavigated` for a frame inside the page, or for a mere change of the address: the document stays. */
  navigateFrame(url = `${HOME}frame`): void {
    this.emit('framenavigated', { url: () => url });
  }

  /**
   * Answers every question about the socket. A script that calls `onAppStateHasSyncedEvent` wakes the client; one
   * that calls `refreshQR` asks for a new QR. After a crash it never answers, and after the end of the browser it
   * rejects, both as in puppeteer.
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
    // puppeteer's emitter, unlike node's, does not throw when nobody listens for `error`.
    if (this.listenerCount('error') > 0) this.emit('error', new Error('Page crashed!'));
  }
}
