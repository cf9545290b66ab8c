import { createHash } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { PostgresStore, type PostgresStoreOptions } from '../../../src/stores/postgres/index.js';
import { PostgresServer } from '../servers/postgres-server.js';

export interface Place {
  readonly server: PostgresServer;
  /** A store with tables of its own, which is closed after the tests. */
  readonly store: (options?: Partial<PostgresStoreOptions>) => PostgresStore;
  /** The schema of the latest store that was made without one. */
  readonly schema: string;
}

/** One server for all tests of a file. */
export function withServer(): Place {
  const stores: PostgresStore[] = [];
  let server: PostgresServer | undefined;
  let count = 0;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(async () => {
    for (const store of stores) await store.close();
    await server?.stop();
  });
  const running = () => {
    if (server === undefined) throw new Error('the server has not been started');
    return server;
  };
  return {
    get server() {
      return running();
    },
    get schema() {
      return `test_${count}`;
    },
    store: (options = {}) => {
      const place = options.pool || options.host ? {} : { connectionString: running().urlFor() };
      const store = new PostgresStore({
        ...place,
        schema: options.schema ?? `test_${++count}`,
        ...options,
      } as PostgresStoreOptions);
      stores.push(store);
      return store;
    },
  };
}

/** Everything that an error tells, also by its causes and in its fields. */
export function allWordsOf(error: unknown): string {
  const words: string[] = [];
  for (let current = error; current instanceof Error && words.length < 10; current = current.cause) {
    words.push(
      String(current),
      current.stack ?? '',
      JSON.stringify(current, Object.getOwnPropertyNames(current)),
    );
    if (current instanceof AggregateError) words.push(...current.errors.map(allWordsOf));
  }
  return words.join('\n');
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
