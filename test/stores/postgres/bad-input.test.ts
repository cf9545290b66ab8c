import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { isSessionError, type KnownSessionError } from '../../../src/errors.js';
import type { PostgresStore } from '../../../src/stores/postgres/index.js';
import { hasPostgres, PASSWORD } from '../servers/postgres-server.js';
import { freePort } from '../servers/server-process.js';
import { allWordsOf, withServer } from './fixture.js';

describe.skipIf(!hasPostgres)('PostgresStore with wrong settings', () => {
  const place = withServer();
  const at = (url: Parameters<typeof place.server.urlFor>[0], query = '') =>
    place.store({ connectionString: `${place.server.urlFor(url)}${query}` });

  it('says that the user or the password is wrong, and that trying again is no use', async () => {
    const wrong = await failureOf(at({ password: 'another-marker-secret' }));
    expect(wrong.message).toMatch(
      /^postgres could not look up "a": .*28P01.*check the user and the password/,
    );
    expect(wrong.retryable).toBe(false);
    expect(allWordsOf(wrong)).not.toContain('another-marker-secret');
  });

  it('says that there is no such database', async () => {
    const missing = await failureOf(at({ database: 'nowhere' }));
    expect(missing.message).toMatch(/"nowhere" does not exist.*3D000.*create it/);
    expect(missing.retryable).toBe(false);
  });

  it('takes refused connections and unknown hosts for an outage', async () => {
    const refused = await failureOf(at({ port: await freePort() }));
    expect(refused.message).toMatch(/ECONNREFUSED/);
    expect(refused.retryable).toBe(true);
    const unknown = await failureOf(place.store({ host: 'no-such-host.invalid', password: PASSWORD }));
    expect(unknown.message).toMatch(/ENOTFOUND|EAI_AGAIN/);
    expect(unknown.retryable).toBe(true);
  });

  it('says what to do where the server has no TLS', async () => {
    const refused = await failureOf(at({}, '?sslmode=verify-full'));
    expect(refused.message).toMatch(/does not support SSL.*ssl: false/);
    expect(refused.retryable).toBe(false);
  });

  it('ends by its signal where something answers that is no Postgres at all', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const store = at({ port: typeof address === 'object' && address ? address.port : 0 });
    const reason = new Error('no answer in time');
    const ending = new AbortController();
    setTimeout(() => ending.abort(reason), 100);
    await expect(store.head('a', { signal: ending.signal })).rejects.toBe(reason);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('refuses a schema that a newer version has made, and changes nothing', async () => {
    const store = place.store();
    await store.put('a', Buffer.from('x'));
    const { schema, server } = place;
    await server.run(`UPDATE "${schema}".meta SET version = 9, readable_from = 9`);
    const newer = await failureOf(place.store({ schema }));
    expect(newer.message).toMatch(/"test_\d+" has version 9, made by a newer .*knows version 2: update/);
    expect(newer.retryable).toBe(false);
    // One that only adds something is no hindrance to the old processes of a rolling deploy.
    await server.run(`UPDATE "${schema}".meta SET readable_from = 1`);
    expect((await place.store({ schema }).head('a'))?.size).toBe(1);
    expect(await server.run(`SELECT version FROM "${schema}".meta`)).toEqual([{ version: 9 }]);
  });

  it('raises a schema of the first version, and processes that know only that one go on', async () => {
    const old = place.store();
    await old.put('a', Buffer.from('x'));
    const { schema, server } = place;
    await server.run(`UPDATE "${schema}".meta SET version = 1, readable_from = 1`);
    const fence = { name: 'shop', generation: 1 };
    await place.store({ schema }).put('b', Buffer.from('x'), { fence: { ...fence, isNew: true } });
    expect(await server.run(`SELECT version, readable_from FROM "${schema}".meta`)).toEqual([
      { version: 2, readable_from: 1 },
    ]);
    await old.put('c', Buffer.from('x'), { fence });
  });

  it('raises a schema also while somebody reads all tables for hours, as pg_dump does', async () => {
    const old = place.store();
    await old.put('a', Buffer.from('x'));
    const { schema, server } = place;
    await server.run(`UPDATE "${schema}".meta SET version = 1, readable_from = 1`);
    const dump = new pg.Client({ connectionString: server.urlFor() });
    await dump.connect();
    try {
      await dump.query('BEGIN');
      for (const table of ['chunks', 'objects', 'uploads', 'fences', 'meta'])
        await dump.query(`LOCK TABLE "${schema}".${table} IN ACCESS SHARE MODE`);
      await place.store({ schema }).put('b', Buffer.from('x'));
    } finally {
      await dump.end();
    }
    expect(await server.run(`SELECT version FROM "${schema}".meta`)).toEqual([{ version: 2 }]);
    const storage = `SELECT attstorage FROM pg_attribute
      WHERE attrelid = '"${schema}".chunks'::regclass AND attname = 'bytes'`;
    expect(await server.run(storage)).toEqual([{ attstorage: 'e' }]);
  });

  it('never takes tables that are gone for a session that is missing', async () => {
    const store = place.store();
    await store.put('a', Buffer.from('x'));
    await place.server.run(`DROP SCHEMA "${place.schema}" CASCADE`);
    const gone = await failureOf(store);
    expect(gone.message).toMatch(/42P01.*was the schema dropped/);
    expect(gone.retryable).toBe(false);
  });

  it('works with the least rights, and names the one that is missing', async () => {
    const { server } = place;
    const password = 'marker-of-a-guest';
    await server.run(`CREATE ROLE guest LOGIN PASSWORD '${password}'`);
    const guest = (schema: string) =>
      place.store({ connectionString: server.urlFor({ user: 'guest', password }), schema });
    const refused = await failureOf(guest('guests'));
    expect(refused.message).toMatch(/permission denied for database.*42501.*docs\/stores\/postgres\.md/);
    expect(refused.retryable).toBe(false);

    await server.run('CREATE SCHEMA guests AUTHORIZATION guest');
    await guest('guests').put('a', Buffer.alloc(5_000_000));

    const owner = place.store();
    await owner.put('a', Buffer.from('x'));
    const { schema } = place;
    for (const right of leastRights()) {
      await server.run(right.replaceAll('wwebjs_session', schema).replaceAll('bot', 'guest'));
    }
    const store = guest(schema);
    await store.put('b', Buffer.alloc(5_000_000), { fence: { name: 'shop', generation: 1 } });
    expect(await store.delete('b')).toBe(true);
    expect((await store.head('a'))?.size).toBe(1);
  });

  it('shows no secret of an address in any error', async () => {
    const port = await freePort();
    for (const error of [
      await failureOf(at({ port })),
      await failureOf(at({ database: 'nowhere' })),
      await failureOf(at({}, '?sslmode=verify-full')),
      await failureOf(at({ user: 'nobody' })),
    ]) {
      expect(allWordsOf(error)).not.toContain(PASSWORD);
    }
  });
});

/** The rights of somebody who does not own the tables, as the page says. */
function leastRights(): readonly string[] {
  const page = readFileSync(new URL('../../../docs/stores/postgres.md', import.meta.url), 'utf8');
  const [, , , block = ''] = page.split('```sql\n');
  const lines = block.slice(0, block.indexOf('```')).trim().split('\n');
  expect(lines.every((line) => line.startsWith('GRANT '))).toBe(true);
  return lines;
}

async function failureOf(store: PostgresStore): Promise<KnownSessionError> {
  const error: unknown = await store.head('a').then(
    (found) => expect.fail(`it found ${found}`),
    (reason: unknown) => reason,
  );
  if (!isSessionError(error)) throw error;
  expect(error.code).toBe('STORE');
  return error;
}
