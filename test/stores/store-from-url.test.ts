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
    [`file://host/share?x=${SECRET}`, 'more than an absolute folder'],
    [undefined, 'a value of type undefined'],
    [7, 'a value of type number'],
  ])('%s is refused with what is accepted, and without its secret', (address, why) => {
    const refusal = refusalOf(() => storeFromUrl(address as string));
    expect(refusal).toMatchObject({ code: 'CONFIGURATION', message: expect.stringContaining(why) });
    expect(`${refusal.message} ${refusal.stack} ${String(refusal.cause)}`).not.toContain(SECRET);
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
    [{ BACKUP_STORE_URL: `s3://KEY:${SECRET}@` }, 'BACKUP_STORE_URL'],
  ])('are refused by their names, and no secret is shown', (env, name) => {
    const refusal = refusalOf(() => fromEnv(env));
    expect(refusal).toMatchObject({ code: 'CONFIGURATION', message: expect.stringContaining(name) });
    expect(`${refusal.message} ${refusal.stack} ${String(refusal.cause)}`).not.toContain(SECRET);
  });
});

function refusalOf(call: () => unknown): Error & { cause?: unknown } {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it was accepted');
}
