import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a store and its server, and makes the faults of a network. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #loses: string | undefined;
  #change: ((chunk: Buffer) => Buffer) | undefined;
  #port = 0;
  #target: number;
  /** How many connections were made. */
  connections = 0;
  /** How many bytes went to the server, and came from it. */
  readonly bytes = { up: 0, down: 0 };

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client, this.#target));
  }

  static async to(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    const address = proxy.#server.address();
    if (typeof address === 'object' && address) proxy.#port = address.port;
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** How many connections are open. */
  get open(): number {
    return this.#sockets.size;
  }

  /** The next message with this text reaches the server, and its connection breaks when the answer comes. */
  loseAnswerTo(text: string): void {
    this.#loses = text;
  }

  /** Changes what goes to the server. */
  change(change: ((chunk: Buffer) => Buffer) | undefined): void {
    this.#change = change;
  }

  /** New connections go to another server, as with a name that leads to the new primary after a failover. */
  redirect(target: number): void {
    this.#target = target;
  }

  /** Breaks all connections; new ones are still taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Breaks all connections and refuses new ones. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #join(client: Socket, target: number): void {
    this.connections++;
    const server = connect(target, '127.0.0.1');
    let isLosing = false;
    const end = () => {
      client.destroy();
      server.destroy();
      this.#sockets.delete(client);
    };
    this.#sockets.add(client);
    for (const socket of [client, server]) socket.on('error', () => undefined).on('close', end);
    client.on('data', (chunk: Buffer) => {
      this.bytes.up += chunk.length;
      if (this.#loses !== undefined && chunk.includes(this.#loses)) {
        this.#loses = undefined;
        isLosing = true;
      }
      server.write(this.#change?.(chunk) ?? chunk);
    });
    server.on('data', (chunk: Buffer) => {
      this.bytes.down += chunk.length;
      if (isLosing) end();
      else client.write(chunk);
    });
  }
}
