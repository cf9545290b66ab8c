import { randomBytes, randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Accounts, accountId, type LinkedDevice, type Rejection } from './accounts.js';
import { FrontDoor, readJson, sendJson } from './front-door.js';
import { type Command, type OpenPage, Pages } from './pages.js';
import { Changes } from './waiting.js';

export interface SimulatorOptions {
  /** The account that scans if `scan()` names none. Default `4915100000001@c.us`. */
  readonly account?: string;
  /** How long `scan()`, `sendIncoming()` and similar calls wait for a page that accepts them. Default 30 s. */
  readonly timeoutMs?: number;
}

/** The behaviour of the page from its next login on. */
export interface SimulatorModes {
  /**
   * `unsynced`: the state is CONNECTED, but the event that makes whatsapp-web.js `authenticated` never comes.
   * `authenticated`: that event comes, but `ready` does not (a module of the page is missing, as after an update).
   */
  readonly neverReady?: false | 'unsynced' | 'authenticated';
  /** The page syncs before the client listens, so that no event comes although the state is CONNECTED. */
  readonly hasSyncedEarly?: boolean;
  /** Stored logins are refused although they are valid; use `revokeAccount()` to make them invalid. */
  readonly rejectLogin?: false | Rejection;
}

export interface Traffic {
  readonly bytesPerSecond: number;
  /** Writes values of 256 KB instead of 8 KB, which Chromium stores as files in the `.blob` folder. */
  readonly largeValues?: boolean;
  /** Overwrites older records, so that about this much data is kept. Without it the database grows all the time. */
  readonly keepMegabytes?: number;
}

export interface SentMessage {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly body: string;
}

export interface SimulatorEvent {
  readonly type: string;
  readonly pageId: number;
  readonly at: Date;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface WaitOptions {
  readonly timeoutMs?: number;
}

/** Any other state ends the client and its page (whatsapp-web.js 1.34.7, `onAppStateChangedEvent`). */
const STATES_THE_CLIENT_BEARS: ReadonlySet<string> = new Set(['CONNECTED', 'OPENING', 'PAIRING', 'TIMEOUT']);

const PAGE_FOLDER = new URL('./page/', import.meta.url);

/** Starts a simulator of web.whatsapp.com on a free loopback port. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<WhatsAppSimulator> {
  const simulator = new WhatsAppSimulator(options);
  await simulator.goOnline();
  return simulator;
}

/**
 * Plays web.whatsapp.com and the phone for the real whatsapp-web.js in a real Chromium. Calls about "the page" use the
 * newest connected page, and wait for one if there is none.
 */
export class WhatsAppSimulator {
  /** The messages that the bots sent, oldest first. */
  readonly sentMessages: SentMessage[] = [];
  /** The events of the pages and the server, oldest first; docs/simulator.md lists the types. */
  readonly events: SimulatorEvent[] = [];

  readonly #account: string;
  readonly #timeoutMs: number;
  readonly #changes = new Changes();
  readonly #accounts = new Accounts();
  readonly #pages = new Pages(this.#changes, () => this.#describe());
  readonly #door = new FrontDoor((request, response) => this.#handle(request, response));
  readonly #scripts = readScripts();
  #modes: SimulatorModes = {};
  #traffic: Traffic | undefined;

  constructor(options: SimulatorOptions = {}) {
    this.#account = accountId(options.account ?? '4915100000001');
    this.#timeoutMs = options.timeoutMs ?? 30_000;
  }

  get port(): number {
    return this.#door.port;
  }

