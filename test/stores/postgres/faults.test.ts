import { Readable } from 'node:stream';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesAt, bytesOf } from '../../../src/testing/conformance/harness.js';
import { hasPostgres } from '../servers/postgres-server.js';
import { TcpProxy } from '../servers/tcp-proxy.js';
import { sha256Of, withServer } from './fixture.js';

const PIECE = 256 * 1024;
/** More than what goes with one statement. */
const PIECES = 40;

describe.skipIf(!hasPostgres)('PostgresStore when something breaks', () => {
  const place = withServer();
  let proxy: TcpProxy;
  beforeAll(async () => {
    proxy = await TcpProxy.to(place.server.port);
  });
  afterAll(() => proxy?.close());
  const behindProxy = () => place.store({ connectionString: place.server.urlFor(proxy) });

  /** A large body; `between` is waited for when half of it has been read. */
  function body(between: () => unknown, salt = 0): Readable {
    async function* pieces() {
      for (let index = 0; index < PIECES; index++) {
        if (index === PIECES - 4) await between();
        yield bytesOf(PIECE, index + salt);
      }
    }
    return Readable.from(pieces(), { objectMode: false });
  }

  async function rowsOf(table: string, schema = place.schema): Promise<number> {
    const [row] = await place.server.run(`SELECT count(*)::integer AS count FROM "${schema}".${table}`);
    return Number(row?.count);
  }

  async function until(holds: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    expect.fail('it never came to that');
  }

  it('survives the death of idle connections, and of those in use', async () => {
    const store = place.store();
    await store.put('shop/a', bytesOf(5));
    const end =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    await place.server.run(end);
    expect((await bytesAt(store, 'shop/a'))?.equals(bytesOf(5))).toBe(true);
    const failing = store.put(
      'shop/a',
      body(() => place.server.run(end)),
    );
    // Between two statements no connection is in use, so it may also go well.
    const outcome = await failing.catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'STORE', retryable: true });
    const found = await bytesAt(store, 'shop/a');
    expect([5, PIECE * PIECES]).toContain(found?.length);
  });

  it('leaves no transaction open, and no lock, while a put waits for its source', async () => {
    const store = place.store();
    let seen: readonly unknown[] = ['not looked at'];
    await store.put(
      'shop/a',
      body(async () => {
        seen = await place.server.run(
          "SELECT state, query FROM pg_stat_activity WHERE state LIKE 'idle in%' UNION " +
            "SELECT mode, locktype FROM pg_locks WHERE locktype = 'advisory'",
        );
      }),
    );
    expect(seen).toEqual([]);
  });

  it('refuses a put that slept while its successor wrote, whatever it had sent before', async () => {
    const store = place.store();
    const fence = (generation: number) => ({ fence: { name: 'shop', generation } });
    const old = store.put(
      'shop/a',
      body(() => store.put('shop/a', bytesOf(7), fence(2))),
      fence(1),
    );
    await expect(old).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect((await bytesAt(store, 'shop/a'))?.equals(bytesOf(7))).toBe(true);
    await until(async () => (await rowsOf('chunks')) === 1);
    expect(await rowsOf('uploads')).toBe(0);
  });

  it('lets a byte that flipped on the way never become visible', async () => {
    const store = behindProxy();
    await store.put('shop/a', bytesOf(5));
    for (const size of [1000, PIECE * PIECES]) {
      const bytes = bytesOf(size);
      const marked = Buffer.from('a mark that is found again');
      marked.copy(bytes, size - 500);
      const digest = { sha256: sha256Of(bytes) };
      proxy.change((chunk) => {
        const at = chunk.indexOf(marked);
        if (at < 0) return chunk;
        const changed = Buffer.from(chunk);
        changed[at] = 0;
        return changed;
      });
      try {
        const outcome = store.put('shop/a', bytes, { digest });
        await expect(outcome).rejects.toMatchObject({ code: 'STORE', retryable: true });
        await expect(outcome).rejects.toThrow(/the server has received other bytes/);
      } finally {
        proxy.change(undefined);
      }
      expect((await bytesAt(store, 'shop/a'))?.equals(bytesOf(5))).toBe(true);
      expect((await store.put('shop/b', bytes, { digest })).verifiedBy).toBe('server');
    }
  });

  it('does not say that the server has compared what is too large for it', async () => {
    const store = place.store();
    const bytes = Buffer.alloc(33 * 1024 * 1024, 7);
    const put = await store.put('shop/a', bytes, { digest: { sha256: sha256Of(bytes) } });
    expect(put.verifiedBy).toBeUndefined();
  });

  it('takes no value of which a chunk is missing or was cut', async () => {
    const store = place.store();
    await store.put('shop/a', bytesOf(5));
    for (const damage of [
      (s: string) => `DELETE FROM "${s}".chunks WHERE no = 2`,
      (s: string) => `UPDATE "${s}".chunks SET bytes = substr(bytes, 2) WHERE no = 3`,
    ]) {
      const { schema } = place;
      const putting = store.put(
        'shop/a',
        body(() => place.server.run(damage(schema))),
      );
      await expect(putting).rejects.toThrow(/received "shop\/a" in part/);
      expect((await bytesAt(store, 'shop/a'))?.equals(bytesOf(5))).toBe(true);
    }
  });

  it('gives an error, and never other bytes, when a large value is replaced while it is read', async () => {
    const store = place.store();
    await store.put(
      'shop/a',
      body(() => undefined),
    );
    const found = await store.get('shop/a');
    await store.put(
      'shop/a',
      body(() => undefined, 1),
    );
    const read = found?.body.toArray();
    await expect(read).rejects.toMatchObject({ code: 'STORE', retryable: true });
    await expect(read).rejects.toThrow(/"shop\/a" was replaced or deleted while it was read/);
    expect((await bytesAt(store, 'shop/a'))?.length).toBe(PIECE * PIECES);
  });

  it('drops the chunks of a put that failed or was given up', async () => {
    const store = place.store();
    const { schema } = place;
    const failing = body(() => Promise.reject(new Error('the source failed')));
    await expect(store.put('shop/a', failing)).rejects.toThrow(/the source failed/);
    const ending = new AbortController();
    const reason = new Error('changed our mind');
    const given = store.put(
      'shop/a',
      body(() => ending.abort(reason)),
      { signal: ending.signal },
    );
    await expect(given).rejects.toBe(reason);
    await until(
      async () => (await rowsOf('chunks', schema)) === 0 && (await rowsOf('uploads', schema)) === 0,
    );
  });

  it('sweeps the chunks of a writer that died, and none of one that writes', async () => {
    const store = place.store();
    const { schema, server } = place;
    await store.put(
      'shop/kept',
      body(() => undefined),
    );
    let swept: unknown;
    await store.put(
      'shop/a',
      body(async () => {
        // What a process leaves behind that was killed two hours ago.
        await server.run(`INSERT INTO "${schema}".uploads VALUES
          ('00000000-0000-4000-8000-000000000001', now() - interval '2 hours'),
          ('00000000-0000-4000-8000-000000000002', now() - interval '2 hours')`);
        await server.run(`INSERT INTO "${schema}".chunks VALUES
          ('00000000-0000-4000-8000-000000000001', 0, '\\x0102', now() - interval '2 hours'),
          ('00000000-0000-4000-8000-000000000002', 0, '\\x0102', now() - interval '2 hours'),
          ('00000000-0000-4000-8000-000000000002', 1, '\\x0102', now() - interval '59 minutes')`);
        swept = await store.sweepTemporaries();
      }),
    );
    expect(swept).toEqual({ count: 1, bytes: 2 });
    expect(await store.sweepTemporaries()).toEqual({ count: 0, bytes: 0 });
    expect(await rowsOf('chunks')).toBe(2 * PIECES + 2);
    expect((await bytesAt(store, 'shop/a'))?.length).toBe(PIECE * PIECES);
  });

  it('refuses a put whose chunks were swept, and leaves nothing of it', async () => {
    const store = place.store();
    const putting = store.put(
      'shop/a',
      body(() => until(async () => (await store.sweepTemporaries(0)).count === 1)),
    );
    await expect(putting).rejects.toThrow(/chunks of "shop\/a" were swept/);
    await expect(putting).rejects.toMatchObject({ code: 'STORE', retryable: true });
    await until(async () => (await rowsOf('chunks')) === 0);
  });

  it('finds out that a put was done whose answer was lost', async () => {
    const store = behindProxy();
    await store.head('shop/a');
    proxy.loseAnswerTo('publish($1');
    const put = await store.put('shop/a', bytesOf(5), { ifAbsent: true });
    expect((await store.head('shop/a'))?.version).toBe(put.version);
  });

  it('does not do a delete twice whose answer was lost', async () => {
    const store = behindProxy();
    await store.put('shop/a', bytesOf(5));
    proxy.loseAnswerTo('remove($1');
    await expect(store.delete('shop/a')).rejects.toMatchObject({ code: 'STORE', retryable: true });
    expect(await store.delete('shop/a')).toBe(false);
  });

  it('survives a connection that breaks while a statement runs on it', async () => {
    const store = behindProxy();
    await store.put('shop/a', bytesOf(5));
    const unlock = await lock();
    const calls = [store.put('shop/a', bytesOf(6)), store.head('shop/a'), store.delete('shop/none')];
    const settled = Promise.allSettled(calls);
    await until(waiting);
    proxy.cut();
    await unlock();
    // The server may have done any of them.
    for (const outcome of await settled) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: 'STORE', retryable: true });
    }
    expect((await store.put('shop/a', bytesOf(7))).size).toBe(7);
  });

  it('takes a connection out of use whose statement was given up', async () => {
    const store = place.store({ connectionString: place.server.urlFor(), maxConnections: 1 });
    await store.put('shop/a', bytesOf(5));
    const unlock = await lock();
    try {
      const ending = new AbortController();
      const reason = new Error('no answer in time');
      const given = store.head('shop/a', { signal: ending.signal }).catch((error: unknown) => error);
      await until(waiting);
      ending.abort(reason);
      expect(await given).toBe(reason);
      expect(await store.serverTime()).toBeGreaterThan(0);
    } finally {
      await unlock();
    }
  });

  /** Locks the objects against everybody until it is told to let go. */
  async function lock(): Promise<() => Promise<void>> {
    const client = new pg.Client({ connectionString: place.server.urlFor() });
    await client.connect();
    await client.query(`BEGIN; LOCK TABLE "${place.schema}".objects`);
    return () => client.end();
  }

  async function waiting(): Promise<boolean> {
    return (await place.server.run('SELECT 1 FROM pg_locks WHERE NOT granted')).length > 0;
  }
});
