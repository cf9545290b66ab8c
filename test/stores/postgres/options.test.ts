import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/errors.js';
import { PostgresStore, type PostgresStoreOptions } from '../../../src/stores/postgres/index.js';
import { allWordsOf } from './fixture.js';

const URL_WITH_SECRET = 'postgres://user:marker-secret@db.example:5432/bots';

describe('the options of PostgresStore', () => {
  it.each<[PostgresStoreOptions]>([
    [{ connectionString: URL_WITH_SECRET }],
    [{ connectionString: 'postgresql://u:p%40ss@[::1]/bots?sslmode=require' }],
    [{ connectionString: 'postgres:///bots?host=/var/run/postgresql' }],
    [{ host: '/var/run/postgresql', database: 'bots' }],
    [
      {
        host: 'db.example',
        port: 6432,
        user: 'u',
        password: async () => 'p',
        ssl: { ca: 'x' },
        maxConnections: 1,
      },
    ],
  ])('are taken, and open no connection before the first call: %#', async (options) => {
    const store = new PostgresStore({ ...options, schema: 'bots_1', name: 'main' });
    expect(store.name).toBe('main');
    await store.close();
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /PostgresStore: undefined is not accepted; expected an object with pool/],
    ['no place', {}, /needs one of pool, connectionString and host, and has none/],
    ['two places', { host: 'a', connectionString: URL_WITH_SECRET }, /has connectionString and host/],
    ['an unknown option', { host: 'a', tabel: 'x' }, /has no option "tabel"; it has pool, /],
    [
      'an address of another kind',
      { connectionString: 'mysql://u:marker-secret@a/b' },
      /connectionString: .*not shown/,
    ],
    ['a @ in the password', { connectionString: 'postgres://u:marker@secret@a/b' }, /percent-encoded/],
    ['a / in the password', { connectionString: 'postgres://u:12/marker-secret@a/b' }, /percent-encoded/],
    ['a # in the password', { connectionString: 'postgres://u:1#marker-secret@a/b' }, /not shown/],
    ['a % in the password', { connectionString: 'postgres://u:marker-secret%zz@a/b' }, /percent-encoded/],
    ['no text as address', { connectionString: 5 }, /connectionString: a number/],
    ['an address as host', { host: URL_WITH_SECRET }, /host: an address is not accepted/],
    [
      'a parameter with @, as of a password with a ?',
      { connectionString: 'postgres://bot:1?marker-secret@host/bots' },
      /percent-encoded/,
    ],
    ['a port of 0', { host: 'a', port: 0 }, /port: 0 is not accepted; expected an integer from 1 to 65535/],
    ['a port as text', { host: 'a', port: '5432' }, /port: "5432"/],
    ['a password that is none', { host: 'a', password: 5 }, /password: a number/],
    ['a user that is none', { host: 'a', user: '' }, /user: ""/],
    [
      'a password beside an address',
      { connectionString: URL_WITH_SECRET, password: 'x' },
      /password is not used/,
    ],
    ['ssl as text', { host: 'a', ssl: 'require' }, /ssl: a string/],
    ['no connections', { host: 'a', maxConnections: 0 }, /maxConnections: 0/],
    ['a schema with capitals', { host: 'a', schema: 'Bots' }, /schema: "Bots".*1 to 63 of a-z/],
    ['a schema of the server', { host: 'a', schema: 'pg_bots' }, /schema: "pg_bots"/],
    ['a schema with a quote', { host: 'a', schema: 'a"; DROP TABLE x' }, /schema: /],
    ['an empty name', { host: 'a', name: '' }, /name: ""/],
    ['a pool that is none', { pool: URL_WITH_SECRET }, /pool: a string is not accepted; expected a Pool/],
    ['a client as pool', { pool: { connect() {}, on() {}, query() {} } }, /a single Client is not one/],
    [
      'connections beside a pool',
      { pool: poolLike(), maxConnections: 3 },
      /maxConnections is not used together with pool/,
    ],
  ])('are refused: %s', (_, options, message) => {
    const make = () => new PostgresStore(options as PostgresStoreOptions);
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
    try {
      make();
    } catch (error) {
      expect(allWordsOf(error)).not.toMatch(/marker|secret/);
    }
  });
});

function poolLike() {
  return { connect() {}, on() {}, totalCount: 0 };
}
