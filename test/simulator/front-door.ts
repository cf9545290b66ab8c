import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createCertificate } from './certificate.js';

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** An HTTPS server on loopback that can be unreachable for a while, or accept connections and never answer. */
export class FrontDoor {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #hanging = new Set<Socket>();
  #port = 0;
  #hang = false;

  constructor(handle: RequestHandler) {
    this.#server = createServer(createCertificate(), (request, response) => {
      if (this.#hang) {
        this.#hanging.add(request.socket);
        return;
      }
      handle(request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(String(error));
      });
    });
    this.#server.keepAliveTimeout = 60_000;
    for (const event of ['connection', 'secureConnection'] as const) {
      this.#server.on(event, (socket: Socket) => {
        if (!this.#server.listening) socket.destroy();
        this.#sockets.add(socket);
        socket.on('error', () => undefined); // a killed browser resets its connections
        socket.on('close', () => {
          this.#sockets.delete(socket);
          this.#hanging.delete(socket);
        });
      });
    }
  }

  get port(): number {
    return this.#port;
  }

  /** Listens on a free port the first time, and later always on the same port. */
  async open(): Promise<void> {
    if (this.#server.listening) return;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async shut(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** While `on`, requests are accepted and not answered; requests that still wait are cut off at the end. */
  hang(on: boolean): void {
    this.#hang = on;
    if (!on) for (const socket of this.#hanging) socket.destroy();
  }
}

/** Reads the body of a request as a JSON object. */
export async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const value: unknown = JSON.parse(Buffer.concat(chunks).toString() || '{}');
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(value));
}
