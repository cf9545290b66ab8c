import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findProgram, hasPrograms } from './installed.js';
import { freePort, ServerProcess } from './server-process.js';

/** No error, event or log may ever hold this. */
export const PASSWORD = 'marker-secret-p4ss';

/** Every answered write survives a SIGKILL. */
const SETTINGS = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];

export const hasRedis = hasPrograms('Redis', ['redis-server']);

/** Redis on loopback, in a temporary folder, with a password. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  #process: ServerProcess | undefined;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
    process.once('exit', this.#abandon);
  }

  static async start(...settings: readonly string[]): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'redis-'));
    const server = new RedisServer(await freePort(), folder);
    await server.restart(...settings);
    return server;
  }

  /** Starts it on the same data, at the same port. Later settings win over earlier ones. */
  async restart(...settings: readonly string[]): Promise<void> {
    const program = findProgram('redis-server') ?? 'redis-server';
    const port = ['--port', `${this.port}`, '--requirepass', PASSWORD];
    this.#process = new ServerProcess(program, [...port, ...SETTINGS, ...settings], { cwd: this.#folder });
    await this.#process.untilItAnswers(async () => (await this.run('PING')) === 'PONG');
  }

  urlFor({ port = this.port, user = '', password = PASSWORD, db = 0 } = {}): string {
    return `redis://${user}:${password}@127.0.0.1:${port}/${db}`;
  }

  fileOf(name: string): string {
    return join(this.#folder, name);
  }

  /** Runs a command over a connection of its own. */
  async run(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    const client = new Redis(this.urlFor(), { lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await client.call(command, [...args]);
    } finally {
      client.disconnect();
    }
  }

  /** SIGSTOP: it hangs, and its connections stay open. */
  suspend(): void {
    this.#process?.suspend();
  }

  resume(): void {
    this.#process?.resume();
  }

  /** SIGKILL, as a crash of its container. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  async stop(): Promise<void> {
    process.removeListener('exit', this.#abandon);
    await this.#process?.stop('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  readonly #abandon = (): void => void this.#process?.kill();
}
