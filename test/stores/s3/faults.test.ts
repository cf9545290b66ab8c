import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { S3Store, type S3StoreOptions } from '../../../src/stores/s3/index.js';
import { bytesAt, bytesOf, keysOf, streamOf } from '../../../src/testing/conformance/harness.js';
import { type FakeRequest, FakeS3, type Mishap } from '../servers/s3-fake.js';

/** In this time everything that was sent has arrived. */
const RECEIVING_MS = 300;
const credentials = { accessKeyId: 'test', secretAccessKey: 'MARKED-SECRET', sessionToken: 'MARKED-TOKEN' };
const opened: FakeS3[] = [];
afterEach(() => Promise.all(opened.splice(0).map((fake) => fake.stop())));

async function open(options: Partial<S3StoreOptions> = {}, fakeOptions = {}) {
  const fake = await FakeS3.start(fakeOptions);
  opened.push(fake);
  const store = new S3Store({ bucket: 'bucket', endpoint: fake.endpoint, credentials, ...options });
  return { fake, store };
}

/** The first requests with this method meet these mishaps, one each. */
function mishaps(fake: FakeS3, method: string, ...list: Mishap[]): void {
  fake.mishap = (request: FakeRequest) => (request.method === method ? list.shift() : undefined);
}

function count(fake: FakeS3, method: string): number {
  return fake.requests.filter((request) => request.method === method).length;
}

describe('a request that fails', () => {
  it.each([
    [{ status: 500, code: 'InternalError' }],
    [{ status: 503, code: 'SlowDown' }],
    ['reset'],
    ['lost'],
  ] as const)('is tried again after %j', async (mishap) => {
    const { fake, store } = await open();
    mishaps(fake, 'PUT', mishap);
    await store.put('a', bytesOf(10));
    mishaps(fake, 'GET', mishap);
    expect(await bytesAt(store, 'a')).toEqual(bytesOf(10));
  });

  it('is tried three times at the most, and may work later', async () => {
    const { fake, store } = await open();
    fake.mishap = () => ({ status: 500, code: 'InternalError' });
    await expect(store.put('a', bytesOf(10))).rejects.toMatchObject({ code: 'STORE', retryable: true });
    expect(fake.requests).toHaveLength(3);
  });

  it('is tried again where two writers met at the same moment (409), within bounds', async () => {
    const { fake, store } = await open();
    await store.probeConditions();
    const clash = { status: 409, code: 'ConditionalRequestConflict' };
    mishaps(fake, 'PUT', clash, clash);
    await store.put('a', bytesOf(10), { ifAbsent: true });
    fake.mishap = ({ method }) => (method === 'PUT' ? clash : undefined);
    const before = count(fake, 'PUT');
    await expect(store.put('b', bytesOf(10), { ifAbsent: true })).rejects.toMatchObject({
      code: 'STORE',
      retryable: true,
    });
    expect(count(fake, 'PUT') - before).toBe(5);
  });

  it('is given up when the server does not answer in time', async () => {
    const { fake, store } = await open({ requestTimeoutMs: 100 });
    await store.put('a', bytesOf(10));
    fake.hang();
    await expect(store.head('a')).rejects.toMatchObject({ code: 'STORE', retryable: true });
    expect(count(fake, 'HEAD')).toBe(3);
  });
});

describe('a conditional put whose answer is lost', () => {
  it('knows its own value', async () => {
    const { fake, store } = await open();
    await store.probeConditions();
    mishaps(fake, 'PUT', 'lost');
    const put = await store.put('a', bytesOf(10), { ifAbsent: true });
    expect(put).toMatchObject({ version: (await store.head('a'))?.version });
    mishaps(fake, 'PUT', 'lost');
    await store.put('a', bytesOf(10, 1), { ifVersion: put.version });
    expect(await bytesAt(store, 'a')).toEqual(bytesOf(10, 1));
  });

  it('takes the same bytes of somebody else for a conflict', async () => {
    const { fake, store } = await open();
    const other = new S3Store({ bucket: 'bucket', endpoint: fake.endpoint, credentials });
    await Promise.all([store.probeConditions(), other.probeConditions()]);
    await other.put('a', bytesOf(10), { ifAbsent: true });
    mishaps(fake, 'PUT', 'reset');
    await expect(store.put('a', bytesOf(10), { ifAbsent: true })).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
    });
  });
});

