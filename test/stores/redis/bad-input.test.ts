import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describe, expect, it } from 'vitest';
import { isSessionError, type KnownSessionError } from '../../../src/errors.js';
import { bytesOf } from '../../../src/testing/conformance/harness.js';
import { hasRedis, PASSWORD, RedisServer } from '../servers/redis-server.js';
import { freePort } from '../servers/server-process.js';
import { TcpProxy } from '../servers/tcp-proxy.js';
import { allWordsOf, withServer } from './fixture.js';

const MARKER = 'another-marker-secret';

describe.skipIf(!hasRedis)('RedisStore with wrong settings, or a server that refuses', () => {
  const place = withServer();
  const at = (url: Parameters<typeof place.server.urlFor>[0]) =>
    place.store({ url: place.server.urlFor(url) });

  it('says that the user or the password is wrong, and that trying again is no use', async () => {
    for (const wrong of [at({ password: MARKER }), at({ user: 'nobody', password: MARKER })]) {
      const error = await failureOf(wrong.head('a'));
      expect(error.message).toMatch(
        /^redis could not look up "a": WRONGPASS .*check the user and the password/,
      );
      expect(error.retryable).toBe(false);
      expect(allWordsOf(error)).not.toContain(MARKER);
    }
  });

  it('says that a password is missing', async () => {
    const error = await failureOf(place.store({ host: '127.0.0.1', port: place.server.port }).head('a'));
    expect(error.message).toMatch(/NOAUTH .*the server wants a password/);
    expect(error.retryable).toBe(false);
  });

  it('says so for clients of the application, too, and shows no secret', async () => {
    const url = place.server.urlFor({ password: MARKER });
    const io = new Redis(url, { retryStrategy: () => null });
    const error = await failureOf(place.store({ client: io }).head('a'));
    expect(allWordsOf(error)).not.toContain(MARKER);
    io.disconnect();
    const node = createClient({ url });
    const closed = await failureOf(place.store({ client: node }).head('a'));
    expect(closed.message).toMatch(/call connect\(\) of the client/);
    expect(closed.retryable).toBe(false);
    expect(allWordsOf(closed)).not.toContain(MARKER);
  });

  it('says that there is no such database, and never uses another one', async () => {
    const error = await failureOf(at({ db: 99 }).put('a', bytesOf(1)));
    expect(error.message).toMatch(/DB index is out of range.*check its number/);
    expect(error.retryable).toBe(false);
    await at({ db: 3 }).put('a', bytesOf(1));
    expect(String(await place.server.run('INFO', 'keyspace'))).toMatch(/db3:keys=3/);
  });

  it('takes refused connections and unknown hosts for an outage', async () => {
    const refused = await failureOf(at({ port: await freePort() }).head('a'));
    expect(refused.message).toMatch(/ECONNREFUSED/);
    expect(refused.retryable).toBe(true);
    const unknown = await failureOf(
      place.store({ host: 'no-such-host.invalid', password: PASSWORD }).head('a'),
    );
    expect(unknown.message).toMatch(/ENOTFOUND|EAI_AGAIN/);
    expect(unknown.retryable).toBe(true);
    for (const error of [refused, unknown]) expect(allWordsOf(error)).not.toContain(PASSWORD);
  });

  it('says what to do where the server has no TLS', async () => {
    const error = await failureOf(
      place.store({ url: place.server.urlFor().replace('redis:', 'rediss:') }).head('a'),
    );
    expect(error.message).toMatch(/did not answer within 4000 ms; is there TLS at this port\?/);
    expect(error.retryable).toBe(true);
    expect(allWordsOf(error)).not.toContain(PASSWORD);
  });

  it('says that the memory is full, keeps the old value, and can still read and delete', async () => {
    const store = place.store();
    await store.put('a', bytesOf(5));
    await store.put('b', bytesOf(5));
    await place.server.run('CONFIG', 'SET', 'maxmemory', '1');
    try {
      for (const size of [10, 3_000_000]) {
        const error = await failureOf(store.put('a', bytesOf(size)));
        expect(error.message).toMatch(/OOM .*maxmemory.*give it more/);
        expect(error.retryable).toBe(true);
        expect(allWordsOf(error)).not.toMatch(/args/);
      }
      expect((await store.head('a'))?.size).toBe(5);
      expect(await store.delete('b')).toBe(true);
    } finally {
      await place.server.run('CONFIG', 'SET', 'maxmemory', '0');
    }
    await store.put('a', bytesOf(6));
  });

  it('leaves a primary that has become a replica: the next command goes where the name leads now', async () => {
    const promoted = await RedisServer.start();
    const proxy = await TcpProxy.to(place.server.port);
    const store = place.store({ url: place.server.urlFor({ port: proxy.port }) });
    await store.put('a', bytesOf(5));
    await place.server.run('REPLICAOF', '127.0.0.1', await freePort());
    proxy.redirect(promoted.port);
    try {
      await expect(store.put('a', bytesOf(6))).rejects.toMatchObject({ code: 'STORE', retryable: true });
      await store.put('a', bytesOf(7));
      expect((await store.head('a'))?.size).toBe(7);
      await expect.poll(() => proxy.open).toBe(1);
    } finally {
      await place.server.run('REPLICAOF', 'NO', 'ONE');
      await store.close();
      await proxy.close();
      await promoted.stop();
    }
  });

  it('says that it met a replica, which it can still read', async () => {
    const store = place.store();
    await store.put('a', bytesOf(5));
    await place.server.run('REPLICAOF', '127.0.0.1', await freePort());
    try {
      const error = await failureOf(store.put('a', bytesOf(6)));
      expect(error.message).toMatch(/READONLY .*it is a replica/);
      expect(error.retryable).toBe(true);
      expect((await store.head('a'))?.size).toBe(5);
    } finally {
      await place.server.run('REPLICAOF', 'NO', 'ONE');
    }
  });

  it.each([
    ['LOADING Redis is loading the dataset in memory', /reading its data from disk/, true],
    ['MISCONF Redis is configured to save RDB snapshots, but', /can not write to its disk/, true],
    ['MOVED 3999 127.0.0.1:6381', /made for clusters/, false],
    ['CLUSTERDOWN The cluster is down', /waits for its other servers/, true],
    ['ERR max number of clients reached', /maxclients/, true],
    ['ERR unknown command `EVALSHA`, with args beginning with: `marker-secret-p4ss`', /EVALSHA/, false],
  ])('knows %s', async (words, message, retryable) => {
    const client = {
      callBuffer: async () => {
        throw Object.assign(new Error(words), { name: 'ReplyError', command: { args: [PASSWORD] } });
      },
      on: () => undefined,
    };
    const error = await failureOf(place.store({ client }).head('a'));
    expect(error.message).toMatch(message);
    expect(error.retryable).toBe(retryable);
    expect(allWordsOf(error)).not.toContain(PASSWORD);
  });

  it('works with the least rights, and names the one that is missing', async () => {
    const { server } = place;
    const user = (prefix: string) =>
      place.store({ url: server.urlFor({ user: 'bot', password: MARKER }), prefix });
    await server.run('ACL', 'SETUSER', 'bot', 'on', `>${MARKER}`, ...leastRights());
    const store = user('bots');
    await store.put('a', bytesOf(3_000_000), { fence: { name: 'shop', generation: 1 } });
    expect((await store.get('a'))?.info.size).toBe(3_000_000);
    expect(await store.delete('a')).toBe(true);
    const error = await failureOf(user('others').head('a'));
    expect(error.message).toMatch(/NOPERM|No permissions|can't access/i);
    expect(error.retryable).toBe(false);
  });
});

describe.skipIf(!hasRedis)('what RedisStore tells of its server', () => {
  const place = withServer('--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru');

  it('is that it may lose the login, once, and also to who listens later', async () => {
    const store = place.store();
    const notices: string[] = [];
    store.onNotice((notice) => notices.push(notice));
    await store.put('a', bytesOf(1));
    await expect.poll(() => notices).toHaveLength(2);
    expect(notices[0]).toMatch(/maxmemory-policy is allkeys-lru/);
    expect(notices[1]).toMatch(/no append-only file/);
    await store.put('shop/backups/a.zip', bytesOf(1));
    await store.put('shop/backups/b.zip', bytesOf(1));
    expect(notices).toHaveLength(3);
    expect(notices[2]).toMatch(/zips are stored in it/);
    const later: string[] = [];
    store.onNotice((notice) => later.push(notice));
    expect(later).toEqual(notices);
  });
});

/** The rights as the page says them. */
function leastRights(): readonly string[] {
  const page = readFileSync(new URL('../../../docs/stores/redis.md', import.meta.url), 'utf8');
  const [, rights = ''] = /ACL SETUSER bot on >secret (.*)/.exec(page) ?? [];
  return rights.replaceAll('wwebjs-session', 'bots').split(' ');
}

async function failureOf(work: Promise<unknown>): Promise<KnownSessionError> {
  const error: unknown = await work.then(
    (found) => expect.fail(`it answered ${found}`),
    (reason: unknown) => reason,
  );
  if (!isSessionError(error)) throw error;
  expect(error.code).toBe('STORE');
  return error;
}
