/**
 * Structural types for whatsapp-web.js. They don't import it, so that any 1.3x version, fork or fake works (taken from
 * whatsapp-web.js 1.34.7, `src/Client.js`).
 */

/** The client that a bot passes in: `new Client(...)` of whatsapp-web.js fits. */
export interface WhatsAppClient {
  initialize(): Promise<unknown>;
  destroy(): Promise<unknown>;
  logout(): Promise<unknown>;
  getState(): Promise<unknown>;
  sendMessage(chatId: string, content: string): Promise<unknown>;
  emit(event: string | symbol, ...args: unknown[]): boolean;
  on(event: string | symbol, listener: (...args: unknown[]) => void): unknown;
}

/** The client including parts that its public types don't have. Each of them may be missing in a fork or a fake. */
export interface ClientInternals extends WhatsAppClient {
  options?: {
    puppeteer?: PuppeteerOptions;
    takeoverOnConflict?: boolean;
    pairWithPhoneNumber?: { phoneNumber?: string };
    webVersion?: unknown;
    webVersionCache?: WebVersionCacheOptions;
    qrMaxRetries?: number;
  };
  authStrategy?: AuthStrategy;
  pupBrowser?: BrowserHandle | null | undefined;
  pupPage?: PageHandle | null | undefined;
  info?: { wid?: { _serialized?: string; user?: string } };
  inject?: () => Promise<unknown>;
  requestPairingCode?: (...args: unknown[]) => Promise<unknown>;
  getNumberId?: (number: string) => Promise<{ _serialized: string } | null>;
  /** Only in @juzi/whatsapp-web.js, whose `destroy()` starts the client again. */
  stop?: () => Promise<unknown>;
}

export interface PuppeteerOptions {
  userDataDir?: string;
  browserWSEndpoint?: string;
  browserURL?: string;
  args?: readonly string[];
  executablePath?: string;
  browser?: string;
  /** The name of the option `browser` before puppeteer 23. */
  product?: string;
  ignoreDefaultArgs?: boolean | readonly string[];
  /** The browser's environment variables; default: those of this process. */
  env?: Readonly<Record<string, string | undefined>>;
  handleSIGINT?: boolean;
  handleSIGTERM?: boolean;
  handleSIGHUP?: boolean;
}

/** Settings of the client's cache for the pages of WhatsApp Web. */
export interface WebVersionCacheOptions {
  readonly type?: string;
  readonly path?: string;
  readonly [option: string]: unknown;
}

export interface AuthStrategy {
  clientId?: string | null | undefined;
  dataPath?: string;
  userDataDir?: string;
  store?: unknown;
  logout?: () => Promise<unknown>;
}

/** puppeteer's Browser. */
export interface BrowserHandle {
  process?(): {
    readonly pid?: number | undefined;
    readonly exitCode?: number | null;
    readonly signalCode?: NodeJS.Signals | null;
    kill?(signal: NodeJS.Signals): unknown;
  } | null;
  /** Removed in puppeteer 25. */
  isConnected?(): boolean;
  /** Not in puppeteer 18, which whatsapp-web.js used up to 1.34.1. */
  readonly connected?: boolean;
  version?(): Promise<string>;
  close(): Promise<void>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** puppeteer's Page. */
export interface PageHandle {
  evaluate(expression: string): Promise<unknown>;
  goto?(...args: unknown[]): Promise<unknown>;
  url?(): string;
  createCDPSession?(): Promise<DevToolsSession>;
  on(event: string, listener: (...args: unknown[]) => unknown): unknown;
  off?(event: string, listener: (...args: unknown[]) => unknown): unknown;
  exposeFunction?(name: string, exposed: (...args: unknown[]) => unknown): Promise<unknown>;
}

/** puppeteer's CDPSession: Chromium's DevTools protocol. */
export interface DevToolsSession {
  send(method: string): Promise<unknown>;
  detach(): Promise<void>;
}
