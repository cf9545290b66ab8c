import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { guardForeignStores } from '../../src/stores/foreign-store.js';
import { PostgresStore } from '../../src/stores/postgres/index.js';
import { RedisStore } from '../../src/stores/redis/index.js';
import { S3Store } from '../../src/stores/s3/index.js';
import type { SessionStore } from '../../src/stores/session-store.js';
import { isStandstill } from '../../src/stores/watched/deadline.js';
import { MemoryStore } from '../../src/testing/memory-store.js';

const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };

/** Takes connections and says nothing. */
async function silentServer(): Promise<{ readonly port: number; readonly stop: () => void }> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

const failureOf = (store: SessionStore) => store.head('shop/a').then(String, (error: unknown) => error);

describe('a server that does not answer within the time that the client of the store has for it', () => {
  it.each<[string, (port: number) => SessionStore]>([
    [
      'S3Store',
      (port) =>
        new S3Store({
          bucket: 'bucket',
          endpoint: `http://127.0.0.1:${port}`,
          credentials,
          requestTimeoutMs: 100,
        }),
    ],
    ['RedisStore', (port) => new RedisStore({ url: `redis://:secret@127.0.0.1:${port}` })],
  ])(
    'is a standstill, and no answer: %s',
    async (_, storeAt) => {
      const { port, stop } = await silentServer();
      const store = storeAt(port);
      try {
        const failure = await failureOf(store);
        expect(failure).toMatchObject({ code: 'STORE', retryable: true });
        expect(isStandstill(failure)).toBe(true);
      } finally {
        await store.close?.();
        stop();
      }
    },
    20_000,
  );

  it.each(['timeout exceeded when trying to connect', 'Connection terminated due to connection timeout'])(
    'is a standstill for the pool of an application: %s',
    async (message) => {
      const connect = async () => {
        throw new Error(message);
      };
      const pool = Object.assign(new EventEmitter(), { totalCount: 1, connect });
      const failure = await failureOf(new PostgresStore({ pool }));
      expect(failure).toMatchObject({
        code: 'STORE',
        retryable: true,
        message: expect.stringContaining(message),
      });
      expect(isStandstill(failure)).toBe(true);
    },
  );

  it("is a standstill for a store of the bot's own", async () => {
    const store = new MemoryStore();
    store.head = async () => {
      throw new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    };
    expect(isStandstill(await failureOf(guardForeignStores()(store)))).toBe(true);
    store.head = async () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    };
    expect(isStandstill(await failureOf(guardForeignStores()(store)))).toBe(false);
  });
});
