import type { ConnectionOptions } from 'node:tls';
import { type Clock, systemClock } from '../../clock.js';
import { ConfigurationError } from '../../errors.js';
import { isObject, refuse, show, withMethods } from '../../options/checks.js';
import type { IoRedisClient, NodeRedisClient } from './clients.js';

/** Where the server is: a `client`, or a `url`, or a `host`. */
export interface RedisStoreOptions {
  /**
   * A client that the application has already: a `Redis` of ioredis 6, or a connected client of node-redis. The
   * store never closes it. One that is subscribed to channels can't be used.
   */
  readonly client?: IoRedisClient | NodeRedisClient;
  /**
   * The address, as the hosting platforms give it; `rediss://` is with TLS. Special characters of the password are
   * percent-encoded. Of parameters only `family` (4, 6 or 0 for both) is known.
   *
   * @example 'rediss://user:password@host:6379/0'
   */
  readonly url?: string;
  /** Name or address of the server. Needed where there is no address and no client. */
  readonly host?: string;
  /** Default 6379. */
  readonly port?: number;
  /** Default: the user `default`. */
  readonly username?: string;
  /** Or a function that makes it, for passwords that expire. Default: none. */
  readonly password?: string | (() => string | Promise<string>);
  /** Number of the database. Default 0. */
  readonly db?: number;
  /** `true`, or node's options for TLS, for example `{ ca }`. Default: no TLS, or what the address says. */
  readonly tls?: boolean | ConnectionOptions;
  /**
   * Begins the keys of the store, in braces: `{wwebjs-session}:objects`. Stores with different prefixes share nothing. 1 to
   * 100 of a-z, A-Z, 0-9 and `_ . : -`. Default `wwebjs-session`.
   */
  readonly prefix?: string;
  /** Name of the store in messages and listings. Default `redis`. */
  readonly name?: string;
  /** Default: the real one. */
  readonly clock?: Clock;
}

export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly family?: number;
  readonly username?: string;
  readonly password?: string | (() => string | Promise<string>);
  readonly tls?: ConnectionOptions;
}

export interface Settings {
  readonly name: string;
  /** With what all keys of the store begin. The braces make a cluster keep them together. */
  readonly base: string;
  readonly clock: Clock;
  readonly from: { readonly client: IoRedisClient | NodeRedisClient } | { readonly settings: ServerSettings };
}

const DEFAULT_PORT = 6379;
const MAX_PORT = 65_535;
const MAX_DB = 1_000_000;

/** A name of a parameter that may be shown; any other may be a part of a password. */
const PARAMETER = /^[A-Za-z]{1,32}$/;

const PLACE = ['client', 'url', 'host'] as const;
const DETAILS = ['port', 'username', 'password', 'db'] as const;
const OTHERS = ['tls', 'prefix', 'name', 'clock'] as const;

/** @throws ConfigurationError that names the option and what is accepted, and never shows an address or a password */
export function checkOptions(options: RedisStoreOptions): Settings {
  if (typeof options !== 'object' || options === null) {
    refuse('RedisStore', show(options), 'an object with client, url or host');
  }
  const known: readonly string[] = [...PLACE, ...DETAILS, ...OTHERS];
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new ConfigurationError(`RedisStore has no option ${show(unknown)}; it has ${known.join(', ')}`);
  }
  const { name = 'redis', prefix = 'wwebjs-session', clock = systemClock } = options;
  if (typeof name !== 'string' || name === '') refuse('name', show(name), 'a text that is not empty');
  if (typeof prefix !== 'string' || !/^[\w.:-]{1,100}$/.test(prefix)) {
    refuse('prefix', show(prefix), '1 to 100 of a-z, A-Z, 0-9 and _ . : -');
  }
  return { name, base: `{${prefix}}:`, clock, from: placeOf(options) };
}

function placeOf(options: RedisStoreOptions): Settings['from'] {
  const given = PLACE.filter((key) => options[key] !== undefined);
  if (given.length !== 1) {
    throw new ConfigurationError(
      `RedisStore needs one of client, url and host, and has ${given.join(' and ') || 'none of them'}`,
    );
  }
  const { client, url } = options;
  const inVain = [...(client ? (['tls'] as const) : []), ...(options.host ? [] : DETAILS)];
  const useless = inVain.find((key) => options[key] !== undefined);
  if (useless !== undefined) {
    throw new ConfigurationError(
      `RedisStore: ${useless} is not used together with ${given[0]}; leave one out`,
    );
  }
  if (client !== undefined) return { client: clientOf(client) };
  return { settings: url === undefined ? settingsOf(options) : settingsOfUrl(url, options.tls) };
}

