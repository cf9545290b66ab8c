import { describe, expect, it } from 'vitest';
import { fromEnv } from '../../src/from-env.js';
import { FileSystemStore } from '../../src/stores/file-system-store.js';
import { PostgresStore } from '../../src/stores/postgres/index.js';
import { RedisStore } from '../../src/stores/redis/index.js';
import { S3Store } from '../../src/stores/s3/index.js';
import { storeFromUrl } from '../../src/stores/store-from-url.js';

const SECRET = 'hush-hush-7f3a';

describe('an address', () => {
  it.each([
    [`s3://bots`, S3Store],
    [`s3://KEY:${SECRET}@bots/whatsapp?region=eu-central-1&endpoint=https://s3.example.com`, S3Store],
    [`s3://bots/a%20folder?forcePathStyle=true&region=us-east-1`, S3Store],
    [`postgres://bot:${SECRET}@db.example.com:5432/bots?sslmode=require`, PostgresStore],
    [`postgresql://bot@db.example.com/bots?schema=sessions`, PostgresStore],
    [`redis://:${SECRET}@cache.example.com:6379/0`, RedisStore],
    [`rediss://bot:${SECRET}@cache.example.com?prefix=bots`, RedisStore],
    ['file:///srv/sessions', FileSystemStore],
    ['  file:///srv/sessions  ', FileSystemStore],
  ])('%s names a store, and connects to nothing', (address, Store) => {
    expect(storeFromUrl(address)).toBeInstanceOf(Store);
  });

  it.each([
    ['bots', 'no address'],
    ['', 'no address'],
    [`https://x:${SECRET}@example.com/`, 'begins with "https:"'],
    [`mongodb://x:${SECRET}@example.com/`, 'begins with "mongodb:"'],
    [`postgres://x:${SECRET}/%@example.com:port/`, 'percent-encoded'],
    [`s3://KEY@bots`, 'only half of its keys'],
    [`s3://KEY:%${SECRET}@bots`, 'no percent-encoding'],
    [`s3://bots?acl=public&secret=${SECRET}`, 'the parameter "acl"'],
    [`s3://bots?${SECRET}`, 'has a parameter that is not known'],
    [`s3://KEY:/${SECRET}@bots/folder?region=eu-central-1`, 'percent-encoded'],
    [`s3://key:12/${SECRET}@bots`, 'percent-encoded'],
    [`s3://key:7?${SECRET}@bots`, 'percent-encoded'],
    [`s3://key:7?region=${SECRET}@bots`, 'percent-encoded'],
    [`s3://key:12#${SECRET}@bots`, 'percent-encoded'],
    [`s3://${SECRET.toUpperCase()}/folder`, 'no name of a bucket'],
    [`s3://${SECRET}:12/folder`, 'no name of a bucket'],
    [`s3:///folder`, 'no name of a bucket'],
    [`postgres://bot:/${SECRET}@db.example.com/bots`, 'percent-encoded'],
    [`postgres://bot:1?${SECRET}@db.example.com/bots`, 'percent-encoded'],
    [`postgres://bot:1?schema=bots&${SECRET}@db.example.com/bots`, 'percent-encoded'],
    [`postgres://bot:1#${SECRET}@db.example.com/bots`, 'percent-encoded'],
    [`redis://bot:12/${SECRET}@cache.example.com/0`, 'percent-encoded'],
    [`redis://bot:12?${SECRET}@cache.example.com/0`, 'percent-encoded'],
    [`redis://bot:12?prefix=${SECRET}@cache.example.com/0`, 'percent-encoded'],
    [`redis://bot:12#${SECRET}@cache.example.com/0`, 'percent-encoded'],
    [`redis://cache.example.com/0?${SECRET}`, 'a parameter is not accepted'],
    [`${SECRET}:word@example.com`, 'no address'],
    [`file://host/share?x=${SECRET}`, 'more than an absolute folder'],
    [undefined, 'a value of type undefined'],
    [7, 'a value of type number'],
  ])('%s is refused with what is accepted, and without its secret', (address, why) => {
    const refusal = refusalOf(() => storeFromUrl(address as string));
    expect(refusal).toMatchObject({ code: 'CONFIGURATION', message: expect.stringContaining(why) });
    expect(told(refusal)).not.toContain(folded(SECRET));
  });
});

describe('the variables of the environment', () => {
  it('name the stores by their addresses, or by the variable that has one', () => {
    const env = {
      STORE_URL: 'DATABASE_URL',
      BACKUP_STORE_URL: 's3://bots/zips',
      DATABASE_URL: `postgres://bot:${SECRET}@db.example.com/bots`,
      REDIS_URL: `redis://:${SECRET}@cache.example.com`,
    };
    const { store, backupStore } = fromEnv(env);
    expect(store).toBeInstanceOf(PostgresStore);
    expect(backupStore).toBeInstanceOf(S3Store);
  });

  it('of a platform are not read unless they are asked for by name', () => {
    expect(fromEnv({ DATABASE_URL: 'postgres://db/bots', REDIS_URL: 'redis://cache' })).toEqual({});
  });

  it.each([
    [{ STORE_URL: 'DATABASE_URL' }, 'STORE_URL'],
    [
      { STORE_URL: 'DATABASE_URL', DATABASE_URL: `https://x:${SECRET}@example.com` },
      'STORE_URL (DATABASE_URL)',
    ],
    [{ STORE_URL: 'SESSION_STORE' }, 'STORE_URL: "SESSION_STORE" is not accepted'],
    [{ STORE_URL: 'DATABASEURL' }, 'STORE_URL: "DATABASEURL" is not accepted'],
    [{ STORE_URL: 'HUSHHUSH7F3A' }, 'STORE_URL: a text that is not shown is not accepted'],
    [{ BACKUP_STORE_URL: `s3://KEY:${SECRET}@` }, 'BACKUP_STORE_URL'],
  ])('are refused by their names, and no secret is shown', (env, name) => {
    const refusal = refusalOf(() => fromEnv(env));
    expect(refusal).toMatchObject({ code: 'CONFIGURATION', message: expect.stringContaining(name) });
    expect(told(refusal)).not.toContain(folded(SECRET));
  });
});

function told({ message, stack, cause }: Error): string {
  return folded(`${message} ${stack} ${String(cause)}`);
}

/** Letters and digits only, since an address may be written in other ways. */
function folded(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function refusalOf(call: () => unknown): Error & { cause?: unknown } {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it was accepted');
}
