import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

interface Value {
  readonly bytes: Buffer;
  readonly version: string;
  readonly modifiedAt: number;
}

/** Longest page of a listing, as S3 has it. */
const PAGE = 1_000;

/** A small object server on loopback, which can be killed, hang, and lose answers. */
export class LoopbackServer {
  readonly #values = new Map<string, Value>();
  #server: Server | undefined;
  #port = 0;
  #puts = 0;
  #held: (() => void)[] | undefined;
  #isAnswerLost = false;

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => this.#handle(request, response));
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Ends every connection at once; the values stay, as on a disk. */
  async kill(): Promise<void> {
    const server = this.#server;
    await new Promise<void>((resolve) => {
      server?.close(() => resolve());
      server?.closeAllConnections();
    });
  }

  /** From now on requests wait. Returns what lets them go on. */
  hang(): () => void {
    this.#held = [];
    return () => {
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const go of held) go();
    };
  }

  /** The next put is done, and its connection broken. */
  loseAnswer(): void {
    this.#isAnswerLost = true;
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    if (this.#held !== undefined) {
      this.#held.push(() => this.#handle(request, response));
      return;
    }
    this.#answer(request, response).catch(() => response.destroy());
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://loopback');
    const body = await buffer(request); // rejects where the connection ends before the body does
    if (url.pathname === '/list') return send(response, 200, this.#page(url.searchParams));
    const key = decodeURIComponent(url.pathname.slice('/o/'.length));
    const found = this.#values.get(key);
    const { 'if-match': ifMatch } = request.headers;
    if (request.method === 'PUT') return this.#put(key, body, request, response);
    if (found === undefined) return send(response, 404);
    if (ifMatch !== undefined && ifMatch !== found.version) return send(response, 412);
    if (request.method === 'DELETE') {
      this.#values.delete(key);
      return send(response, 204);
    }
    const [offset = 0, length = found.bytes.length] = `${request.headers['x-part'] ?? ''}`
      .split(' ')
      .filter(Boolean)
      .map(Number);
    describe(response, found);
    response.end(request.method === 'HEAD' ? undefined : found.bytes.subarray(offset, offset + length));
  }

  #put(key: string, bytes: Buffer, { headers }: IncomingMessage, response: ServerResponse): void {
    const current = this.#values.get(key);
    const { 'if-match': ifMatch, 'if-none-match': ifNone, 'x-sha256': sha256 } = headers;
    const isOther = ifMatch !== undefined && ifMatch !== current?.version;
    if (isOther || (ifNone !== undefined && current !== undefined)) return send(response, 412);
    const found = createHash('sha256').update(bytes).digest('hex');
    if (sha256 !== undefined && sha256 !== found) return send(response, 400);
    const value = { bytes, version: `v${++this.#puts}`, modifiedAt: Date.now() };
    this.#values.set(key, value);
    if (this.#isAnswerLost) {
      this.#isAnswerLost = false;
      response.destroy();
      return;
    }
    describe(response, value);
    response.end();
  }

  #page(query: URLSearchParams): unknown {
    const [prefix, after] = [query.get('prefix') ?? '', query.get('after') ?? ''];
    const keys = [...this.#values.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    return keys.slice(0, PAGE).flatMap((key) => {
      const { bytes, version, modifiedAt } = this.#values.get(key) ?? {};
      return bytes === undefined ? [] : [{ key, size: bytes.length, version, modifiedAt }];
    });
  }
}

function describe(response: ServerResponse, { bytes, version, modifiedAt }: Value): void {
  response.writeHead(200, { etag: version, 'x-size': bytes.length, 'x-modified': modifiedAt });
}

function send(response: ServerResponse, status: number, json?: unknown): void {
  response.writeHead(status).end(json === undefined ? undefined : JSON.stringify(json));
}
