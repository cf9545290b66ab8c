import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, hasPrograms } from './installed.js';
import { PASSWORD, type PostgresServer, USER } from './postgres-server.js';
import { freePort, ServerProcess } from './server-process.js';

export const hasPgBouncer = hasPrograms('PgBouncer', ['pgbouncer']);

/** PgBouncer in transaction mode: each statement may get another connection to the server. */
export class PgBouncer {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ServerProcess;

  private constructor(port: number, folder: string, running: ServerProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = running;
    process.once('exit', this.#abandon);
  }

  static async before(server: PostgresServer): Promise<PgBouncer> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'));
    const users = join(folder, 'users.txt');
    const settings = join(folder, 'pgbouncer.ini');
    writeFileSync(users, `"${USER}" "${PASSWORD}"\n`);
    writeFileSync(
      settings,
      [
        '[databases]',
        `* = host=127.0.0.1 port=${server.port}`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${port}`,
        'unix_socket_dir =',
        'auth_type = scram-sha-256',
        `auth_file = ${users}`,
        'pool_mode = transaction',
        'default_pool_size = 5',
        'server_login_retry = 1',
        // While the server is down it keeps its clients waiting, two minutes by default.
        'query_wait_timeout = 3',
      ].join('\n'),
    );
    const { user } = server;
    for (const path of user ? [folder, users, settings] : [])
      chownSync(path, user?.uid ?? -1, user?.gid ?? -1);
    const running = new ServerProcess(findProgram('pgbouncer') ?? 'pgbouncer', [settings], {
      ...user,
      cwd: folder,
    });
    const url = server.urlFor({ port });
    await running.untilItAnswers(async () => (await server.run('SELECT 1', url)).length === 1);
    return new PgBouncer(port, folder, running);
  }

  async stop(): Promise<void> {
    process.removeListener('exit', this.#abandon);
    await this.#process.stop('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  readonly #abandon = (): void => void this.#process.kill();
}
