import { type Clock, systemClock } from '../clock.js';
import { ConfigurationError } from '../errors.js';
import { type Logger, silentLogger } from '../logger.js';
import { guardClock } from '../options/callbacks/guard-clock.js';
import { guardLogger } from '../options/callbacks/guard-logger.js';
import * as check from '../options/checks.js';
import { refuseUnknown } from '../options/unknown-option.js';
import type { AuthFunction } from './auth.js';
import { fixedRoutes } from './router.js';

/** Options of `createSessionHandler()`. Only `auth` must be given. */
export interface SessionHandlerOptions {
  /**
   * Who may use the handler:
   * - a token of 24 to 512 visible ASCII characters: `Authorization: Bearer <token>`, or the dashboard's login form
   * - a function that decides about each request (it must not read the body), for example by your application's login
   * - `'none'`: anybody who can reach the handler. Such a person can take over the WhatsApp account.
   *
   * `undefined`, for example from an environment variable that is not set, is refused when the handler is created.
   *
   * @example randomBytes(32).toString('base64url')
   */
  readonly auth: string | 'none' | AuthFunction | undefined;
  /** A prefix of all paths, for a framework that does not remove the mount path. Default `''`. */
  readonly basePath?: string;
  /** Default `'/api/whatsapp/persistent-session'`. */
  readonly apiPath?: string;
  /** Default `'/persistent-session'`. */
  readonly dashboardPath?: string;
  /**
   * Host names, without a port, that requests may use with `auth: 'none'`; other requests are refused with 403. Without
   * this check, a page whose host name is made to point to this machine (DNS rebinding) would count as the same origin.
   * Default `['localhost', '127.0.0.1', '[::1]']`. Behind a login of your own, give the host name that your users type.
   */
  readonly allowedHosts?: readonly string[];
  /** Whether backups can be downloaded. A backup contains the whole login of the account. Default `false`. */
  readonly allowDownload?: boolean;
  /**
   * Whether the last values of `X-Forwarded-For`, `-Proto` and `-Host` are trusted. Set it only behind a proxy that
   * sends them. Default `false`.
   */
  readonly trustProxy?: boolean;
  /** How long a request waits for its action before it is answered with 202 and a job, ms. Default 25000. */
  readonly actionDeadlineMs?: number;
  /** How long a request's body may take, ms. Default 10000. */
  readonly bodyDeadlineMs?: number;
  /** How long a login to the dashboard lasts, ms. Default 12 hours. */
  readonly loginTtlMs?: number;
  /** How many test messages may be sent in a minute. Default 5. */
  readonly testMessagesPerMinute?: number;
  /** How many event streams may be open at once. Default 20. */
  readonly maxStreams?: number;
  /** Gets the complete errors, which responses never contain. Default: silent. */
  readonly logger?: Logger;
  /** Default: the real clock. */
  readonly clock?: Clock;
}

export type ResolvedHandlerOptions = Required<Omit<SessionHandlerOptions, 'auth'>> & {
  readonly auth: string | 'none' | AuthFunction;
};

const DEFAULTS: Omit<ResolvedHandlerOptions, 'auth'> = {
  basePath: '',
  apiPath: '/api/whatsapp/persistent-session',
  dashboardPath: '/persistent-session',
  allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
  allowDownload: false,
  trustProxy: false,
  actionDeadlineMs: 25_000,
  bodyDeadlineMs: 10_000,
  loginTtlMs: 12 * 60 * 60 * 1000,
  testMessagesPerMinute: 5,
  maxStreams: 20,
  logger: silentLogger,
  clock: systemClock,
};

const MIN_TOKEN_LENGTH = 24;
/** A token with fewer different characters is not random, for example `aaaaaaaa...`. */
const MIN_DIFFERENT_CHARACTERS = 8;

/**
 * Checks the options and fills in the defaults.
 *
 * @throws ConfigurationError that names the option and the accepted values, but never the token
 */