function clientOf(client: unknown): IoRedisClient | NodeRedisClient {
  const what = 'a client of ioredis or of node-redis';
  if (isObject(client) && typeof client.callBuffer === 'function') {
    return withMethods<IoRedisClient>(what, 'callBuffer', 'on')(client, 'client');
  }
  return withMethods<NodeRedisClient>(what, 'sendCommand', 'on')(client, 'client');
}

function settingsOf(options: RedisStoreOptions): ServerSettings {
  const { host, port = DEFAULT_PORT, username, password, db = 0 } = options;
  for (const [key, value] of Object.entries({ host, username })) {
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      refuse(key, show(value), 'a text that is not empty');
    }
  }
  if (host !== undefined && /:\/\/|@/.test(host)) refuse('host', 'an address', 'a name; an address is a url');
  if (password !== undefined && typeof password !== 'string' && typeof password !== 'function') {
    refuse('password', `a ${typeof password}`, 'a text, or a function that returns one');
  }
  if (username !== undefined && password === undefined) {
    throw new ConfigurationError('RedisStore: username needs a password, too');
  }
  if (!(Number.isInteger(port) && port >= 1 && port <= MAX_PORT)) {
    refuse('port', show(port), `an integer from 1 to ${MAX_PORT}`);
  }
  if (!(Number.isInteger(db) && db >= 0 && db <= MAX_DB)) refuse('db', show(db), 'an integer, 0 or more');
  const tls = tlsOf(options.tls);
  return {
    host: host ?? 'localhost',
    port,
    db,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls }),
  };
}

/**
 * An address that is cut in the wrong place would put a part of the password into the name of the host or the database,
 * and so into messages.
 */
function settingsOfUrl(address: unknown, tls: RedisStoreOptions['tls']): ServerSettings {
  const expected = 'redis://user:password@host:6379/0, or rediss:// for TLS';
  const given = 'what was given (not shown, it may hold a password)';
  if (typeof address !== 'string') return refuse('url', `a ${typeof address}`, expected);
  const [, scheme, authority = '', path = '', query = ''] =
    /^(rediss?):\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(address) ?? [];
  if (scheme === undefined || !URL.canParse(address)) return refuse('url', given, expected);
  if (authority.split('@').length > 2 || /@|%40/.test(path + query) || /%(?![\da-f]{2})/i.test(address)) {
    refuse('url', given, `${expected}, with special characters percent-encoded (@ is %40, / is %2F)`);
  }
  if (!/^\d{0,6}$/.test(path)) refuse('url', given, `${expected}, with the number of a database at its end`);
  const url = new URL(address);
  if (url.hostname === '') refuse('url', given, `${expected}, with a host`);
  const parameter = [...url.searchParams].find(
    ([key, value]) => key !== 'family' || !['0', '4', '6'].includes(value),
  );
  if (parameter !== undefined) {
    refuse(
      'url',
      PARAMETER.test(parameter[0]) ? `the parameter "${parameter[0]}"` : 'a parameter',
      'family=0, family=4 or family=6; TLS is the option tls',
    );
  }
  const family = url.searchParams.get('family');
  if (tls === false && scheme === 'rediss')
    refuse('tls', 'false beside rediss://', 'true, or an address with redis://');
  const secured = tlsOf(tls) ?? (scheme === 'rediss' ? {} : undefined);
  const decoded = (text: string) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return refuse('url', given, `${expected}, percent-encoded in UTF-8`);
    }
  };
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    db: Number(path),
    ...(family !== null && { family: Number(family) }),
    ...(url.password !== '' && { password: decoded(url.password) }),
    ...(url.password !== '' && url.username !== '' && { username: decoded(url.username) }),
    ...(secured !== undefined && { tls: secured }),
  };
}

function tlsOf(tls: unknown): ConnectionOptions | undefined {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return {};
  if (isObject(tls)) return tls;
  return refuse('tls', `a ${typeof tls}`, 'true, false, or an object with options for TLS');
}
