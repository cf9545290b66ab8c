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

/**
 * A small object server on loopback, which can be killed, hang, and lose answers. It is as inexact as S3: the version is the
 * MD5 of the bytes, only an MD5 is compared, a delete does not tell whether there was something, a listing has milliseconds
 * where an object has seconds, and a range behind the end is refused.
 */
export class LoopbackServer {
  readonly #values = new Map<string, Value>();
  #server: Server | undefined;
  #port = 0;
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
    const { method, headers } = request;
    const url = new URL(request.url ?? '', 'http://loopback');
    const body = await buffer(request); // rejects where the connection ends before the body does
    if (url.pathname === '/list') return send(response, 200, this.#page(url.searchParams));
    if (url.pathname === '/delete') {
      for (const key of JSON.parse(String(body))) this.#values.delete(key);
      return send(response, 200);
    }
    const key = decodeURIComponent(url.pathname.slice('/o/'.length));
    const found = this.#values.get(key);
    if (method === 'PUT') return this.#put(key, body, request, response);
    if (method === 'DELETE') {
      this.#values.delete(key);
      return send(response, 204);
    }
    if (found === undefined) return send(response, 404);
    const ifMatch = headers['if-match'];
    if (ifMatch !== undefined && ifMatch !== found.version) return send(response, 412);
    const { bytes } = found;
    const [, from = '0', last = `${bytes.length}`] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    const isBehind = headers.range !== undefined && Number(from) >= bytes.length;
    if (isBehind) return send(response, 416);
    describe(response, found);
    response.end(method === 'HEAD' ? undefined : bytes.subarray(Number(from), Number(last) + 1));
  }

  #put(key: string, bytes: Buffer, { headers }: IncomingMessage, response: ServerResponse): void {
    const current = this.#values.get(key);
    const { 'if-match': ifMatch, 'if-none-match': ifNone, 'content-md5': md5 } = headers;
    const isOther = ifMatch !== undefined && ifMatch !== current?.version;
    if (isOther || (ifNone !== undefined && current !== undefined)) return send(response, 412);
    const version = createHash('md5').update(bytes).digest('hex');
    if (md5 !== undefined && md5 !== Buffer.from(version, 'hex').toString('base64'))
      return send(response, 400);
    const value = { bytes, version, modifiedAt: Date.now() };
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
  response.writeHead(200, {
    etag: version,
    'x-size': bytes.length,
    'last-modified': new Date(modifiedAt).toUTCString(),
  });
}

function send(response: ServerResponse, status: number, json?: unknown): void {
  response.writeHead(status).end(json === undefined ? undefined : JSON.stringify(json));
}
