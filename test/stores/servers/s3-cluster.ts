import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findProgram } from './installed.js';
import { freePort, ServerProcess } from './server-process.js';

/** What the tests of S3 start. */
export const S3_PROGRAMS = [
  'radosgw',
  'radosgw-admin',
  'ceph-mon',
  'ceph-osd',
  'ceph',
  'ceph-authtool',
  'monmaptool',
];

/** The account of the tests. */
export const ACCESS_KEY = 'test';
export const SECRET_KEY = 'testsecret';

/** Each daemon answers within a few seconds, on a busy machine, too; ms. */
const START_MS = 30_000;
const POLL_MS = 200;
const ATTEMPTS = 3;
const MEMORY_BYTES = 4 * 1024 ** 3;
const execute = promisify(execFile);

/**
 * A storage cluster of Ceph on loopback, with everything in memory: a monitor and one storage daemon. Gateways speak S3 in
 * front of it, see `S3Gateway`: each test file has one of its own, which may be killed without harm to the others.
 */
export class S3Cluster {
  /** The configuration file for gateways. */
  readonly configuration: string;
  readonly #folder: string;
  readonly #servers: ServerProcess[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
    this.configuration = join(folder, 'ceph.conf');
  }

  /** Takes about 14 s, most of it for the pools that the first gateway makes. */
  static async start(): Promise<S3Cluster> {
    for (let attempt = 1; ; attempt++) {
      const cluster = new S3Cluster(await mkdtemp(join(tmpdir(), 's3-')));
      try {
        await cluster.#start();
        return cluster;
      } catch (error) {
        await cluster.stop();
        // Now and then a storage daemon never gets up; a new one does.
        if (attempt === ATTEMPTS) throw error;
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.kill()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const port = await freePort();
    const id = randomUUID();
    const [map, keyring] = [join(this.#folder, 'monmap'), join(this.#folder, 'keyring')];
    for (const name of ['mon', 'osd', 'run', 'log']) await mkdir(join(this.#folder, name));
    await writeFile(this.configuration, configurationOf(this.#folder, id, port, await libraryFolder()));
    await writeFile(keyring, '');
    await run('monmaptool', '--create', '--addv', 'a', `[v1:127.0.0.1:${port}]`, '--fsid', id, map);
    const grant = (...caps: string[]) => caps.flatMap((service) => ['--cap', service, 'allow *']);
    await run('ceph-authtool', keyring, '--create-keyring', '--gen-key', '-n', 'mon.', ...grant('mon'));
    await run('ceph-authtool', keyring, '--gen-key', '-n', 'client.admin', ...grant('mon', 'osd', 'mgr'));
    const monitor = ['-i', 'a', '--monmap', map, '--keyring', keyring];
    await this.#run('ceph-mon', '--mkfs', ...monitor);
    this.#spawn('ceph-mon', '-i', 'a', '-f');
    const osd = randomUUID();
    await this.#run('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osd);
    await this.#until('the monitor', async () => (await this.#ceph('osd', 'new', osd)).includes('0'));
    this.#spawn('ceph-osd', '-i', '0', '-f');
    await this.#until('the storage daemon', async () => (await this.#ceph('osd', 'stat')).includes('1 up'));
    // Also makes the pools, which the first gateway would otherwise wait for.
    await this.#run(
      'radosgw-admin',
      ...['user', 'create', '--uid=test', '--display-name=test'],
      ...[`--access-key=${ACCESS_KEY}`, `--secret-key=${SECRET_KEY}`],
    );
  }

  #spawn(command: string, ...args: string[]): void {
    this.#servers.push(spawnServer(command, ['-c', this.configuration, ...args]));
  }

  async #ceph(...args: string[]): Promise<string> {
    return this.#run('ceph', '--connect-timeout', '5', ...args);
  }

  #run(command: string, ...args: string[]): Promise<string> {
    return run(command, '-c', this.configuration, ...args);
  }

  async #until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + START_MS;
    while (Date.now() < deadline) {
      if (await isTrue().catch(() => false)) return;
      await pause(POLL_MS);
    }
    throw new Error(`${what} does not answer: ${this.#servers.map(({ output }) => output).join('\n')}`);
  }
}

/** A server that ends with the process that has started it, however that ends. */
export function spawnServer(command: string, args: readonly string[]): ServerProcess {
  const setpriv = findProgram('setpriv');
  const program = findProgram(command) ?? command;
  return setpriv === undefined
    ? new ServerProcess(program, args)
    : new ServerProcess(setpriv, ['--pdeathsig', 'KILL', program, ...args]);
}

async function run(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(findProgram(command) ?? command, args, { timeout: 60_000 });
  return stdout;
}

/** Where Debian lays Ceph's plug-ins, by the architecture of the machine. */
async function libraryFolder(): Promise<string> {
  const folders = (await readdir('/usr/lib')).map((name) => join('/usr/lib', name));
  return ['/usr/lib', ...folders].find((folder) => existsSync(join(folder, 'rados-classes'))) ?? '/usr/lib';
}

function configurationOf(folder: string, id: string, port: number, libraries: string): string {
  return `[global]
fsid = ${id}
run dir = ${folder}/run
admin socket = ${folder}/run/$name.$pid.asok
pid file =
log file = ${folder}/log/$name.log
keyring = ${folder}/keyring
mon host = v1:127.0.0.1:${port}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
public network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = true
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 2
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd erasure code plugins =
osd class dir = ${libraries}/rados-classes
osd class load list = *
osd class default list = *
plugin dir = ${libraries}/ceph
erasure code dir = ${libraries}/ceph/erasure-code
ms bind ipv6 = false
mgr stats threshold = 0
[mon.a]
host = localhost
mon addr = 127.0.0.1:${port}
mon data = ${folder}/mon
ms bind msgr2 = false
mon compact on start = false
[osd.0]
osd objectstore = memstore
memstore device bytes = ${MEMORY_BYTES}
osd data = ${folder}/osd
osd check max object name len on startup = false
osd memory target = 1073741824
[client]
rgw enable usage log = false
rgw enable quota threads = false
rgw enable lc threads = false
rgw thread pool size = 32
`;
}
