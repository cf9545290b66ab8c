/** A real server of a store on loopback. */
export interface StoreServer {
  readonly port: number;
  /** The address of the store, as `storeFromUrl` takes it; at another port for a proxy. */
  urlAt(port: number): string;
  stop(): Promise<void>;
}

/** How the server of each store is started. */
export const SERVERS: Readonly<Record<string, () => Promise<StoreServer>>> = {
  postgres: async () => {
    const { PostgresServer } = await import('./postgres-server.js');
    const server = await PostgresServer.start();
    return { port: server.port, urlAt: (port) => server.urlFor({ port }), stop: () => server.stop() };
  },
  redis: async () => {
    const { RedisServer } = await import('./redis-server.js');
    const server = await RedisServer.start();
    return { port: server.port, urlAt: (port) => server.urlFor({ port }), stop: () => server.stop() };
  },
  s3: async () => {
    const { ACCESS_KEY, S3Cluster, SECRET_KEY } = await import('./s3-cluster.js');
    const { S3Gateway } = await import('./s3-gateway.js');
    const cluster = await S3Cluster.start();
    const gateway = await S3Gateway.start(cluster.configuration);
    const bucket = await gateway.bucket();
    return {
      port: gateway.port,
      urlAt: (at) =>
        `s3://${ACCESS_KEY}:${SECRET_KEY}@${bucket}?endpoint=${encodeURIComponent(`http://127.0.0.1:${at}`)}`,
      stop: async () => {
        await gateway.stop();
        await cluster.stop();
      },
    };
  },
};

/** @throws Error that names the stores there are */
export async function startServer(name: string | undefined): Promise<StoreServer> {
  const start = SERVERS[name ?? ''];
  if (start === undefined) throw new Error(`--store must be one of ${Object.keys(SERVERS).join(', ')}`);
  return start();
}