  get origin(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Every pairing so far, including revoked ones. */
  get accounts(): readonly LinkedDevice[] {
    return this.#accounts.list();
  }

  /** The number of QR codes shown, including refreshed ones. */
  get qrCount(): number {
    return this.events.filter((event) => event.type === 'qr:shown').length;
  }

  /** The pages that are connected now, and their status. */
  get pages(): readonly { readonly pageId: number; readonly status: string; readonly deviceId?: string }[] {
    return this.#pages.connected().map(({ pageId, status, deviceId }) => ({
      pageId,
      status,
      ...(deviceId === undefined ? {} : { deviceId }),
    }));
  }

  // --- the phone ---------------------------------------------------------------------------------------------------

  /**
   * Scans the QR: waits for a page that shows one, and resolves when that page has stored its login. With `qr` (the
   * value of the client's event) it refuses a QR that is not shown any more.
   */
  async scan(options: WaitOptions & { readonly account?: string; readonly qr?: string } = {}): Promise<void> {
    const account = accountId(options.account ?? this.#account);
    await this.#pair(account, options, (page) => {
      if (page.status !== 'qr' || page.pairingCode !== undefined) return false;
      if (options.qr !== undefined && !options.qr.startsWith(`${page.ref},`)) {
        throw new Error('This QR is not shown any more: it was refreshed, or belongs to an earlier page.');
      }
      return true;
    });
  }

  /** Types the code of the client's `code` event into the phone with the number for which the code was requested. */
  async enterPairingCode(
    code: string,
    options: WaitOptions & { readonly account?: string } = {},
  ): Promise<void> {
    const known = this.events.findLast((event) => event.type === 'code:shown' && event.detail.code === code);
    if (known === undefined) throw new Error(`No page ever showed the pairing code ${code}.`);
    const account = accountId(options.account ?? String(known.detail.phoneNumber));
    await this.#pair(account, options, (page) => page.status !== 'online' && page.pairingCode === code);
  }

  /** Sends a message from another phone; resolves with its id when the page has stored it and told the client. */
  async sendIncoming(
    message: { readonly from: string; readonly body: string } & WaitOptions,
  ): Promise<string> {
    const id = `3A${randomBytes(9).toString('hex').toUpperCase()}`;
    const { body } = message;
    await this.#askOnline({ type: 'message', id, from: accountId(message.from), body }, message.timeoutMs);
    return id;
  }

  waitForSent(
    predicate: (message: SentMessage) => boolean,
    timeoutMs = this.#timeoutMs,
  ): Promise<SentMessage> {
    const what = () => `Waiting for a sent message (${this.#describe()})`;
    return this.#changes.until(() => this.sentMessages.find(predicate), timeoutMs, what);
  }

  /** Unlinks this device on the phone: the page is logged out, deletes its storage and loads again. */
  async logoutFromPhone(options: WaitOptions = {}): Promise<void> {
    const command = (page: OpenPage) => {
      if (page.deviceId !== undefined) this.#accounts.revokeDevice(page.deviceId);
      return { type: 'logout' };
    };
    await this.#pages.ask(command, { accepts: isOnline, timeoutMs: options.timeoutMs ?? this.#timeoutMs });
  }

  /** Unlinks all devices of the account without telling any page; the pages notice it at their next login. */
  revokeAccount(account: string = this.#account): number {
    return this.#accounts.revokeAccount(accountId(account));
  }

  // --- the connection ----------------------------------------------------------------------------------------------

  /** Sets the page's socket state to any string, see whatsapp-web.js' `WAState`. */
  async setState(state: string, options: WaitOptions = {}): Promise<void> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const endsThePage = !STATES_THE_CLIENT_BEARS.has(state);
    await this.#pages.ask(() => ({ type: 'state', state }), { accepts: () => true, timeoutMs, endsThePage });
  }

  /** Plays another browser that takes over the session. */
  conflict(): Promise<void> {
    return this.setState('CONFLICT');
  }

  timeout(): Promise<void> {
    return this.setState('TIMEOUT');
  }

  /** Ends `conflict()` and `timeout()`. */
  resume(): Promise<void> {
    return this.setState('CONNECTED');
  }

  /** Makes the page that shows a QR show a new one. */
  async refreshQr(options: WaitOptions = {}): Promise<void> {
    const ref = newRef();
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    await this.#pages.ask(() => ({ type: 'ref', ref }), {
      accepts: (page) => page.status === 'qr',
      timeoutMs,
    });
  }

  /** Expires the QR, as after minutes without a scan; the page waits for a request for a new one (UNPAIRED_IDLE). */
  async expireQr(options: WaitOptions = {}): Promise<void> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const expire = (page: OpenPage) => {
      page.ref = newRef(); // no page shows this reference, so the QR can't be scanned
      return { type: 'expire' };
    };
    await this.#pages.ask(expire, { accepts: (page) => page.status === 'qr', timeoutMs });
  }

  /** Sets the given modes and keeps the others. They apply from the next login (or scan) on. */
  setModes(modes: SimulatorModes): void {
    this.#modes = { ...this.#modes, ...modes };
  }

  /** Makes the server unreachable: closes the port and cuts every connection. */
  async goOffline(): Promise<void> {
    await this.#door.shut();
  }

  /** Makes the server reachable again, on the same port. */
  async goOnline(): Promise<void> {
    await this.#door.open();
  }

  /** Accepts requests and never answers them. A page that is already open stays CONNECTED, but does not work. */
  hangRequests(on = true): void {
    this.#door.hang(on);
  }

  // --- the load ----------------------------------------------------------------------------------------------------

  /** Makes the page, and every page that logs in later, write to IndexedDB all the time. */
  async startTraffic(traffic: Traffic): Promise<void> {
    this.#traffic = traffic;
    const page = this.#pages.newest();
    if (page?.status === 'online') await this.#askOnline({ type: 'traffic', traffic });
  }

  async stopTraffic(): Promise<void> {
    this.#traffic = undefined;
    const page = this.#pages.newest();
    if (page?.status === 'online') await this.#askOnline({ type: 'traffic' });
  }

  /** Adds this much incompressible data to IndexedDB; resolves when Chromium has accepted it. */
  async writeBulk(
    megabytes: number,
    options: WaitOptions & { readonly largeValues?: boolean } = {},
  ): Promise<void> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs + megabytes * 1000;
    await this.#askOnline({ type: 'bulk', megabytes, largeValues: options.largeValues ?? false }, timeoutMs);
  }

  // --- observation -------------------------------------------------------------------------------------------------

  /** Resolves with the first matching event: of the given page, if any, and after the first `since` events. */
  waitFor(
    type: string,
    options: WaitOptions & { readonly since?: number; readonly pageId?: number } = {},
  ): Promise<SimulatorEvent> {
    const { since = 0, pageId, timeoutMs = this.#timeoutMs } = options;
    const fits = (event: SimulatorEvent) =>
      event.type === type && (pageId === undefined || event.pageId === pageId);
    const find = () => this.events.slice(since).find(fits);
    return this.#changes.until(find, timeoutMs, () => `Waiting for '${type}' (${this.#describe()})`);
  }

  async close(): Promise<void> {
    this.#changes.close(new Error('The simulator was closed.'));
    await this.#door.shut();
  }

  // --- inside ------------------------------------------------------------------------------------------------------

  async #pair(account: string, options: WaitOptions, accepts: (page: OpenPage) => boolean): Promise<void> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const command = (page: OpenPage) => {
      const credential = this.#accounts.pair(account);
      page.deviceId = credential.deviceId;
      return { type: 'paired', credential, ...this.#session() };
    };
    await this.#pages.ask(command, { accepts, timeoutMs });
  }

  #askOnline(command: Command, timeoutMs = this.#timeoutMs): Promise<unknown> {
    return this.#pages.ask(() => command, { accepts: isOnline, timeoutMs });
  }

  /** The data that a page gets at its login. */
  #session(): object {
    const { neverReady = false, hasSyncedEarly = false } = this.#modes;
    return { modes: { neverReady, hasSyncedEarly }, traffic: this.#traffic };
  }

  #record(type: string, pageId: number, detail: Record<string, unknown> = {}): void {
    this.events.push({ type, pageId, at: new Date(), detail });
    this.#changes.notify();
  }

  #describe(): string {
    const pages = this.pages.map((page) => `page ${page.pageId} ${page.status}`);
    const events = this.events.slice(-6).map((event) => `${event.type}#${event.pageId}`);
    return `connected: ${pages.join(', ') || 'none'}; last events: ${events.join(', ') || 'none'}`;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://web.whatsapp.com');
    if (pathname === '/') return this.#servePage(response);
    const script = this.#scripts.get(pathname);
    if (script !== undefined) {
      response.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'no-store' });
      response.end(script);
      return;
    }
    const page = this.#pages.get(Number(searchParams.get('page')));
    if (page === undefined) {
      response.writeHead(pathname === '/favicon.ico' ? 204 : 404).end();
    } else if (pathname === '/events') {
      this.#pages.connect(page, response);
    } else {
      sendJson(response, this.#answer(page, pathname, await readJson(request)));
    }
  }

  #servePage(response: ServerResponse): void {
    const page = this.#pages.add(newRef());
    const config = JSON.stringify({ pageId: page.pageId, ref: page.ref });
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    response.end(
      `<!doctype html><title>WhatsApp simulator</title><script>window.simulatorConfig = ${config};</script>` +
        '<script type="module" src="/page/main.js"></script>',
    );
    this.#record('page:loaded', page.pageId);
  }

  #answer(page: OpenPage, path: string, body: Record<string, unknown>): unknown {
    switch (path) {
      case '/login':
        return this.#login(page, body);
      case '/answer':
        this.#pages.answer(Number(body.commandId), {
          result: body.result,
          ...(body.error === undefined ? {} : { error: String(body.error) }),
        });
        return {};
      case '/status':
        return this.#noteStatus(page, body);
      case '/pairing-code': {
        page.pairingCode = newPairingCode();
        this.#record('code:shown', page.pageId, { code: page.pairingCode, phoneNumber: body.phoneNumber });
        return { code: page.pairingCode };
      }
      case '/new-ref':
        page.ref = newRef();
        return { ref: page.ref };
      case '/send':
        return this.#takeMessage(page, body);
      case '/takeover':
        this.#record('takeover', page.pageId);
        this.#replaceOthers(page);
        return {};
      case '/logout':
        if (page.deviceId !== undefined) this.#accounts.revokeDevice(page.deviceId);
        return {};
      default:
        throw new Error(`The page asked for ${path}, which the simulator does not know.`);
    }
  }

  #login(page: OpenPage, body: Record<string, unknown>): unknown {
    const deviceId = String(body.deviceId);
    const known = this.#accounts.login(
      deviceId,
      String(body.databaseSecret),
      String(body.localStorageSecret),
    );
    const outcome = this.#modes.rejectLogin || known;
    if (typeof outcome === 'string') {
      this.#record('login:rejected', page.pageId, { deviceId, answer: outcome });
      return { rejected: outcome };
    }
    const ratchet = Number(body.ratchet);
    const before = this.#accounts.noteRatchet(deviceId, ratchet);
    if (before !== undefined) this.#record('ratchet:rolledBack', page.pageId, { deviceId, ratchet, before });
    page.deviceId = deviceId;
    this.#replaceOthers(page);
    return this.#session();
  }

  /** Tells the older page CONFLICT, as WhatsApp's server does, because a linked device has only one connection. */
  #replaceOthers(page: OpenPage): void {
    for (const other of this.#pages.connected()) {
      if (other === page || other.deviceId !== page.deviceId || other.status !== 'online') continue;
      this.#pages.tell(other, { type: 'state', state: 'CONFLICT' });
      this.#record('conflict', other.pageId, { replacedBy: page.pageId });
    }
  }

  #noteStatus(page: OpenPage, body: Record<string, unknown>): unknown {
    const event = String(body.event);
    if (event === 'qr:shown' && page.status !== 'online') {
      page.status = 'qr'; // also for a pairing code request, because requests may overtake each other
      page.ref = String(body.ref);
      if (body.relaunched === true) delete page.pairingCode;
    }
    if (event === 'login:accepted') page.status = 'online';
    if (event === 'logout') page.status = 'loading';
    const { event: _, ...detail } = body;
    this.#record(event, page.pageId, detail);
    return {};
  }

  #takeMessage(page: OpenPage, body: Record<string, unknown>): unknown {
    if (!this.#accounts.isValid(page.deviceId)) return { refused: true };
    const id = String(body.id);
    // The page sends a message again if it got no answer.
    if (!this.sentMessages.some((message) => message.id === id)) {
      const message = { id, from: String(body.from), to: String(body.to), body: String(body.body) };
      this.sentMessages.push(message);
      this.#record('message:sent', page.pageId, message);
    }
    if (page.deviceId !== undefined) this.#accounts.noteRatchet(page.deviceId, Number(body.ratchet));
    return {};
  }
}

function isOnline(page: OpenPage): boolean {
  return page.status === 'online';
}

function newRef(): string {
  return `2@${randomBytes(48).toString('base64')}`;
}

function newPairingCode(): string {
  const letters = '123456789ABCDEFGHJKLMNPQRSTVWXYZ';
  return Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('');
}

/** The page's modules as plain text, because they run in Chromium and must reach it unchanged. */
function readScripts(): Map<string, string> {
  const names = readdirSync(PAGE_FOLDER).filter((name) => name.endsWith('.js'));
  return new Map(names.map((name) => [`/page/${name}`, readFileSync(new URL(name, PAGE_FOLDER), 'utf8')]));
}
