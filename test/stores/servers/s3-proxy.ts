import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Lies between a store and its server, and can lose what passes by. */
export class S3Proxy {
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #losing = false;
  /** How many answers were lost. */
  lost = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#pass(client));
  }

  static async start(targetPort: number): Promise<S3Proxy> {
    const proxy = new S3Proxy(targetPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next write is done, and its answer is lost: the connection breaks instead. */
  loseNextAnswer(): void {
    this.#losing = true;
  }

  /** No connection goes on, and none can be made any more. */
  async cut(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #pass(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    let isWrite = false;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
    client.on('data', (chunk) => {
      if (this.#losing && /^(?:PUT|POST|DELETE) /.test(chunk.toString('latin1', 0, 8))) isWrite = true;
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (!isWrite || !this.#losing) return void client.write(chunk);
      this.#losing = false;
      this.lost++;
      client.resetAndDestroy();
    });
  }
}
