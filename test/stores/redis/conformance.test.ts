import { afterAll, beforeAll, describe, it } from 'vitest';
import { RedisStore } from '../../../src/stores/redis/index.js';
import { describeSessionStore } from '../../../src/testing/describe-session-store.js';
import { hasRedis, RedisServer } from '../servers/redis-server.js';
import { TcpProxy } from '../servers/tcp-proxy.js';
import { WAYS, type Way, wayTo } from './fixture.js';

const expects = {
  conditionalPut: true,
  conditionalDelete: true,
  fencedPut: true,
  serverTime: true,
  deleteMany: true,
  ranges: true,
  verifiedBy: 'readback',
  breakDown: true,
  faults: ['killInMidPut', 'hang', 'loseAnswer'],
} as const;

describe.skipIf(!hasRedis)('RedisStore', () => {
  let server: RedisServer;
  let prefixes = 0;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(async () => {
    await server?.stop();
  });

  for (const way of WAYS) {
    describeSessionStore({ describe, it, name: `RedisStore by ${way}`, expects }, () => fixture(way));
  }

  async function fixture(way: Way) {
    const proxy = await TcpProxy.to(server.port);
    const { options, end } = await wayTo(way, proxy.port);
    const store = new RedisStore({ ...options, prefix: `test-${++prefixes}` });
    return {
      store,
      breakDown: () => proxy.close(),
      faults: {
        killInMidPut: async () => {
          await server.kill();
          return () => server.restart();
        },
        hang: () => {
          server.suspend();
          return () => server.resume();
        },
        loseAnswer: () => proxy.loseAnswerTo('shop/note'),
      },
      dispose: async () => {
        await store.close();
        await end();
        await proxy.close();
        await server.run('FLUSHALL');
      },
    };
  }
});
