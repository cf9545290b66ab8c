import { spawnSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { RedisStore } from '../../../src/stores/redis/index.js';
import {
  bytesAt,
  bytesOf,
  digestOf,
  keysOf,
  readAll,
  streamOf,
} from '../../../src/testing/conformance/harness.js';
import { hasRedis } from '../servers/redis-server.js';
import { TcpProxy } from '../servers/tcp-proxy.js';
import { WAYS, wayTo, withServer } from './fixture.js';

const LARGE = 8_000_000;

describe.skipIf(!hasRedis)('the traps of Redis', () => {
  const place = withServer();
  const keysLeft = async (base: string) => {
    const keys = (await place.server.run('KEYS', `${base}*`)) as string[];
    return keys.map((key) => key.slice(base.length).replace(/[\da-f-]{36}$/, '*')).sort();
  };

  it('gives a reader the value that it began, although it is replaced and deleted meanwhile', async () => {
    const store = place.store();
    const { base } = place;
    await store.put('a', bytesOf(LARGE, 1));
    const reading = await store.get('a');
    await store.put('a', bytesOf(LARGE, 2));
    const second = await store.get('a');
    await store.delete('a');
    expect((await readAll(reading?.body as never)).equals(bytesOf(LARGE, 1))).toBe(true);
    expect((await readAll(second?.body as never)).equals(bytesOf(LARGE, 2))).toBe(true);
    // What was replaced goes by itself.
    for (const key of (await place.server.run('KEYS', `${base}v:*`)) as string[]) {
      expect(await place.server.run('PTTL', key)).toBeGreaterThan(0);
    }
  });

  it('takes no room for values that nobody reads, and for puts that fail', async () => {
    const store = place.store();
    const { base } = place;
    for (let round = 0; round < 20; round++) await store.put('a', bytesOf(2_000_000, round));
    expect(await keysLeft(base)).toEqual(['keys', 'objects', 'v:*']);
    async function* failing() {
      yield bytesOf(3_000_000);
      throw new Error('the source failed');
    }
    await expect(store.put('b', Readable.from(failing(), { objectMode: false }))).rejects.toThrow(
      /source failed/,
    );
    const others = { ifAbsent: true, fence: { name: 'shop', generation: 1 } };
    await expect(store.put('a', bytesOf(3_000_000), others)).rejects.toThrow(/there already/);
    await expect.poll(() => keysLeft(base)).toEqual(['keys', 'objects', 'v:*']);
    await store.delete('a');
    expect(await keysLeft(base)).toEqual([]);
  });

  it('never takes keys that were evicted for a session that is missing', async () => {
    const store = place.store();
    const { base, server } = place;
    await store.put('a', bytesOf(3_000_000));
    const [chunks = ''] = (await server.run('KEYS', `${base}v:*`)) as string[];
    await server.run('HDEL', chunks, 8);
    await expect(store.get('a')).resolves.toBeDefined(); // its beginning is there
    await expect(bytesAt(store, 'a')).rejects.toThrow(/replaced or deleted/);
    await server.run('DEL', chunks);
    await expect(store.get('a')).rejects.toThrow(/has lost a part of "a".*noeviction/);
    await server.run('DEL', `${base}objects`);
    await expect(store.head('a')).rejects.toThrow(/has lost a part/);
    await expect(keysOf(store)).rejects.toThrow(/has lost a part/);
    await expect(store.put('a', bytesOf(1), { ifAbsent: true })).rejects.toThrow(/has lost a part/);
  });

  it('lets a writer that slept overwrite nothing of its successor', async () => {
    const [old, successor] = [place.store({ prefix: 'sleep' }), place.store({ prefix: 'sleep' })];
    let wake: () => void = () => undefined;
    const sleeping = new Promise<void>((resolve) => {
      wake = resolve;
    });
    async function* slow() {
      yield bytesOf(3_000_000, 1);
      await sleeping;
      yield bytesOf(10, 1);
    }
    const putting = old.put('a', Readable.from(slow(), { objectMode: false }), {
      fence: { name: 'shop', generation: 1 },
    });
    putting.catch(() => undefined);
    await successor.put('a', bytesOf(20, 2), { fence: { name: 'shop', generation: 2 } });
    wake();
    await expect(putting).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect((await bytesAt(successor, 'a'))?.equals(bytesOf(20, 2))).toBe(true);
  });

  it('finds a byte that flips on the way', async () => {
    const proxy = await TcpProxy.to(place.server.port);
    const store = place.store({ url: place.server.urlFor(proxy) });
    const bytes = Buffer.alloc(600_000, 'a');
    await store.put('a', bytesOf(5));
    proxy.change((chunk) => {
      if (!chunk.includes('aaaaaaaaaaaaaaaa')) return chunk;
      proxy.change(undefined);
      const flipped = Buffer.from(chunk);
      flipped[flipped.indexOf('aaaaaaaaaaaaaaaa')] = 98;
      return flipped;
    });
    const putting = store.put('a', streamOf(bytes), { digest: digestOf(bytes) });
    await expect(putting).rejects.toMatchObject({ code: 'STORE', retryable: true });
    expect((await bytesAt(store, 'a'))?.equals(bytesOf(5))).toBe(true);
    await proxy.close();
  });

  it('leaves a connection that went silent, and makes a new one', async () => {
    const proxy = await TcpProxy.to(place.server.port);
    const store = place.store({ url: place.server.urlFor(proxy) });
    await store.put('a', bytesOf(5));
    const before = proxy.connections;
    place.server.suspend();
    try {
      await expect(store.head('a', { signal: AbortSignal.timeout(1_500) })).rejects.toThrow(/timeout/);
    } finally {
      place.server.resume();
    }
    expect((await store.head('a'))?.size).toBe(5);
    expect(proxy.connections).toBe(before + 1);
    await proxy.close();
  });

  it.each(['ioredis', 'node-redis'] as const)(
    'fails while the server is down, and by %s works when it is back',
    async (way) => {
      const { options, end } = await wayTo(way, place.server.port);
      const store = place.store(options);
      await store.put('a', bytesOf(5));
      await place.server.kill();
      const putting = store.put('a', bytesOf(6));
      await expect(putting).rejects.toMatchObject({ code: 'STORE', retryable: true });
      // Nobody has waited for this one, so it must not come later.
      await expect(store.put('late', bytesOf(6), { signal: AbortSignal.timeout(10) })).rejects.toThrow();
      await place.server.restart();
      await expect
        .poll(
          () =>
            store.head('a').then(
              (info) => info?.size,
              () => 0,
            ),
          { timeout: 20_000 },
        )
        .toBeGreaterThan(0);
      if (way === 'node-redis') expect(await keysOf(store)).toEqual(['a']);
      await end();
    },
  );

  it.each(WAYS)('reads once more over a new connection when one breaks: %s', async (way) => {
    const proxy = await TcpProxy.to(place.server.port);
    const { options, end } = await wayTo(way, proxy.port);
    const store = place.store(options);
    await store.put('a-key', bytesOf(5));
    proxy.loseAnswerTo('a-key');
    expect((await store.head('a-key'))?.size).toBe(5);
    proxy.loseAnswerTo('a-key');
    expect((await bytesAt(store, 'a-key'))?.equals(bytesOf(5))).toBe(true);
    await store.close();
    await end();
    await proxy.close();
  });

  it('has one winner of 20 racing stores, and leaves one whole value', async () => {
    const stores = Array.from({ length: 20 }, () => place.store({ prefix: 'race' }));
    const [first] = stores as [RedisStore];
    const outcomes = await Promise.allSettled(
      stores.map((store, index) => store.put('a', bytesOf(1_500_000 + index, index), { ifAbsent: true })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
    expect((await bytesAt(first, 'a'))?.equals(bytesOf(1_500_000 + winner, winner))).toBe(true);
    await expect.poll(() => keysLeft('{race}:')).toEqual(['keys', 'objects', 'r:*', 'v:*']);
  });

  it('keeps no process alive by a connection that has nothing to do', () => {
    const module = new URL('../../../src/stores/redis/index.ts', import.meta.url).href;
    const code = `import { RedisStore } from '${module}';
      const store = new RedisStore({ url: process.env.STORE });
      await store.put('a', Buffer.from('x'));
      console.log((await store.head('a')).size);`;
    const { stdout, status } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', code],
      { env: { ...process.env, STORE: place.server.urlFor() }, encoding: 'utf8', timeout: 30_000 },
    );
    expect({ stdout, status }).toEqual({ stdout: '1\n', status: 0 });
  });
});
