import { describe, it } from 'vitest';
import { S3Store } from '../../../src/stores/s3/index.js';
import { describeSessionStore, type StoreFixture } from '../../../src/testing/index.js';
import { type FakeOptions, FakeS3 } from '../servers/s3-fake.js';

const offers = { deleteMany: true, ranges: true, inMemory: true } as const;
const credentials = { accessKeyId: 'test', secretAccessKey: 'testsecret' };

async function onFake(options: FakeOptions): Promise<StoreFixture> {
  const fake = await FakeS3.start(options);
  const store = new S3Store({ bucket: 'bucket', endpoint: fake.endpoint, credentials });
  await store.probeConditions();
  return { store, dispose: () => fake.stop() };
}

const complete = { ...offers, conditionalDelete: true, verifiedBy: 'server' } as const;
describeSessionStore(
  { describe, it, name: 'S3Store on a service with conditions for puts and deletes', expects: complete },
  () => onFake({}),
);

const poor = { ...offers, conditionalPut: false } as const;
describeSessionStore(
  { describe, it, name: 'S3Store on a service that ignores conditions and digests', expects: poor },
  () => onFake({ conditions: 'ignore', digests: false, deleteMany: false }),
);
