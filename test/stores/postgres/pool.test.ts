import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { PostgresStore } from '../../../src/stores/postgres/index.js';
import { bytesAt, bytesOf } from '../../../src/testing/conformance/harness.js';
import { hasPostgres, PASSWORD } from '../servers/postgres-server.js';
import { withServer } from './fixture.js';

const BYTES = bytesOf(6_000_000);

describe.skipIf(!hasPostgres)("PostgresStore over an application's pool", () => {
  const place = withServer();

  it.each<[string, pg.PoolConfig & { binary?: boolean }]>([
    ['one connection', { max: 1 }],
    ['binary mode, which damages bytea', { binary: true }],
    ['another form of bytea', { options: '-c bytea_output=escape' }],
    ['serializable transactions by default', { options: '-c default_transaction_isolation=serializable' }],
    ['a strange time zone and dates', { options: '-c timezone=Asia/Kathmandu -c datestyle=german,dmy' }],
    ['old strings', { options: '-c standard_conforming_strings=off' }],
    ['parsers of its own', { types: { getTypeParser: () => () => 'parsed by the application' } }],
  ])('works with %s', async (_, config) => {
    const pool = new pg.Pool({ connectionString: place.server.urlFor(), ...config });
    const store = place.store({ pool });
    const before = await store.serverTime();
    await store.put('shop/a', BYTES, { fence: { name: 'shop', generation: 1 } });
    expect((await bytesAt(store, 'shop/a'))?.equals(BYTES)).toBe(true);
    expect((await store.head('shop/a'))?.modifiedAt.getTime()).toBeGreaterThanOrEqual(before - 1);
    await Promise.all(Array.from({ length: 8 }, (_, salt) => store.put('shop/a', bytesOf(50, salt))));
    const { version: ifVersion } = await store.put('shop/a', bytesOf(10));
    await store.put('shop/a', bytesOf(11), { ifVersion });
    await store.close();
    expect((await pool.query('SELECT 1 AS open')).rows).toHaveLength(1);
    await pool.end();
  });

  it('is not stopped by a body that nobody reads, with one connection', async () => {
    const store = place.store({ maxConnections: 1, connectionString: place.server.urlFor() });
    await store.put('shop/a', BYTES);
    const unread = await store.get('shop/a');
    const begun = await store.get('shop/a');
    begun?.body.read();
    await store.put('shop/b', BYTES);
    expect((await bytesAt(store, 'shop/b'))?.length).toBe(BYTES.length);
    unread?.body.destroy();
    begun?.body.destroy();
  });

  it('copies an object from a store into itself, with one connection', async () => {
    const store = place.store({ maxConnections: 1, connectionString: place.server.urlFor() });
    await store.put('shop/a', BYTES);
    const source = await store.get('shop/a');
    await store.put('shop/b', source?.body ?? Buffer.alloc(0));
    expect((await bytesAt(store, 'shop/b'))?.equals(BYTES)).toBe(true);
  });

  it('keeps no process alive, and no connection of its own after close()', async () => {
    const script = fileURLToPath(new URL('children/one-put.ts', import.meta.url));
    const run = spawnSync(process.execPath, ['--import', 'tsx', script, place.server.urlFor()], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect({ status: run.status, out: run.stdout.trim(), err: run.stderr }).toEqual({
      status: 0,
      out: '5',
      err: '',
    });

    const store = new PostgresStore({
      connectionString: `${place.server.urlFor()}?application_name=closed`,
      schema: 'closed',
    });
    await Promise.all([store.put('a', BYTES), store.put('b', BYTES)]);
    await store.close();
    const open = await place.server.run(
      "SELECT count(*)::integer AS count FROM pg_stat_activity WHERE application_name = 'closed'",
    );
    expect(open).toEqual([{ count: 0 }]);
    // A session may be started again after destroy().
    expect((await store.head('a'))?.size).toBe(BYTES.length);
    await store.close();
  });

  it('has no secret in what it prints', async () => {
    const store = place.store();
    await store.head('a');
    const { inspect } = await import('node:util');
    expect(inspect(store, { depth: 20, showHidden: true })).not.toContain(PASSWORD);
    expect(JSON.stringify(store)).not.toContain(PASSWORD);
  });
});
