import type { ConnectionOptions } from 'node:tls';
import { type Clock, systemClock } from '../../clock.js';
import { ConfigurationError } from '../../errors.js';
import { isObject, positiveCount, refuse, show, withMethods } from '../../options/checks.js';
import type { PostgresPool } from './connections.js';

/** Where the database is: a `pool`, or a `connectionString`, or at least a `host`. */
export interface PostgresStoreOptions {
  /**
   * A `Pool` of `pg` that the application has already. The store never ends it. A single `Client` is refused, because
   * the store would wait behind the application's statements, and be undone with its transactions.
   */
  readonly pool?: PostgresPool;
  /**
   * The address, as the hosting platforms give it. What is in it wins over `ssl`. Special characters of the
   * password are percent-encoded.
   *
   * @example 'postgres://user:password@host:5432/database?sslmode=require'
   */
  readonly connectionString?: string;
  /** Name or address of the server, or the folder of its socket. Needed where there is no address and no pool. */
  readonly host?: string;
  /** Default 5432. */
  readonly port?: number;
  /** Default: as `pg` has it (PGDATABASE, else the name of the user). */
  readonly database?: string;
  /** Default: as `pg` has it (PGUSER, else the user of the system). */
  readonly user?: string;
  /** Or a function that makes it, for passwords that expire. Default: as `pg` has it (PGPASSWORD). */
  readonly password?: string | (() => string | Promise<string>);
  /** `true`, or node's options for TLS, for example `{ ca }`. Default: no TLS, or what the address says. */
  readonly ssl?: boolean | ConnectionOptions;
  /**
   * The most connections that the store opens; a put of a large object uses up to three at once. Default 4. Not with
   * a pool, which has its own limit.
   */
  readonly maxConnections?: number;
  /**
   * The schema of the store's tables, made at the first use. Stores with different schemas share nothing. 1 to 63 of
   * a-z, 0-9 and _, not beginning with a digit or `pg_`. Default `wwebjs_session`.
   */
  readonly schema?: string;
  /** Name of the store in messages and listings. Default `postgres`. */
  readonly name?: string;
  /** Default: the real one. */
  readonly clock?: Clock;
}

/** How `pg` opens a pool. Nothing here becomes a parameter of the startup message, which PgBouncer would refuse. */
export interface PoolSettings {
  readonly max: number;
  readonly connectionTimeoutMillis: number;
  readonly idleTimeoutMillis: number;
  readonly allowExitOnIdle: boolean;
  readonly keepAlive: boolean;
  readonly connectionString?: string;
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  readonly password?: string | (() => string | Promise<string>);
  readonly ssl?: boolean | ConnectionOptions;
}

export interface Settings {
  readonly name: string;
  readonly schema: string;
  readonly clock: Clock;
  readonly from: { readonly pool: PostgresPool } | { readonly settings: PoolSettings };
}

const DEFAULT_SCHEMA = 'wwebjs_session';
const DEFAULT_CONNECTIONS = 4;
const MAX_PORT = 65_535;
/** The deadline of a connection, as that of any small call; an idle one is closed before a firewall forgets it. */
const CONNECT_MS = 10_000;
const IDLE_MS = 30_000;

const PLACE = ['pool', 'connectionString', 'host'] as const;
const DETAILS = ['port', 'database', 'user', 'password'] as const;
const OTHERS = ['ssl', 'maxConnections', 'schema', 'name', 'clock'] as const;

/** @throws ConfigurationError that names the option and what is accepted, and never shows an address or a password */
export function checkOptions(options: PostgresStoreOptions): Settings {
  if (typeof options !== 'object' || options === null) {
    refuse('PostgresStore', show(options), 'an object with pool, connectionString or host');
  }
  const known: readonly string[] = [...PLACE, ...DETAILS, ...OTHERS];
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw new ConfigurationError(`PostgresStore has no option ${show(unknown)}; it has ${known.join(', ')}`);
  const { name = 'postgres', schema = DEFAULT_SCHEMA, clock = systemClock } = options;
  if (typeof name !== 'string' || name === '') refuse('name', show(name), 'a text that is not empty');
  if (typeof schema !== 'string' || !/^(?!pg_)[a-z_][a-z\d_]{0,62}$/.test(schema)) {
    refuse('schema', show(schema), '1 to 63 of a-z, 0-9 and _, not beginning with a digit or pg_');
  }
  return { name, schema, clock, from: placeOf(options) };
}

