import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../src/testing/conformance/harness.js';
import { hasPostgres } from '../servers/postgres-server.js';
import { withServer } from './fixture.js';

const MB = 1024 * 1024;
const OVERWRITES = 50;

describe.skipIf(!hasPostgres)('the room that PostgresStore takes', () => {
  const place = withServer();

  it.each<[string, number, number]>([
    ['one object of 8 MB', 8 * MB, 1],
    ['one object of 2 MB', 2 * MB, 1],
    ['20 objects of 200 KB', 200_000, 20],
  ])(
    `stays within three times the live bytes after ${OVERWRITES} overwrites: %s`,
    async (_, size, objects) => {
      const store = place.store();
      const { schema } = place;
      for (let round = 0; round <= OVERWRITES; round++) {
        for (let index = 0; index < objects; index++) {
          await store.put(`shop/${index}`, Readable.from(piecesOf(size, round), { objectMode: false }));
        }
      }
      const [room] = await place.server.run(
        `SELECT sum(pg_total_relation_size(oid))::float8 AS bytes FROM pg_class
        WHERE relkind = 'r' AND relnamespace = '"${schema}"'::regnamespace`,
      );
      expect(Number(room?.bytes) / (size * objects)).toBeLessThanOrEqual(3);
    },
  );

  it('is not filled by puts that fail', async () => {
    const store = place.store();
    const { schema } = place;
    await store.put('shop/a', bytesOf(5));
    for (let round = 0; round < 20; round++) {
      const body = Readable.from(piecesOf(6 * MB, round, true), { objectMode: false });
      await expect(store.put('shop/a', body)).rejects.toThrow(/the source failed/);
    }
    await store.close();
    const [room] = await place.server.run(
      `SELECT pg_total_relation_size('"${schema}".chunks')::float8 AS bytes`,
    );
    expect(Number(room?.bytes)).toBeLessThanOrEqual(3 * 6 * MB);
  });
});

function* piecesOf(size: number, salt: number, fails = false): Generator<Buffer> {
  const piece = bytesOf(100_000, salt);
  for (let left = size; left > 0; left -= piece.length) yield piece.subarray(0, left);
  if (fails) throw new Error('the source failed');
}
