import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { S3Cluster } from './s3-cluster.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers with the configuration file of the cluster of this run, which it starts when first asked. */
    s3Cluster: string;
  }
}

/** One cluster for all test files of a run, and none where no file needs it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let starting: Promise<S3Cluster> | undefined;
  const server = createServer((_, response) => {
    starting ??= S3Cluster.start();
    starting.then(
      ({ configuration }) => response.end(configuration),
      (error: Error) => response.writeHead(500).end(`the S3 cluster did not start: ${error.message}`),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  project.provide('s3Cluster', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return async () => {
    server.close();
    server.closeAllConnections();
    const cluster = await starting?.catch(() => undefined);
    await cluster?.stop();
  };
}
