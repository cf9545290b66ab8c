import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, expect } from 'vitest';
import {
  createSessionHandler,
  type SessionHandler,
  type SessionHandlerOptions,
  toNodeListener,
} from '../../../src/http/index.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { FakeSession } from './fake-session.js';
import { checkAnswer } from './openapi.js';
import { expectSecurityHeaders } from './security-headers.js';

export const TOKEN = 'correct-horse-battery-staple-0123456789';
export const API = '/api/whatsapp/persistent-session';
export const DASHBOARD = '/persistent-session';

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | ReadableStream<Uint8Array>;
  /** Adds the bearer token. Default `true`. */
  readonly bearer?: boolean;
}

export interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of a JSON response. */
  readonly json: {
    readonly success: boolean;
    readonly error?: { readonly code: string; readonly message: string };
    readonly [field: string]: unknown;
  };
}

/** A handler behind a real server on loopback, over a session that does what the test says. */
export class HttpStage {
  readonly clock = new ManualClock({ now: Date.UTC(2026, 10, 23, 6) });
  readonly session = new FakeSession();
  readonly logged: { readonly message: string; readonly fields: unknown }[] = [];
  /** What `call()` was answered. */
  readonly seen: { readonly method: string; readonly pathname: string; readonly status: number }[] = [];
  handler: SessionHandler;
  #server: Server | undefined;

  constructor() {
    this.handler = this.#handler({ auth: TOKEN });
  }

  get port(): number {
    if (!this.#server) throw new Error('the stage is not open');
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async open(): Promise<void> {
    const server = createServer((request, response) => toNodeListener(this.handler)(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }

  /** The same server with another handler. */
  use(options: Partial<SessionHandlerOptions>): void {
    this.handler.close();
    this.handler = this.#handler({ auth: TOKEN, ...options });
  }

  /** Asks as `fetch` does; every answer must be one of docs/openapi.yaml. */
  async call(
    path: string,
    { method = 'GET', headers, body, bearer = true }: CallOptions = {},
  ): Promise<Called> {
    const response = await fetch(`${this.origin}${path}`, {
      method,
      redirect: 'manual',
      headers: { ...(bearer && { authorization: `Bearer ${TOKEN}` }), ...headers },
      ...(body !== undefined && { body }),
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    } as RequestInit);
    const text = await response.text();
    const answer = { status: response.status, headers: response.headers, text };
    const { pathname } = new URL(response.url);
    expectSecurityHeaders(response.headers, `${method} ${path}`);
    if (method === 'GET' || method === 'POST') {
      expect(checkAnswer(method, pathname, answer), `${method} ${path} ${text}`).toEqual([]);
    }
    const isJson = response.headers.get('content-type')?.startsWith('application/json') && text !== '';
    const json = isJson ? (JSON.parse(text) as Called['json']) : { success: false };
    this.seen.push({ method, pathname, status: response.status });
    return { ...answer, json };
  }

  /** An action by its documented body. */
  act(
    body: object,
    { query = '', ...options }: CallOptions & { readonly query?: string } = {},
  ): Promise<Called> {
    return this.call(`${API}${query}`, {
      method: 'POST',
      ...options,
      headers: { 'content-type': 'application/json', ...options.headers },
      body: options.body ?? JSON.stringify(body),
    });
  }

  /** The cookie of a new login, as a browser sends it back. */
  async logIn(more: Readonly<Record<string, string>> = {}): Promise<string> {
    const { headers, status } = await this.call(`${DASHBOARD}/login`, {
      method: 'POST',
      bearer: false,
      headers: { 'content-type': 'application/json', ...more },
      body: JSON.stringify({ token: TOKEN }),
    });
    expect(status).toBe(200);
    return headers.getSetCookie()[0]?.split(';')[0] ?? '';
  }

  /** Sends bytes as they are; resolves with everything that came back when the server closed the connection. */
  raw(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write(text));
      let received = '';
      socket.setTimeout(5000, () => socket.destroy(new Error(`no end after: ${received}`)));
      socket.on('data', (chunk) => {
        received += chunk.toString();
      });
      socket.on('error', (error) => (received === '' ? reject(error) : resolve(received)));
      socket.on('close', () => resolve(received));
    });
  }

  /** Sends bytes as they are; resolves with what came first, and leaves. */
  firstBytes(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write(text));
      socket.setTimeout(5000, () => socket.destroy(new Error('no answer')));
      socket.once('data', (chunk) => {
        socket.destroy();
        resolve(chunk.toString());
      });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('no answer')));
    });
  }

  async close(): Promise<void> {
    this.handler.close();
    const server = this.#server;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  }

  #handler(options: SessionHandlerOptions): SessionHandler {
    const note = (message: string, fields: unknown) => this.logged.push({ message, fields });
    return createSessionHandler(this.session, {
      clock: this.clock,
      logger: { debug: note, info: note, warn: note, error: note },
      ...options,
    });
  }
}

/** Sets the stage for each test of a file. */
export function useHttpStage(): () => HttpStage {
  let stage: HttpStage;
  beforeEach(async () => {
    stage = new HttpStage();
    await stage.open();
  });
  afterEach(() => stage.close());
  return () => stage;
}
