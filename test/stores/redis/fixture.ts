import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll } from 'vitest';
import { RedisStore, type RedisStoreOptions } from '../../../src/stores/redis/index.js';
import { PASSWORD, RedisServer } from '../servers/redis-server.js';

/** How a store reaches the server. */
export const WAYS = ['an address', 'ioredis', 'node-redis'] as const;
export type Way = (typeof WAYS)[number];

/** The part of the options that says where the server is, and what ends the client of it. */
export async function wayTo(
  way: Way,
  port: number,
): Promise<{ readonly options: RedisStoreOptions; readonly end: () => unknown }> {
  const url = `redis://:${PASSWORD}@127.0.0.1:${port}`;
  if (way === 'an address') return { options: { url }, end: () => undefined };
  if (way === 'ioredis') {
    const client = new Redis(url, { maxRetriesPerRequest: 1 });
    return { options: { client }, end: () => client.disconnect() };
  }
  const client = createClient({ url });
  client.on('error', () => undefined);
  await client.connect();
  return { options: { client }, end: () => client.destroy() };
}

export interface Place {
  readonly server: RedisServer;
  /** A store with keys of its own, which is closed after the tests. */
  readonly store: (options?: Partial<RedisStoreOptions>) => RedisStore;
  /** With what the keys of the latest store begin that was made without a prefix. */
  readonly base: string;
}

/** One server for all tests of a file. */
export function withServer(...settings: readonly string[]): Place {
  const stores: RedisStore[] = [];
  let server: RedisServer | undefined;
  let count = 0;
  beforeAll(async () => {
    server = await RedisServer.start(...settings);
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
    get base() {
      return `{test-${count}}:`;
    },
    store: (options = {}) => {
      const place = options.client || options.host ? {} : { url: running().urlFor() };
      const prefix = options.prefix ?? `test-${++count}`;
      const store = new RedisStore({ ...place, ...options, prefix } as RedisStoreOptions);
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
