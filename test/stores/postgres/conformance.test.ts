import { afterAll, beforeAll, describe, it } from 'vitest';
import { PostgresStore } from '../../../src/stores/postgres/index.js';
import { describeSessionStore } from '../../../src/testing/describe-session-store.js';
import { hasPgBouncer, PgBouncer } from '../servers/postgres-bouncer.js';
import { hasPostgres, PostgresServer } from '../servers/postgres-server.js';
import { TcpProxy } from '../servers/tcp-proxy.js';

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

describe.skipIf(!hasPostgres)('PostgresStore', () => {
  let server: PostgresServer;
  let bouncer: PgBouncer | undefined;
  let schemas = 0;
  beforeAll(async () => {
    server = await PostgresServer.start();
    bouncer = hasPgBouncer ? await PgBouncer.before(server) : undefined;
  });
  afterAll(async () => {
    await bouncer?.stop();
    await server?.stop();
  });

  describeSessionStore({ describe, it, name: 'PostgresStore', expects }, () => fixture(server.port));

  describe.skipIf(!hasPgBouncer)('behind PgBouncer in transaction mode', () => {
    const name = 'PostgresStore';
    describeSessionStore({ describe, it, name, expects }, () => fixture(bouncer?.port ?? 0));
  });

  async function fixture(port: number) {
    const schema = `test_${++schemas}`;
    const proxy = await TcpProxy.to(port);
    const store = new PostgresStore({ connectionString: server.urlFor(proxy), schema });
    return {
      store,
      breakDown: () => proxy.close(),
      faults: {
        killInMidPut: async () => {
          await server.kill();
          return async () => {
            await server.restart();
            await server.untilItAnswers(port);
          };
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
  }
});
