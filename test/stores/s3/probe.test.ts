import { afterEach, describe, expect, it } from 'vitest';
import { S3Store } from '../../../src/stores/s3/index.js';
import { bytesOf, keysOf } from '../../../src/testing/conformance/harness.js';
import { type FakeOptions, FakeS3, type Mishap } from '../servers/s3-fake.js';

const credentials = { accessKeyId: 'test', secretAccessKey: 'testsecret' };
const opened: FakeS3[] = [];
afterEach(() => Promise.all(opened.splice(0).map((fake) => fake.stop())));

async function open(options: FakeOptions = {}) {
  const fake = await FakeS3.start(options);
  opened.push(fake);
  const store = new S3Store({ bucket: 'bucket', prefix: 'bots', endpoint: fake.endpoint, credentials });
  const notices: string[] = [];
  store.onNotice((notice) => notices.push(notice));
  return { fake, store, notices };
}

/** Only the n-th request that fits has the mishap. */
function once(fake: FakeS3, n: number, fits: (method: string) => boolean, mishap: Mishap): void {
  let seen = 0;
  fake.mishap = ({ method }) => (fits(method) && ++seen === n ? mishap : undefined);
}

describe('the probe of conditions', () => {
  it('tries nothing before a condition is used, and then once for all', async () => {
    const { fake, store } = await open();
    await store.put('a', bytesOf(1));
    await store.head('a');
    expect(fake.requests).toHaveLength(2);
    await Promise.all(['b', 'c', 'd'].map((key) => store.put(key, bytesOf(1), { ifAbsent: true })));
    const first = fake.requests.length;
    await store.put('e', bytesOf(1), { ifAbsent: true });
    expect(fake.requests).toHaveLength(first + 1);
    expect(first).toBeLessThanOrEqual(2 + 10 + 3);
  });

  it('finds what a complete service can, and leaves nothing behind', async () => {
    const { fake, store, notices } = await open();
    expect(store.capabilities).toEqual({ conditionalPut: true });
    expect(await store.probeConditions()).toEqual({ conditionalPut: true, conditionalDelete: true });
    expect([...fake.objects.keys()]).toEqual([]);
    expect(fake.requests.every(({ path }) => path.startsWith('/bucket/bots/.tmp-probe-'))).toBe(true);
    expect(notices).toEqual([]);
  });

  it.each(['ignore', 'refuse'] as const)(
    'refuses conditions where the service will %s them, and says so',
    async (conditions) => {
      const { fake, store, notices } = await open({ conditions });
      await expect(store.put('a', bytesOf(1), { ifAbsent: true })).rejects.toMatchObject({
        code: 'STORE',
        retryable: false,
      });
      expect(store.capabilities).toEqual({ conditionalPut: false, conditionalDelete: false });
      expect(notices).toEqual([expect.stringContaining('refused as the place of a lease')]);
      const late: string[] = [];
      store.onNotice((notice) => late.push(notice));
      expect(late).toEqual(notices);
      expect([...fake.objects.keys()]).toEqual([]);
    },
  );

  it('is not misled by an answer that is lost, whichever it is', async () => {
    for (let n = 1; n <= 8; n++) {
      const { fake, store } = await open();
      once(fake, n, (method) => method === 'PUT' || method === 'DELETE', 'lost');
      expect(await store.probeConditions(), `${n}`).toEqual({
        conditionalPut: true,
        conditionalDelete: true,
      });
    }
  });

  it('remembers no failure', async () => {
    const { fake, store } = await open();
    fake.mishap = () => ({ status: 403, code: 'AccessDenied' });
    await expect(store.probeConditions()).rejects.toMatchObject({ code: 'STORE', retryable: false });
    expect(store.capabilities).toEqual({ conditionalPut: true });
    fake.mishap = () => undefined;
    expect(await store.probeConditions()).toMatchObject({ conditionalDelete: true });
  });

  it('leaves what a dead probe has left out of listings', async () => {
    const { fake, store } = await open();
    await store.put('a', bytesOf(1));
    const value = fake.objects.get('bots/a');
    if (value !== undefined) fake.objects.set('bots/.tmp-probe-1', value);
    expect(await keysOf(store)).toEqual(['a']);
  });
});

describe('the probe of digests', () => {
  it('is made by the first put with a digest, once', async () => {
    const { fake, store } = await open();
    const digest = { sha256: '4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a' };
    expect((await store.put('a', Buffer.from([1]), { digest })).verifiedBy).toBe('server');
    expect(fake.requests).toHaveLength(3);
    await store.put('b', Buffer.from([1]), { digest });
    expect(fake.requests).toHaveLength(4);
  });
});
