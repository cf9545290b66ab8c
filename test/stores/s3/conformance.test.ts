import { afterAll, beforeAll, describe, it } from 'vitest';
import { S3Store } from '../../../src/stores/s3/index.js';
import { describeSessionStore } from '../../../src/testing/index.js';
import { hasPrograms } from '../servers/installed.js';
import { S3_PROGRAMS } from '../servers/s3-cluster.js';
import { credentials, S3Gateway } from '../servers/s3-gateway.js';
import { S3Proxy } from '../servers/s3-proxy.js';

const expects = {
  deleteMany: true,
  ranges: true,
  verifiedBy: 'server',
  breakDown: true,
  faults: ['killInMidPut', 'hang', 'loseAnswer'],
} as const;

describe.skipIf(!hasPrograms('S3', S3_PROGRAMS))('S3Store on a gateway of Ceph', () => {
  let gateway: S3Gateway;
  beforeAll(async () => {
    gateway = await S3Gateway.start();
  });
  afterAll(() => gateway?.stop());

  describeSessionStore({ describe, it, name: 'S3Store', expects }, async () => {
    const proxy = await S3Proxy.start(gateway.port);
    const bucket = await gateway.bucket();
    const store = new S3Store({ bucket, prefix: 'bots', endpoint: proxy.endpoint, credentials });
    return {
      store,
      breakDown: () => proxy.cut(),
      faults: {
        killInMidPut: async () => {
          await gateway.kill();
          return () => gateway.start();
        },
        hang: () => {
          gateway.suspend();
          return () => gateway.resume();
        },
        loseAnswer: async () => {
          await store.probeConditions(); // else it would be one of these answers
          proxy.loseNextAnswer();
        },
      },
      dispose: async () => {
        await store.close();
        await proxy.cut();
      },
    };
  });
});