export function resolveHandlerOptions(given: SessionHandlerOptions): ResolvedHandlerOptions {
  if (!check.isObject(given)) check.refuse('options', check.show(given), 'an object with at least auth');
  refuseUnknown(given, ['auth', ...Object.keys(DEFAULTS)]);
  const take = <Name extends keyof typeof DEFAULTS>(
    name: Name,
    accept: check.Check<ResolvedHandlerOptions[Name]>,
  ): ResolvedHandlerOptions[Name] => {
    const value: unknown = given[name];
    return value === undefined ? (DEFAULTS as ResolvedHandlerOptions)[name] : accept(value, name);
  };
  const logger = guardLogger(
    take('logger', check.withMethods<Logger>('a logger', 'debug', 'info', 'warn', 'error')),
  );
  const options: ResolvedHandlerOptions = {
    auth: resolveAuth(given.auth),
    basePath: take('basePath', (value, name) => (value === '' ? '' : urlPath(value, name))),
    apiPath: take('apiPath', urlPath),
    dashboardPath: take('dashboardPath', urlPath),
    allowedHosts: take('allowedHosts', hostNames),
    allowDownload: take('allowDownload', flag),
    trustProxy: take('trustProxy', flag),
    actionDeadlineMs: take('actionDeadlineMs', check.milliseconds),
    bodyDeadlineMs: take('bodyDeadlineMs', check.milliseconds),
    loginTtlMs: take('loginTtlMs', check.milliseconds),
    testMessagesPerMinute: take('testMessagesPerMinute', check.positiveCount),
    maxStreams: take('maxStreams', check.positiveCount),
    logger,
    clock: guardClock(
      take('clock', check.withMethods<Clock>('a clock', 'now', 'monotonic', 'setTimeout', 'clearTimeout')),
      logger,
    ),
  };
  refuseSharedPaths(options);
  return Object.freeze(options);
}

/** Refuses two routes with the same address, because one of them could never be reached. */
function refuseSharedPaths(options: ResolvedHandlerOptions): void {
  const paths = fixedRoutes(options).map(([path]) => path);
  const shared = paths.find((path, index) => paths.indexOf(path) !== index);
  if (shared === undefined) return;
  const { apiPath, dashboardPath } = options;
  throw new ConfigurationError(
    `apiPath ${check.show(apiPath)} and dashboardPath ${check.show(dashboardPath)} are not accepted: ` +
      `${check.show(shared)} would stand for two things; expected two paths of their own, not /healthz or /readyz`,
  );
}

function resolveAuth(auth: unknown): ResolvedHandlerOptions['auth'] {
  const expected =
    `a token of ${MIN_TOKEN_LENGTH} to 512 visible ASCII characters, of which at least ` +
    `${MIN_DIFFERENT_CHARACTERS} differ, a function, or 'none' (then anybody can take over the account)`;
  if (typeof auth === 'function') return auth as AuthFunction;
  if (auth === undefined) {
    return check.refuse('auth', 'undefined (is the variable that it is read from set?)', expected);
  }
  if (typeof auth !== 'string') return check.refuse('auth', check.show(auth), expected);
  if (auth === 'none') return auth;
  const isToken = auth.length >= MIN_TOKEN_LENGTH && auth.length <= 512 && /^[\x21-\x7e]+$/.test(auth);
  if (isToken && new Set(auth).size >= MIN_DIFFERENT_CHARACTERS) return auth;
  return check.refuse('auth', `a text of ${auth.length} characters (not shown)`, expected);
}

const flag: check.Check<boolean> = (value, name) =>
  typeof value === 'boolean' ? value : check.refuse(name, check.show(value), 'true or false');

const hostNames: check.Check<readonly string[]> = (value, name) => {
  const names: unknown[] = Array.isArray(value) ? value : [];
  const isGood = names.length > 0 && names.every((one) => typeof one === 'string' && isHostName(one));
  if (isGood) return names.map((one) => String(one).toLowerCase());
  return check.refuse(
    name,
    check.show(value),
    'a list of host names without a port, such as ["bot.example"]',
  );
};

function isHostName(name: string): boolean {
  if (!/^(\[[\da-f:.]+\]|[a-z\d_.-]+)$/i.test(name)) return false; // `*` would match no host
  return URL.canParse(`http://${name}`) && new URL(`http://${name}`).hostname === name.toLowerCase();
}

const urlPath: check.Check<string> = (value, name) =>
  typeof value === 'string' && value.length <= 200 && /^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/.test(value)
    ? value
    : check.refuse(name, check.show(value), 'a path such as "/bot", without a slash at its end');