describe('what is wrong with the settings or the account', () => {
  it.each([
    [403, 'InvalidAccessKeyId', 'accessKeyId'],
    [403, 'SignatureDoesNotMatch', 'secretAccessKey'],
    [403, 'AccessDenied', 'right'],
    [404, 'NoSuchBucket', 'bucket does not exist'],
    [301, 'PermanentRedirect', 'region'],
    [400, 'ExpiredToken', 'expired'],
  ])('%i %s is final, and says what to do', async (status, code, hint) => {
    const { fake, store } = await open({ name: 'backups' });
    fake.mishap = () => ({ status, code });
    const calls = [
      () => store.get('a'),
      () => store.put('a', bytesOf(1)),
      () => keysOf(store),
      () => store.deleteMany(['a']),
    ];
    for (const call of calls) {
      const error = await errorOf(call());
      expect(error).toMatchObject({ code: 'STORE', retryable: false });
      expect(error.message).toContain('backups (bucket bucket)');
      expect(error.message).toContain(hint);
    }
  });

  it('a missing bucket never looks like a missing object', async () => {
    const { store } = await open({ bucket: 'another' });
    for (const call of [
      () => store.head('a'),
      () => store.get('a'),
      () => store.delete('a'),
      () => keysOf(store),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'STORE', retryable: false });
    }
  });

  it('a refusal without a word, as S3 gives it to a HEAD, tells what to look at', async () => {
    const { fake, store } = await open();
    fake.mishap = ({ method }) => (method === 'HEAD' ? { status: 400, code: 'ExpiredToken' } : undefined);
    await expect(store.head('a')).rejects.toMatchObject({
      code: 'STORE',
      retryable: false,
      message: expect.stringMatching(
        /^could not look up "a" in s3 .*the keys have expired, or the region is wrong/,
      ),
    });
  });

  it('a service that contradicts itself about an object is asked twice, and not for ever', async () => {
    const { fake, store } = await open();
    fake.mishap = ({ method }) =>
      method === 'HEAD' ? { status: 404, code: 'NotFound' } : { status: 416, code: 'InvalidRange' };
    expect(await store.head('a')).toBeUndefined();
    expect(fake.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  it('a quota that is used up may be raised', async () => {
    const { fake, store } = await open();
    fake.mishap = () => ({ status: 403, code: 'QuotaExceeded' });
    await expect(store.put('a', bytesOf(1))).rejects.toMatchObject({ retryable: true });
  });

  it('a server that is not there may come back', async () => {
    const { fake, store } = await open();
    await fake.stop();
    await expect(store.head('a')).rejects.toMatchObject({ code: 'STORE', retryable: true });
  });

  it('https to a server without TLS is final', async () => {
    const { fake } = await open();
    const store = new S3Store({
      bucket: 'bucket',
      endpoint: fake.endpoint.replace('http:', 'https:'),
      credentials,
    });
    const error = await errorOf(store.head('a'));
    expect(error).toMatchObject({ code: 'STORE', retryable: false });
    expect(error.message).toContain('TLS');
  });

  it('no error holds a secret, whatever the service answers', async () => {
    const { fake, store } = await open();
    fake.distort = () => '<html>MARKED-SECRET MARKED-TOKEN';
    const errors: unknown[] = [];
    await keysOf(store).catch((error) => errors.push(error));
    for (const code of ['SignatureDoesNotMatch', 'MARKED-TOKEN']) {
      fake.mishap = () => ({ status: 403, code });
      await store.head('a').catch((error) => errors.push(error));
      await store.get('a').catch((error) => errors.push(error));
    }
    expect(errors).toHaveLength(5);
    for (const error of errors) expect(everythingIn(error)).not.toContain('MARKED');
  });
});

describe('a listing', () => {
  it('goes over all pages', async () => {
    const { store } = await open({}, { pageSize: 3 });
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    for (const key of keys) await store.put(key, bytesOf(1));
    expect(await keysOf(store)).toEqual(keys);
  });

  it.each([
    [
      'whose token comes back',
      (xml: string) =>
        xml.replace(
          /<IsTruncated>.*?<\/NextContinuationToken>/,
          '<IsTruncated>true</IsTruncated><NextContinuationToken>b</NextContinuationToken>',
        ),
    ],
    [
      'that is cut without a token',
      (xml: string) => xml.replace(/<NextContinuationToken>.*<\/NextContinuationToken>/, ''),
    ],
  ])('%s is a fault, never a short list', async (_, distort) => {
    const { fake, store } = await open({}, { pageSize: 2 });
    for (const key of ['a', 'b', 'c', 'd', 'e']) await store.put(key, bytesOf(1));
    fake.distort = distort;
    await expect(keysOf(store)).rejects.toMatchObject({ code: 'STORE', retryable: false });
  });
});

describe('the sizes of what is sent', () => {
  it('a body that is too long or too short breaks no connection for the next one', async () => {
    const { store } = await open();
    for (const size of [1_999_999, 2_000_001]) {
      await expect(store.put('a', streamOf(bytesOf(2_000_000)), { size })).rejects.toMatchObject({
        code: 'STORE',
      });
      await store.put('b', bytesOf(10));
      expect(await bytesAt(store, 'b')).toEqual(bytesOf(10));
    }
    expect(await keysOf(store)).toEqual(['b']);
  });

  it('never completes a stream whose digest turns out to be wrong', async () => {
    const { fake, store } = await open();
    const digest = { sha256: '0'.repeat(64) };
    async function* slowToEnd() {
      yield bytesOf(1_990_000);
      yield bytesOf(10_000);
      await sleep(RECEIVING_MS);
    }
    const body = Readable.from(slowToEnd(), { objectMode: false });
    await expect(store.put('a', body, { size: 2_000_000, digest })).rejects.toMatchObject({
      code: 'STORE',
      retryable: true,
    });
    await store.put('b', bytesOf(10));
    expect([...fake.objects.keys()]).toEqual(['b']);
  });

  it('refuses a stream of unknown size with a condition when it is long', async () => {
    const { store } = await open();
    const body = streamOf(bytesOf(9_000_000), 1_000_000);
    await expect(store.put('a', body, { ifAbsent: true })).rejects.toMatchObject({
      code: 'STORE',
      retryable: false,
    });
    expect(body.destroyed).toBe(true);
    await expect(
      store.put('a', Readable.from([]), { ifAbsent: true, size: 6 * 1024 ** 3 }),
    ).rejects.toMatchObject({ code: 'STORE', retryable: false });
  });

  it('a client of the bot sends streams without framing, stays as it is, and stays open', async () => {
    const { fake } = await open();
    const client = new S3Client({
      endpoint: fake.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials,
    });
    const store = new S3Store({ bucket: 'bucket', client });
    await store.put('a', streamOf(bytesOf(2_000_000)), { size: 2_000_000 });
    expect(await bytesAt(store, 'a')).toEqual(bytesOf(2_000_000));
    expect(fake.requests[0]?.headers).not.toHaveProperty('x-amz-trailer');
    expect(await client.config.requestChecksumCalculation()).toBe('WHEN_SUPPORTED');
    await store.close();
    expect(await store.head('a')).toMatchObject({ size: 2_000_000 });
    client.destroy();
  });
});

function errorOf(call: Promise<unknown>): Promise<Error> {
  return call.then(
    () => expect.fail('worked'),
    (error: Error) => error,
  );
}

/** All texts in an error, its causes and their fields, also hidden ones. */
function everythingIn(error: unknown, seen = new Set<unknown>()): string {
  if (typeof error !== 'object' || error === null || seen.has(error)) return String(error);
  seen.add(error);
  const fields = Object.getOwnPropertyNames(error).map((name) => (error as Record<string, unknown>)[name]);
  return fields.map((field) => everythingIn(field, seen)).join('\n');
}