function placeOf(options: PostgresStoreOptions): Settings['from'] {
  const given = PLACE.filter((key) => options[key] !== undefined);
  if (given.length !== 1) {
    throw new ConfigurationError(
      `PostgresStore needs one of pool, connectionString and host, and has ${given.join(' and ') || 'none of them'}`,
    );
  }
  const { pool } = options;
  const inVain = [...(pool ? (['ssl', 'maxConnections'] as const) : []), ...(options.host ? [] : DETAILS)];
  const useless = inVain.find((key) => options[key] !== undefined);
  if (useless !== undefined) {
    throw new ConfigurationError(
      `PostgresStore: ${useless} is not used together with ${given[0]}; leave one out`,
    );
  }
  return pool === undefined ? { settings: settingsOf(options) } : { pool: poolOf(pool) };
}

function poolOf(pool: unknown): PostgresPool {
  const checked = withMethods<PostgresPool>('a Pool of the package pg', 'connect', 'on')(pool, 'pool');
  // A Client has connect() and on(), too.
  if (isObject(pool) && typeof pool.totalCount === 'number') return checked;
  return refuse(
    'pool',
    'an object without totalCount',
    'a Pool of the package pg; a single Client is not one',
  );
}

function settingsOf(options: PostgresStoreOptions): PoolSettings {
  const { connectionString, host, port, database, user, password, ssl, maxConnections } = options;
  if (connectionString !== undefined) assertAddress(connectionString);
  for (const [key, value] of Object.entries({ host, database, user })) {
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      refuse(key, show(value), 'a text that is not empty');
    }
  }
  if (host !== undefined && /:\/\/|@/.test(host))
    refuse('host', 'an address', 'a name; an address is a connectionString');
  if (password !== undefined && typeof password !== 'string' && typeof password !== 'function') {
    refuse('password', `a ${typeof password}`, 'a text, or a function that returns one');
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= MAX_PORT)) {
    refuse('port', show(port), `an integer from 1 to ${MAX_PORT}`);
  }
  if (ssl !== undefined && typeof ssl !== 'boolean' && !isObject(ssl)) {
    refuse('ssl', `a ${typeof ssl}`, 'true, false, or an object with options for TLS');
  }
  return {
    max: maxConnections === undefined ? DEFAULT_CONNECTIONS : positiveCount(maxConnections, 'maxConnections'),
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: IDLE_MS,
    allowExitOnIdle: true,
    keepAlive: true,
    ...(connectionString !== undefined && { connectionString }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(database !== undefined && { database }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(ssl !== undefined && { ssl }),
  };
}

/**
 * An address that is cut in the wrong place would put a part of the password into the name of the host or the database,
 * and so into messages.
 */
function assertAddress(address: unknown): void {
  const expected = 'postgres://user:password@host:5432/database';
  const given = 'what was given (not shown, it may hold a password)';
  if (typeof address !== 'string') return refuse('connectionString', `a ${typeof address}`, expected);
  const parts = /^postgres(?:ql)?:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?$/.exec(address);
  if (parts === null || !URL.canParse(address)) return refuse('connectionString', given, expected);
  const [, authority = '', path = '', query = ''] = parts;
  const names = [...new URLSearchParams(query).keys()].join();
  if (
    `${path}${names}`.includes('@') ||
    authority.split('@').length > 2 ||
    /%(?![\da-f]{2})/i.test(address)
  ) {
    refuse(
      'connectionString',
      given,
      `${expected}, with special characters percent-encoded (@ is %40, / is %2F)`,
    );
  }
}
