import { ConfigurationError } from '../errors.js';
import { FileSystemStore } from './file-system-store.js';
import { PostgresStore } from './postgres/postgres-store.js';
import { RedisStore } from './redis/redis-store.js';
import { S3Store } from './s3/s3-store.js';
import type { SessionStore } from './session-store.js';

const ENCODING =
  'special characters of a password have to be percent-encoded (/ is %2F, ? is %3F, # is %23, @ is %40)';
/** A name that may be shown; any other may be a part of a password. */
const PARAMETER = /^[A-Za-z]{1,32}$/;
const ACCEPTED =
  's3://bucket/folder, postgres://user:password@host/database, redis://host, rediss://host or file:///an/absolute/folder';
/** The grammar of S3. What does not match it may be the key in front of a password that is cut. */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const S3_PARAMETERS: ReadonlySet<string> = new Set(['region', 'endpoint', 'forcePathStyle']);

/**
 * The store that an address names, so that one variable of the environment is enough. Nothing is connected before its first
 * call, and its SDK is loaded then.
 *
 * | address | store | parameters |
 * |---|---|---|
 * | `s3://bucket/folder` | `S3Store`; keys may stand before the bucket (`s3://key:secret@bucket`), else the SDK finds them | `region`, `endpoint`, `forcePathStyle` |
 * | `postgres://`, `postgresql://` | `PostgresStore` | `schema`, and those of `pg`, such as `sslmode` |
 * | `redis://`, `rediss://` | `RedisStore` | `prefix`, `family` |
 * | `file:///folder` | `FileSystemStore` | |
 *
 * Special characters of a user or a password are percent-encoded.
 *
 * @throws ConfigurationError that says what is accepted; it never shows the address, which may hold a password
 * @example
 * const store = storeFromUrl('s3://my-bots/whatsapp?region=eu-central-1');
 * const session = new PersistentSession(client, { store });
 */
export function storeFromUrl(address: string): SessionStore {
  const url = parsed(address);
  if (url.protocol !== 'file:') assertWhole(url);
  switch (url.protocol) {
    case 's3:':
      return s3Store(url);
    case 'postgres:':
    case 'postgresql:': {
      const schema = taken(url, 'schema');
      return new PostgresStore({ connectionString: url.href, ...(schema !== undefined && { schema }) });
    }
    case 'redis:':
    case 'rediss:': {
      if (url.search.includes('@')) cut();
      const prefix = taken(url, 'prefix');
      return new RedisStore({ url: url.href, ...(prefix !== undefined && { prefix }) });
    }
    case 'file:':
      return new FileSystemStore(folderOf(url));
    default:
      return refused(`an address that begins with ${JSON.stringify(url.protocol.slice(0, 32))}`);
  }
}

function s3Store(url: URL): SessionStore {
  if (url.search.includes('@')) cut();
  if (!BUCKET.test(url.hostname) || url.port !== '') {
    throw new ConfigurationError(
      'the address of a bucket has no name of a bucket at its host: lower-case letters, digits, - and ., without a port; ' +
        ENCODING,
    );
  }
  const unknown = [...url.searchParams.keys()].find((name) => !S3_PARAMETERS.has(name));
  if (unknown !== undefined) {
    throw new ConfigurationError(
      `the address of a bucket has ${PARAMETER.test(unknown) ? `the parameter "${unknown}"` : 'a parameter that is not known'}; ` +
        `known are ${[...S3_PARAMETERS].join(', ')}`,
    );
  }
  const [prefix, region, endpoint] = [
    decoded(url.pathname.replace(/^\/+/, '')),
    url.searchParams.get('region'),
    url.searchParams.get('endpoint'),
  ];
  const accessKeyId = decoded(url.username);
  const secretAccessKey = decoded(url.password);
  if ((accessKeyId === '') !== (secretAccessKey === '')) {
    throw new ConfigurationError('the address of a bucket has only half of its keys: s3://key:secret@bucket');
  }
  return new S3Store({
    bucket: url.hostname,
    ...(prefix !== '' && { prefix }),
    ...(region !== null && { region }),
    ...(endpoint !== null && { endpoint }),
    ...(url.searchParams.has('forcePathStyle') && {
      forcePathStyle: url.searchParams.get('forcePathStyle') !== 'false',
    }),
    ...(accessKeyId !== '' && { credentials: { accessKeyId, secretAccessKey } }),
  });
}

function folderOf(url: URL): string {
  // Not `fileURLToPath`, whose errors show the address.
  if (url.host !== '' || url.pathname === '' || url.search !== '' || url.hash !== '') {
    return refused('a file address with more than an absolute folder');
  }
  return decoded(url.pathname);
}

/** Takes a parameter that is ours out of the address. */
function taken(url: URL, name: string): string | undefined {
  const value = url.searchParams.get(name) ?? undefined;
  url.searchParams.delete(name);
  return value;
}

function parsed(address: unknown): URL {
  if (typeof address !== 'string') return refused(`a value of type ${typeof address}`);
  try {
    // Without the slashes, what stands before a colon may be a user or a password.
    if (/^[a-z][a-z\d+.-]*:\/\//i.test(address.trim())) return new URL(address.trim());
  } catch {
    // told below
  }
  return refused(`something that is no address; ${ENCODING}`);
}

/** A raw `/`, `?` or `#` in a password ends the host before it: the rest would be a folder or a parameter, and be shown. */
function assertWhole({ pathname, searchParams, hash }: URL): void {
  const names = [...searchParams.keys()];
  if (hash !== '' || pathname.includes('@') || names.some((name) => name.includes('@'))) cut();
}

function cut(): never {
  return refused(`an address whose password ends too early; ${ENCODING}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refused('a % that is no percent-encoding');
  }
}

function refused(what: string): never {
  throw new ConfigurationError(`a store was given as ${what}; accepted are ${ACCEPTED}`);
}
