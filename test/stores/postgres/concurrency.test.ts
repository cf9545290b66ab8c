import { describe, expect, it } from 'vitest';
import { isSessionError } from '../../../src/errors.js';
import type { PostgresStore } from '../../../src/stores/postgres/index.js';
import { bytesAt, bytesOf, keysOf } from '../../../src/testing/conformance/harness.js';
import { hasPostgres } from '../servers/postgres-server.js';
import { withServer } from './fixture.js';

const RACERS = 20;
/** Larger than what goes with one statement. */
const LARGE = 5_000_000;

describe.skipIf(!hasPostgres)('several processes with PostgresStore', () => {
  const place = withServer();

  /** Stores that share nothing but the tables, as in processes of their own. */
  function racers(count = RACERS): readonly PostgresStore[] {
    const schema = `race_${Math.random().toString(36).slice(2)}`;
    return Array.from({ length: count }, () =>
      place.store({ schema, connectionString: place.server.urlFor(), maxConnections: 2 }),
    );
  }

  it('make the tables once, and all go on', async () => {
    const stores = racers();
    await Promise.all(stores.map((store, index) => store.put(`shop/${index}`, bytesOf(5, index))));
    expect(await keysOf(stores[0] as PostgresStore)).toHaveLength(RACERS);
  });

  it.each([
    ['small', 100],
    ['large', LARGE],
  ])('have one winner of conditional puts: %s values', async (_, size) => {
    const stores = racers(size === LARGE ? 6 : RACERS);
    const [first] = stores as [PostgresStore];
    const won = await Promise.all(
      stores.map((store, index) =>
        store.put('shop/a', bytesOf(size, index), { ifAbsent: true }).then(() => [index], lostOnly),
      ),
    );
    const [winner, ...others] = won.flat();
    expect(others).toEqual([]);
    expect((await bytesAt(first, 'shop/a'))?.equals(bytesOf(size, winner))).toBe(true);
  });

  it('leave one whole value, and no other chunks, after racing puts and deletes of large values', async () => {
    const stores = racers(5);
    const [first] = stores as [PostgresStore];
    await Promise.all(
      stores.map(async (store, index) => {
        for (let round = 0; round < 4; round++) {
          await store.put('shop/a', bytesOf(LARGE + index, index));
          const seen = await bytesAt(store, 'shop/a').catch(() => undefined);
          if (seen !== undefined) expect(seen.equals(bytesOf(seen.length, seen.length - LARGE))).toBe(true);
          if (round % 2 === 1) await store.delete('shop/a');
        }
      }),
    );
    await first.put('shop/a', bytesOf(LARGE));
    expect((await bytesAt(first, 'shop/a'))?.equals(bytesOf(LARGE))).toBe(true);
    await first.deleteMany(['shop/a', 'shop/b']);
    const [schema] = await place.server.run(
      "SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'race_%' ORDER BY oid DESC LIMIT 1",
    );
    expect(await place.server.run(`SELECT count(*)::integer AS left FROM "${schema?.name}".chunks`)).toEqual([
      { left: 0 },
    ]);
  });

  it('never go back to an older generation', async () => {
    const stores = racers(10);
    const [first] = stores as [PostgresStore];
    await Promise.all(
      stores.map(async (store, index) => {
        for (let round = 0; round < 5; round++) {
          const generation = 1 + ((index * 7 + round * 3) % 50);
          const body = Buffer.from(`${generation}`);
          await store
            .put(`shop/${generation}`, body, { fence: { name: 'shop', generation } })
            .catch((error: unknown) => {
              expect(isSessionError(error) && error.code).toBe('LEASE_LOST');
            });
        }
      }),
    );
    const highest = Math.max(...(await keysOf(first)).map((key) => Number(key.slice(5))));
    const behind = { fence: { name: 'shop', generation: highest - 1 } };
    await expect(first.put('shop/x', bytesOf(1), behind)).rejects.toMatchObject({ code: 'LEASE_LOST' });
    await first.put('shop/x', bytesOf(1), { fence: { name: 'shop', generation: highest } });
  });
});

function lostOnly(error: unknown): number[] {
  if (isSessionError(error) && error.code === 'STORE_CONFLICT') return [];
  throw error;
}
