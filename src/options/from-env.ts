import type { Environment } from '../platform.js';
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
} from './checks.js';
import type { PersistentSessionOptions } from './types.js';

/**
 * Reads the documented variables and returns them as options: `CLIENT_ID`, `MAX_SESSION_SIZE_MB`,
 * `SESSION_TIMEOUT_MS`, `PUPPETEER_TIMEOUT_MS`, `MAX_INIT_RETRIES`, `RECONNECT_DELAY_MS`,
 * `MAX_RECONNECT_ATTEMPTS`, `HEALTH_CHECK_INTERVAL_MS`, `BACKUP_INTERVAL_MS`, `SESSION_VALIDATION_INTERVAL_MS`,
 * `FORCE_SAVE_INTERVAL_MS`, `SESSION_PATH`, `BACKUP_SESSION_PATH`. A variable that is missing or empty is left
 * out.
 *
 * The library never calls it by itself, because `CLIENT_ID` means something else in many bots.
 *
 * @throws ConfigurationError that names the variable, its value and what is accepted.
 * @example new PersistentSession(client, { ...fromEnv(), logger: console });
 */
export function fromEnv(env: Environment = process.env): PersistentSessionOptions {
  const entries = Object.entries(VARIABLES).flatMap(([option, [name, read]]) => {
    const text = env[name]?.trim() ?? '';
    return text === '' ? [] : [[option, read(text, name)]];
  });
  return Object.fromEntries(entries);
}

type Readable = keyof Omit<
  PersistentSessionOptions,
  | 'reconnectMaxDelayMs'
  | 'maxConcurrentCaptures'
  | 'store'
  | 'backupStore'
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
    read: (text: string, name: string) => NonNullable<PersistentSessionOptions[Option]>,
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
};

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
