import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findProgram, hasPrograms } from './installed.js';
import { freePort, ServerProcess } from './server-process.js';

/** No error, event or log may ever hold this. */
export const PASSWORD = 'marker-secret-p4ss';
export const USER = 'keeper';
/** Fast, as nothing here outlives the operating system; a killed process loses nothing by it. */
const SETTINGS = [
  'fsync=off',
  'unix_socket_directories=',
  'listen_addresses=127.0.0.1',
  'shared_buffers=64MB',
  'wal_level=minimal',
  'max_wal_senders=0',
];

export const hasPostgres = hasPrograms('Postgres', ['postgres', 'initdb']);

/** Postgres on loopback, in a temporary folder, as the user `postgres` where this is root. */
export class PostgresServer {
  readonly port: number;
  readonly #folder: string;
  /** As whom it runs; `undefined`: as whom the tests run. */
  readonly user: { uid: number; gid: number } | undefined;
  #process: ServerProcess | undefined;

  private constructor(port: number, folder: string, user: { uid: number; gid: number } | undefined) {
    this.port = port;
    this.#folder = folder;
    this.user = user;
    process.once('exit', this.#abandon);
  }

  static async start(): Promise<PostgresServer> {
    const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : undefined;
    const folder = mkdtempSync(join(tmpdir(), 'postgres-'));
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
    const secret = join(folder, 'password');
    writeFileSync(secret, PASSWORD);
    if (user !== undefined) chownSync(secret, user.uid, user.gid);
    const { status, stderr } = spawnSync(
      findProgram('initdb') ?? 'initdb',
      [
        '-D',
        join(folder, 'data'),
        '-U',
        USER,
        '--pwfile',
        secret,
        '-A',
        'scram-sha-256',
        '-N',
        '-E',
        'UTF8',
        '--locale=C.UTF-8',
      ],
      { ...user, cwd: folder, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`initdb: ${stderr}`);
    const server = new PostgresServer(await freePort(), folder, user);
    await server.restart();
    return server;
  }

  /** Starts it on the same data, at the same port. */
  async restart(...settings: readonly string[]): Promise<void> {
    const args = ['-D', join(this.#folder, 'data'), '-p', `${this.port}`];
    for (const setting of [...SETTINGS, ...settings]) args.push('-c', setting);
    const program = findProgram('postgres') ?? 'postgres';
    this.#process = new ServerProcess(program, args, { ...this.user, cwd: this.#folder });
    await this.#process.untilItAnswers(async () => (await this.run('SELECT 1')).length === 1);
  }

  urlFor({ port = this.port, user = USER, password = PASSWORD, database = 'postgres' } = {}): string {
    return `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  }

  fileInData(name: string): string {
    return join(this.#folder, 'data', name);
  }

  /** Gives files to the user of the server, who wants its keys to be nobody else's. */
  owns(...paths: readonly string[]): void {
    for (const path of paths) {
      chmodSync(path, 0o600);
      if (this.user !== undefined) chownSync(path, this.user.uid, this.user.gid);
    }
  }

  /** Runs a statement over a connection of its own. */
  async run(text: string, url = this.urlFor()): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(text)).rows ?? [];
    } finally {
      await client.end();
    }
  }

  /** Waits until it answers over another port, too, behind which something has to notice first. */
  async untilItAnswers(port: number): Promise<void> {
    await this.#process?.untilItAnswers(
      async () => (await this.run('SELECT 1', this.urlFor({ port }))).length === 1,
    );
  }

  /** SIGSTOP for the server and everything that it has started: it hangs, and its connections stay open. */
  suspend(): void {
    for (const pid of [this.#pid(), ...this.#children()]) signal(pid, 'SIGSTOP');
  }

  resume(): void {
    for (const pid of [...this.#children(), this.#pid()]) signal(pid, 'SIGCONT');
  }

  /** SIGKILL for all of it at once, as a crash of its container. */
  async kill(): Promise<void> {
    const children = this.#children();
    const dead = this.#process?.kill();
    for (const pid of children) signal(pid, 'SIGKILL');
    await dead;
  }

  async stop(): Promise<void> {
    process.removeListener('exit', this.#abandon);
    this.resume();
    await this.#process?.stop('SIGINT'); // "fast": open connections are ended
    rmSync(this.#folder, { recursive: true, force: true });
  }

  readonly #abandon = (): void => {
    for (const pid of [this.#pid(), ...this.#children()]) signal(pid, 'SIGKILL');
  };

  #pid(): number {
    try {
      return Number(readFileSync(join(this.#folder, 'data', 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
    } catch {
      return Number.NaN; // it is not running
    }
  }

  #children(): number[] {
    const pid = this.#pid();
    if (Number.isNaN(pid)) return [];
    const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', `${pid}`], { encoding: 'utf8' });
    return stdout.split('\n').flatMap((line) => (line.trim() === '' ? [] : [Number(line)]));
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  if (Number.isNaN(pid)) return;
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

function idOf(flag: '-u' | '-g'): number {
  return Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
}
