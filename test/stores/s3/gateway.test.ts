import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3Store, type S3StoreOptions } from '../../../src/stores/s3/index.js';
import { bytesAt, bytesOf, keysOf } from '../../../src/testing/conformance/harness.js';
import { hasPrograms } from '../servers/installed.js';
import { S3_PROGRAMS } from '../servers/s3-cluster.js';
import { credentials, S3Gateway } from '../servers/s3-gateway.js';

const MB = 1024 * 1024;
const PIECE = bytesOf(MB);
const RACERS = 20;

/** A stream of so many MB, and what is known of it. */
function large(megabytes: number, failAt = Number.POSITIVE_INFINITY) {
  const hash = createHash('sha256');
  function* pieces() {
    for (let index = 0; index < megabytes; index++) {
      if (index === failAt) throw new Error('the source failed');
      hash.update(PIECE);
      yield PIECE;
    }
  }
  return { stream: Readable.from(pieces(), { objectMode: false }), sha256: () => hash.digest('hex') };
}

async function sha256Of(body: Readable | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of body ?? []) hash.update(chunk);
  return hash.digest('hex');
}

describe.skipIf(!hasPrograms('S3', S3_PROGRAMS))('S3Store on a gateway of Ceph', () => {
  let gateway: S3Gateway;
  let bucket: string;
  beforeAll(async () => {
    gateway = await S3Gateway.start();
    bucket = await gateway.bucket();
  });
  afterAll(() => gateway?.stop());

  const open = (prefix: string, options: Partial<S3StoreOptions> = {}) =>
    new S3Store({ bucket, prefix, endpoint: gateway.endpoint, credentials, ...options });

  async function uploadsLeft(): Promise<number> {
    const client = new S3Client({
      endpoint: gateway.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials,
    });
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    client.destroy();
    return Uploads.length;
  }

  it('finds out that this service has conditional puts, and ignores those of deletes', async () => {
    const store = open('probe');
    expect(await store.probeConditions()).toEqual({ conditionalPut: true, conditionalDelete: false });
    expect(await keysOf(store)).toEqual([]);
    await store.put('a', bytesOf(1));
    const version = (await store.head('a'))?.version ?? '';
    await expect(store.delete('a', { ifVersion: version })).rejects.toMatchObject({
      code: 'STORE',
      retryable: false,
    });
    expect(await store.head('a')).toBeDefined();
  });

  it.each([
    ['of known size', 70, 70 * MB],
    ['of unknown size', 20, undefined],
  ])('uploads a long stream %s in parts', async (_, megabytes, size) => {
    const store = open('parts');
    const { stream, sha256 } = large(megabytes);
    const put = await store.put('a', stream, { ...(size && { size }) });
    expect(put.size).toBe(megabytes * MB);
    const found = await store.get('a');
    expect(found?.info).toMatchObject({ size: megabytes * MB, version: put.version });
    expect(await sha256Of(found?.body)).toBe(sha256());
  });

  it.each([
    ['fails', { failAt: 30, size: undefined }],
    ['is shorter than announced', { failAt: undefined, size: 71 * MB }],
    ['is longer than announced', { failAt: undefined, size: 69 * MB }],
  ])('keeps the old value and no parts where a long source %s', async (_, { failAt, size }) => {
    const store = open('failing');
    await store.put('a', bytesOf(5));
    const { stream } = large(70, failAt);
    await expect(store.put('a', stream, { ...(size && { size }) })).rejects.toMatchObject({ code: 'STORE' });
    expect(stream.destroyed).toBe(true);
    expect(await bytesAt(store, 'a')).toEqual(bytesOf(5));
    expect(await uploadsLeft()).toBe(0);
  });

  it('removes the parts of a long put that is aborted', async () => {
    const store = open('aborted');
    const ending = new AbortController();
    const reason = new Error('changed our mind');
    async function* stalled() {
      for (let index = 0; index < 20; index++) yield PIECE;
      ending.abort(reason);
      await new Promise(() => undefined);
    }
    const body = Readable.from(stalled(), { objectMode: false });
    await expect(store.put('a', body, { signal: ending.signal })).rejects.toBe(reason);
    expect(await store.head('a')).toBeUndefined();
    await expect.poll(uploadsLeft, { timeout: 20_000 }).toBe(0);
  });

  it('compares the MD5 of a stream, which the server does', async () => {
    const store = open('md5');
    const bytes = bytesOf(3 * MB);
    const digest = {
      sha256: createHash('sha256').update(bytes).digest('hex'),
      md5: createHash('md5').update('other bytes').digest('hex'),
    };
    const put = store.put('a', Readable.from([bytes], { objectMode: false }), { size: bytes.length, digest });
    await expect(put).rejects.toMatchObject({ code: 'STORE', retryable: true, cause: { code: 'BadDigest' } });
    expect(await store.head('a')).toBeUndefined();
  });

  it(`has one winner of ${RACERS} stores that race for each of ten generations`, async () => {
    const stores = Array.from({ length: RACERS }, () => open('race'));
    let version: string | undefined;
    for (let generation = 1; generation <= 10; generation++) {
      const condition = version === undefined ? { ifAbsent: true } : { ifVersion: version };
      const puts = stores.map((store, index) =>
        store.put('lease', bytesOf(100, generation * RACERS + index), condition),
      );
      const outcomes = await Promise.allSettled(puts);
      const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      expect(won).toHaveLength(1);
      version = won[0]?.version;
      expect((await stores[0]?.head('lease'))?.version).toBe(version);
    }
    await Promise.all(stores.map((store) => store.close()));
  });

  it.each([
    ['a wrong secret', { credentials: { ...credentials, secretAccessKey: 'MARKED' } }, 'secretAccessKey'],
    ['a wrong key', { credentials: { ...credentials, accessKeyId: 'nobody' } }, 'accessKeyId'],
    ['a missing bucket', { bucket: 'no-such-bucket' }, 'bucket does not exist'],
  ])('says of %s what to do, and that trying again is of no use', async (_, options, hint) => {
    const store = open('wrong', options);
    for (const call of [() => store.get('a'), () => store.put('a', bytesOf(1)), () => keysOf(store)]) {
      const error = await call().then(
        () => expect.fail('worked'),
        (reason: Error) => reason,
      );
      expect(error).toMatchObject({ code: 'STORE', retryable: false });
      expect(error.message).toContain(hint);
    }
    await expect(store.head('a')).rejects.toMatchObject({ code: 'STORE', retryable: false });
    await expect(store.delete('a')).rejects.toMatchObject({ code: 'STORE', retryable: false });
  });

  it('ends by itself when the gateway hangs, without a signal', async () => {
    const store = open('hanging', { requestTimeoutMs: 300 });
    await store.put('a', bytesOf(5));
    gateway.suspend();
    try {
      for (const call of [() => store.head('a'), () => store.put('b', bytesOf(5)), () => keysOf(store)]) {
        await expect(call()).rejects.toMatchObject({ code: 'STORE', retryable: true });
      }
    } finally {
      gateway.resume();
    }
    expect(await bytesAt(store, 'a')).toEqual(bytesOf(5));
  });

  it('keeps no process alive', async () => {
    const index = new URL('../../../src/stores/s3/index.ts', import.meta.url).href;
    const options = { bucket, endpoint: gateway.endpoint, credentials };
    const program = `
      import { S3Store } from ${JSON.stringify(index)};
      const store = new S3Store(${JSON.stringify(options)});
      await store.put('alive', Buffer.from('yes'), { ifAbsent: true });
      process.stdout.write(String((await store.head('alive'))?.size));`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
    expect(stdout).toBe('3');
  });
});
