import { afterAll, beforeAll, describe, it } from 'vitest';
import { PostgresStore } from '../../../src/stores/postgres/index.js';
import { describeSessionStore } from '../../../src/testing/describe-session-store.js';
import { TcpProxy } from '../servers/postgres-proxy.js';
import { hasPostgres, PostgresServer } from '../servers/postgres-server.js';

describe.skipIf(!hasPostgres)('PostgresStore', () => {
  let server: PostgresServer;
  let schemas = 0;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(async () => {
    await server?.stop();
  });

  const expects = {
    conditionalPut: true,
    conditionalDelete: true,
    fencedPut: true,
    serverTime: true,
    deleteMany: true,
    ranges: true,
    verifiedBy: 'server',
    breakDown: true,
    faults: ['killInMidPut', 'hang', 'loseAnswer'],
  } as const;

  describeSessionStore({ describe, it, name: 'PostgresStore', expects }, async () => {
    const schema = `test_${++schemas}`;
    const proxy = await TcpProxy.to(server.port);
    const store = new PostgresStore({ connectionString: server.urlFor(proxy), schema });
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
        loseAnswer: () => proxy.loseAnswerTo('publish($1'),
      },
      dispose: async () => {
        await store.close();
        await proxy.close();
        await server.run(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
      },
    };
  });
});
