import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { ACCESS_KEY, SECRET_KEY, spawnServer } from './s3-cluster.js';
import { freePort, type ServerProcess } from './server-process.js';

export const credentials = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY } as const;

/** A gateway of Ceph that speaks S3. It may be killed and started again: what is stored lies in the cluster. */
export class S3Gateway {
  readonly port: number;
  readonly #configuration: string;
  readonly #folder: string;
  readonly #name = `client.rgw.${randomUUID().slice(0, 8)}`;
  #server: ServerProcess | undefined;
  readonly #client: S3Client;

  private constructor(configuration: string, port: number, folder: string) {
    this.#configuration = configuration;
    this.port = port;
    this.#folder = folder;
    this.#client = new S3Client({
      endpoint: this.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials,
    });
  }

  /** @param configuration that of an `S3Cluster`; default: the one of this run of the tests, started when first asked for */
  static async start(configuration?: string): Promise<S3Gateway> {
    const cluster = configuration ?? (await clusterOfRun());
    const folder = await mkdtemp(join(tmpdir(), 's3-gateway-'));
    const gateway = new S3Gateway(cluster, await freePort(), folder);
    await gateway.start();
    return gateway;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** An empty bucket. */
  async bucket(): Promise<string> {
    const name = `test-${randomUUID()}`;
    await this.#client.send(new CreateBucketCommand({ Bucket: name }));
    return name;
  }

  async start(): Promise<void> {
    // Without tcp_nodelay a request of 1 KB takes 50 ms.
    this.#server = spawnServer('radosgw', [
      ...['-c', this.#configuration, '-n', this.#name, '-f', '--rgw-data', this.#folder],
      `--rgw-frontends=beast endpoint=127.0.0.1:${this.port} tcp_nodelay=1`,
    ]);
    await this.#server.untilItAnswers(async () => (await fetch(this.endpoint)).status > 0);
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  suspend(): void {
    this.#server?.suspend();
  }

  resume(): void {
    this.#server?.resume();
  }

  async stop(): Promise<void> {
    this.#client.destroy();
    await this.#server?.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function clusterOfRun(): Promise<string> {
  const { inject } = await import('vitest'); // the demo starts a gateway without it
  const answer = await fetch(inject('s3Cluster'));
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}
