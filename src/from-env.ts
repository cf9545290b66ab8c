import { ConfigurationError, describeError } from './errors.js';
import {
  type Check,
  clientId,
  count,
  countOrInfinity,
  interval,
  megabytes,
  milliseconds,
  path,
  refuse,
  show,
} from './options/checks.js';
import type { PersistentSessionOptions } from './options/types.js';
import type { Environment } from './platform.js';
import type { SessionStore } from './stores/session-store.js';
import { storeFromUrl } from './stores/store-from-url.js';

/**
 * Reads the documented variables and returns them as options: `CLIENT_ID`, `MAX_SESSION_SIZE_MB`,
 * `SESSION_TIMEOUT_MS`, `PUPPETEER_TIMEOUT_MS`, `MAX_INIT_RETRIES`, `RECONNECT_DELAY_MS`,
 * `MAX_RECONNECT_ATTEMPTS`, `HEALTH_CHECK_INTERVAL_MS`, `BACKUP_INTERVAL_MS`, `SESSION_VALIDATION_INTERVAL_MS`,
 * `FORCE_SAVE_INTERVAL_MS`, `SESSION_PATH`, `BACKUP_SESSION_PATH`, `STORE_URL`, `BACKUP_STORE_URL`. A variable that is
 * missing or empty is left out.
 *
 * The last two are addresses for `storeFromUrl`, or the name of another variable that has one: `STORE_URL=DATABASE_URL`.
 *
 * The library never calls it by itself, because `CLIENT_ID` means something else in many bots.
 *
 * @throws ConfigurationError that names the variable, its value and what is accepted.
 * @example new PersistentSession(client, { ...fromEnv(), logger: console });
 */
export function fromEnv(env: Environment = process.env): PersistentSessionOptions {
  const entries = Object.entries(VARIABLES).flatMap(([option, [name, read]]) => {
    const text = env[name]?.trim() ?? '';
    return text === '' ? [] : [[option, read(text, name, env)]];
  });
  return Object.fromEntries(entries);
}

type Readable = keyof Omit<
  PersistentSessionOptions,
  | 'reconnectMaxDelayMs'
  | 'maxConcurrentCaptures'
  | 'compression'
  | 'retention'
  | 'shutdownSignals'
  | 'onLogout'
  | 'onConflict'
  | 'maxRollbackMs'
  | 'logger'
  | 'clock'
  | 'fs'
  | 'random'
>;

const VARIABLES: {
  readonly [Option in Readable]: readonly [
    name: string,
    read: (text: string, name: string, env: Environment) => NonNullable<PersistentSessionOptions[Option]>,
  ];
} = {
  clientId: ['CLIENT_ID', clientId],
  maxSessionSizeMb: ['MAX_SESSION_SIZE_MB', numberThat(megabytes)],
  sessionTimeoutMs: ['SESSION_TIMEOUT_MS', numberThat(milliseconds)],
  puppeteerTimeoutMs: ['PUPPETEER_TIMEOUT_MS', numberThat(milliseconds)],
  maxInitRetries: ['MAX_INIT_RETRIES', numberThat(count)],
  healthCheckIntervalMs: ['HEALTH_CHECK_INTERVAL_MS', numberThat(interval)],
  reconnectDelayMs: ['RECONNECT_DELAY_MS', numberThat(milliseconds)],
  maxReconnectAttempts: ['MAX_RECONNECT_ATTEMPTS', numberThat(countOrInfinity)],
  backupIntervalMs: ['BACKUP_INTERVAL_MS', numberThat(interval)],
  sessionValidationIntervalMs: ['SESSION_VALIDATION_INTERVAL_MS', numberThat(interval)],
  forceSaveIntervalMs: ['FORCE_SAVE_INTERVAL_MS', numberThat(interval)],
  followIntervalMs: ['FOLLOW_INTERVAL_MS', numberThat(interval)],
  sessionPath: ['SESSION_PATH', unquoted(path)],
  backupPath: ['BACKUP_SESSION_PATH', unquoted(path)],
  store: ['STORE_URL', storeAt],
  backupStore: ['BACKUP_STORE_URL', storeAt],
};

/** The name of another variable, for platforms that put the address of a database into one of their own. */
const VARIABLE = /^[A-Z][A-Z0-9_]*$/;
/** One that is not set is shown only if it is like a name: it may be a secret. */
const LIKELY_NAME = /_|URL$/;

/** Reads the address of a store, or the name of the variable that has it. An error never shows the address. */
function storeAt(text: string, name: string, env: Environment): SessionStore {
  const isName = VARIABLE.test(text);
  const address = isName ? (env[text]?.trim() ?? '') : text;
  if (address === '')
    refuse(
      name,
      LIKELY_NAME.test(text) ? show(text) : 'a text that is not shown',
      `the name of a variable that is set, or an address`,
    );
  try {
    return storeFromUrl(address);
  } catch (cause) {
    const where = isName ? `${name} (${text})` : name;
    throw new ConfigurationError(`${where}: ${describeError(cause).message}`, { cause });
  }
}

/** Accepts only plain decimal numbers: `Number()` would also accept `0x10`, `1e3` and spaces. */
function numberThat(check: Check<number>): (text: string, name: string) => number {
  return (text, name) => {
    if (/[٠-٩۰-۹]/.test(text)) {
      refuse(name, show(text), 'the digits 0 to 9 (not Arabic-Indic ones), for example 45000');
    }
    // A text that is not a number goes to the check unchanged, which refuses it with its own message.
    return check(/^(-?\d+(\.\d+)?|Infinity)$/.test(text) ? Number(text) : text, name);
  };
}

/**
 * Removes quotes around a value: `docker run --env-file` keeps those of `SESSION_PATH="/data"`, which would create
 * a folder of that name.
 */
function unquoted(check: Check<string>): (text: string, name: string) => string {
  return (text, name) =>
    /^(["']).*\1$/.test(text) ? refuse(name, show(text), 'the path without quotes') : check(text, name);
}
